#!/usr/bin/env python3
"""Makes what the boot loader reads: a slot's boot part (kernel and initrd) and the state of the slots.

pack.py boot KERNEL INITRD OUT      packs the boot part; the kernel is compressed here
pack.py unboot PART KERNEL INITRD   takes it apart again; PART may be an image: unboot IMAGE@OFFSET ...
pack.py state OUT [SLOT TRIES OTHER SEQUENCE]   one sector of state
"""
import gzip
import struct
import sys
import zlib

SECTOR = 512
# Where in a slot its boot part begins, in bytes: 0xe0000 sectors in boot.cmd, the same in src/base/slots.rs.
BOOT_AT = 448 << 20
BOOT_MOST = 64 << 20
CONFIRMED = 0xFF


def both(data: bytes) -> bytes:
    """The checksum in both byte orders: not every build of U-Boot writes the same one."""
    crc = zlib.crc32(data)
    return struct.pack("<I", crc) + struct.pack(">I", crc)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % SECTOR)


def boot(kernel: bytes, initrd: bytes) -> bytes:
    head = b"GPBT" + struct.pack("<IIII", len(kernel), len(padded(kernel)) // SECTOR, len(initrd), len(padded(initrd)) // SECTOR)
    head += both(kernel) + both(initrd) + bytes(8)
    assert len(head) == 0x2C
    part = padded(head + both(head)) + padded(kernel) + padded(initrd)
    if len(part) > BOOT_MOST:
        sys.exit(f"the boot part has {len(part)} bytes, over the limit of {BOOT_MOST}")
    return part


def unboot(part: bytes) -> tuple[bytes, bytes]:
    if part[:4] != b"GPBT" or both(part[:0x2C]) != part[0x2C:0x34]:
        sys.exit("this is no boot part")
    kernel_size, kernel_sectors, initrd_size, _ = struct.unpack("<IIII", part[4:20])
    at = SECTOR + kernel_sectors * SECTOR
    kernel, initrd = part[SECTOR : SECTOR + kernel_size], part[at : at + initrd_size]
    if both(kernel) != part[20:28] or both(initrd) != part[28:36]:
        sys.exit("the boot part is damaged")
    return kernel, initrd


def state(slot: int = 0, tries: int = CONFIRMED, other: int = 0, sequence: int = 1, back: int = 0) -> bytes:
    head = b"GPAB" + struct.pack("<IIIIII", sequence, slot, tries, other, back, 1)
    return padded(head + both(head))


def main(words: list[str]) -> None:
    match words:
        case ["boot", kernel, initrd, out]:
            # gzip: what every build of U-Boot can unpack. The card is slower than the unpacking.
            with open(kernel, "rb") as file, open(initrd, "rb") as more:
                part = boot(gzip.compress(file.read(), 9, mtime=0), more.read())
            with open(out, "wb") as file:
                file.write(part)
        case ["unboot", part, kernel, initrd]:
            name, _, offset = part.partition("@")
            with open(name, "rb") as file:
                file.seek(int(offset or "0", 0))
                packed, ramdisk = unboot(file.read(BOOT_MOST))
            with open(kernel, "wb") as file:
                file.write(gzip.decompress(packed))
            with open(initrd, "wb") as file:
                file.write(ramdisk)
        case ["state", out, *rest]:
            with open(out, "wb") as file:
                file.write(state(*(int(word, 0) for word in rest)))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
