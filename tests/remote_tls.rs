//! `gatepost --host https://…`: over TLS, and never to the wrong server.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::process::Output;

use gatepost::policy::settings::server::TlsMode;
use serde_json::{Value, json};
use support::server::{Place, TestServer};

fn secure() -> TestServer {
    TestServer::with(|settings| settings.server.tls.mode = TlsMode::SelfSigned)
}

/// The fingerprint as the machine itself shows it.
fn fingerprint(server: &TestServer) -> String {
    let shown: Value = serde_json::from_str(&server.place.ok(&["cert", "show", "--json"])).unwrap();
    shown["fingerprint"].as_str().unwrap().to_owned()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_unknown_certificate_is_refused_with_its_fingerprint_and_the_right_one_is_remembered() {
    let server = secure();
    let elsewhere = Place::new();
    let host = format!("https://{}", server.address);
    let pin = fingerprint(&server);

    let token = server.place.ok(&["url"]);
    let unknown = elsewhere.run_with(&["--host", &host, "login"], &token);
    assert_eq!(unknown.status.code(), Some(5), "{}", said(&unknown));
    assert!(
        said(&unknown).contains(&pin),
        "{} in {}",
        pin,
        said(&unknown)
    );
    assert!(said(&unknown).contains("--fingerprint"));

    let wrong = "ab".repeat(32);
    let wrong = elsewhere.run_with(&["--host", &host, "--fingerprint", &wrong, "login"], &token);
    assert_eq!(wrong.status.code(), Some(5), "{}", said(&wrong));
    assert!(
        said(&wrong).contains("Somebody may be in between"),
        "{}",
        said(&wrong)
    );

    // Neither attempt has sent the token: it still works.
    let right = elsewhere.run_with(&["--host", &host, "--fingerprint", &pin, "login"], &token);
    assert!(right.status.success(), "{}", said(&right));
    let id = elsewhere.ok(&["--host", &host, "terminal", "open", "--", "cat"]);
    elsewhere.ok(&[
        "--host",
        &host,
        "terminal",
        "send",
        &id,
        "over TLS\\n",
        "--escapes",
    ]);
    elsewhere.ok(&[
        "--host",
        &host,
        "terminal",
        "wait",
        &id,
        "--for",
        "^over TLS$",
    ]);
    assert!(elsewhere.ok(&["--host", &host, "who"]).starts_with("WHO"));

    // A terminal to sit at, of a Gatepost of its own.
    let near = TestServer::start();
    let state = elsewhere.folders.state.to_str().unwrap();
    let sitting = near.browser().open(&json!({ "command": [
        "env", format!("GATEPOST_STATE_DIR={state}"), env!("CARGO_BIN_EXE_gatepost"),
        "--host", host, "terminal", "attach", id,
    ]}));
    let mut person = near.browser().view(&sitting);
    person.wait_text("over TLS");
    person.type_in("typed through TLS\r");
    person.wait_text("typed through TLS\r\ntyped through TLS");
    person.type_in("\u{1c}");
    person.wait_text("detached; the terminal goes on");
}

#[test]
fn an_authority_of_ones_own_is_enough_and_another_is_not() {
    let (server, other) = (secure(), secure());
    let elsewhere = Place::new();
    let host = format!("https://{}", server.address);
    let pem = |server: &TestServer, name: &str| {
        let path = elsewhere.temp.path().join(name);
        std::fs::write(&path, server.place.ok(&["cert", "show", "--pem"]) + "\n").unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (right, wrong) = (pem(&server, "right.pem"), pem(&other, "wrong.pem"));
    let token = server.place.ok(&["url"]);
    let refused = elsewhere.run_with(&["--host", &host, "--ca", &wrong, "login"], &token);
    assert_eq!(refused.status.code(), Some(5), "{}", said(&refused));
    let login = elsewhere.run_with(&["--host", &host, "--ca", &right, "login"], &token);
    assert!(login.status.success(), "{}", said(&login));
    elsewhere.ok(&["--host", &host, "--ca", &right, "terminal", "list"]);
    // Only the pinned kind is remembered: without it, or with nothing in the file, nothing goes out.
    assert_eq!(
        elsewhere
            .run_with(&["--host", &host, "terminal", "list"], "")
            .status
            .code(),
        Some(5)
    );
    let empty = elsewhere.temp.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let empty = elsewhere.run_with(
        &["--host", &host, "--ca", empty.to_str().unwrap(), "status"],
        "",
    );
    assert_eq!(empty.status.code(), Some(2), "{}", said(&empty));
}

#[test]
fn mitm_another_certificate_after_a_login_gets_no_cookie() {
    let (server, thief) = (secure(), secure());
    let elsewhere = Place::new();
    let host = format!("https://{}", server.address);
    let pin = fingerprint(&server);
    let token = server.place.ok(&["url"]);
    let login = elsewhere.run_with(&["--host", &host, "--fingerprint", &pin, "login"], &token);
    assert!(login.status.success(), "{}", said(&login));
    // The same login, now at the address of somebody else's server.
    let kept = elsewhere.folders.state.join("remote");
    let file = std::fs::read_dir(&kept)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let moved = file.to_str().unwrap().replace(
        &server.address.port().to_string(),
        &thief.address.port().to_string(),
    );
    std::fs::rename(&file, moved).unwrap();
    let host = format!("https://{}", thief.address);
    let refused = elsewhere.run_with(&["--host", &host, "terminal", "list"], "");
    assert_eq!(refused.status.code(), Some(5), "{}", said(&refused));
    assert!(
        said(&refused).contains("another certificate"),
        "{}",
        said(&refused)
    );
}
