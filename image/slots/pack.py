#!/usr/bin/env python3
"""Makes what the boot loader reads: a slot's boot part (kernel and initrd) and the state of the slots.

pack.py boot KERNEL INITRD OUT      packs the boot part; the kernel is compressed here
pack.py unboot PART KERNEL INITRD   takes it apart again; PART may be an image: unboot IMAGE@OFFSET ...
pack.py state OUT [SLOT TRIES OTHER SEQUENCE]   one sector of state
pack.py bundle KEY SYSTEM ROOT BOOT OUT   a bundle for `gatepost update install`, signed by a private Ed25519 key in a
                                    PEM file; SYSTEM is the root's /usr/lib/gatepost/system.json
"""
import gzip
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
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


def read_state(raw: bytes) -> dict | None:
    """One copy of the state; none if it isn't whole."""
    if raw[:4] != b"GPAB" or not {both(raw[:28])[:4], both(raw[:28])[4:]} & {raw[28:32], raw[32:36]}:
        return None
    sequence, slot, tries, other, back, _ = struct.unpack("<IIIIII", raw[4:28])
    trust = "confirmed" if tries == CONFIRMED else {"tries": tries}
    return {"sequence": sequence, "slot": "ab"[slot], "trust": trust, "other_good": other == 1, "rolled_back": back == 1}


def sign(key: str, data: bytes) -> bytes:
    """By openssl, since Python's own library can't. The key stays where it is."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        command = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", file.name]
        signature = subprocess.run(command, check=True, capture_output=True).stdout
    if len(signature) != 64:
        sys.exit(f"{key} is no Ed25519 key; make one with: openssl genpkey -algorithm ed25519 -out KEY")
    return signature


def bundle(key: str, system: dict, parts: dict[str, str], out: str) -> None:
    """What src/wire/bundle.rs reads."""
    manifest = {name: system[name] for name in ("version", "built", "board")}
    manifest["parts"] = []
    for name, path in parts.items():
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        manifest["parts"].append({"name": name, "size": os.path.getsize(path), "sha256": digest})
    text = json.dumps(manifest).encode()
    signed = b"GATEPOST-BUNDLE-1\n" + struct.pack("<I", len(text)) + text
    with open(out, "wb") as file:
        file.write(signed + b"\x01" + sign(key, signed))
        for path in parts.values():
            with open(path, "rb") as part:
                while piece := part.read(1 << 20):
                    file.write(piece)


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
        case ["bundle", key, system, root, boot_part, out]:
            with open(system, "rb") as file:
                bundle(key, json.load(file), {"root": root, "boot": boot_part}, out)
        case ["state", out, *rest]:
            with open(out, "wb") as file:
                file.write(state(*(int(word, 0) for word in rest)))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
