"""A virtual machine with Gatepost's image in it, for tests: its disk, screen, keyboard, journal and a root shell.

    with VM(out, work) as vm:
        vm.wait_for("the server is ready", 120)
        vm.keys("echo hello\\n")
        vm.screenshot("hello.png")
        print(vm.guest("cat /proc/mounts"))

`out` is the folder that image/build.sh filled. The image itself is never written to: the disk is a copy.
"""
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import zlib
from pathlib import Path

CARD_BYTES = 4 << 30  # QEMU's SD card wants a power of two
FAT_AT = 4 << 20  # where the image's first partition begins
# What the characters are on a US keyboard, by QEMU's names.
PLAIN = {" ": "spc", "\n": "ret", "\t": "tab", "-": "minus", "=": "equal", "[": "bracket_left", "]": "bracket_right",
         ";": "semicolon", "'": "apostrophe", "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot", "/": "slash"}
SHIFTED = dict(zip('!@#$%^&*()_+{}:"~|<>?', "1234567890-=[];'`\\,./"))


class Failure(Exception):
    """What a test expected and did not get."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_until(question, seconds: float, what: str, pause: float = 0.1):
    """The first true answer, or a failure."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {seconds:.0f} s")
        time.sleep(pause)


class Lines:
    """Lines that come by a socket or a file, with when they came."""

    def __init__(self, began: float, copy: Path):
        self.began, self.copy = began, copy.open("w", encoding="utf-8")
        self.lines: list[tuple[float, str]] = []
        self.more = threading.Condition()

    def read(self, recv) -> None:
        rest = b""
        while True:
            try:
                data = recv(65536)
            except OSError:
                data = b""
            if not data:
                return
            rest += data
            *whole, rest = rest.split(b"\n")
            now = time.monotonic() - self.began
            with self.more:
                for line in whole:
                    text = line.decode("utf-8", "replace").rstrip("\r")
                    self.lines.append((now, text))
                    self.copy.write(f"[{now:8.2f}] {text}\n")
                self.copy.flush()
                self.more.notify_all()

    def wait_for(self, pattern: str, seconds: float, after: int = 0) -> tuple[float, str]:
        end, at, wanted = time.monotonic() + seconds, after, re.compile(pattern)
        with self.more:
            while True:
                while at < len(self.lines):
                    if wanted.search(self.lines[at][1]):
                        return self.lines[at]
                    at += 1
                left = end - time.monotonic()
                if left <= 0 or not self.more.wait(left):
                    if time.monotonic() >= end:
                        raise Failure(f"no line with {pattern!r} within {seconds:.0f} s; all of them are in {self.copy.name}")


