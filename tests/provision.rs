//! A machine takes what it is given: the real `gatepost provision` on folders that stand for the card and
//! the machine, for every way in, good files and bad, and cut off at every step.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::format_collect,
    clippy::verbose_bit_mask,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use gatepost::policy::tree::{Origin, Value as Tree};
use gatepost::provision::{Provision, settings};
use serde_json::Value;
use support::server::TestServer;

/// A folder for the card's first partition and one for the machine.
struct Card {
    temp: tempfile::TempDir,
}

const MOVED: &str = "(moved to the machine)";
const HASH: &str = "$6$saltsalt$0123456789012345678901234567890123456789012345678901234567890123456789012345678901234";
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC0t2wG4p0dZ6YpM7mV5mCq1y8d0VZ5J5u0kq5m3o1aB me@laptop";

impl Card {
    fn new() -> Self {
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

    fn fat(&self, name: &str) -> PathBuf {
        self.temp.path().join("fat").join(name)
    }

    fn put(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.fat(name), text).unwrap();
    }

    fn said(&self, name: &str) -> String {
        std::fs::read_to_string(self.fat(name)).unwrap()
    }

    fn root(&self) -> PathBuf {
        self.temp.path().join("root")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command
            .args(["provision", "apply", "--from"])
            .arg(self.temp.path().join("fat"));
        command.arg("--root").arg(self.root());
        command.arg("--system").arg(self.temp.path().join("system"));
        command
    }

    fn apply(&self) -> Output {
        self.command().output().unwrap()
    }

    fn good(&self) -> String {
        let output = self.apply();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    }

    /// Has to be refused; what is said about it.
    fn bad(&self) -> String {
        let output = self.apply();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn file(&self, below: &str) -> String {
        let path = self.root().join(below);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// One that lies where `/etc` is mirrored.
    fn etc(&self, below: &str) -> String {
        self.file(&format!("var/lib/gatepost-provision/etc/{below}"))
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.file("var/lib/gatepost-provision/status.json")).unwrap()
    }

    fn wifi(&self) -> String {
        self.etc("wpa_supplicant/wpa_supplicant-wlan0.conf")
    }
}

/// Everything in a folder: path, kind, mode and content.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
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

fn hex(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        write!(out, "{byte:02x}").unwrap();
    }
    out
}

const OWN: &str = r#"hostname = "kiosk-7"
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
fn only_root_reads(secret: &str, folder: &Path) {
    for (path, (mode, bytes)) in everything(folder) {
        let text = String::from_utf8_lossy(&bytes);
        let known = text.contains(secret) || text.contains(&hex(secret));
        let others = mode & 0o077;
        assert!(!known || others == 0, "{} tells {secret}", path.display());
    }
}

