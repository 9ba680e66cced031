"""A whole image whose data partition was destroyed from outside: the kiosk still runs, says on its screen what is wrong, lets
nobody in over the network, and touches nothing of the partition. Part of run.py.
"""
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import damage  # noqa: E402
from vm import Failure, VM, lit, wait_until  # noqa: E402

BOOT = 900


def still(vm: VM) -> bool:
    """Whether much is on the screen, and stays there."""
    before = vm.picture()
    vm.guest("sleep 3")
    return vm.picture() == before and lit(before[2]) > 3000


def journey(out: Path, work: Path, say) -> None:
    vm = VM(out, work, name="locked", arguments="gp.next=writer")
    with vm:
        vm.serial.wait_for(r"PC 3\b", BOOT)
    damage.nothing_ext4(vm.card(), work)
    before = damage.digest(vm.card())
    vm.arguments = ""
    with vm:
        vm.wait_for("the page is on the screen", BOOT)
        wait_until(lambda: still(vm), 180, "a picture that stays", 1)
        vm.screenshot("locked.png")
        told = vm.guest("gatepost status")
        (work / "locked.status").write_text(told)
        if "runs from memory" not in told or "replace the card" not in told:
            raise Failure(f"the status: {told}")
        outside = [line for line in vm.guest("ss -Hlnt").splitlines() if "127.0.0." not in line and "[::1]" not in line]
        if outside:
            raise Failure(f"these can be reached: {outside}")
        for port in (vm.https, vm.http, vm.ssh):
            address = f"http{'s' * (port == vm.https)}://127.0.0.1:{port}/"
            code = subprocess.run(["curl", "-sk", "--max-time", "20", "-o", "/dev/null", address], check=False).returncode
            if code == 0:
                raise Failure(f"{address} answers")
        one = vm.guest("gatepost terminal list")
        if "kiosk" not in one:
            raise Failure(f"the terminals: {one}")
        failed = vm.guest("systemctl --failed --no-legend --plain")
        if failed:
            raise Failure(f"units have failed: {failed}")
        say("without its data partition the kiosk runs, says so, and lets nobody in")
    if damage.digest(vm.card()) != before:
        raise Failure("something was written to the damaged partition")
