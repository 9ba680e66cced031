//! What single answers of the web door carry for browsers: how they may be read, and in which process.

#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use serde_json::json;
use support::server::TestServer;

#[test]
fn the_machines_own_window_is_not_made_to_start_a_second_process() {
    let server = TestServer::start();
    let browser = server.browser();
    let answer = browser
        .raw(format!("{}gatepost-window: 1\r\n\r\n", browser.head("GET", "/")).as_bytes())
        .unwrap();
    assert_eq!(answer.header("cross-origin-opener-policy"), None);
    assert!(answer.header("content-security-policy").is_some());
}

#[test]
fn mime_sniff_download_is_impossible_whatever_the_terminal_shows() {
    let server = TestServer::start();
    let browser = server.browser();
    let evil = "<script>alert(1)</script>";
    let id = browser.open(
        &json!({ "name": evil, "command": ["sh", "-c", format!("echo '{evil}'; exec cat")] }),
    );
    server.place.ok(&[
        "terminal",
        "wait",
        &id,
        "--for",
        "script",
        "--timeout",
        "60",
    ]);
    let text = browser.get(&format!("/api/terminals/{id}/text"));
    assert_eq!(
        text.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(text.header("x-content-type-options"), Some("nosniff"));
    let disposition = text.header("content-disposition").unwrap();
    assert_eq!(
        disposition,
        format!("attachment; filename=\"terminal-{id}.txt\"")
    );
    assert!(
        String::from_utf8_lossy(&text.body).contains(evil),
        "unchanged"
    );
    let list = browser.get("/api/terminals");
    assert_eq!(
        list.header("content-type"),
        Some("application/json"),
        "xss_json_in_html"
    );
    assert_eq!(list.header("cache-control"), Some("no-store"));
}
