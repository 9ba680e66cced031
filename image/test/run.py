#!/usr/bin/env python3
"""Starts the image in virtual machines, looks and types: run.py OUT [NAMES…]. OUT is the folder of the image;
NAMES are those of the tests below, all of them if none is given. What is seen stays in OUT/test."""
import json
import re
import subprocess
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import imager as imagers  # noqa: E402
import locked as locks  # noqa: E402
import update as updates  # noqa: E402
from vm import Failure, VM, clean, histogram, lit, wait_until  # noqa: E402

# What may listen, and why (docs/image.md has the same list).
LISTENERS = {
    ("tcp", "443"): "HTTPS",
    ("tcp", "80"): "where HTTPS is",
    ("tcp", "22"): "SSH, which these tests ask for",
    ("tcp", "53"): "names, for this machine only",
    ("udp", "53"): "names, for this machine only",
    ("udp", "5353"): "mDNS: the machine's name in the local network",
    ("udp", "68"): "DHCP",
    ("udp", "546"): "DHCP with IPv6",
    ("tcp", "8722"): "the page, for this machine's own screen only",
}
FOR_THIS_MACHINE = {"53", "8722"}
# On a loaded machine emulation is slow; these are for telling that something hangs.
BOOT = 900
# Much of a white picture is one that should have been black.
WHITE = 0.5

# Who the machine is told to know before its first start.
NAME, PASSWORD, HOST = "ada", "correct horse battery", "kiosk-7"

OUT = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path()
WORK = OUT / "test"


def expect(truth: bool, otherwise: str) -> None:
    if not truth:
        raise Failure(otherwise)


def say(text: str) -> None:
    print(f"      {text}", file=sys.stderr, flush=True)


def watch_screen(vm: VM, name: str, seconds: float) -> float:
    """Looks once a second until a terminal is there; never may the screen be white or have the kernel's words on
    it. A picture is kept whenever it changed. Returns when the first text was seen."""
    last, seen = b"", 0
    while vm.age() < seconds:
        width, height, pixels = vm.picture()
        bright = sum(pixels[1::331]) / (len(pixels[1::331]) * 255)
        if pixels != last:
            vm.screenshot(f"{name}-{seen:02}-at-{vm.age():03.0f}s.png")
            seen, last = seen + 1, pixels
        expect(bright < WHITE, f"the screen was white after {vm.age():.0f} s (the last picture in {WORK})")
        if width >= 1024 and lit(pixels) > 300:
            return vm.age()
        time.sleep(1)
    raise Failure(f"nothing was on the screen within {seconds:.0f} s")


def settled(vm: VM) -> None:
    """Waits until the picture is one with much on it that stays."""
    last, end = (0, 0, b""), vm.age() + 120
    while vm.age() < end:
        now = vm.picture()
        if now == last and lit(now[2]) > 3000:
            return
        last = now
        time.sleep(2)


def terminal(vm: VM) -> str:
    """The id of the terminal on the screen."""
    told = vm.wait_guest("gatepost terminal list --json", 60, "the list of terminals")
    found = json.loads(told)["terminals"]
    expect(len(found) == 1, f"the terminals are {told}")
    return found[0]["id"]


def type_a_command(vm: VM, one: str, command: str, answer: str) -> None:
    """On the machine's own keyboard. QEMU drops keys of a machine that doesn't get to fetch them, so what went
    wrong is taken back and typed again; keys that lead nowhere never arrive."""
    for attempt in range(3):
        vm.keys(command + "\n")
        end = time.monotonic() + 60
        while time.monotonic() < end:
            said = vm.guest(f"gatepost terminal show {one}")
            if answer in said.splitlines():
                return
            time.sleep(1)
        say(f"typed, {attempt + 1}. time; the terminal has: {said.splitlines()[-3:]}")
        vm.screenshot(f"typed-in-vain-{attempt}.png")
        vm.key("ctrl", "u")
    raise Failure(f"what was typed is not there, but: {said}")


