"""look.py DISK INITRD OUT: starts the guest of tests/display/run.sh and looks at its monitors.
look.py block: the picture that the guest's screen shows, as a bitmap (XBM).
"""
import json
import re
import socket
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "image" / "test"))
from vm import VM, Failure, wait_until, write_png  # noqa: E402

# The block in the picture's left upper corner: wider than high, so that a turn shows.
BLOCK = (300, 120)
# The picture, larger than any screen here, since an X server repeats what is smaller.
SIDE = 1344
# The panel's own size, which it likes best.
PANEL = (1280, 800)
# The other monitor's.
OTHER = (1024, 768)
# Longest wait for anything that should happen, on a machine that is very busy.
PATIENCE = 120
# QEMU's numbers for both ends of an axis.
FULL = 32767


def block() -> None:
    line = SIDE // 8
    lit = ["0xff"] * (BLOCK[0] // 8) + ["0x0f"] + ["0x00"] * (line - BLOCK[0] // 8 - 1)
    rows = [lit] * BLOCK[1] + [["0x00"] * line] * (SIDE - BLOCK[1])
    print(f"#define block_width {SIDE}\n#define block_height {SIDE}\nstatic char block_bits[] = {{")
    print(",\n".join(",".join(row) for row in rows) + "};")


class Machine(VM):
    """The guest: a graphics unit with two outputs, of which the second has no monitor until somebody brings one."""

    def __init__(self, disk: Path, initrd: Path, work: Path):
        super().__init__(disk, work, machine="virt")
        self.folder, self.initrd = disk, initrd

    def command(self) -> list[str]:
        width, height = PANEL
        ports = ["-device", "virtio-serial-pci"]
        for port in ("test", "journal"):
            ports += ["-chardev", f"socket,id={port},path={self.place(port)},server=on,wait=off",
                      "-device", f"virtserialport,chardev={port},name=org.gatepost.{port}"]
        return ["qemu-system-x86_64", "-M", "q35", "-cpu", "max", "-m", "1024", "-smp", "2", "-nodefaults", "-no-reboot",
                "-accel", "tcg,thread=multi", "-display", "none",
                "-qmp", f"unix:{self.place('qmp')},server=on,wait=off",
                "-kernel", str(self.folder / "vmlinuz"), "-initrd", str(self.initrd),
                "-append", "console=ttyS0 quiet panic=-1 mitigations=off vt.global_cursor_default=0",
                "-drive", f"file={self.folder / 'disk'},if=none,id=d0,format=raw,snapshot=on,cache=unsafe",
                "-device", "virtio-blk-pci,drive=d0",
                "-device", f"virtio-vga,id=gpu,max_outputs=2,edid=on,xres={width},yres={height}",
                "-vnc", f"unix:{self.place('vnc')},display=gpu,head=1",
                "-device", "virtio-keyboard-pci", "-device", "virtio-tablet-pci",
                "-chardev", f"socket,id=s0,path={self.place('serial')},server=on,wait=off", "-serial", "chardev:s0",
                *ports]

    # ---- what the monitors get ---------------------------------------------------------------

    def monitor(self, head: int = 0) -> tuple[int, int, bytes]:
        path = self.work / f"head{head}.ppm"
        self.qmp("screendump", filename=str(path), device="gpu", head=head)
        begin = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data := path.read_bytes())
        return int(begin[1]), int(begin[2]), data[begin.end():]

    def keep(self, name: str, head: int = 0) -> None:
        write_png(self.work / f"{name}.png", *self.monitor(head))

    def lit(self, head: int = 0) -> tuple[tuple[int, int], tuple[int, int, int, int] | None]:
        """The size of what a monitor gets, and the smallest box with all that is light in it."""
        width, height, pixels = self.monitor(head)
        xs, ys = [], []
        for y in range(0, height, 2):
            row = pixels[y * width * 3:(y + 1) * width * 3]
            first = row.find(b"\xff\xff\xff")
            if first >= 0:
                xs += [first // 3, row.rfind(b"\xff\xff\xff") // 3]
                ys.append(y)
        return (width, height), ((min(xs), min(ys), max(xs), max(ys)) if xs else None)

    def look_anew(self) -> None:
        """Has the kernel send the whole picture once. What Xorg draws into a turned picture it doesn't tell this unit's
        driver of, which passes on only what it is told of; units of boards read memory by themselves. So a turned picture
        is seen here only as of when its signal began."""
        self.guest("xset dpms force off; sleep 0.2; xset dpms force on; sleep 0.3")

    def turned_block_is_at(self, x: int, y: int, width: int, height: int) -> bool:
        self.look_anew()
        return self.block_is_at(x, y, width, height)

    def block_is_at(self, x: int, y: int, width: int, height: int, head: int = 0) -> bool:
        _, found = self.lit(head)
        wanted = (x, y, x + width - 1, y + height - 1)
        return found is not None and all(abs(one - other) <= 4 for one, other in zip(found, wanted, strict=True))

    # ---- what is done to it -------------------------------------------------------------------

    def press(self, x: float, y: float) -> None:
        """A finger on the panel, at parts of its own width and height."""
        # From elsewhere: the kernel tells nobody of a place that is where it was, and the picture may have been turned since.
        for at in ((0.5, 0.5), (x, y)):
            where = [{"type": "abs", "data": {"axis": axis, "value": int(part * FULL)}}
                     for axis, part in zip(("x", "y"), at, strict=True)]
            self.qmp("input-send-event", events=where)
        for down in (True, False):
            button = {"type": "btn", "data": {"button": "left", "down": down}}
            self.qmp("input-send-event", events=[button])

    def plug(self, width: int, height: int) -> None:
        """Brings a second monitor of this size, or takes it away. What a viewer of QEMU's with a window of this size
        says of itself is what the graphics unit takes for a monitor."""
        viewer = socket.socket(socket.AF_UNIX)
        viewer.connect(str(self.place("vnc")))
        stream = viewer.makefile("rwb")
        version = stream.read(12)
        if not version.startswith(b"RFB 003.008"):
            raise Failure(f"QEMU's VNC says {version!r}")
        stream.write(version)
        stream.flush()
        stream.read(stream.read(1)[0])
        stream.write(b"\x01")
        stream.flush()
        stream.read(4)
        stream.write(b"\x01")
        stream.flush()
        head = stream.read(24)
        stream.read(struct.unpack(">I", head[20:24])[0])
        # It takes sizes from viewers that know of sizes.
        stream.write(struct.pack(">BBHi", 2, 0, 1, -308))
        stream.write(struct.pack(">BBHHBBIHHHHI", 251, 0, width, height, 1, 0, 0, 0, 0, width, height, 0))
        stream.flush()
        self.viewer = viewer

    def configure(self, text: str) -> None:
        self.guest(f"printf '[\"*\".display]\\n{text}\\n' > /etc/gatepost/gatepost.toml", check=True)

    def screen_size(self) -> str:
        found = re.search(r"current (\d+) x (\d+)", self.guest("xrandr --current"))
        return f"{found[1]}x{found[2]}" if found else ""

    def dpms(self, output: str = "Virtual-1") -> str:
        return self.guest(f"cat /sys/class/drm/card*-{output}/dpms")

    def saver_is_off(self) -> bool:
        said = self.guest("xset q")
        return "timeout:  0" in said and "Standby: 0    Suspend: 0    Off: 0" in said

    def corrected(self) -> int:
        """How often something had turned blanking on, by the machine's own report."""
        status = json.loads(self.guest("/gatepost/bin/gatepost status --json"))
        checks = {one["name"]: one for one in status["health"]["checks"]}
        if checks["blanking"]["verdict"] != "good":
            raise Failure(f"the machine's report: {checks['blanking']}")
        return checks["blanking"]["value"]

    def shown(self, output: str) -> str:
        """What an output shows, as xrandr says it: WIDTHxHEIGHT+X+Y, or nothing."""
        line = re.search(rf"^{output} .*", self.guest("xrandr --current"), re.M)
        found = re.search(r"\d+x\d+\+\d+\+\d+", line[0]) if line else None
        return found[0] if found else ""

    def arrived(self) -> tuple[float, float] | None:
        """Where in the picture the last press arrived."""
        said = self.guest("cat /tmp/events")
        found = re.findall(r"EVENT type 4 \(ButtonPress\)\n(?:.*\n)*?\s+root: ([\d.]+)/([\d.]+)", said)
        return (float(found[-1][0]), float(found[-1][1])) if found else None


CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def until(question, what: str, seconds: float = PATIENCE):
    return wait_until(question, seconds, what, 0.5)


@check
def turned_from_the_start(vm: Machine) -> None:
    """one `rotate` turns the picture: its size is swapped, and its left upper corner is the panel's right upper one"""
    until(lambda: vm.screen_size() == f"{PANEL[1]}x{PANEL[0]}", "the size is swapped")
    wide, high = BLOCK
    until(lambda: vm.turned_block_is_at(PANEL[0] - high, 0, high, wide), "the block is in the panel's right upper corner")
    vm.keep("turned-right")
    if vm.lit()[0] != PANEL:
        raise Failure(f"the panel gets {vm.lit()[0]}")


@check
def touches_are_turned(vm: Machine) -> None:
    """and the panel's touches with it"""
    def hits(x: float, y: float, wanted: tuple[float, float]) -> None:
        vm.guest(": > /tmp/events")

        def there():
            # It may be the one before that is seen; the next look sees this one.
            vm.press(x, y)
            found = vm.arrived()
            return found and all(abs(one - other) <= 6 for one, other in zip(found, wanted, strict=True))
        try:
            until(there, f"a press at {x}, {y} of the panel arrives at {wanted} of the picture", 60)
        except Failure as failure:
            raise Failure(f"{failure}; it arrived at {vm.arrived()}") from failure
    width, height = PANEL[1], PANEL[0]
    # Turned clockwise, the panel's left upper corner shows the picture's left lower one.
    hits(0.05, 0.1, (0.1 * width, 0.95 * height))
    # On the block, which is in the picture's left upper corner.
    hits(0.97, 0.02, (0.02 * width, 0.03 * height))
    vm.configure("rotate = 180")
    until(lambda: vm.screen_size() == f"{PANEL[0]}x{PANEL[1]}", "turned upside down, the size is the panel's")
    wide, high = BLOCK
    until(lambda: vm.turned_block_is_at(PANEL[0] - wide, PANEL[1] - high, wide, high), "the block is in the right lower corner")
    hits(0.05, 0.1, (0.95 * PANEL[0], 0.9 * PANEL[1]))
    vm.configure("rotate = 0")
    until(lambda: vm.block_is_at(0, 0, wide, high), "the block is in the left upper corner")
    hits(0.05, 0.1, (0.05 * PANEL[0], 0.1 * PANEL[1]))


@check
def dark_on_purpose(vm: Machine) -> None:
    """`display off` ends the signal, `display on` and a key begin it again"""
    gatepost = "/gatepost/bin/gatepost"
    if vm.dpms() != "On":
        raise Failure(f"the signal is {vm.dpms()}")
    for wake, what in ((lambda: vm.guest(f"{gatepost} display on", check=True), "display on"), (lambda: vm.key("a"), "a key"),
                       (lambda: vm.press(0.5, 0.5), "a touch")):
        vm.guest(f"{gatepost} display off", check=True)
        until(lambda: vm.dpms() == "Off", "the kernel has ended the signal")
        until(lambda: vm.lit()[1] is None, "the monitor shows nothing")
        # A minute's look, ten times as often here, leaves it dark; and nothing lights it in between.
        end, before = time.monotonic() + 8, vm.corrected()
        while time.monotonic() < end:
            if vm.dpms() != "Off":
                raise Failure("what is dark on purpose was lit")
        if vm.corrected() != before:
            raise Failure(f"what is dark on purpose was taken for blank {vm.corrected() - before} times")
        wake()
        until(lambda: vm.dpms() == "On", f"{what} lights it")
        until(lambda: vm.block_is_at(0, 0, *BLOCK), f"after {what} the picture is there")
        # Woken is not for ever; this is.
        vm.guest(f"{gatepost} display on", check=True)


@check
def dark_by_nothing_else(vm: Machine) -> None:
    """whatever a program does to blank it is undone"""
    before = vm.corrected()
    for what in ("xset dpms force off", "xset dpms force standby", "xset s activate", "xset s 1 1; xset +dpms; xset dpms 1 1 1"):
        vm.guest(what)
        until(lambda: vm.saver_is_off() and vm.dpms() == "On" and vm.block_is_at(0, 0, *BLOCK), f"{what} is undone", 60)
    if vm.corrected() < before + 4:
        raise Failure(f"only {vm.corrected() - before} of it is in the report")


@check
def two_monitors(vm: Machine) -> None:
    """a second monitor is found when it is plugged in; both show the same, or one of them, as configured"""
    vm.plug(*OTHER)
    until(lambda: "connected" in vm.guest("cat /sys/class/drm/card*-Virtual-2/status").split(), "the kernel sees it")
    # The size the first likes best of those both can.
    until(lambda: vm.shown("Virtual-2") and vm.shown("Virtual-1") == vm.shown("Virtual-2"), "both show the same part of the picture")
    both = vm.shown("Virtual-1")
    if not both.endswith("+0+0") or vm.screen_size() != both.split("+")[0]:
        raise Failure(f"both show {both} of {vm.screen_size()}")
    for head in (0, 1):
        until(lambda head=head: vm.block_is_at(0, 0, *BLOCK, head=head), f"monitor {head} shows the picture")
        vm.keep(f"mirrored-{head}", head)
    vm.configure('several = "first"')
    until(lambda: not vm.shown("Virtual-2") and vm.shown("Virtual-1") == f"{PANEL[0]}x{PANEL[1]}+0+0", "the first alone")
    until(lambda: vm.lit(1)[1] is None, "the other is dark")
    vm.configure('several = "first"\\noutputs = ["Virtual-2"]')
    until(lambda: not vm.shown("Virtual-1") and vm.shown("Virtual-2"), "the chosen one alone")
    until(lambda: vm.block_is_at(0, 0, *BLOCK, head=1) and vm.lit(0)[1] is None, "and it has the picture")
    vm.keep("chosen-1", 1)


@check
def unplugged(vm: Machine) -> None:
    """the chosen monitor goes: what there is is used, and nothing blanks; what a program changes is put right"""
    vm.guest("xset s 1 1; xset dpms 1 1 1")
    vm.plug(0, 0)
    until(lambda: "disconnected" in vm.guest("cat /sys/class/drm/card*-Virtual-2/status"), "the kernel sees that it has gone")
    until(lambda: vm.shown("Virtual-1") and vm.block_is_at(0, 0, *BLOCK), "the other one has the picture")
    until(lambda: vm.saver_is_off() and vm.dpms() == "On", "nothing blanks it", 60)
    vm.guest("xrandr --output Virtual-1 --rotate left")
    until(lambda: vm.screen_size() == f"{PANEL[0]}x{PANEL[1]}" and vm.block_is_at(0, 0, *BLOCK), "a turn by somebody else is undone")
    vm.guest("xrandr --output Virtual-1 --off")
    until(lambda: vm.shown("Virtual-1") and vm.block_is_at(0, 0, *BLOCK), "so is turning it off")


def main() -> None:
    if sys.argv[1:] == ["block"]:
        block()
        return
    disk, initrd, out = (Path(word).resolve() for word in sys.argv[1:4])
    failed = 0
    with Machine(disk, initrd, out) as vm:
        try:
            until(lambda: ":here:" in vm.guest("echo :here:", PATIENCE), "the guest answers")
            until(lambda: vm.guest("pidof xinput") != "", "an X session with a window")
            print(f"    the X session is there after {vm.age():.0f} s", file=sys.stderr)
            for one in CHECKS:
                began = vm.age()
                try:
                    one(vm)
                    print(f"    ok      {vm.age() - began:3.0f} s  {one.__doc__}", file=sys.stderr)
                except Failure as failure:
                    failed += 1
                    print(f"    FAILED  {one.__doc__}: {failure}", file=sys.stderr)
                    for head in (0, 1):
                        vm.keep(f"{one.__name__}-failed-{head}", head)
                    print(vm.guest("xrandr --current; xset q; tail -20 /run/gp/serve.log"), file=sys.stderr)
        except Failure as failure:
            failed += 1
            print(f"    FAILED  {failure}", file=sys.stderr)
            print("\n".join(line for _, line in vm.serial.lines[-40:]), file=sys.stderr)
            vm.keep("failed")
            print(vm.guest("ps ax; cat /run/gp/login.log; tail -40 /run/gp/gatepost-x.log /run/gp/serve.log", 20), file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
