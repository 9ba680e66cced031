#!/usr/bin/env python3
"""powercut.py FOLDER [CUTS] [FIRST] [UPDATES] [SEED]: power cuts on a disk that loses what was not flushed (nbd.py), with
the kernel, initrd and root of the image in FOLDER; preinit then starts a writer instead of systemd.

FIRST rounds of one to three cuts during a card's first start, then CUTS cuts under write load or while it starts. After
each the card has to start again with its data partition, its own machine id, and everything that was said to be written.
Then UPDATES cuts while bundles are installed: whatever the boot loader would start after each has to be whole.
"""
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "slots"))
import pack  # noqa: E402
from nbd import Disk, Server  # noqa: E402

SIZE = 3 << 30
# A start takes 4 s on a quiet machine.
LIMIT = 180
START = re.compile(r"PC START log=(-?\d+) setting=(-?\d+) bad=(\d+) locked=(\w+) id=(\w+) fsck=(.*)")


@dataclass
class Run:
    """What one time under power showed."""

    began: float = field(default_factory=time.monotonic)
    # To the disk until it had started.
    writes: int = 0
    written: int = -1
    start: tuple[int, int, int, str, str] | None = None
    checked: str = ""
    errors: int = 0
    hung: bool = False
    cut: tuple[int, int, int] = (0, 0, 0)
    lines: list[str] = field(default_factory=list)

    def take(self, line: str) -> None:
        self.lines.append(line)
        if found := START.search(line):
            log, setting, bad, locked, identity, self.checked = found.groups()
            self.start = (int(log), int(setting), int(bad), locked, identity)
        elif found := re.search(r"PC (\d+)$", line):
            self.written = int(found[1])
        elif "PC ERROR" in line or "EXT4-fs error" in line or "FATAL" in line:
            self.errors += 1


def power(folder: Path, card: Path, work: Path, chance: random.Random, until=None, last: int = 0, then: str = "writer",
          second: Path | None = None) -> Run:
    """Starts the machine and cuts its power once `until` says so, or with a write."""
    disk = Disk(card, chance, last)
    server = Server(disk, work / "disk.sock")
    # It ends with us, also when we are killed.
    command = ["setpriv", "--pdeathsig", "KILL", "qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-smp", "1", "-m", "512", "-nodefaults"]
    command += ["-display", "none", "-serial", "stdio", "-no-reboot"]
    command += ["-kernel", folder / "boot/vmlinuz", "-initrd", folder / "boot/initrd"]
    command += ["-append", "console=ttyAMA0 root=/dev/vda2 ro panic=10 loglevel=6 gp.slot=0 gp.next=" + then]
    command += ["-drive", server.drive, "-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci"]
    if second:
        command += ["-drive", f"file={second},if=none,id=d1,format=raw,readonly=on", "-device", "virtio-blk-pci,drive=d1"]
    machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    os.set_blocking(machine.stdout.fileno(), False)
    run, rest = Run(), b""
    while machine.poll() is None and not disk.dead and not (until and until(run)):
        piece = machine.stdout.read()
        if not piece:
            time.sleep(0.004)
        rest += piece or b""
        *lines, rest = rest.split(b"\n")
        for line in lines:
            run.take(line.decode("utf-8", "replace").strip())
            if run.start and not run.writes:
                run.writes = disk.writes
        if time.monotonic() - run.began > LIMIT:
            run.hung = True
            break
    # Our own child; what it had not flushed is lost by the disk.
    machine.kill()
    machine.wait()
    server.close()
    run.cut = disk.cut()
    return run