#[test]
fn our_own_file_says_everything_once_and_keeps_no_secret() {
    let card = Card::new();
    card.put("gatepost.toml", OWN);
    card.good();
    assert_eq!(card.etc("hostname"), "kiosk-7\n");
    assert_eq!(card.etc("locale.conf"), "LANG=C.UTF-8\n");
    let zone = card.root().join("var/lib/gatepost-provision/etc/localtime");
    assert_eq!(
        std::fs::read_link(zone).unwrap(),
        Path::new("/usr/share/zoneinfo/Europe/Berlin")
    );
    assert!(card.etc("default/keyboard").contains("XKBLAYOUT=\"gb\"\n"));
    assert!(card.etc("default/keyboard").contains("KEYMAP=\"uk\"\n"));
    let wifi = card.wifi();
    for part in [
        "country=GB\n",
        "\tscan_ssid=1\n",
        &format!("\tssid={}\n", hex("Office")),
    ] {
        assert!(wifi.contains(part), "{part}\n{wifi}");
    }
    assert!(
        wifi.contains(&format!("\tsae_password={}\n", hex("correct horse"))),
        "{wifi}"
    );
    let wired = card.etc("systemd/network/10-provisioned-wired.network");
    for part in [
        "DHCP=no\n",
        "Address=2001:db8::7/64\n",
        "Gateway=192.0.2.1\n",
        "DNS=192.0.2.53\n",
    ] {
        assert!(wired.contains(part), "{part}\n{wired}");
    }
    // No passwd is edited: a user record, with the password as a hash only root reads.
    let privileged = "var/lib/gatepost-provision/etc/userdb/ada.user-privileged";
    assert!(card.file(privileged).contains("\"$6$rounds=100000$"));
    let settings = card.root().join("etc/gatepost/conf.d/50-provisioned.toml");
    let checked = Command::new(env!("CARGO_BIN_EXE_gatepost"))
        .args(["config", "check"])
        .arg(&settings)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");
    let settings = std::fs::read_to_string(settings).unwrap();
    for part in [
        "rotate = 270",
        "zoom = 150",
        "command = [\"/usr/bin/top\"]",
        "[\"user.upn=ada\".allow]",
    ] {
        assert!(settings.contains(part), "{part}\n{settings}");
    }
    // What is left on the card says the same, without the secrets, comments and all.
    let left = card.said("gatepost.toml");
    assert_eq!(left.matches(MOVED).count(), 3, "{left}");
    assert_eq!(left.lines().count(), OWN.lines().count());
    assert!(left.contains(" # noted\n"));
    for secret in ["correct horse", "battery staple", "s3cret"] {
        assert!(!left.contains(secret), "{secret}");
        only_root_reads(secret, &card.root());
    }
    assert!(
        !card
            .file("var/lib/gatepost-provision/kept.json")
            .contains("battery staple")
    );
    assert_eq!(card.status()["applied"], true);
    // Again: nothing changes. With another name: only that, although the secrets are gone from the file.
    let before = everything(card.temp.path());
    card.good();
    assert_eq!(everything(card.temp.path()), before);
    card.put("gatepost.toml", left.replace("kiosk-7", "kiosk-8"));
    card.good();
    assert_eq!(card.etc("hostname"), "kiosk-8\n");
    assert_eq!(card.wifi(), wifi);
    // What is no longer said is no longer so.
    card.put("gatepost.toml", "hostname = \"kiosk-9\"\n");
    card.good();
    let left: Vec<_> = everything(&card.root().join("var/lib/gatepost-provision/etc"))
        .into_keys()
        .filter(|path| {
            card.root()
                .join("var/lib/gatepost-provision/etc")
                .join(path)
                .is_file()
        })
        .collect();
    assert_eq!(left, [Path::new("hostname")]);
    assert!(
        !card
            .root()
            .join("etc/gatepost/conf.d/50-provisioned.toml")
            .exists()
    );
    // But no file at all takes nothing away.
    std::fs::remove_file(card.fat("gatepost.toml")).unwrap();
    card.good();
    assert_eq!(card.etc("hostname"), "kiosk-9\n");
}

