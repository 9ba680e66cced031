//! How much and how slowly one may talk to the web door: sizes, times and the number of connections.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::io::Write as _;
use std::time::{Duration, Instant};

use gatepost::auth::MAX_CHOICES;
use gatepost::base::{User, Way};
use serde_json::json;
use support::keeper::until;
use support::server::TestServer;
use support::web::read_answer;

#[test]
fn a_body_at_its_limit_is_read_and_one_byte_more_is_not() {
    let server = TestServer::start();
    let browser = server.stranger();
    for (length, expected) in [(64 << 10, 401), ((64 << 10) + 1, 413)] {
        let token = "a".repeat(length - "{\"token\":\"\"}".len());
        let answer = browser.post("/api/login", &json!({ "token": token }));
        assert_eq!(answer.status, expected);
    }
}

#[test]
fn header_64k_and_uri_64k_and_many_headers_are_refused() {
    let server = TestServer::start();
    let browser = server.stranger();
    let long = "a".repeat(64 << 10);
    let own = server.address;
    for (name, request) in [
        (
            "header_64k",
            format!("GET / HTTP/1.1\r\nHost: {own}\r\nX: {long}\r\n\r\n"),
        ),
        (
            "uri_64k",
            format!("GET /{long} HTTP/1.1\r\nHost: {own}\r\n\r\n"),
        ),
        (
            "headers_65",
            format!(
                "GET / HTTP/1.1\r\nHost: {own}\r\n{}\r\n",
                "X: y\r\n".repeat(64)
            ),
        ),
    ] {
        let answer = browser.raw(request.as_bytes());
        assert!(
            answer
                .as_ref()
                .is_none_or(|answer| matches!(answer.status, 400 | 414 | 431)),
            "{name}: {answer:?}"
        );
    }
    let fits = format!(
        "GET / HTTP/1.1\r\nHost: {own}\r\n{}\r\n",
        "X: y\r\n".repeat(63)
    );
    assert_eq!(browser.raw(fits.as_bytes()).unwrap().status, 200);
}

#[test]
fn what_is_chosen_for_the_page_is_kept_up_to_its_limit_and_for_nobody_else() {
    let server = TestServer::start();
    let (browser, another) = (server.browser(), server.browser());
    let keep = |length: usize| {
        let choices = json!({ "x": "x".repeat(length - r#"{"x":""}"#.len()) });
        let body = json!({ "choices": choices });
        (browser.send("PUT", "/api/choices", &body).status, choices)
    };
    assert_eq!(
        another.get("/api/choices").json(),
        json!({ "choices": null })
    );
    let (status, kept) = keep(MAX_CHOICES);
    assert_eq!(status, 204);
    assert_eq!(keep(MAX_CHOICES + 1).0, 413);
    // The same person in another browser.
    assert_eq!(
        another.get("/api/choices").json(),
        json!({ "choices": kept })
    );
    let grace = server.browser_of(User::new("grace".parse().unwrap(), Way::Oidc));
    assert_eq!(grace.get("/api/choices").json(), json!({ "choices": null }));
    for wrong in [
        json!({}),
        json!({ "choices": [] }),
        json!({ "choices": {}, "more": 1 }),
    ] {
        let answer = browser.send("PUT", "/api/choices", &wrong);
        assert_eq!(answer.status, 400, "{wrong}");
    }
}

#[test]
fn slowloris_no_bytes_and_slowloris_headers_are_cut() {
    let limit = Duration::from_secs(2);
    let server = TestServer::with(|settings| settings.web.head = limit);
    let browser = server.stranger();
    let start = Instant::now();
    let mut silent = browser.connect();
    let mut slow = browser.connect();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        .unwrap();
    for stream in [&mut silent, &mut slow] {
        assert!(
            read_answer(stream).is_none_or(|answer| answer.status == 408),
            "closed, perhaps with a reason"
        );
        assert!(start.elapsed() >= limit);
    }
    let mut kept = browser.connect();
    kept.write_all(format!("{}\r\n", browser.head("GET", "/health")).as_bytes())
        .unwrap();
    assert_eq!(read_answer(&mut kept).unwrap().status, 200);
    assert!(
        read_answer(&mut kept).is_none(),
        "idle keep-alive is cut, too"
    );
}

#[test]
fn slow_body_is_cut() {
    let server = TestServer::with(|settings| settings.web.body = Duration::from_secs(1));
    let browser = server.stranger();
    let mut stream = browser.connect();
    let head = browser.head("POST", "/api/login");
    let more = "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{";
    stream
        .write_all(format!("{head}{more}").as_bytes())
        .unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().status, 408);
}

#[test]
fn conn_flood_past_the_limit_is_refused_and_room_comes_back() {
    let server = TestServer::with(|settings| settings.web.connections = 8);
    let browser = server.stranger();
    // Each has proved to be accepted.
    let mut kept: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = browser.connect();
            stream
                .write_all(format!("{}\r\n", browser.head("GET", "/health")).as_bytes())
                .unwrap();
            assert_eq!(read_answer(&mut stream).unwrap().status, 200);
            stream
        })
        .collect();
    let mut ninth = browser.connect();
    assert!(read_answer(&mut ninth).is_none_or(|answer| answer.status == 503));
    drop(kept.pop());
    until("room again", || {
        let request = format!("{}\r\n", browser.head("GET", "/health"));
        browser
            .raw(request.as_bytes())
            .is_some_and(|answer| answer.status == 200)
    });
}
