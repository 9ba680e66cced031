//! What the web door refuses before any route sees it, and what every answer carries.

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
use std::path::Path;
use std::sync::Arc;

use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use serde_json::{Value, json};
use support::server::TestServer;
use support::web::{Browser, read_answer};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What answers without a login, because it is how one gets in, or says nothing. A new route is not
/// here, so it has to refuse.
const OPEN: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/assets/x.js"),
    ("GET", "/no/such/place"),
    ("GET", "/health"),
    ("GET", "/api/ways"),
    ("POST", "/api/login"),
    ("POST", "/api/login/*"),
    ("GET", "/api/login/*"),
    ("POST", "/api/wstokens"),
    ("GET", "/login/*"),
];

fn is_open(method: &str, path: &str) -> bool {
    OPEN.iter().any(|(open_method, open)| {
        let fits = match open.strip_suffix('*') {
            Some(beginning) => path.starts_with(beginning),
            None => path == *open,
        };
        *open_method == method && fits
    })
}

/// Every route there is, with every method, and one place that doesn't exist: from the server's own
/// table, so that new routes are judged, too.
fn routes() -> Vec<(&'static str, String)> {
    let patterns = gatepost::doors::web::route_patterns();
    assert!(patterns.len() >= 20, "{patterns:?}");
    let mut places: Vec<String> = patterns
        .iter()
        .map(|pattern| {
            let parts = pattern.split('/').map(|part| match part {
                "{*path}" => "assets/x.js",
                "{id}" => "aaaaaaaaaa",
                part if part.starts_with('{') => "x",
                part => part,
            });
            parts.collect::<Vec<_>>().join("/")
        })
        .collect();
    places.push("/no/such/place".to_owned());
    places
        .iter()
        .flat_map(|place| METHODS.map(|method| (method, place.clone())))
        .collect()
}

/// A logged-in browser whose requests carry these headers instead of the page's own.
fn status(browser: &Browser, method: &str, path: &str, headers: &str) -> u16 {
    let cookie = browser.cookie.as_deref().unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\n{headers}Cookie: {cookie}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    browser
        .raw(request.as_bytes())
        .map_or(0, |answer| answer.status)
}

#[test]
fn cswsh_with_cookie_is_refused_on_every_route() {
    let server = TestServer::start();
    let browser = server.browser();
    let host = server.address;
    for (method, path) in &routes() {
        for origin in ["http://evil.example", "null"] {
            let headers = format!("Host: {host}\r\nOrigin: {origin}\r\n");
            assert_eq!(
                status(&browser, method, path, &headers),
                403,
                "{method} {path} from {origin}"
            );
        }
    }
}

#[test]
fn without_a_login_every_route_refuses_that_is_not_a_way_in() {
    let server = TestServer::start();
    let stranger = server.stranger();
    let forged = format!(
        "gatepost_login_{}={}",
        server.address.port(),
        "ab".repeat(32)
    );
    let mut refused = 0;
    for (method, path) in &routes() {
        for cookie in [None, Some(forged.clone())] {
            let mut browser = stranger.clone();
            browser.cookie = cookie;
            let status = browser.send(method, path, &json!({})).status;
            if is_open(method, path) {
                assert!(status < 500, "{method} {path}: {status}");
            } else {
                // 404 and 405 say the same to everybody: there is nothing there.
                assert!(
                    matches!(status, 401 | 404 | 405),
                    "{method} {path}: {status}"
                );
            }
            refused += usize::from(status == 401);
            let upgrade = browser.raw(browser.upgrade(path).as_bytes()).unwrap();
            assert_ne!(upgrade.status, 101, "{path}");
        }
    }
    assert!(refused >= 30, "{refused}");
}

#[test]
fn an_address_elsewhere_opens_nothing_either() {
    // Whatever a stranger's proxy says of where he is, and of what he asks for.
    let server = TestServer::start();
    for (method, path) in &routes() {
        if is_open(method, path) {
            continue;
        }
        for more in [
            "X-Forwarded-For: 127.0.0.1\r\n",
            "Forwarded: for=127.0.0.1;proto=https\r\n",
            "X-Original-URL: /health\r\nX-Rewrite-URL: /health\r\n",
            "X-HTTP-Method-Override: GET\r\n",
            "X-Gatepost-By-Https: 1\r\n",
        ] {
            let head = server.stranger().head(method, path);
            let request = format!(
                "{head}{more}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
            );
            let status = server.stranger().raw(request.as_bytes()).unwrap().status;
            assert!(
                matches!(status, 401 | 404 | 405),
                "{method} {path} {more}: {status}"
            );
        }
    }
}