#[test]
fn what_imager_writes_today_is_understood_and_what_has_no_meaning_is_named() {
    let card = Card::new();
    let psk = "0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af";
    card.put(
        "user-data",
        format!(
            "#cloud-config\r\nhostname: shopfront\r\nmanage_etc_hosts: true\r\npackages:\r\n- avahi-daemon\r\napt:\r\n  conf: |\r\n    Acquire {{\r\n      Check-Date \"false\";\r\n    }};\r\ntimezone: Europe/Berlin\r\nkeyboard:\r\n  model: pc105\r\n  layout: \"de\"\r\nenable_ssh: true\r\nusers:\r\n- name: ada\r\n  groups: users,adm,sudo\r\n  shell: /bin/bash\r\n  lock_passwd: false\r\n  passwd: {HASH}\r\n  ssh_authorized_keys:\r\n    - {KEY}\r\n  sudo: ALL=(ALL) NOPASSWD:ALL\r\nssh_pwauth: true\r\nruncmd:\r\n  - [ rfkill, unblock, wifi ]\r\n"
        ),
    );
    card.put(
        "network-config",
        format!(
            "network:\n  version: 2\n  wifis:\n    wlan0:\n      dhcp4: true\n      regulatory-domain: \"DE\"\n      access-points:\n        \"My \\\"Net\\\"\":\n          hidden: true\n          password: \"{psk}\"\n      optional: true\n"
        ),
    );
    card.put("meta-data", "instance-id: x\n");
    let notes = card.good();
    for part in [
        "user-data:4:1: warning: packages: has no meaning",
        "runcmd: has no meaning",
        "apt: has",
    ] {
        assert!(notes.contains(part), "{part}\n{notes}");
    }
    assert_eq!(card.etc("hostname"), "shopfront\n");
    assert_eq!(card.etc("ssh/authorized_keys/ada"), format!("{KEY}\n"));
    assert!(
        card.etc("ssh/sshd_config.d/50-provisioned.conf")
            .contains("PasswordAuthentication yes\n")
    );
    assert!(card.etc("userdb/ada.user-privileged").contains(HASH));
    assert!(card.etc("default/keyboard").contains("XKBLAYOUT=\"de\"\n"));
    let wifi = card.wifi();
    for part in [
        "country=DE\n",
        &format!("\tpsk={psk}\n"),
        &format!("\tssid={}\n", hex("My \"Net\"")),
    ] {
        assert!(wifi.contains(part), "{part}\n{wifi}");
    }
    assert!(
        card.said("user-data")
            .contains(&format!("  passwd: \"{MOVED}\"\r\n"))
    );
    assert!(!card.said("network-config").contains(psk));
    // Our own file beside them adds to them, and wins.
    card.put(
        "gatepost.toml",
        "hostname = \"window\"\n[kiosk]\ncommand = [\"/usr/bin/top\"]\n",
    );
    card.good();
    assert_eq!(card.etc("hostname"), "window\n");
    assert_eq!(card.wifi(), wifi);
}

#[test]
fn the_older_custom_toml_is_understood() {
    let card = Card::new();
    card.put(
        "custom.toml",
        format!(
            "config_version = 1\n[system]\nhostname = \"old\"\n[user]\nname = \"ada\"\npassword = \"{HASH}\"\npassword_encrypted = true\n[ssh]\nenabled = true\npassword_authentication = false\nauthorized_keys = [ \"{KEY}\" ]\n[wlan]\nssid = \"Home\"\npassword = \"correct horse\"\npassword_encrypted = false\nhidden = false\ncountry = \"DE\"\n[locale]\nkeymap = \"de\"\ntimezone = \"Europe/Berlin\"\n"
        ),
    );
    card.good();
    assert_eq!(card.etc("hostname"), "old\n");
    assert!(
        card.etc("ssh/sshd_config.d/50-provisioned.conf")
            .contains("PasswordAuthentication no\n")
    );
    assert!(
        card.root()
            .join("var/lib/gatepost-provision/etc/ssh/enabled")
            .exists()
    );
    assert!(card.wifi().contains(&hex("Home")));
    assert_eq!(card.said("custom.toml").matches(MOVED).count(), 2);
    card.put("custom.toml", "config_version = 2\n");
    assert!(
        card.bad()
            .contains("custom.toml:1:18: config_version: only config_version = 1")
    );
}

