//! TLS as testssl.sh judges it: protocols, ciphers, headers and the attacks that have names.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::time::Duration;

use gatepost::policy::settings::server::{Hsts, TlsMode};
use serde_json::{Value, json};
use support::server::TestServer;
use support::tls::{Tunnel, program, said};

#[test]
fn testssl_finds_nothing() {
    let server = TestServer::with(|settings| {
        settings.server.tls.mode = TlsMode::SelfSigned;
        settings.server.hsts = Hsts::On;
        settings.server.local_listen = "127.0.0.1:0".parse().unwrap();
        // It leaves handshakes half done and waits until they are ended.
        settings.web.head = Duration::from_secs(1);
    });
    let found = server.place.temp.path().join("found.json");
    let (file, address) = (found.to_str().unwrap(), server.address.to_string());
    let quiet = [
        "--color",
        "0",
        "--quiet",
        "--warnings",
        "off",
        "--ip",
        "one",
    ];
    let checks = ["-p", "-s", "-f", "-h", "-U", "--jsonfile", file, &address];
    let output = program("testssl", &[&quiet[..], &checks].concat(), "");
    let found = std::fs::read(&found).unwrap_or_else(|_| panic!("{}", said(&output)));
    let found: Vec<Value> = serde_json::from_slice(&found).unwrap();
    let ids: Vec<_> = found
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    for looked_at in [
        "TLS1_3",
        "HSTS_time",
        "heartbleed",
        "CCS",
        "ticketbleed",
        "ROBOT",
        "secure_client_renego",
        "LUCKY13",
    ] {
        assert!(ids.contains(&looked_at), "{looked_at}: {ids:?}");
    }
    // It sees that "/" is compressed and can't know what is in it: a file that is the same for
    // everybody. What is somebody's own is never compressed, so there is nothing to guess at.
    let found = found.iter().filter(|one| one["id"] != "BREACH");
    let browser = Tunnel::to(server.address);
    let mut browser = browser.browser();
    let answer = browser.post("/api/login", &json!({ "token": server.token() }));
    browser.take_cookies(&answer);
    for path in ["/api/login", "/api/terminals", "/api/ways"] {
        let head = browser.head("GET", path);
        let request =
            format!("{head}Accept-Encoding: gzip, deflate, br\r\nConnection: close\r\n\r\n");
        let answer = browser.raw(request.as_bytes()).unwrap();
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-encoding").is_none(), "{path}");
    }
    // What it has to say of itself and of the machine it runs on has no address.
    for one in found.filter(|one| one["ip"] != "/") {
        let severity = one["severity"].as_str().unwrap();
        assert!(["OK", "INFO"].contains(&severity), "{one}");
    }
}
