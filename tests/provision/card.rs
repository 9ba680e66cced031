//! A card and the machine it is in, as folders; and what the real `gatepost provision` does with them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A folder for the card's first partition and one for the machine.
pub(crate) struct Card {
    pub(crate) temp: tempfile::TempDir,
}

pub(crate) const MOVED: &str = "(moved to the machine)";
pub(crate) const HASH: &str = "$6$saltsalt$0123456789012345678901234567890123456789012345678901234567890123456789012345678901234";
pub(crate) const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC0t2wG4p0dZ6YpM7mV5mCq1y8d0VZ5J5u0kq5m3o1aB me@laptop";

impl Card {
    pub(crate) fn new() -> Self {
        let card = Self {
            temp: tempfile::tempdir().unwrap(),
        };
        for folder in ["fat", "system/etc"] {
            std::fs::create_dir_all(card.temp.path().join(folder)).unwrap();
        }
        let zones = card.temp.path().join("system/usr/share/zoneinfo/Europe");
        std::fs::create_dir_all(&zones).unwrap();
        std::fs::write(zones.join("Berlin"), "TZif").unwrap();
        std::fs::write(
            card.temp.path().join("system/etc/passwd"),
            "www-data:x:33:33::/:/bin/sh\n",
        )
        .unwrap();
        card
    }

    pub(crate) fn fat(&self, name: &str) -> PathBuf {
        self.temp.path().join("fat").join(name)
    }

    pub(crate) fn put(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.fat(name), text).unwrap();
    }

    pub(crate) fn said(&self, name: &str) -> String {
        std::fs::read_to_string(self.fat(name)).unwrap()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.temp.path().join("root")
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command
            .args(["provision", "apply", "--from"])
            .arg(self.temp.path().join("fat"));
        command.arg("--root").arg(self.root());
        command.arg("--system").arg(self.temp.path().join("system"));
        command
    }

    pub(crate) fn apply(&self) -> Output {
        self.command().output().unwrap()
    }

    pub(crate) fn good(&self) -> String {
        let output = self.apply();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    }

    /// Has to be refused; what is said about it.
    pub(crate) fn bad(&self) -> String {
        let output = self.apply();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    pub(crate) fn file(&self, below: &str) -> String {
        let path = self.root().join(below);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// One that lies where `/etc` is mirrored.
    pub(crate) fn etc(&self, below: &str) -> String {
        self.file(&format!("var/lib/gatepost-provision/etc/{below}"))
    }

    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.file("var/lib/gatepost-provision/status.json")).unwrap()
    }

    pub(crate) fn wifi(&self) -> String {
        self.etc("wpa_supplicant/wpa_supplicant-wlan0.conf")
    }
}

/// Everything in a folder: path, kind, mode and content.
pub(crate) fn everything(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut out = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            let found = std::fs::symlink_metadata(&path).unwrap();
            let bytes = if found.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else if found.is_symlink() {
                std::fs::read_link(&path)
                    .unwrap()
                    .into_os_string()
                    .into_encoded_bytes()
            } else {
                std::fs::read(&path).unwrap()
            };
            let path = path.strip_prefix(folder).unwrap().to_owned();
            out.insert(path, (found.permissions().mode(), bytes));
        }
    }
    out
}

pub(crate) fn hex(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        write!(out, "{byte:02x}").unwrap();
    }
    out
}

pub(crate) const OWN: &str = r#"hostname = "kiosk-7"
timezone = "Europe/Berlin"
locale = "C.UTF-8"
rotation = 270
[keyboard]
layout = "gb"
[wifi]
country = "GB"
[wifi.networks.Office]
password = "correct horse"
hidden = true
[network.wired]
addresses = ["192.0.2.7/24", "2001:db8::7/64"]
gateways = ["192.0.2.1"]
dns = ["192.0.2.53"]
[admin]
name = "ada"
password = "battery staple" # noted
[kiosk]
command = ["/usr/bin/top"]
[fleet]
broker = "amqps://kiosk7:s3cret@broker.example/"
[gatepost."*".kiosk]
zoom = 150
"#;

/// No file that others may read tells this, in plain or as digits.
pub(crate) fn only_root_reads(secret: &str, folder: &Path) {
    for (path, (mode, bytes)) in everything(folder) {
        let text = String::from_utf8_lossy(&bytes);
        let known = text.contains(secret) || text.contains(&hex(secret));
        let others = mode & 0o077;
        assert!(!known || others == 0, "{} tells {secret}", path.display());
    }
}