#[test]
fn an_open_network_and_an_enterprise_one_are_set_up_and_keys_leave_the_card() {
    let card = Card::new();
    let pem = |what: &str| format!("-----BEGIN {what}-----\nAAAA\n-----END {what}-----\n");
    card.put("ca.pem", pem("CERTIFICATE"));
    card.put("me.pem", pem("CERTIFICATE"));
    card.put("me.key", pem("PRIVATE KEY"));
    card.put(
        "gatepost.toml",
        "[wifi]\ncountry = \"DE\"\n[wifi.networks.Guests]\nsecurity = \"open\"\n[wifi.networks.New]\nsecurity = \"sae\"\npassword = \"only WPA3\"\n[wifi.networks.Uni]\nsecurity = \"peap\"\nidentity = \"ada@uni.example\"\nanonymous_identity = \"x@uni.example\"\npassword = \"p\"\nca_certificate = \"ca.pem\"\ndomain = \"radius.uni.example\"\n[wifi.networks.Works]\nsecurity = \"tls\"\nidentity = \"kiosk7\"\nca_certificate = \"ca.pem\"\nclient_certificate = \"me.pem\"\nclient_key = \"me.key\"\n",
    );
    card.good();
    let wifi = card.wifi();
    let folder = "/var/lib/gatepost-provision/etc/wpa_supplicant/provisioned-";
    for part in [
        "\tkey_mgmt=NONE\n".to_owned(),
        format!(
            "\tkey_mgmt=SAE\n\tieee80211w=2\n\tsae_password={}\n",
            hex("only WPA3")
        ),
        format!("\teap=PEAP\n\tidentity={}\n", hex("ada@uni.example")),
        format!(
            "\tdomain_suffix_match={}\n\tca_cert=\"{folder}ca.pem\"\n",
            hex("radius.uni.example")
        ),
        format!("\tprivate_key=\"{folder}me.key\"\n"),
    ] {
        assert!(wifi.contains(&part), "{part}\n{wifi}");
    }
    assert!(!card.fat("me.key").exists());
    assert!(card.fat("ca.pem").exists());
    assert_eq!(
        card.etc("wpa_supplicant/provisioned-me.key"),
        pem("PRIVATE KEY")
    );
    // Without the key on the card, it is still there.
    card.good();
    assert_eq!(
        card.etc("wpa_supplicant/provisioned-me.key"),
        pem("PRIVATE KEY")
    );
}

#[test]
fn a_mistake_is_told_with_its_line_and_changes_nothing() {
    let card = Card::new();
    card.put("gatepost.toml", OWN);
    card.good();
    let before = everything(&card.root());
    let machine = |all: BTreeMap<PathBuf, (u32, Vec<u8>)>| {
        all.into_iter()
            .filter(|(path, _)| !path.ends_with("status.json"))
            .collect::<BTreeMap<_, _>>()
    };
    let cases: &[(&str, Vec<u8>, &[&str])] = &[
        (
            "gatepost.toml",
            b"\xef\xbb\xbfhostnam = \"x\"\r\ntimezone = \"Europe/Atlantis\"\r\n".to_vec(),
            &["gatepost.toml:1:1: hostnam: unknown key; did you mean \"hostname\"?"],
        ),
        (
            "gatepost.toml",
            b"\ntimezone = \"Europe/Atlantis\"\n".to_vec(),
            &["gatepost.toml:2:12: timezone: this machine knows no time zone Europe/Atlantis"],
        ),
        (
            "gatepost.toml",
            b"[wifi.networks.A]\n[wifi.networks.B]\npassword = \"short\"\n[admin]\nname = \"www-data\"\n".to_vec(),
            &[
                "gatepost.toml:1:16: wifi.networks.A.password: is missing; a network without one",
                "gatepost.toml:3:12: wifi.networks.B.password: a passphrase has 8 to 63",
                "gatepost.toml:5:8: admin.name: nobody could log in",
            ],
        ),
        (
            "gatepost.toml",
            b"[admin]\nname = \"www-data\"\npassword = \"long enough\"\n".to_vec(),
            &["gatepost.toml:2:8: admin.name: the system has an account of this name"],
        ),
        (
            "gatepost.toml",
            b"[gatepost.\"*\".kiosk]\nzoom = 12\n[gatepost.\"*\".server]\nlisen = []\n".to_vec(),
            &["gatepost.toml:4:1: gatepost.\"*\".server.lisen: unknown key; did you mean \"listen\"?"],
        ),
        (
            "gatepost.toml",
            b"[gatepost.\"*\".kiosk]\nzoom = 12\n".to_vec(),
            &["gatepost.toml:2:8: gatepost.\"*\".kiosk.zoom: has to be from 50 to 400 percent"],
        ),
        (
            "gatepost.toml",
            OWN.as_bytes()[..OWN.find("correct").unwrap()].to_vec(),
            &["gatepost.toml:10:13: not TOML"],
        ),
        ("gatepost.toml", b"hostname = \"\xe4\"\n".to_vec(), &["is not UTF-8 (byte 13 is wrong)"]),
        ("gatepost.toml", vec![b'#'; (256 << 10) + 1], &["is larger than 262144 bytes"]),
        ("gatepost.toml.txt", b"hostname = \"x\"\n".to_vec(), &["has to be called gatepost.toml"]),
        ("gatepost.toml", b"[tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\n".to_vec(), &["gatepost.toml:2:15: tls.certificate: there is no a.pem beside it"]),
        ("gatepost.toml", b"[tls]\ncertificate = \"../a.pem\"\nkey = \"a.key\"\n".to_vec(), &["no folders"]),
        ("gatepost.toml", format!("[wifi.networks.Other]\npassword = \"{MOVED}\"\n").into_bytes(), &["gatepost.toml:2:12: wifi.networks.Other.password: this was moved to another machine"]),
        ("user-data", b"#cloud-config\nusers:\n- name: ada\n  passwd: hunter22\n".to_vec(), &[ "user-data:4:11: admin.password_hash:"]),
        ("user-data", b"#cloud-config\na: &a [b]\nb: *a\n".to_vec(), &["user-data:2:4: anchors"]),
        ("network-config", b"version: 1\n".to_vec(), &["network-config:1:10: version: only version 2"]),
    ];
    for (name, text, says) in cases {
        for entry in std::fs::read_dir(card.temp.path().join("fat")).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        card.put(name, text);
        let said = card.bad();
        for part in *says {
            assert!(said.contains(part), "{part}\n{said}");
        }
        assert!(
            !said.contains("hunter22") && !said.contains("short\""),
            "{said}"
        );
        assert_eq!(
            machine(everything(&card.root())),
            machine(before.clone()),
            "{said}"
        );
        assert_eq!(
            std::fs::read(card.fat(name)).unwrap(),
            *text,
            "left as it is"
        );
        let status = card.status();
        assert_eq!(status["applied"], false);
        let first = status["lines"][0]["text"].as_str().unwrap().to_owned();
        assert!(
            first.starts_with(name),
            "the file's own name, not this machine's path: {first}"
        );
        assert!(
            says[0].contains(&first) || first.contains(says[0]),
            "{first}"
        );
    }
}