def first_boot_shows_a_terminal_that_takes_keys(vm: VM) -> None:
    first = watch_screen(vm, "first", BOOT)
    say(f"first boot: something on the screen after {first:.1f} s")
    at, _ = vm.wait_for("the page is on the screen", BOOT)
    say(f"first boot: the page is on the screen after {at:.1f} s")
    # A new machine says where it is administered, until somebody says that it was noted. Its network comes after
    # its picture, and with that the code for a telephone, which is the only large thing that is white.
    wait_until(lambda: sum(histogram(vm.picture()[2])[231:]) > 30_000, 240, "the QR code", 2)
    settled(vm)
    vm.screenshot("first-identity.png")
    sheet = vm.picture()
    for _ in range(12):
        vm.key("ret")
        if any('"note-password"' in line for _, line in vm.journal.lines):
            break
        time.sleep(5)
    vm.wait_for('"note-password"', 5)
    wait_until(lambda: vm.picture() != sheet, 60, "the terminal behind the sheet")
    one = terminal(vm)
    vm.wait_guest(f"gatepost terminal show {one} | grep -q '[$#]'", 60, "a prompt")
    type_a_command(vm, one, "echo gatepost-$((40+2)) 'a|B'", "gatepost-42 a|B")
    settled(vm)
    vm.screenshot("first-typed.png")


def nothing_failed(vm: VM) -> None:
    vm.wait_guest("test -z \"$(systemctl list-jobs --no-legend)\"", 120, "an end of the boot")
    failed = vm.guest("systemctl --failed --no-legend --plain")
    expect(not failed, f"units have failed: {failed}")


def the_root_can_not_be_written_to(vm: VM) -> None:
    writes = "for at in / /etc /usr /var /var/lib /boot /home /root /opt; do (: > $at/x) 2> /dev/null && echo wrote $at; done; true"
    expect(vm.guest(writes) in ("", "wrote /home"), f"files could be made: {vm.guest(writes)}")
    vm.guest("mount -o remount,rw /")
    expect(vm.guest(writes) in ("", "wrote /home"), f"after remounting, files could be made: {vm.guest(writes)}")
    kind = vm.guest("findmnt -no FSTYPE,OPTIONS /")
    expect(kind.startswith("squashfs") and re.search(r"\bro\b", kind) is not None, f"the root is {kind}")
    for folder in ("/etc/gatepost", "/var/lib/gatepost", "/tmp"):
        vm.guest(f"touch {folder}/.test && rm {folder}/.test", check=True)


def only_documented_ports_listen(vm: VM) -> None:
    wrong = []
    for line in vm.guest("ss -Hlntu").splitlines():
        kind, local = line.split()[0], line.split()[4]
        address, port = local.rsplit(":", 1)
        here = address.split("%")[0].strip("[]").startswith("127.") or address.startswith("[::1]")
        if (kind, port) not in LISTENERS or (port in FOR_THIS_MACHINE and not here):
            wrong.append(line)
    expect(not wrong, f"these ports are open: {wrong}")


class Web:
    """Somebody's browser, outside the machine."""

    def __init__(self, vm: VM):
        self.site, self.jar = f"https://127.0.0.1:{vm.https}", WORK / "cookies"
        self.jar.unlink(missing_ok=True)

    def ask(self, path: str, body: dict | None = None) -> tuple[str, str]:
        """Status and text; "000" if nobody answers."""
        command = ["curl", "-sk", "--max-time", "30", "-b", self.jar, "-c", self.jar, "-w", "\n%{http_code}",
                   "-H", f"Origin: {self.site}"]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        told = subprocess.run([*command, self.site + path], capture_output=True, text=True, check=False)
        text, _, status = told.stdout.rpartition("\n")
        return status, text

    def want(self, status: str, path: str, body: dict | None = None) -> str:
        found, text = self.ask(path, body)
        expect(found == status, f"{path}: wanted {status}, found {found}: {text[:300]}")
        return text

    def log_in(self, password: str, status: str) -> None:
        said = json.loads(self.want("200", "/api/login/pam", {"user": NAME}))
        self.want(status, "/api/login/pam", {"conversation": said["conversation"], "answers": [password]})

    def act(self, line: str) -> None:
        status, text = self.ask("/api/actions", {"line": line})
        expect(status.startswith("2"), f"{line}: {status}: {text[:300]}")


def its_owner_logs_in_over_https_and_runs_a_command(vm: VM) -> None:
    web = Web(vm)
    wait_until(lambda: web.ask("/")[0] == "200", 90, "an answer over HTTPS", 1)
    web.log_in("wrong", "401")
    web.log_in(PASSWORD, "204")
    one = json.loads(web.want("201", "/api/terminals", {}))["terminal"]
    web.act(f'terminal send {one} "echo $(id -un) $((6 * 7)) $(hostname)\\n"')
    wait_until(lambda: f"{NAME} 42 {HOST}" in web.ask(f"/api/terminals/{one}/text?scrollback=1")[1], 60, "the command's answer", 1)
    web.act(f"terminal close {one}")


