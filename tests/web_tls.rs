//! TLS: real clients of it, what they get, and what is refused.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use gatepost::policy::settings::server::Hsts;
use serde_json::json;
use support::keeper::{DEADLINE, until};
use support::server::TestServer;
use support::tls::{Tunnel, program, s_client, said, self_signed, shown};
use support::web::{Browser, read_answer};

fn raw(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

#[test]
fn over_tls_one_logs_in_and_types_into_a_terminal() {
    let server = TestServer::with(self_signed);
    let tunnel = Tunnel::to(server.address);
    let mut browser = tunnel.browser();
    let answer = browser.post("/api/login", &json!({ "token": server.token() }));
    assert_eq!(answer.status, 204, "{answer:?}");
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    assert!(cookie.contains("; Secure"), "{cookie}");
    browser.take_cookies(&answer);
    let id = browser.open(&json!({ "command": ["cat"] }));
    let mut viewer = browser.view(&id);
    viewer.type_in("echo over tls\n");
    viewer.wait_text("echo over tls\r\necho over tls");
    // As large as a repaint of a long scrollback, through the record layer.
    let big = browser.open(&json!({ "command": ["sh", "-c", "seq 20000; exec cat"] }));
    browser.view(&big).wait_text("20000\r\n");
    // A cookie that somebody planted in the clear counts for nothing here (cookie_swap).
    let secret = cookie.split(['=', ';']).nth(1).unwrap();
    let name = cookie
        .split('=')
        .next()
        .unwrap()
        .trim_start_matches("__Host-");
    browser.cookie = Some(format!("{name}={secret}"));
    let request = format!(
        "GET /api/terminals HTTP/1.1\r\nHost: {}\r\nCookie: {name}={secret}\r\n\r\n",
        browser.address
    );
    assert_eq!(browser.raw(request.as_bytes()).unwrap().status, 401);
    let pretended = request.replace("Cookie:", "X-Gatepost-By-Https: 1\r\nCookie:");
    assert_eq!(browser.raw(pretended.as_bytes()).unwrap().status, 401);
}

#[test]
fn the_kiosks_window_has_a_plain_listener_on_loopback_beside() {
    let server = TestServer::with(self_signed);
    assert!(
        server.kiosk_url.starts_with("http://127.0.0.1:"),
        "{}",
        server.kiosk_url
    );
    let url = server.place.ok(&["url", "--kiosk"]);
    assert!(url.starts_with(&server.kiosk_url), "{url}");
    let mut browser = Browser::new(server.addresses[1]);
    browser.log_in(&url);
    assert_eq!(browser.get("/api/login").json()["principal"], "kiosk");
    let facts = browser.get("/api/certificate").json();
    assert_eq!(facts["fingerprint"], json!(shown(server.address)));
    assert_eq!(
        facts["address"],
        json!(format!("https://{}/", server.address))
    );
    let person = server.place.ok(&["url"]);
    assert!(
        person.starts_with(&format!("https://{}/#token=", server.address)),
        "{person}"
    );
}

#[test]
fn http_on_tls_port_and_plain_fallback_get_a_word_and_no_service() {
    let server = TestServer::with(self_signed);
    let token = server.token();
    let body = json!({ "token": token }).to_string();
    let login = format!(
        "POST /api/login HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nContent-Type: application/json\r\nContent-Length: {1}\r\n\r\n{body}",
        server.address,
        body.len()
    );
    for request in [
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        &login,
        "SSH-2.0-x\r\n",
        "\0",
    ] {
        let mut stream = raw(server.address);
        stream.write_all(request.as_bytes()).unwrap();
        let answer = read_answer(&mut stream).unwrap();
        assert_eq!(answer.status, 400, "{request}");
        let text = String::from_utf8(answer.body.clone()).unwrap();
        assert!(text.contains("https://"), "{text}");
        assert!(answer.header("set-cookie").is_none() && answer.header("location").is_none());
        assert!(read_answer(&mut stream).is_none(), "and it is closed");
    }
    let tunnel = Tunnel::to(server.address);
    let answer = tunnel
        .browser()
        .post("/api/login", &json!({ "token": token }));
    assert_eq!(answer.status, 204, "the token was not even looked at");
}

#[test]
fn tls_handshake_stall_and_slowloris_over_tls_are_cut() {
    let limit = Duration::from_secs(2);
    let server = TestServer::with(|settings| {
        self_signed(settings);
        settings.web.head = limit;
    });
    let start = Instant::now();
    let mut silent = raw(server.address);
    let mut half = raw(server.address);
    // A record of 512 bytes is announced and never comes.
    half.write_all(&[0x16, 3, 1, 2, 0, 1, 0]).unwrap();
    let tunnel = Tunnel::to(server.address);
    // The tunnel shakes hands by itself; after that, nothing or too little is said.
    let mut shaken = raw(tunnel.address);
    let mut dribble = raw(tunnel.address);
    dribble
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        .unwrap();
    for (name, stream) in [
        ("silent", &mut silent),
        ("tls_handshake_stall", &mut half),
        ("slowloris_no_bytes", &mut shaken),
        ("slowloris_headers", &mut dribble),
    ] {
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest));
        assert!(start.elapsed() >= limit, "{name}");
        let text = String::from_utf8_lossy(&rest);
        assert!(rest.is_empty() || text.contains(" 408 "), "{name}: {text}");
    }
    assert!(start.elapsed() < DEADLINE, "by the limit, not by ours");
}

