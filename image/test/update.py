"""Updates of a running image, in a virtual machine that starts by U-Boot as a card does: a good bundle stays, a stranger's
is refused, a kernel that panics and a system whose screen is never seen are left again. Part of run.py.

Bundles come as they come to their owners: from a web server, and on a USB stick. They are signed by keys made here, which
the machine is told to trust; or by the one that GATEPOST_UPDATE_KEY names, if the image was built with its public half.
"""
import contextlib
import http.server
import os
import ssl
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "slots"))
import pack  # noqa: E402
from vm import Failure, VM  # noqa: E402

LOADER = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"
COPIES = (0x1000, 0x1800)
# On a loaded machine emulation is slow; this is for telling that something hangs.
BOOT = 900


class Card(VM):
    """A machine that starts as a card does, and goes on when it restarts."""

    def __init__(self, out: Path, work: Path, stick: Path, more: str = ""):
        super().__init__(out, work, name="update")
        self.stick = stick
        # What cmdline.txt is on a Pi.
        words = f"net.ifnames=0 quiet loglevel=1 nosoftlockup console=tty0 console=ttyAMA0,115200 gp.test {more}"
        self.put("test.env", f"gp_said={words}\n")

    def command(self) -> list[str]:
        command = super().command()
        for word in ("-kernel", "-initrd", "-append"):
            at = command.index(word)
            del command[at : at + 2]
        return [*command, "-bios", LOADER, "-device", "qemu-xhci",
                "-drive", f"file={self.stick},if=none,id=d1,format=raw,readonly=on", "-device", "usb-storage,drive=d1"]

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

    def trust_web(self, certificate: Path) -> None:
        """Makes its web client believe the test's server."""
        there = "/etc/ssl/certs/ca-certificates.crt"
        self.guest("cat > /run/ca.crt << 'PEM'\n" + certificate.read_text() + "PEM")
        self.guest(f"mount --bind /run/ca.crt {there}", check=True)


class Web:
    """A web server of ours, as the machine sees it; `offered` is what it has: a file and how much of it comes."""

    def __init__(self, work: Path):
        self.certificate, key = work / "web.pem", work / "web.key"
        # 10.0.2.2 is this machine, seen from a virtual one.
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
                "-addext", "subjectAltName=IP:10.0.2.2", "-keyout", key, "-out", self.certificate)
        offered = self.offered = {}

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, most = offered[self.path]
                self.send_response(200)
                self.send_header("Content-Length", str(path.stat().st_size))
                self.end_headers()
                # Who has seen enough of a bundle hangs up.
                with path.open("rb") as file, contextlib.suppress(OSError):
                    while most > 0 and (piece := file.read(min(most, 1 << 18))):
                        self.wfile.write(piece)
                        most -= len(piece)
                self.close_connection = True

            def log_message(self, *_) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def offer(self, path: Path, most: int = 1 << 40) -> str:
        name = f"/{len(self.offered)}/{path.name}"
        self.offered[name] = (path, most)
        return f"https://10.0.2.2:{self.server.server_port}{name}"


def openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def journey(out: Path, work: Path, say) -> None:
    parts = out / "boot"
    subprocess.run(["unsquashfs", "-quiet", "-no-progress", "-force", "-dest", work / "described", parts / "root.img",
                    "usr/lib/gatepost/system.json"], check=True, stdout=subprocess.DEVNULL)
    system = work / "described/usr/lib/gatepost/system.json"
    given = os.environ.get("GATEPOST_UPDATE_KEY")
    ours, strangers = Path(given or work / "ours.key"), work / "strangers.key"
    for key in (strangers,) if given else (ours, strangers):
        openssl("genpkey", "-algorithm", "ed25519", "-out", key)
    openssl("pkey", "-in", ours, "-pubout", "-out", work / "ours.pem")
    # A kernel that panics: it finds nothing in its initrd that it could start. Its root is never looked at.
    kernel, _ = pack.unboot((parts / "boot.img").read_bytes())
    (work / "panic.img").write_bytes(pack.boot(kernel, b"no initrd at all" * 100))
    (work / "no-root.img").write_bytes(b"no root at all, either " * 50000)

    def bundle(name: str, key: Path, root: Path, boot: Path) -> Path:
        made = work / name
        subprocess.run([sys.executable, Path(pack.__file__), "bundle", key, system, root, boot, made], check=True)
        return made

    good = bundle("good.bundle", ours, parts / "root.img", parts / "boot.img")
    stranger = bundle("stranger.bundle", strangers, work / "no-root.img", parts / "boot.img")
    panic = bundle("gatepost-9.9.9-arm64.bundle", ours, work / "no-root.img", work / "panic.img")
    stick = work / "stick"
    with open(stick, "wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.vfat", "-F", "32", stick], check=True, stdout=subprocess.DEVNULL)
    (work / "older").write_bytes(b"an older one, which must not be taken")
    subprocess.run(["mcopy", "-i", stick, work / "older", "::gatepost-9.9.8-arm64.bundle"], check=True)
    subprocess.run(["mcopy", "-i", stick, panic, "::"], check=True)
    web = Web(work)

    def started(vm: Card, slot: str, after: int = 0) -> None:
        vm.journal.wait_for(r"the page is on the screen", BOOT, after)
        if vm.slot() != slot:
            raise Failure(f"slot {vm.slot()} runs, not {slot}")

    with Card(out, work, stick) as vm:
        started(vm, "a")
        vm.trust_web(web.certificate)
        if not given:
            vm.trust(work / "ours.pem")
        told = vm.guest(f"gatepost update install {web.offer(stranger)}", 600)
        if "not signed by anybody" not in told:
            raise Failure(f"a stranger's bundle: {told}")
        told = vm.guest(f"gatepost update install {web.offer(good, 6 << 20)}", 900)
        if "can't be read" not in told:
            raise Failure(f"a bundle that was cut: {told}")
        told = vm.guest("gatepost update check")
        if "the same, confirmed" not in told:
            raise Failure(f"after bad bundles: {told}")
        say("bad bundles were refused")

        vm.wait_guest("test -b /dev/sda", 60, "a USB stick")
        vm.guest("gatepost update install usb", 900, check=True)
        before = len(vm.journal.lines)
        vm.guest("systemctl reboot")
        started(vm, "a", before)
        told = vm.guest("gatepost update check")
        if "came back" not in told or vm.serial_said("Kernel panic") < 3:
            raise Failure(f"after a kernel that panics: {told}")
        say("a kernel that panics, from a USB stick, was left after its tries")

        vm.trust_web(web.certificate)
        if not given:
            vm.trust(work / "ours.pem")
        vm.guest("echo kept > /etc/gatepost/kept", check=True)
        told = vm.guest(f"gatepost update check {web.offer(good)}", 600)
        if "good" not in told:
            raise Failure(f"looking at a good bundle: {told}")
        (work / "update.check").write_text(told)
        vm.guest(f"gatepost update install {web.offer(good)}", 1500, check=True)
        before = len(vm.journal.lines)
        vm.guest("systemctl reboot")
        started(vm, "b", before)
        vm.wait_guest("gatepost update check | grep -q 'the same, confirmed'", 60, "the new system is confirmed")
        if vm.guest("cat /etc/gatepost/kept") != "kept":
            raise Failure("settings were lost")
        with (work / "update.check").open("a") as file:
            file.write("\n" + vm.guest("gatepost update check; gatepost status"))
        say("a good bundle was installed from a web server, started and confirmed; settings were kept")
        vm.guest("gatepost update rollback && sync", 60, check=True)

    # The other system may not show its screen: one try left, and no X.
    with open(vm.disk, "r+b") as file:
        state = vm.state()
        for place in COPIES:
            file.seek(place * pack.SECTOR)
            file.write(pack.state("ab".index(state["slot"]), 1, 1, state["sequence"] + 1))
    with Card(out, work, stick, "systemd.mask=gatepost-screen.service") as vm:
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
    for made in (good, stranger, panic, stick):
        made.unlink()
