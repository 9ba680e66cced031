#!/usr/bin/env python3
"""damage.py FOLDER [NAME…]: a card whose data partition was damaged from outside, with the kernel, initrd and root of the image in
FOLDER; preinit then starts a writer instead of systemd. It has to start each time: with its data where they can be
had, else locked and with nothing of the partition changed; and never with an empty one, as if it had been new.
"""
import hashlib
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from powercut import Cuts  # noqa: E402

SECTOR = 512
# Where ext4 keeps copies of its superblock, in blocks of 4 KiB.
COPIES = [0] + [32768 * group for group in (1, 3, 5, 7, 9, 25, 27, 49, 81, 125)]


def data(card: Path) -> tuple[int, int]:
    """Where the data partition begins, and how large it is, in bytes."""
    with open(card, "rb") as file:
        file.seek(446 + 16 * 3 + 8)
        return tuple(int.from_bytes(file.read(4), "little") * SECTOR for _ in range(2))


def over(card: Path, at: int, bytes_: bytes) -> None:
    start, size = data(card)
    if at + len(bytes_) <= size:
        with open(card, "r+b") as file:
            file.seek(start + at)
            file.write(bytes_)


def digest(card: Path) -> str:
    start, _ = data(card)
    with open(card, "rb") as file:
        file.seek(start)
        return hashlib.sha256(file.read(256 << 20)).hexdigest()


def debugfs(card: Path, *lines: str) -> None:
    start, _ = data(card)
    # What waits in the journal would be written over it. (Its exit code says that something was mended.)
    subprocess.run(["e2fsck", "-fy", f"{card}?offset={start}"], check=False, capture_output=True)
    subprocess.run(["debugfs", "-w", "-f", "-", f"{card}?offset={start}"], input="\n".join([*lines, ""]), text=True, check=True,
                   capture_output=True)


def no_superblock(card: Path, _work: Path) -> None:
    over(card, 0, bytes(65536))


def nothing_ext4(card: Path, _work: Path) -> None:
    chance = random.Random(7)
    for block in COPIES:
        over(card, block * 4096, chance.randbytes(2 << 20))


def a_first_gigabyte_of_noise(card: Path, _work: Path) -> None:
    chance = random.Random(8)
    for at in range(0, 1 << 30, 16 << 20):
        over(card, at, chance.randbytes(16 << 20))


def noise_here_and_there(card: Path, _work: Path) -> None:
    chance = random.Random(9)
    for _ in range(40):
        over(card, chance.randrange(4096, 64 << 20), chance.randbytes(3000))


def no_room(card: Path, work: Path) -> None:
    (work / "big").write_bytes(b"x" * (64 << 20))
    # Root's own reserve, too: debugfs takes what there is, and says when that was all.
    debugfs(card, *(f"write {work / 'big'} full{number}" for number in range(60)))


def a_file_for_a_folder(card: Path, work: Path) -> None:
    (work / "odd").write_text("not a folder\n")
    debugfs(card, "unlink gatepost-etc", f"write {work / 'odd'} gatepost-etc")


def written_over(card: Path, work: Path) -> None:
    """By an image of today: its partition table has no data partition."""
    image = next(Path(sys.argv[1]).glob("*.img"))
    with open(card, "r+b") as file, open(image, "rb") as new:
        file.write(new.read(4 << 20))


# What is done to it, and what has to come of that: locked and not touched; locked; with its data; one of both.
DAMAGE: list[tuple[Callable[[Path, Path], None], str]] = [
    (written_over, "kept"),
    (no_superblock, "either"),
    (nothing_ext4, "locked"),
    (a_first_gigabyte_of_noise, "lost"),
    (noise_here_and_there, "either"),
    (no_room, "either"),
    (a_file_for_a_folder, "either"),
]


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        cards = Cuts(Path(sys.argv[1]), work, 1)
        cards.fresh()
        good, made = cards.card, work / "made"
        run = cards.power(lambda run: run.written >= 20)
        cards.note(run.start is not None and run.start[3] == "no", "made", run)
        identity = run.start[4] if run.start else ""
        good.rename(made)
        for damage, wanted in DAMAGE:
            if sys.argv[2:] and damage.__name__ not in sys.argv[2:]:
                continue
            subprocess.run(["cp", "--sparse=always", made, good], check=True)
            damage(good, work)
            before = digest(good)
            run = cards.power(lambda run: run.written > 3 and bool(run.start))
            log, setting, _, locked, machine_id = run.start or (-1, -1, 0, "hangs", "none")
            kept = locked == "no" and machine_id == identity and max(log, setting) >= 15
            safe = locked == "yes" and (wanted != "locked" or digest(good) == before)
            right = {"locked": safe, "lost": safe, "kept": kept, "either": safe or kept}[wanted]
            cards.note(right, f"{damage.__name__.replace('_', ' ')}: {'locked' if locked == 'yes' else 'with its data' if kept else 'as if it were new'}", run)
    print(f"{cards.bad} bad")
    sys.exit(1 if cards.bad else 0)


if __name__ == "__main__":
    main()