def ssh(vm: VM, command: str, typed: str = "") -> str:
    told = subprocess.run(
        ["ssh", "-i", WORK / "key", "-p", str(vm.ssh), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
         "-o", "BatchMode=yes", "-o", "ConnectTimeout=60", "-o", "LogLevel=ERROR", f"{NAME}@127.0.0.1", command],
        capture_output=True, text=True, check=False, timeout=180, input=typed)
    expect(told.returncode == 0, f"ssh: {command}: {told.stdout}{told.stderr}")
    return told.stdout


def its_owner_logs_in_over_ssh_and_becomes_root(vm: VM) -> None:
    vm.wait_guest("ss -Hlnt sport = :22 | grep -q .", 90, "SSH to listen")
    found = ssh(vm, "id -un; hostname; sudo -S -p '' id -un", PASSWORD + "\n").split()
    expect(found == [NAME, HOST, "root"], f"over SSH: {found}")
    keys = vm.guest("sha256sum /var/lib/gatepost-ssh/*.pub; ls /etc/ssh")
    expect("ssh_host" not in keys.splitlines()[-1], f"keys in the image: {keys}")


def what_was_said_on_the_card_is_so(vm: VM) -> None:
    told = vm.guest("hostname; readlink -f /etc/localtime; gatepost status")
    expect(told.splitlines()[:2] == [HOST, "/usr/share/zoneinfo/Europe/Berlin"], told)
    card = vm.guest("cat /boot/firmware/gatepost.toml")
    expect(PASSWORD not in card and "moved to the machine" in card, f"the card still has: {card}")


def the_watchdog_is_armed(vm: VM) -> None:
    told = vm.guest("systemctl show -p RuntimeWatchdogUSec,WatchdogDevice; cat /sys/class/watchdog/watchdog0/{identity,state,timeout}")
    expect("active" in told.splitlines() and "RuntimeWatchdogUSec=0" not in told, f"no watchdog runs: {told}")


def memory_and_times(vm: VM) -> None:
    (WORK / f"{vm.name}.numbers").write_text(vm.guest(
        "systemd-analyze; systemd-analyze blame --no-pager | head -n 30; systemd-analyze critical-chain --no-pager "
        "gatepost-screen.service; free -m; ps -eo rss,comm --sort=-rss | head -n 20; df -h; findmnt; swapon --show; "
        "systemd-analyze critical-chain --no-pager gatepost.service; ss -lntup; lsmod; ls -la /dev/gpiochip*", 120))
    say(vm.guest("systemd-analyze time | head -n 1"))
    say("memory (MB): " + re.sub(r"\s+", " ", vm.guest("free -m | sed -n 2p")))


def virt() -> None:
    """The image in a machine with a screen."""
    vm = VM(OUT, WORK, name="virt")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", WORK / "key"], check=True)
    key = (WORK / "key.pub").read_text().strip()
    vm.put("gatepost.toml", f'''hostname = "{HOST}"
timezone = "Europe/Berlin"

[admin]
name = "{NAME}"
password = "{PASSWORD}"
ssh_keys = ["{key}"]
''')
    with vm:
        for test in (first_boot_shows_a_terminal_that_takes_keys, nothing_failed, memory_and_times, the_root_can_not_be_written_to,
                     what_was_said_on_the_card_is_so, only_documented_ports_listen, the_watchdog_is_armed,
                     its_owner_logs_in_over_https_and_runs_a_command, its_owner_logs_in_over_ssh_and_becomes_root):
            run(test.__name__, lambda test=test: test(vm))
        identity = vm.guest("cat /etc/machine-id")
        run("it restarts by an action, and is what it was although the card has a mistake now",
            lambda: it_restarts_by_an_action(vm, identity))
        vm.guest("sync")


def it_restarts_by_an_action(vm: VM, identity: str) -> None:
    # Its owner makes a mistake in the third line.
    vm.guest("mount -o remount,rw /boot/firmware && cd /boot/firmware && sed -i '3s/.*/hostnaem = 7/' gatepost.toml; cd /; "
             "mount -o remount,ro /boot/firmware", check=True)
    before = len(vm.journal.lines)
    began = vm.age()
    web = Web(vm)
    web.log_in(PASSWORD, "204")
    web.act("power reboot")
    at, line = vm.journal.wait_for("the page is on the screen", BOOT, before)
    # The journal's own clock begins with the kernel's.
    took = float(re.search(r"\[ *(\d+\.\d+)\]", line)[1])
    say(f"went down in {at - began - took:.0f} s; second boot: the page is on the screen {took:.1f} s after the kernel began")
    expect(vm.guest("cat /etc/machine-id; hostname").split() == [identity, HOST], "the machine id or its name changed")
    told = vm.wait_guest("gatepost status | grep -i provision", 60, "what the server says of the card")
    expect("gatepost.toml" in told and "3" in told and "hostnaem" in told, f"the card's mistake: {told}")
    nothing_failed(vm)
    vm.name = "virt-second"
    memory_and_times(vm)
    vm.screenshot("second.png")


