#!/usr/bin/env python3
"""slots.py IMAGE: has U-Boot itself, as it is in an image, start from each state in tests/golden/slots.json, in
QEMU's Raspberry Pi, and looks which slot it starts and what it leaves on the card. The twin of these starts in
Rust is tests/slots_golden.rs.
"""
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "slots"))
import pack  # noqa: E402

GOLDEN = HERE.parent.parent / "tests/golden/slots.json"
COPIES = (0x1000, 0x1800)
MIB = 1 << 20
# Of the small card that is made here: where the FAT and the slots begin, in MiB.
FAT_AT, SLOTS = 4, (68, 580)
# A start takes about 5 s.
LIMIT = 90


def sector(state: dict | None) -> bytes:
    if state is None:
        return bytes(pack.SECTOR)
    trust = state["trust"]
    tries = pack.CONFIRMED if trust == "confirmed" else trust["tries"]
    bytes_ = bytearray(
        pack.state("ab".index(state["slot"]), tries, int(state["other_good"]), state["sequence"], int(state["rolled_back"]))
    )
    if state.get("torn"):
        bytes_[8] ^= 0x10
    return bytes(bytes_)


def newest(card: Path) -> dict | None:
    with open(card, "rb") as file:
        found = []
        for place in COPIES:
            file.seek(place * pack.SECTOR)
            found.append(pack.read_state(file.read(pack.SECTOR)))
    whole = [one for one in found if one]
    return max(whole, key=lambda one: one["sequence"]) if whole else None


def make(image: Path, work: Path) -> tuple[Path, Path]:
    """A card with the image's boot loader, and two slots whose kernels are none."""
    for name in ("u-boot.bin", "boot.scr", "uboot.env", "bcm2837-rpi-3-b.dtb"):
        subprocess.run(["mcopy", "-n", "-i", f"{image}@@{FAT_AT}M", f"::{name}", work / name], check=True)
    fat, card = work / "fat", work / "card"
    with open(fat, "wb") as file:
        file.truncate(64 * MIB)
    subprocess.run(["mkfs.vfat", "-F", "32", fat], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["mcopy", "-i", fat, work / "boot.scr", work / "uboot.env", "::"], check=True)
    with open(card, "wb") as file:
        file.truncate(2048 * MIB)
        file.seek(FAT_AT * MIB)
        file.write(fat.read_bytes())
        for start in SLOTS:
            file.seek(start * MIB + pack.BOOT_AT)
            file.write(pack.boot(b"no kernel" * 100, b"no initrd" * 100))
    table = f"label: dos\nstart={FAT_AT}MiB, size=64MiB, type=c, bootable\n"
    table += "".join(f"start={start}MiB, size=512MiB, type=83\n" for start in SLOTS)
    subprocess.run(["sfdisk", "--quiet", card], input=table.encode(), check=True)
    return card, work / "u-boot.bin"


def start(card: Path, loader: Path, work: Path) -> str | None:
    """The slot U-Boot starts."""
    # It ends with us, also when we are killed.
    command = ["setpriv", "--pdeathsig", "KILL", "qemu-system-aarch64", "-M", "raspi3b", "-display", "none", "-monitor", "none", "-no-reboot"]
    command += ["-kernel", loader, "-dtb", work / "bcm2837-rpi-3-b.dtb", "-append", "gp.nowdt"]
    command += ["-drive", f"file={card},if=sd,format=raw", "-serial", "null", "-serial", "stdio"]
    machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said, until = b"", time.monotonic() + LIMIT
    os.set_blocking(machine.stdout.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(machine.stdout, selectors.EVENT_READ)
        try:
            while time.monotonic() < until:
                selector.select(1)
                piece = machine.stdout.read()
                if piece == b"":
                    break
                said += piece or b""
                for line in said.split(b"\n")[:-1]:
                    if line.startswith(b"GATEPOST starts slot "):
                        return "ab"[int(line.split()[-1])]
        finally:
            machine.kill()
            machine.wait()
    print(said[-1500:].decode("utf-8", "replace"))
    return None


def main() -> None:
    image = Path(sys.argv[1])
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        card, loader = make(image, work)
        for case in json.loads(GOLDEN.read_text()):
            with open(card, "r+b") as file:
                for place, copy in zip(COPIES, case["copies"]):
                    file.seek(place * pack.SECTOR)
                    file.write(sector(copy))
            before = newest(card)
            slot = start(card, loader, work)
            after = newest(card)
            good = slot == case["starts"] and after == (case["after"] or before)
            failed += not good
            print("ok  " if good else "BAD ", case["what"], "" if good else f"(started {slot}, left {after})", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
