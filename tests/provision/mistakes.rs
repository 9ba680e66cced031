//! Files with mistakes in them: told with their line, before and after, and nothing is changed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::card::{Card, MOVED, OWN, everything};

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
