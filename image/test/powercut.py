#!/usr/bin/env python3
"""powercut.py FOLDER [CUTS] [FIRST] [SEED]: power cuts on a disk that loses what was not flushed (nbd.py), with the
kernel, initrd and root of the image in FOLDER; preinit then starts a writer instead of systemd.

FIRST rounds of one to three cuts during a card's first start, then CUTS cuts under write load or while it starts. After
each the card has to start again with its data partition, its own machine id, and everything that was said to be written.
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


def power(folder: Path, card: Path, work: Path, chance: random.Random, until=None, last: int = 0) -> Run:
    """Starts the machine and cuts its power once `until` says so, or with a write."""
    disk = Disk(card, chance, last)
    server = Server(disk, work / "disk.sock")
    command = ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-smp", "1", "-m", "512", "-nodefaults"]
    command += ["-display", "none", "-serial", "stdio", "-no-reboot"]
    command += ["-kernel", folder / "boot/vmlinuz", "-initrd", folder / "boot/initrd"]
    command += ["-append", "console=ttyAMA0 root=/dev/vda2 ro panic=10 loglevel=6 gp.slot=0 gp.next=writer"]
    command += ["-drive", server.drive, "-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci"]
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


def main() -> None:
    folder = Path(sys.argv[1])
    cuts, first, seed = (int(word) for word in (sys.argv[2:] + ["30", "3", "1"][len(sys.argv) - 2 :])[:3])
    (image,) = folder.glob("*.img")
    chance = random.Random(seed)
    bad = 0
    began = time.monotonic()

    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        card = work / "card"

        def fresh() -> None:
            subprocess.run(["cp", "--sparse=always", image, card], check=True)
            os.truncate(card, SIZE)

        def note(good: bool, what: str, run: Run) -> None:
            nonlocal bad
            bad += not good
            waiting, reached, torn = run.cut
            print(f"{'ok ' if good else 'BAD'} {what}; found {run.start}; {waiting} writes waited, {reached} reached the card, {torn} torn; {run.checked}", flush=True)
            if not good:
                print("\n".join(run.lines[-25:]), flush=True)

        # How many writes a start has, the first and any other, so that cuts fall into it.
        fresh()
        run = power(folder, card, work, chance, lambda run: run.written >= 3)
        note(run.start is not None and run.start[3] == "no", f"first start, {run.writes} writes", run)
        made = max(run.writes, 10)
        for number in range(first):
            fresh()
            for _ in range(chance.choice([1, 2])):
                power(folder, card, work, chance, lambda run: run.written >= 1, chance.randrange(1, made))
            run = power(folder, card, work, chance, lambda run: run.written >= 3)
            note(run.start is not None and run.start[3] == "no" and run.written >= 3, f"first start {number}, cut", run)
        written = run.written
        identity = run.start[4] if run.start else ""
        started = 10
        for number in range(cuts):
            early = chance.random() < 0.2
            last = chance.randrange(1, started) if early else started + chance.randrange(1, 150)
            run = power(folder, card, work, chance, last=last)
            what = f"cut {number} with write {last}, {written} written before"
            if run.start:
                started = max(run.writes, 2)
                log, setting, torn_lines, locked, machine_id = run.start
                good = setting >= written and (log < 0 or log >= written) and torn_lines <= 1
                good = good and locked == "no" and not run.errors and machine_id == identity
                note(good, what, run)
            else:
                note(not run.hung, what, run)
            written = max(written, run.written)
        run = power(folder, card, work, chance, lambda run: bool(run.start) and run.written > run.start[1] + 3)
        note(bool(run.start) and run.start[1] >= written, "the last start", run)
    print(f"{bad} bad of {cuts} cuts and {first} first starts, in {time.monotonic() - began:.0f} s")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
