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

#[path = "provision/card.rs"]
mod card;
#[path = "provision/mistakes.rs"]
mod mistakes;
#[path = "support/mod.rs"]
mod support;

use std::path::Path;
use std::process::Command;

use card::{Card, HASH, KEY, MOVED, OWN, everything, hex, only_root_reads};
use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use gatepost::policy::tree::{Origin, Value as Tree};
use gatepost::provision::{Provision, settings};
use support::server::TestServer;

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