class Cuts:
    """Cards made of one image, and what is said of each cut."""

    def __init__(self, folder: Path, work: Path, seed: int):
        self.folder, self.work, self.card = folder, work, work / "card"
        (self.image,) = folder.glob("*.img")
        self.chance, self.bad = random.Random(seed), 0

    def fresh(self) -> None:
        subprocess.run(["cp", "--sparse=always", self.image, self.card], check=True)
        os.truncate(self.card, SIZE)

    def power(self, until=None, last: int = 0, **more) -> Run:
        return power(self.folder, self.card, self.work, self.chance, until, last, **more)

    def note(self, good: bool, what: str, run: Run) -> None:
        self.bad += not good
        waiting, reached, torn = run.cut
        print(f"{'ok ' if good else 'BAD'} {what}; found {run.start}; {waiting} writes waited, {reached} reached the card, {torn} torn; {run.checked}", flush=True)
        if not good:
            print("\n".join(run.lines[-25:]), flush=True)

    def settings(self, cuts: int, first: int) -> None:
        """Cuts of a card that is made, or written to."""
        # How many writes a start has, the first and any other, so that cuts fall into it.
        self.fresh()
        run = self.power(lambda run: run.written >= 3)
        self.note(run.start is not None and run.start[3] == "no", f"first start, {run.writes} writes", run)
        made = max(run.writes, 10)
        for number in range(first):
            self.fresh()
            for _ in range(self.chance.choice([1, 2])):
                self.power(lambda run: run.written >= 1, self.chance.randrange(1, made))
            run = self.power(lambda run: run.written >= 3)
            self.note(run.start is not None and run.start[3] == "no" and run.written >= 3, f"first start {number}, cut", run)
        written = run.written
        identity = run.start[4] if run.start else ""
        started = 10
        for number in range(cuts):
            early = self.chance.random() < 0.2
            last = self.chance.randrange(1, started) if early else started + self.chance.randrange(1, 150)
            run = self.power(last=last)
            what = f"cut {number} with write {last}, {written} written before"
            if run.start:
                started = max(run.writes, 2)
                log, setting, torn_lines, locked, machine_id = run.start
                good = setting >= written and (log < 0 or log >= written) and torn_lines <= 1
                good = good and locked == "no" and not run.errors and machine_id == identity
                self.note(good, what, run)
            else:
                self.note(not run.hung, what, run)
            written = max(written, run.written)
        run = self.power(lambda run: bool(run.start) and run.written > run.start[1] + 3)
        self.note(bool(run.start) and run.start[1] >= written, "the last start", run)

    def updates(self, cuts: int) -> None:
        """Cuts while a bundle is written to the slot that nobody runs from."""
        parts = bundles(self.folder, self.work)
        again = {"then": "updater", "second": self.work / "bundles"}
        self.fresh()
        before = slot(self.card, 0, 16 << 20)
        run = self.power(lambda run: run.written >= 2, **again)
        self.note(run.written >= 2 and not run.errors, f"two updates, {run.writes} writes before them", run)
        for number in range(cuts):
            started = max(run.writes, 1)
            run = self.power(last=started + self.chance.randrange(1, 60), **again)
            next_, trust, holds = starts(self.card, parts)
            good = not run.hung and not run.errors and slot(self.card, 0, 16 << 20) == before
            good = good and (next_ == "b" and holds or next_ == "a" and trust == "confirmed")
            self.note(bool(good), f"cut {number} of an update after {run.written}; slot {next_} starts, b holds {holds or 'nothing that is whole'}", run)
        run = self.power(lambda run: run.written >= 2, **again)
        next_, _, holds = starts(self.card, parts)
        self.note(next_ == "b" and holds is not None and not run.errors, f"the last updates; slot {next_} starts", run)


def bundles(folder: Path, work: Path) -> dict[str, tuple[bytes, bytes]]:
    """A disk with two small bundles that this image takes; what their parts are."""
    key, public, system = work / "key", work / "key.pem", work / "described/usr/lib/gatepost/system.json"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    subprocess.run(["unsquashfs", "-quiet", "-no-progress", "-force", "-dest", work / "described", folder / "boot/root.img",
                    "usr/lib/gatepost/system.json"], check=True, stdout=subprocess.DEVNULL)
    parts, lines, all_ = {}, "", b""
    for name in ("one", "another"):
        parts[name] = (name.encode() * (3 << 18), pack.boot(name.encode() * 50000, name.encode() * 20000))
        for part, data in zip(("root", "boot"), parts[name]):
            (work / part).write_bytes(data)
        made = work / "one.bundle"
        subprocess.run([sys.executable, pack.__file__, "bundle", key, system, work / "root", work / "boot", made], check=True)
        lines += f"{4096 + len(all_)} {made.stat().st_size}\n"
        all_ += made.read_bytes()
    head = (lines + "\n" + public.read_text()).encode()
    data = head + bytes(4096 - len(head)) + all_
    (work / "bundles").write_bytes(data + bytes(-len(data) % (1 << 20)))
    return parts


def slot(card: Path, number: int, size: int, at: int = 0) -> bytes:
    """What is in a slot, by the partition table."""
    with open(card, "rb") as file:
        file.seek(446 + 16 * (number + 1) + 8)
        start = int.from_bytes(file.read(4), "little") * pack.SECTOR
        file.seek(start + at)
        return file.read(size)


def starts(card: Path, parts: dict[str, tuple[bytes, bytes]]) -> tuple[str, object, str | None]:
    """The slot the boot loader takes next, how far it is trusted, and which bundle slot b holds whole."""
    with open(card, "rb") as file:
        found = []
        for place in (0x1000, 0x1800):
            file.seek(place * pack.SECTOR)
            found.append(pack.read_state(file.read(pack.SECTOR)))
    whole = [one for one in found if one]
    state = max(whole, key=lambda one: one["sequence"]) if whole else {"slot": "a", "trust": "confirmed"}
    for name, (root, boot) in parts.items():
        if slot(card, 1, len(root)) == root and slot(card, 1, len(boot), pack.BOOT_AT) == boot:
            return state["slot"], state["trust"], name
    return state["slot"], state["trust"], None


def main() -> None:
    folder = Path(sys.argv[1])
    cuts, first, updates, seed = (int(word) for word in (sys.argv[2:] + ["30", "3", "12", "1"][len(sys.argv) - 2 :])[:4])
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        made = Cuts(folder, Path(place), seed)
        if cuts or first:
            made.settings(cuts, first)
        if updates:
            made.updates(updates)
    print(f"{made.bad} bad of {cuts} cuts, {first} first starts and {updates} updates that were cut, in {time.monotonic() - began:.0f} s")
    sys.exit(1 if made.bad else 0)


if __name__ == "__main__":
    main()