#[test]
fn check_says_what_apply_would_without_a_machine() {
    let card = Card::new();
    let check = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        let output = command
            .args(["provision", "check"])
            .arg(card.fat(name))
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    card.put("gatepost.toml", OWN);
    let (code, said) = check("gatepost.toml");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("fleet.broker: is kept for later"), "{said}");
    card.good();
    // Moved secrets are no mistake.
    assert_eq!(check("gatepost.toml").0, Some(0));
    card.put(
        "gatepost.toml",
        "rotation = 45\n[gatepost.\"*\"]\nservr = {}\n",
    );
    let (code, said) = check("gatepost.toml");
    assert_eq!(code, Some(1));
    assert!(said.contains("gatepost.toml:1:12: rotation:"), "{said}");
    card.put("user-data", "#cloud-config\nhostname: -x\n");
    assert!(check("user-data").1.contains("user-data:2:11: hostname:"));
    assert_eq!(check("nothing").0, Some(1));
}

#[test]
fn the_documentations_examples_load_and_every_key_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/provisioning.md");
    let text = std::fs::read_to_string(path).unwrap();
    let examples: Vec<&str> = text
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let tree = parse(Syntax::Toml, example, Path::new("gatepost.toml")).unwrap();
        let provision = Provision::read(&tree).unwrap_or_else(|problems| panic!("{problems:?}"));
        Rules::compile(&[Tree::table(settings(&provision, &tree), Origin::Default)]).unwrap();
    }
    // What a table may hold is said by the schema itself when something else is in it.
    let keys = "hostname locale timezone rotation keyboard.layout keyboard.variant keyboard.model keyboard.options wifi.country wifi.networks ….security ….password ….hidden ….priority ….identity ….anonymous_identity ….ca_certificate ….domain ….client_certificate ….client_key ….client_key_password network.wired network.wifi ….dhcp ….addresses ….gateways ….dns ….search admin.name admin.full_name admin.password admin.password_hash admin.ssh_keys ssh.enabled ssh.passwords kiosk.command fleet.broker tls.certificate tls.key gatepost";
    for key in keys.split(' ') {
        let row = text.lines().filter(|line| line.starts_with("| `"));
        let named =
            |line: &str| line.contains(&format!("`{key}`")) || line.contains(&format!("`{key}."));
        assert!(row.clone().any(named), "{key} is not documented");
    }
    let schema = include_str!("../src/provision/schema.rs");
    let fields = schema
        .lines()
        .filter_map(|line| line.strip_prefix("    pub ")?.split_once(": "))
        .filter(|(field, _)| !field.contains(' '));
    for (field, _) in fields {
        let known = keys.split(' ').any(|key| {
            key.trim_start_matches('…')
                .split('.')
                .any(|part| part == field)
        });
        assert!(known, "{field} is in the schema and not in this list");
    }
}

