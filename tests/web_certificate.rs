//! The certificate a server shows: its own, made once and renewed; a pair of files, changed while it
//! runs; and the bad ones it does not start with.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use gatepost::policy::settings::server::TlsMode;
use gatepost::role::serve::Settings;
use serde_json::json;
use support::keeper::until;
use support::server::{Place, ServerProcess, TestServer};
use support::tls::{Authority, Tunnel, openssl, program, said, self_signed, shown};

/// HTTPS with this certificate.
fn files(settings: &mut Settings, certificate: &Path, key: &Path) {
    self_signed(settings);
    settings.server.tls.mode = TlsMode::Files;
    settings.server.tls.certificate = Some(certificate.to_owned());
    settings.server.tls.key = Some(key.to_owned());
}

#[test]
fn cert_show_tells_what_browsers_see_and_a_renewed_one_is_taken_up() {
    let place = Place::new();
    let more = [
        "--tls",
        "--local-listen",
        "127.0.0.1:0",
        "--allow-host",
        "term.example",
    ];
    let server = ServerProcess::start(&place, &more);
    let facts: serde_json::Value =
        serde_json::from_str(&place.ok(&["cert", "show", "--json"])).unwrap();
    let fingerprint = facts["fingerprint"].as_str().unwrap();
    assert_eq!(shown(server.address), fingerprint);
    assert!(place.ok(&["cert", "show"]).contains(fingerprint));
    let names: Vec<&str> = facts["names"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|name| name.as_str())
        .collect();
    let host = rustix::system::uname()
        .nodename()
        .to_str()
        .unwrap()
        .to_lowercase();
    let short = host.split('.').next().unwrap();
    for name in [
        "localhost",
        "127.0.0.1",
        "::1",
        "term.example",
        &host,
        &format!("{short}.local"),
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let file = place.folders.self_signed();
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // Whoever trusts it needs no exception for the names in it.
    let pem = place.temp.path().join("shown.pem");
    let text = place.ok(&["cert", "show", "--pem"]);
    assert!(!text.contains("PRIVATE"));
    std::fs::write(&pem, text).unwrap();
    let resolve = format!("term.example:{0}:127.0.0.1", server.address.port());
    let url = format!("https://term.example:{}/health", server.address.port());
    let curl = program(
        "curl",
        &[
            "-sS",
            "--cacert",
            pem.to_str().unwrap(),
            "--resolve",
            &resolve,
            &url,
        ],
        "",
    );
    assert!(said(&curl).starts_with("{\"status\":\"ok\""));
    let address = server.address;
    assert_eq!(server.stop(), Some(0));
    let again = ServerProcess::start(
        &place,
        &[
            "--listen",
            &address.to_string(),
            "--tls",
            "--local-listen",
            "127.0.0.1:0",
            "--allow-host",
            "term.example",
        ],
    );
    assert_eq!(shown(again.address), fingerprint, "made once");
    place.ok(&["cert", "renew", "--allow-host", "term.example"]);
    let facts: serde_json::Value =
        serde_json::from_str(&place.ok(&["cert", "show", "--json"])).unwrap();
    let renewed = facts["fingerprint"].as_str().unwrap();
    assert_ne!(renewed, fingerprint);
    until("the running server shows it", || {
        shown(again.address) == renewed
    });
}

#[test]
fn a_changed_pair_is_taken_up_and_a_broken_one_is_not() {
    let temp = tempfile::tempdir().unwrap();
    let ca = Authority::root(&temp.path().join("ca"));
    for name in ["one", "two"] {
        ca.sign(
            name,
            "extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1",
            None,
        );
    }
    let (certificate, key) = (temp.path().join("cert.pem"), temp.path().join("key.pem"));
    let put = |from: &str, to: &Path| {
        let new = to.with_extension("tmp");
        std::fs::copy(ca.path(from), &new).unwrap();
        std::fs::rename(new, to).unwrap();
    };
    put("one.pem", &certificate);
    put("one.key", &key);
    let server = TestServer::with(|settings| files(settings, &certificate, &key));
    let of = |name: &str| {
        let path = ca.path(name);
        let line = openssl(&[
            "x509",
            "-noout",
            "-fingerprint",
            "-sha256",
            "-in",
            path.to_str().unwrap(),
        ]);
        line.trim().split_once('=').unwrap().1.to_owned()
    };
    assert_eq!(shown(server.address), of("one.pem"));
    // A login and its WebSocket outlive the change.
    let tunnel = Tunnel::to(server.address);
    let mut browser = tunnel.browser();
    let answer = browser.post("/api/login", &json!({ "token": server.token() }));
    browser.take_cookies(&answer);
    assert!(
        answer.header("strict-transport-security").is_some(),
        "others vouch for it"
    );
    let id = browser.open(&json!({ "command": ["cat"] }));
    let mut viewer = browser.view(&id);
    viewer.type_in("before\n");
    viewer.wait_text("before\r\nbefore");
    // Half of a pair, garbage, an empty file, nothing at all: what was good stays.
    for (what, contents) in [
        (
            "other pair's",
            Some(std::fs::read(ca.path("two.key")).unwrap()),
        ),
        ("garbage", Some(b"garbage".to_vec())),
        ("empty", Some(Vec::new())),
        ("gone", None),
    ] {
        match contents {
            Some(contents) => std::fs::write(&key, contents).unwrap(),
            None => std::fs::remove_file(&key).unwrap(),
        }
        // Long enough to have been looked at: the server looks every 50 ms, and this takes longer.
        for _ in 0..5 {
            assert_eq!(shown(server.address), of("one.pem"), "{what}");
        }
    }
    put("two.pem", &certificate);
    put("two.key", &key);
    until("the new pair is shown", || {
        shown(server.address) == of("two.pem")
    });
    viewer.type_in("after\n");
    viewer.wait_text("after\r\nafter");
    // Readable by everybody now: refused, the old one stays.
    put("one.pem", &certificate);
    put("one.key", &key);
    until("back again", || shown(server.address) == of("one.pem"));
    put("two.key", &key);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    put("two.pem", &certificate);
    for _ in 0..5 {
        assert_eq!(shown(server.address), of("one.pem"), "key_world_readable");
    }
}

#[test]
fn a_server_does_not_start_with_a_bad_pair_and_says_why() {
    let place = Place::new();
    let ca = Authority::root(&place.temp.path().join("ca"));
    ca.sign("one", "extendedKeyUsage=serverAuth", None);
    ca.sign("two", "extendedKeyUsage=serverAuth", None);
    ca.sign("open", "extendedKeyUsage=serverAuth", None);
    std::fs::set_permissions(ca.path("open.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    for (certificate, key, words) in [
        ("one.pem", "two.key", "can't be used together"),
        ("open.pem", "open.key", "chmod 640"),
        ("one.pem", "nothing.key", "No such file"),
        ("one.key", "one.key", "holds no certificate"),
        ("one.pem", "one.pem", "private key"),
    ] {
        let (certificate, key) = (ca.path(certificate), ca.path(key));
        if key.ends_with("one.pem") {
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let output = place.run(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--tls-certificate",
            certificate.to_str().unwrap(),
            "--tls-key",
            key.to_str().unwrap(),
        ]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(words), "{words}: {text}");
    }
}
