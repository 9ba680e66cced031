"""Updates of a running image, in a virtual machine that starts by U-Boot as a card does: a good bundle stays, a stranger's
is refused, a kernel that panics and a system whose screen is never seen are left again. Part of run.py.
"""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "slots"))
import pack  # noqa: E402
from vm import Failure, VM  # noqa: E402

LOADER = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"
COPIES = (0x1000, 0x1800)
BOOT = 500


class Card(VM):
    """A machine that starts as a card does, and goes on when it restarts."""

    def __init__(self, out: Path, work: Path, bundles: Path, more: str = ""):
        super().__init__(out, work, name="update")
        self.bundles = bundles
        # What cmdline.txt is on a Pi.
        words = f"net.ifnames=0 quiet loglevel=1 nosoftlockup console=tty0 console=ttyAMA0,115200 gp.test {more}"
        self.put("test.env", f"gp_said={words}\n")

    def command(self) -> list[str]:
        command = super().command()
        for word in ("-kernel", "-initrd", "-append"):
            at = command.index(word)
            del command[at : at + 2]
        return [*command, "-bios", LOADER, "-drive", f"file={self.bundles},if=none,id=d1,format=raw,readonly=on",
                "-device", "virtio-blk-pci,drive=d1"]

    def state(self) -> dict:
        with open(self.disk, "rb") as file:
            found = []
            for place in COPIES:
                file.seek(place * pack.SECTOR)
                found.append(pack.read_state(file.read(pack.SECTOR)))
        return max((one for one in found if one), key=lambda one: one["sequence"], default={})

    def serial_said(self, words: str) -> int:
        return sum(words in line for _, line in self.serial.lines)

    def slot(self) -> str:
        return self.guest("cat /run/gatepost-image/slot")

    def trust(self, key: Path) -> None:
        """Makes the running system trust a key, as if it had been built with it."""
        self.guest("mkdir -p /run/keys && cat > /run/keys/test.pem << 'KEY'\n" + key.read_text() + "KEY")
        self.guest("mount --bind /run/keys /usr/lib/gatepost/update-keys", check=True)

    def fetch(self, at: int, size: int, name: str) -> str:
        path = f"/var/lib/gatepost-updates/{name}"
        self.guest(f"tail -c +{at + 1} /dev/vdb | head -c {size} > {path} && chmod 644 {path}", 600, check=True)
        return path


def openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def journey(out: Path, work: Path, say) -> None:
    parts = out / "boot"
    subprocess.run(["unsquashfs", "-quiet", "-no-progress", "-force", "-dest", work / "described", parts / "root.img",
                    "usr/lib/gatepost/system.json"], check=True, stdout=subprocess.DEVNULL)
    system = work / "described/usr/lib/gatepost/system.json"
    ours, strangers = work / "ours.key", work / "strangers.key"
    for key in (ours, strangers):
        openssl("genpkey", "-algorithm", "ed25519", "-out", key)
    openssl("pkey", "-in", ours, "-pubout", "-out", work / "ours.pem")
    # A kernel that panics: it finds nothing in its initrd that it could start.
    kernel, _ = pack.unboot((parts / "boot.img").read_bytes())
    (work / "panic.img").write_bytes(pack.boot(kernel, b"no initrd at all" * 100))
    places, at = {}, 0
    disk = work / "bundles"
    with open(disk, "wb") as file:
        for name, key, boot in (("good", ours, parts / "boot.img"), ("stranger", strangers, parts / "boot.img"),
                                ("panic", ours, work / "panic.img")):
            one = work / f"{name}.bundle"
            subprocess.run([sys.executable, Path(pack.__file__), "bundle", key, system, parts / "root.img", boot, one], check=True)
            data = one.read_bytes()
            one.unlink()
            places[name] = (at, len(data))
            file.write(data + bytes(-len(data) % pack.SECTOR))
            at = file.tell()
        file.truncate(at + (-at % (1 << 20)))

    def started(vm: Card, slot: str, after: int = 0) -> None:
        vm.journal.wait_for(r"the page is on the screen", BOOT, after)
        if vm.slot() != slot:
            raise Failure(f"slot {vm.slot()} runs, not {slot}")

    with Card(out, work, disk) as vm:
        started(vm, "a")
        vm.trust(work / "ours.pem")
        path = vm.fetch(*places["stranger"], "stranger.bundle")
        told = vm.guest(f"gatepost update install {path}", 600)
        if "not signed by anybody" not in told:
            raise Failure(f"a stranger's bundle: {told}")
        at, size = places["good"]
        path = vm.fetch(at, size - 1000, "cut.bundle")
        told = vm.guest(f"gatepost update install {path}", 900)
        if "can't be read" not in told:
            raise Failure(f"a bundle that was cut: {told}")
        say("bad bundles were refused")
        vm.guest("rm /var/lib/gatepost-updates/*")

        path = vm.fetch(*places["panic"], "panic.bundle")
        vm.guest(f"gatepost update install {path}", 900, check=True)
        before = len(vm.journal.lines)
        vm.guest("systemctl reboot")
        started(vm, "a", before)
        told = vm.guest("gatepost update check")
        if "came back" not in told or vm.serial_said("Kernel panic") < 3:
            raise Failure(f"after a kernel that panics: {told}")
        say("a kernel that panics was left after its tries")

        vm.trust(work / "ours.pem")
        vm.guest("rm /var/lib/gatepost-updates/*; echo kept > /etc/gatepost/kept")
        path = vm.fetch(*places["good"], "good.bundle")
        vm.guest(f"gatepost update install {path}", 900, check=True)
        before = len(vm.journal.lines)
        vm.guest("systemctl reboot")
        started(vm, "b", before)
        vm.wait_guest("gatepost update check | grep -q 'the same, confirmed'", 60, "the new system is confirmed")
        if vm.guest("cat /etc/gatepost/kept") != "kept":
            raise Failure("settings were lost")
        say("a good bundle was installed, started and confirmed; settings were kept")
        vm.guest("gatepost update rollback && sync", 60, check=True)

    # The other system may not show its screen: one try left, and no X.
    with open(vm.disk, "r+b") as file:
        state = vm.state()
        for place in COPIES:
            file.seek(place * pack.SECTOR)
            file.write(pack.state("ab".index(state["slot"]), 1, 1, state["sequence"] + 1))
    with Card(out, work, disk, "systemd.mask=gatepost-screen.service") as vm:
        vm.journal.wait_for(r"listening", BOOT)
        if vm.slot() != "a":
            raise Failure(f"slot {vm.slot()} runs, not a")
        before = len(vm.journal.lines)
        # What its timer does after five minutes.
        vm.guest("systemctl --no-block start gatepost-update-watch.service")
        vm.journal.wait_for(r"listening", BOOT, before + 50)
        if vm.slot() != "b" or not vm.state().get("rolled_back"):
            raise Failure(f"after a screen that was never seen slot {vm.slot()} runs: {vm.state()}")
        say("a system whose screen was never seen was left again")
    os.unlink(disk)