#[test]
fn cut_off_at_every_write_and_begun_again_it_ends_the_same() {
    let fresh = || {
        let card = Card::new();
        card.put("me.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
        card.put("me.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n");
        // The salt of a hash is random, so the hash is given.
        let text = format!(
            "hostname = \"x\"\n[wifi.networks.A]\npassword = \"{}\"\n[wifi.networks.B]\nsecurity = \"tls\"\nidentity = \"b\"\nca_certificate = \"me.pem\"\nclient_certificate = \"me.pem\"\nclient_key = \"me.key\"\n[admin]\nname = \"ada\"\npassword_hash = \"{HASH}\"\nssh_keys = [\"{KEY}\"]\n",
            "ab".repeat(32)
        );
        card.put("gatepost.toml", text);
        card
    };
    let card = fresh();
    card.good();
    let wanted = everything(card.temp.path());
    let mut cuts = 0;
    // What changes a disk, each call in turn.
    for call in [
        "write",
        "fsync",
        "rename,renameat,renameat2",
        "unlink,unlinkat",
        "symlink,symlinkat",
        "mkdir",
    ] {
        for nth in 1.. {
            let card = fresh();
            let mut strace = Command::new("strace");
            strace.args(["-f", "-qq", "-o", "/dev/null", "-e"]);
            strace.arg(format!("inject={call}:signal=SIGKILL:when={nth}"));
            let command = card.command();
            strace.arg(command.get_program()).args(command.get_args());
            if strace.output().unwrap().status.success() {
                break;
            }
            cuts += 1;
            card.good();
            let found = everything(card.temp.path());
            let differs: Vec<_> = wanted
                .iter()
                .filter(|(path, is)| found.get(*path) != Some(is))
                .map(|(path, _)| path)
                .collect();
            let more: Vec<_> = found
                .keys()
                .filter(|path| !wanted.contains_key(*path))
                .collect();
            assert!(
                differs.is_empty() && more.is_empty(),
                "{call} {nth}: {differs:?} {more:?}"
            );
        }
    }
    assert!(cuts > 80, "only {cuts} places to cut");
}

#[test]
fn the_server_says_what_is_wrong_to_the_screen_and_in_its_health() {
    let server = TestServer::start();
    let mut kiosk = server.stranger();
    kiosk.log_in(&server.place.ok(&["url", "--kiosk"]));
    assert_eq!(kiosk.get("/api/provisioning").status, 404);
    let status = server
        .place
        .folders
        .state
        .with_file_name("gatepost-provision");
    std::fs::create_dir_all(&status).unwrap();
    let text = r#"{"applied":false,"lines":[{"wrong":true,"text":"gatepost.toml:3:1: hostnam: unknown key"}]}"#;
    std::fs::write(status.join("status.json"), text).unwrap();
    let answer = kiosk.get("/api/provisioning").json();
    assert_eq!(answer["applied"], false);
    assert_eq!(
        answer["lines"][0]["text"],
        "gatepost.toml:3:1: hostnam: unknown key"
    );
    let browser = server.browser();
    assert_eq!(
        browser.get("/api/provisioning").status,
        404,
        "not for others"
    );
    let said = server.place.ok(&["status"]);
    assert!(
        said.contains("gatepost.toml:3:1: hostnam: unknown key"),
        "{said}"
    );
}