#[test]
fn an_address_that_is_kept_out_is_refused_on_every_route_also_with_a_login() {
    let text = "[\"user.ip_address=198[.]51[.]100[.].*\".allow]\nblacklist = true\n";
    let layer = parse(Syntax::Toml, text, Path::new("x.toml")).unwrap();
    let rules = Arc::new(Rules::compile(&[layer]).unwrap());
    let server = TestServer::with(|settings| {
        settings.rules = tokio::sync::watch::channel(rules).1;
        settings.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    });
    let browser = server.browser();
    let own = format!("Host: {0}\r\nOrigin: http://{0}\r\n", server.address);
    for (method, path) in &routes() {
        let of = |address: &str| {
            let headers = format!("{own}X-Forwarded-For: {address}\r\n");
            status(&browser, method, path, &headers)
        };
        assert_eq!(of("198.51.100.7"), 403, "{method} {path}");
    }
    let elsewhere = format!("{own}X-Forwarded-For: 198.51.101.7\r\n");
    assert_eq!(status(&browser, "GET", "/api/terminals", &elsewhere), 200);
}

/// Every frame a viewer can send, from the file that holds the format still.
fn frames_of_viewers() -> Vec<Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/frames.json");
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let frames = golden.as_array().unwrap().iter();
    let bytes = |hex: &str| {
        let pairs = (0..hex.len()).step_by(2);
        pairs
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    };
    frames
        .filter(|frame| frame["from"] == "viewer")
        .map(|frame| bytes(frame["hex"].as_str().unwrap()))
        .collect()
}

#[test]
fn before_its_token_no_message_is_heard_on_any_websocket() {
    let server = TestServer::start();
    let browser = server.browser();
    let terminal = browser.open(&json!({ "command": ["cat"] }));
    let frames = frames_of_viewers();
    assert!(frames.len() >= 8, "{}", frames.len());
    let sockets = routes().into_iter().map(|(_, path)| path);
    let sockets: std::collections::BTreeSet<_> =
        sockets.filter(|path| path.starts_with("/ws/")).collect();
    assert!(sockets.len() >= 2, "{sockets:?}");
    // One of them is the machine's own screen's.
    let mut screen = server.stranger();
    screen.log_in(&server.place.ok(&["url", "--kiosk"]));
    for path in &sockets {
        let browser = if path == "/ws/kiosk" {
            &screen
        } else {
            &browser
        };
        for frame in &frames {
            let mut socket = browser.socket(path);
            socket.frame(0x82, frame);
            assert_eq!(socket.close_code(), Some(1003), "{path} {frame:?}");
        }
        // Nor one that says who it is for, with a token that isn't one.
        let mut socket = browser.socket(path);
        socket.text(
            &json!({ "token": "0".repeat(64), "terminal": terminal, "attach": { "mode": "type" } }),
        );
        let code = socket.close_code();
        assert!(matches!(code, Some(1008 | 4401)), "{path} {code:?}");
    }
    let shown = browser.get(&format!("/api/terminals/{terminal}/text")).body;
    assert_eq!(
        String::from_utf8_lossy(&shown).trim(),
        "",
        "nothing was typed"
    );
    assert_eq!(browser.terminals().len(), 1);
}

#[test]
fn host_rebinding_is_refused_on_every_route() {
    let server = TestServer::start();
    let browser = server.browser();
    for (method, path) in &routes() {
        let headers = "Host: evil.example\r\nOrigin: http://evil.example\r\n";
        assert_eq!(
            status(&browser, method, path, headers),
            421,
            "{method} {path}"
        );
    }
}

#[test]
fn a_websocket_without_an_origin_or_with_a_foreign_one_is_refused_before_101() {
    let server = TestServer::start();
    let browser = server.browser();
    let good = browser.upgrade("/ws/terminal");
    let own = format!("Origin: http://{}\r\n", server.address);
    assert!(good.contains(&own));
    for (name, origin) in [
        ("origin_missing", String::new()),
        ("origin_null", "Origin: null\r\n".to_owned()),
        (
            "origin_suffix_evil",
            format!("Origin: http://{}.evil.example\r\n", server.address),
        ),
        (
            "origin_prefix",
            format!("Origin: http://evil{}\r\n", server.address),
        ),
        ("origin_port", "Origin: http://127.0.0.1:1\r\n".to_owned()),
        (
            "origin_scheme",
            format!("Origin: https://{}\r\n", server.address),
        ),
    ] {
        let answer = browser.raw(good.replace(&own, &origin).as_bytes()).unwrap();
        assert_eq!(answer.status, 403, "{name}");
        assert_eq!(answer.json()["error"]["kind"], "denied");
    }
    let stranger = server
        .stranger()
        .raw(server.stranger().upgrade("/ws/terminal").as_bytes());
    assert_eq!(stranger.unwrap().status, 401, "no cookie");
}

#[test]
fn xff_spoof_changes_nothing() {
    let server = TestServer::start();
    let headers = "Host: evil.example\r\nX-Forwarded-Host: localhost\r\nX-Forwarded-For: 127.0.0.1\r\nForwarded: host=localhost\r\n";
    assert_eq!(status(&server.stranger(), "GET", "/", headers), 421);
}

