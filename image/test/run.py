#!/usr/bin/env python3
"""Starts the image in virtual machines, looks and types: run.py OUT [NAMES…]. OUT is the folder of the image;
NAMES are those of the tests below, all of them if none is given. What is seen stays in OUT/test."""
import re
import subprocess
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import update as updates  # noqa: E402
from vm import Failure, VM, clean, lit, wait_until  # noqa: E402

# What may listen, and why (docs/image.md has the same list).
LISTENERS = {
    ("tcp", "443"): "HTTPS",
    ("tcp", "80"): "where HTTPS is",
    ("tcp", "53"): "names, for this machine only",
    ("udp", "53"): "names, for this machine only",
    ("udp", "5353"): "mDNS: the machine's name in the local network",
    ("udp", "68"): "DHCP",
    ("udp", "546"): "DHCP with IPv6",
}
FOR_THIS_MACHINE = {"53"}
# On a loaded machine emulation is slow; these are for telling that something hangs.
BOOT = 900
# Much of a white picture is one that should have been black.
WHITE = 0.5

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


def terminal(vm: VM) -> str:
    """The id of the terminal on the screen."""
    return vm.wait_guest("gatepost terminal list --json | grep -o '\"id\":\"[^\"]*\"' | head -n 1 | grep .", 60,
                         "a terminal").split('"')[3]


def first_boot_shows_a_terminal_that_takes_keys(vm: VM) -> None:
    first = watch_screen(vm, "first", BOOT)
    say(f"first boot: something on the screen after {first:.1f} s")
    at, _ = vm.wait_for("the page is on the screen", BOOT)
    say(f"first boot: the page is on the screen after {at:.1f} s")
    # A new machine says where it is administered, until somebody says that it was noted.
    vm.screenshot("first-identity.png")
    sheet = vm.picture()
    vm.key("ret")
    vm.wait_for('"note-password"', 60)
    wait_until(lambda: vm.picture() != sheet, 60, "the terminal behind the sheet")
    one = terminal(vm)
    vm.wait_guest(f"gatepost terminal show {one} | grep -q '[$#]'", 60, "a prompt")
    vm.keys("echo gatepost-$((40+2)) 'a|B'\n")
    vm.wait_guest(f"gatepost terminal show {one} | grep -q '^gatepost-42 a|B'", 30, "what was typed")
    time.sleep(2)
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


def https_answers(vm: VM) -> None:
    def ask():
        told = subprocess.run(["curl", "-sk", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}",
                               f"https://127.0.0.1:{vm.https}/"], capture_output=True, text=True, check=False)
        return told.stdout if told.stdout not in ("", "000") else None
    code = wait_until(ask, 90, "an answer over HTTPS", 1)
    expect(code in ("200", "302", "303"), f"HTTPS answered {code}")


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
    with vm:
        for test in (first_boot_shows_a_terminal_that_takes_keys, nothing_failed, the_root_can_not_be_written_to,
                     only_documented_ports_listen, https_answers, the_watchdog_is_armed, memory_and_times):
            run(test.__name__, lambda test=test: test(vm))
        identity = vm.guest("cat /etc/machine-id")
        run("it restarts by an action, and is what it was",
            lambda: it_restarts_by_an_action(vm, identity))
        vm.guest("sync")


def it_restarts_by_an_action(vm: VM, identity: str) -> None:
    before = len(vm.journal.lines)
    began = vm.age()
    vm.guest("gatepost power reboot", check=True)
    vm.journal.wait_for(r"Linux version", BOOT, before)
    again = vm.age()
    at, _ = vm.journal.wait_for("the page is on the screen", BOOT, before)
    say(f"went down in {again - began:.0f} s; second boot: the page is on the screen {at - again:.1f} s after the journal's first line")
    expect(vm.guest("cat /etc/machine-id") == identity, "the machine id changed")
    nothing_failed(vm)
    vm.name = "virt-second"
    memory_and_times(vm)
    vm.screenshot("second.png")


def raspi3b() -> None:
    """The image on QEMU's Raspberry Pi 3: no screen, but its device tree, card and chips."""
    # A root shell on the serial line, which nothing but this argument opens.
    with VM(OUT, WORK, name="pi", machine="raspi3b", arguments="systemd.debug_shell=ttyS1 systemd.show_status=1") as vm:
        run("a Pi 3 reaches its last target", lambda: vm.wait_for("Reached target.*[Mm]ulti-[Uu]ser", BOOT))


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


def powercut() -> None:
    """The plug is pulled again and again."""
    subprocess.run([sys.executable, Path(__file__).parent / "powercut.py", OUT], check=True)


TESTS = {"virt": virt, "raspi3b": raspi3b, "slots": slots, "update": update, "powercut": powercut}

if __name__ == "__main__":
    clean(WORK)
    for wanted in sys.argv[2:] or TESTS:
        run(wanted, TESTS[wanted])
    sys.exit(0 if all(good for good, _ in RESULTS) else 1)