# What a Pi 3 has, a command that shows it, and what that says.
PI = [
    ("its device tree", "tr '\\0' '\\n' < /proc/device-tree/model", "Raspberry Pi 3 Model B"),
    ("its card", "findmnt -no SOURCE,FSTYPE /data", r"/dev/mmcblk0p4 +ext4"),
    ("its root", "(: > /x) 2>&1; findmnt -no FSTYPE,OPTIONS /", r"Read-only[^\n]*\s+squashfs +ro"),
    ("network by USB", "for at in $(seq 60); do ip -4 -br address | grep usb && break; sleep 2; done", r"usb0 .*10\.0\.2\.15"),
    ("its watchdog", "modprobe bcm2835_wdt; cat /sys/class/watchdog/watchdog0/identity", "Broadcom BCM2835 Watchdog timer"),
    ("its GPIO chip", "basename $(readlink /sys/bus/platform/devices/3f200000.gpio/driver); ls /dev/gpiochip0", r"pinctrl-bcm2835\s+/dev/gpiochip0"),
    ("the server", "systemctl is-active gatepost.service", r"(?<!in)active"),
]


def raspi3b() -> None:
    """The image on QEMU's Raspberry Pi 3: no screen, but its device tree, card and chips."""
    # A root shell on the serial line, which nothing but this argument opens.
    with VM(OUT, WORK, name="pi", machine="raspi3b", arguments="systemd.debug_shell=ttyS1 systemd.mask=serial-getty@ttyS1.service systemd.show_status=1") as vm:
        run("a Pi 3 reaches its last target", lambda: vm.wait_for("Reached target.*[Mm]ulti-[Uu]ser", BOOT))
        say(f"a Pi 3 reached it after {vm.age():.0f} s")
        for what, command, answer in PI:
            def there(what=what, command=command, answer=answer):
                told = vm.typed(command, 300)
                expect(re.search(answer, told) is not None, f"{what}: {told}")
            run(f"a Pi 3 has {what}", there)
        # Without a screen there is none to show anything on; all else has to work.
        failed = vm.typed("systemctl --failed --no-legend --plain")
        (WORK / "pi.failed").write_text(failed + vm.typed("systemctl list-units --all --plain --no-legend --no-pager"))
        run("a Pi 3 has no unit that failed", lambda: expect(".service" not in failed, failed))


def run(name: str, what) -> None:
    began = time.monotonic()
    try:
        what()
        RESULTS.append((True, name))
        print(f"    ok      {time.monotonic() - began:5.0f} s  {name.replace('_', ' ')}", file=sys.stderr, flush=True)
    except Exception as failure:  # noqa: BLE001 # whatever it is, the others run, too
        RESULTS.append((False, name))
        print(f"    FAILED  {time.monotonic() - began:5.0f} s  {name.replace('_', ' ')}: {failure}", file=sys.stderr, flush=True)
        if not isinstance(failure, Failure):
            traceback.print_exc()


RESULTS: list[tuple[bool, str]] = []


def slots() -> None:
    """U-Boot, as it is in the image, chooses as it should."""
    subprocess.run([sys.executable, Path(__file__).parent / "slots.py", next(OUT.glob("*.img"))], check=True)


def update() -> None:
    """Updates that stay, and updates that don't."""
    updates.journey(OUT, WORK, say)


def damage() -> None:
    """Data partitions that were damaged from outside: with their data or locked, never as if they were new."""
    subprocess.run([sys.executable, Path(__file__).parent / "damage.py", OUT], check=True)


def locked() -> None:
    """The kiosk without its data partition."""
    locks.journey(OUT, WORK, say)


def powercut() -> None:
    """The plug is pulled again and again."""
    subprocess.run([sys.executable, Path(__file__).parent / "powercut.py", OUT], check=True)


def imager() -> None:
    """What Raspberry Pi Imager writes on the card."""
    imagers.journey(OUT, WORK, say)


TESTS = {"virt": virt, "imager": imager, "raspi3b": raspi3b, "slots": slots, "update": update, "damage": damage, "locked": locked, "powercut": powercut}

if __name__ == "__main__":
    clean(WORK)
    for wanted in sys.argv[2:] or TESTS:
        run(wanted, TESTS[wanted])
    sys.exit(0 if all(good for good, _ in RESULTS) else 1)
