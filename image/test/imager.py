"""What Raspberry Pi Imager writes on a card, in both of its ways, at a whole image's first start: its owner logs in
over SSH, and may become root."""
import subprocess
from pathlib import Path

from vm import VM, Failure

# As Imager 2 writes them (cloud-init), and as Imager 1 did (custom.toml).
TODAY = """#cloud-config
hostname: shopfront
manage_etc_hosts: true
packages:
- avahi-daemon
timezone: Europe/Berlin
keyboard:
  model: pc105
  layout: "de"
enable_ssh: true
users:
- name: ada
  groups: users,adm,sudo
  shell: /bin/bash
  lock_passwd: true
  ssh_authorized_keys:
    - {key}
  sudo: ALL=(ALL) NOPASSWD:ALL
"""
NETWORK = """network:
  version: 2
  wifis:
    wlan0:
      dhcp4: true
      regulatory-domain: "DE"
      access-points:
        "Shop":
          password: "{secret}"
      optional: true
"""
OLDER = """config_version = 1
[system]
hostname = "shopfront"
[user]
name = "ada"
[ssh]
enabled = true
password_authentication = false
authorized_keys = [ "{key}" ]
[wlan]
ssid = "Shop"
password = "{secret}"
password_encrypted = false
country = "DE"
[locale]
keymap = "de"
timezone = "Europe/Berlin"
"""
SECRET = "correct horse battery"


def journey(out: Path, work: Path, say) -> None:
    key = work / "imager-key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    public = Path(f"{key}.pub").read_text().strip()
    ways = {"today": {"user-data": TODAY, "network-config": NETWORK, "meta-data": "instance-id: x\n"},
            "older": {"custom.toml": OLDER}}
    for way, files in ways.items():
        vm = VM(out, work, name=f"imager-{way}")
        for name, text in files.items():
            vm.put(name, text.replace("{key}", public).replace("{secret}", SECRET))
        with vm:
            vm.wait_guest("ss -Hlnt sport = :22 | grep -q .", 240, "SSH to listen")
            told = vm.guest("hostname; readlink -f /etc/localtime; grep XKBLAYOUT /etc/default/keyboard; gatepost status | grep -i provision; "
                            "grep -c 'psk=' /etc/wpa_supplicant/wpa_supplicant-wlan0.conf; cat /boot/firmware/* 2> /dev/null | grep -ac '" + SECRET + "'")
            expected = ["shopfront", "/usr/share/zoneinfo/Europe/Berlin", 'XKBLAYOUT="de"']
            if told.splitlines()[:3] != expected or told.splitlines()[-2:] != ["1", "0"]:
                raise Failure(f"{way}: what the card said is not so, or its secret is still on it: {told}")
            who = subprocess.run(
                ["ssh", "-i", key, "-p", str(vm.ssh), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                 "-o", "BatchMode=yes", "-o", "ConnectTimeout=60", "-o", "LogLevel=ERROR", "ada@127.0.0.1", "id -un; hostname"],
                capture_output=True, text=True, check=False, timeout=120)
            if who.stdout.split() != ["ada", "shopfront"]:
                raise Failure(f"{way}: over SSH: {who.stdout}{who.stderr}")
        say(f"Imager's files, {way}: taken over, its secret is off the card, ada is in over SSH")