class VM:
    """One start of the machine. `disk` is reused if it exists, so that a second start is one of the same card."""

    def __init__(self, out: Path, work: Path, *, name: str = "vm", machine: str = "virt", disk: Path | str | None = None,
                 arguments: str = "", memory: int = 1024, processors: int = 2, extra: list[str] | None = None,
                 qemu: str = "qemu-system-aarch64", test_shell: bool = True):
        self.out, self.work, self.name, self.machine, self.memory = Path(out), Path(work), name, machine, memory
        self.processors, self.extra, self.qemu, self.test_shell = processors, extra or [], qemu, test_shell
        self.arguments = arguments
        self.disk = disk if disk is not None else self.work / f"{name}.disk"
        self.https, self.ssh, self.http = free_port(), free_port(), free_port()
        self.process: subprocess.Popen | None = None
        self.asked = 0

    # ---- starting and ending ---------------------------------------------------------------

    def card(self) -> Path:
        disk = Path(self.disk)
        if not disk.exists():
            image = next(self.out.glob("gatepost-*.img"))
            subprocess.run(["cp", "--sparse=always", str(image), str(disk)], check=True)
            os.truncate(disk, CARD_BYTES)
        return disk

    def put(self, name: str, text: str) -> None:
        """A file on the card's first partition, as its owner's computer would write it. Not while it runs."""
        with tempfile.NamedTemporaryFile("w", dir=self.work) as file:
            file.write(text)
            file.flush()
            subprocess.run(["mcopy", "-o", "-i", f"{self.card()}@@{FAT_AT}", file.name, f"::{name}"], check=True)

    def command(self) -> list[str]:
        boot = self.out / "boot"
        # A string is what QEMU itself understands, an NBD server for instance.
        drive = self.disk if isinstance(self.disk, str) else str(self.card())
        common = [self.qemu, "-display", "none", "-m", str(self.memory), "-kernel", str(boot / "vmlinuz"),
                  "-initrd", str(boot / "initrd"), "-no-reboot" if self.once else "-no-shutdown",
                  "-qmp", f"unix:{self.place('qmp')},server=on,wait=off"]
        words = "ro lsm=landlock,lockdown,yama,integrity net.ifnames=0 panic=10 consoleblank=0 vt.global_cursor_default=0 quiet loglevel=1 nosoftlockup"
        forward = (f"user,id=n0,hostfwd=tcp:127.0.0.1:{self.https}-:443,hostfwd=tcp:127.0.0.1:{self.ssh}-:22,"
                   f"hostfwd=tcp:127.0.0.1:{self.http}-:80")
        serial = ["-chardev", f"socket,id=s0,path={self.place('serial')},server=on,wait=off"]
        if self.machine == "raspi3b":
            # QEMU's raspi3b resets the moment its watchdog is armed, and its console is the second UART.
            return [*common, "-M", "raspi3b", "-dtb", str(boot / "bcm2837-rpi-3-b.dtb"),
                    "-append", f"console=ttyS1,115200 root=/dev/mmcblk0p2 {words} cma=128M gp.nowdt {self.arguments}",
                    "-drive", f"file={drive},if=sd,format=raw,cache=unsafe", "-netdev", forward,
                    "-device", "usb-net,netdev=n0", "-serial", "null", *serial, "-serial", "chardev:s0", *self.extra]
        test = ["-device", "virtio-serial-pci"]
        for port in ("test", "journal"):
            test += ["-chardev", f"socket,id={port},path={self.place(port)},server=on,wait=off",
                     "-device", f"virtserialport,chardev={port},name=org.gatepost.{port}"]
        words += " console=tty0 console=ttyAMA0,115200" + (" gp.test" if self.test_shell else "")
        return [*common, "-M", "virt", "-cpu", "cortex-a53", "-smp", str(self.processors),
                "-accel", "tcg,thread=multi", "-append", f"root=/dev/vda2 {words} {self.arguments}",
                "-drive", f"file={drive},if=none,id=d0,format=raw,cache=unsafe", "-device", "virtio-blk-pci,drive=d0",
                "-device", "virtio-gpu-pci,xres=1280,yres=720", "-device", "virtio-keyboard-pci",
                "-device", "virtio-tablet-pci", "-netdev", forward, "-device", "virtio-net-pci,netdev=n0",
                "-device", "virtio-rng-pci", "-device", "i6300esb", "-action", "watchdog=reset",
                *serial, "-serial", "chardev:s0", *(test if self.test_shell else []), *self.extra]

    once = False

    def place(self, kind: str) -> Path:
        return self.work / f"{self.name}.{kind}"

    def start(self) -> "VM":
        self.work.mkdir(parents=True, exist_ok=True)
        for kind in ("qmp", "serial", "test", "journal"):
            self.place(kind).unlink(missing_ok=True)
        said = (self.work / f"{self.name}.qemu").open("w")
        command = self.command()
        self.began = time.monotonic()
        # It ends with us, also when we are killed.
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        self.serial = Lines(self.began, self.work / f"{self.name}.serial.log")
        self.journal = Lines(self.began, self.work / f"{self.name}.journal.log")
        self.qmp_lock, self.sockets = threading.Lock(), {}
        self.qmp_file = self.connect("qmp").makefile("rw")
        self.qmp_file.readline()
        self.qmp("qmp_capabilities")
        self.follow("serial", self.serial)
        if self.machine == "virt" and self.test_shell:
            self.follow("journal", self.journal)
            self.shell = self.connect("test")
            self.shell_file = self.shell.makefile("rb")
        return self

    def connect(self, kind: str) -> socket.socket:
        def attempt():
            if self.process.poll() is not None:
                raise Failure("QEMU did not start: " + (self.work / f"{self.name}.qemu").read_text())
            one = socket.socket(socket.AF_UNIX)
            try:
                one.connect(str(self.place(kind)))
                return one
            except OSError:
                one.close()
                return None
        return wait_until(attempt, 30, f"QEMU's {kind}")

    def follow(self, kind: str, lines: Lines) -> None:
        one = self.sockets[kind] = self.connect(kind)
        threading.Thread(target=lines.read, args=(one.recv,), daemon=True).start()

    def stop(self) -> None:
        """Pulls the plug."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def age(self) -> float:
        return time.monotonic() - self.began

    def __enter__(self) -> "VM":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    # ---- looking and typing ----------------------------------------------------------------

    def qmp(self, what: str, **arguments):
        with self.qmp_lock:
            self.qmp_file.write(json.dumps({"execute": what, "arguments": arguments}) + "\n")
            self.qmp_file.flush()
            while True:
                answer = json.loads(self.qmp_file.readline() or '{"error": "QEMU has ended"}')
                if "error" in answer:
                    raise Failure(f"QMP {what}: {answer['error']}")
                if "return" in answer:
                    return answer["return"]

    def wait_for(self, pattern: str, seconds: float) -> tuple[float, str]:
        """A line of the journal (with `raspi3b`, of the serial console) and when it came."""
        lines = self.journal if self.machine == "virt" else self.serial
        return lines.wait_for(pattern, seconds)

    def picture(self) -> tuple[int, int, bytes]:
        """Width, height and RGB of what the monitor shows."""
        path = self.work / f"{self.name}.ppm"
        self.qmp("screendump", filename=str(path))
        head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data := path.read_bytes())
        path.unlink()
        return int(head[1]), int(head[2]), data[head.end():]

    def screenshot(self, name: str) -> Path:
        width, height, pixels = self.picture()
        path = self.work / name
        write_png(path, width, height, pixels)
        return path

    def key(self, *codes: str) -> None:
        self.qmp("send-key", keys=[{"type": "qcode", "data": code} for code in codes], **{"hold-time": 40})
        # QEMU lets go of them after the hold; a second key before that would be a chord.
        time.sleep(0.08)

    def keys(self, text: str) -> None:
        for character in text:
            if character in SHIFTED:
                base = SHIFTED[character]
                self.key("shift", PLAIN.get(base, base))
            elif character.isupper():
                self.key("shift", character.lower())
            else:
                self.key(PLAIN.get(character, character))

    # ---- in the machine ----------------------------------------------------------------------

    def guest(self, command: str, seconds: float = 180, check: bool = False) -> str:
        """What a command of root's says in the machine."""
        self.asked += 1
        mark = f"::{self.name}-{self.asked}::"
        self.shell.settimeout(seconds)
        self.shell.sendall(f"{{ {command}\n}} < /dev/null 2>&1; echo \"\n{mark}$?\"\n".encode())
        said: list[str] = []
        try:
            while line := self.shell_file.readline():
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                if text.startswith(mark):
                    code = int(text[len(mark):])
                    answer = "\n".join(said).strip("\n")
                    if check and code:
                        raise Failure(f"{command}: exit code {code}: {answer}")
                    return answer
                said.append(text)
        except TimeoutError as gone:
            raise Failure(f"{command}: no answer within {seconds:.0f} s, only {said!r}") from gone
        raise Failure(f"{command}: the machine has gone")

    def typed(self, command: str, seconds: float = 120) -> str:
        """The same by the serial line, where there is no other way in: a root shell has to be on it."""
        self.asked += 1
        before = len(self.serial.lines)
        # The line shows what is typed, too; quoted as it is that isn't the mark.
        self.sockets["serial"].sendall(f"\n{command}; echo '::'{self.asked}'::'\n".encode())
        self.serial.wait_for(f"::{self.asked}::", seconds, before)
        lines = [line for _, line in self.serial.lines[before:] if f"'::'{self.asked}" not in line]
        return "\n".join(lines).split(f"::{self.asked}::", 1)[0]

    def wait_guest(self, command: str, seconds: float, what: str) -> str:
        """Asks until the command succeeds."""
        def attempt():
            answer = self.guest(f"{command} && echo :good:", 180)
            return answer if ":good:" in answer else None
        return wait_until(attempt, seconds, what, 0.5).replace(":good:", "").strip()


def write_png(path: Path, width: int, height: int, pixels: bytes) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + pixels[at:at + width * 3] for at in range(0, len(pixels), width * 3))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b""))


def lit(pixels: bytes) -> int:
    """How many bytes of a picture aren't nearly black: nothing on an empty screen, thousands with text."""
    return sum(count for value, count in enumerate(histogram(pixels)) if value > 80)


def histogram(data: bytes) -> list[int]:
    return [data.count(value) for value in range(256)]


def clean(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