#[test]
fn host_absent_http10_two_host_headers_and_absolute_targets_are_refused() {
    let server = TestServer::start();
    let browser = server.stranger();
    let own = server.address;
    for request in [
        "GET / HTTP/1.0\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\nHost: {own}\r\nHost: {own}\r\n\r\n"),
        format!("GET http://evil.example/ HTTP/1.1\r\nHost: {own}\r\n\r\n"),
    ] {
        assert_eq!(
            browser.raw(request.as_bytes()).unwrap().status,
            400,
            "{request}"
        );
    }
}

#[test]
fn clickjack_frame_and_the_like_are_denied_by_every_answer() {
    let server = TestServer::start();
    let browser = server.browser();
    for (method, path) in &routes() {
        let answers = [
            browser
                .raw(format!("{}\r\n", browser.head(method, path)).as_bytes())
                .unwrap(),
            browser
                .raw(format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
                .unwrap(),
        ];
        for answer in answers {
            let policy = answer.header("content-security-policy").unwrap();
            assert!(policy.contains("frame-ancestors 'none'"), "{path}");
            assert!(policy.contains("default-src 'none'"), "{path}");
            assert!(
                policy.contains("script-src 'self';"),
                "csp_no_inline: {path}"
            );
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
            assert_eq!(
                answer.header("cross-origin-opener-policy"),
                Some("same-origin")
            );
        }
    }
}

#[test]
fn csrf_post_json_textplain_and_multipart_broken_are_refused() {
    let server = TestServer::start();
    let browser = server.browser();
    let broken = "multipart/form-data; boundary=";
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        broken,
        "",
    ] {
        let request = format!(
            "{}Content-Type: {kind}\r\nContent-Length: 2\r\n\r\n{{}}",
            browser.head("POST", "/api/terminals")
        );
        assert_eq!(
            browser.raw(request.as_bytes()).unwrap().status,
            415,
            "{kind}"
        );
    }
    assert!(browser.terminals().is_empty());
}

#[test]
fn json_depth_dup_keys_huge_int_and_unknown_keys_are_refused() {
    let server = TestServer::start();
    let browser = server.browser();
    let deep = format!("{{\"command\":{}", "[".repeat(20_000));
    for body in [
        "{\"nam\":\"x\"}",
        "{\"name\":\"a\",\"name\":\"b\"}",
        "{\"size\":{\"cols\":99999999999999999999,\"rows\":1}}",
        "{\"size\":{\"cols\":NaN,\"rows\":1}}",
        "{\"command\":[\"\"]}",
        "{\"command\":[\"a\\u0000b\"]}",
        "[]",
        "",
        deep.as_str(),
    ] {
        let request = format!(
            "{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            browser.head("POST", "/api/terminals"),
            body.len()
        );
        assert_eq!(
            browser.raw(request.as_bytes()).unwrap().status,
            400,
            "{body:.40}"
        );
    }
    assert!(browser.terminals().is_empty());
}

#[test]
fn te_cl_smuggling_gets_no_second_answer() {
    let server = TestServer::start();
    let browser = server.browser();
    let smuggled = format!("{}\r\n", browser.head("GET", "/api/terminals"));
    for length in [
        "Content-Length: 4\r\n",
        "Content-Length: 4\r\nContent-Length: 5\r\n",
    ] {
        let request = format!(
            "{}Content-Type: application/json\r\n{length}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}",
            browser.head("POST", "/api/token")
        );
        let mut stream = browser.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let first = read_answer(&mut stream);
        assert!(
            first.is_none_or(|first| matches!(first.status, 400 | 411)),
            "{length}"
        );
        assert!(read_answer(&mut stream).is_none(), "{length}");
    }
}

#[test]
fn methods_and_places_that_do_not_exist_are_told_apart_in_json() {
    let server = TestServer::start();
    let browser = server.browser();
    for (method, path, expected) in [
        ("DELETE", "/health", 405),
        ("PUT", "/api/terminals", 405),
        ("TRACE", "/", 405),
        ("GET", "/api/nothing", 404),
        ("GET", "/ws/nothing", 404),
        ("GET", "/.gitignore", 404),
        // download_traversal, download_abs_path, download_nul
        ("GET", "/assets/../Cargo.toml", 404),
        ("GET", "/assets/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "/assets/..%2f..%2fetc/passwd", 404),
        ("GET", "//etc/passwd", 404),
        ("GET", "/%2fetc%2fpasswd", 404),
        ("GET", "/assets/x%00.js", 404),
        ("DELETE", "/api/terminals/..%2f..", 404),
        ("GET", "/ws/terminal", 426),
    ] {
        let answer = browser
            .raw(format!("{}\r\n", browser.head(method, path)).as_bytes())
            .unwrap();
        assert_eq!(answer.status, expected, "{method} {path}");
        assert!(answer.json()["error"]["message"].is_string());
    }
}