#[test]
fn conn_flood_of_unfinished_handshakes_is_bounded_and_room_comes_back() {
    let server = TestServer::with(|settings| {
        self_signed(settings);
        settings.web.connections = 8;
    });
    let mut crowd: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = raw(server.address);
            stream.write_all(&[0x16]).unwrap();
            stream
        })
        .collect();
    let mut ninth = raw(server.address);
    let mut rest = Vec::new();
    drop(ninth.read_to_end(&mut rest));
    assert!(
        rest.is_empty(),
        "closed, without garbage before a handshake"
    );
    crowd.clear();
    let tunnel = Tunnel::to(server.address);
    until("room again", || {
        let request = format!("{}\r\n", tunnel.browser().head("GET", "/health"));
        let answer = tunnel.browser().raw(request.as_bytes());
        answer.is_some_and(|answer| answer.status == 200)
    });
}

#[test]
fn old_versions_tls_renego_and_other_protocols_are_refused() {
    let server = TestServer::with(self_signed);
    for (version, good) in [
        ("-tls1_2", true),
        ("-tls1_3", true),
        ("-tls1_1", false),
        ("-tls1", false),
    ] {
        let (ok, text) = s_client(server.address, &[version, "-cipher", "ALL:@SECLEVEL=0"]);
        let shaken = ok && text.contains("BEGIN CERTIFICATE");
        assert_eq!(shaken, good, "{version}: {text}");
    }
    for (protocol, good) in [("http/1.1", true), ("h2", false), ("h2,http/1.1", true)] {
        let (_, text) = s_client(server.address, &["-alpn", protocol]);
        assert_eq!(
            text.contains("ALPN protocol: http/1.1"),
            good,
            "{protocol}: {text}"
        );
    }
    let address = server.address.to_string();
    let arguments = ["s_client", "-connect", &address, "-tls1_2"];
    let renegotiated = program("openssl", &arguments, "R\n");
    let text = said(&renegotiated);
    assert!(text.contains("RENEGOTIATING"), "{text}");
    assert!(!renegotiated.status.success(), "tls_renego: {text}");
    let (_, text) = s_client(server.address, &["-tls1_2", "-comp"]);
    assert!(text.contains("Compression: NONE"), "{text}");
}

#[test]
fn sslscan_finds_nothing() {
    let server = TestServer::with(self_signed);
    let address = server.address.to_string();
    let text = said(&program("sslscan", &["--no-colour", &address], ""));
    for line in [
        "SSLv2     disabled",
        "SSLv3     disabled",
        "TLSv1.0   disabled",
        "TLSv1.1   disabled",
        "TLSv1.2   enabled",
        "TLSv1.3   enabled",
        "Session renegotiation not supported",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let heartbleed = text.lines().filter(|line| line.contains("heartbleed"));
    assert!(heartbleed.clone().count() >= 2, "{text}");
    for line in heartbleed {
        assert!(line.contains("not vulnerable"), "{line}");
    }
    let ciphers = text
        .lines()
        .filter(|line| line.starts_with("Accepted") || line.starts_with("Preferred"));
    assert!(ciphers.clone().count() >= 6, "{text}");
    for line in ciphers {
        let modern = ["GCM", "CHACHA20"].iter().any(|good| line.contains(good));
        let forward = line.contains("ECDHE") || line.contains("TLS_");
        assert!(
            modern && forward && line.contains(" 128 ") | line.contains(" 256 "),
            "{line}"
        );
    }
}

#[test]
fn hsts_is_said_only_where_it_locks_nobody_out() {
    for (mode, expected) in [(Hsts::Auto, false), (Hsts::On, true), (Hsts::Off, false)] {
        let server = TestServer::with(|settings| {
            self_signed(settings);
            settings.server.hsts = mode;
        });
        let tunnel = Tunnel::to(server.address);
        let answer = tunnel.browser().get("/health");
        assert_eq!(
            answer.header("strict-transport-security").is_some(),
            expected,
            "{mode:?}"
        );
        assert!(answer.header("server").is_none(), "no version either");
        let plain = Browser::new(server.addresses[1]).get("/health");
        assert!(
            plain.header("strict-transport-security").is_none(),
            "never in the clear"
        );
    }
}
