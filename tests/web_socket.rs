//! WebSockets: what a page may say on them, and what happens to those who say something else.

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

use gatepost::wire::frame::{FromViewer, MAX_FROM_VIEWER, MAX_INPUT, ToViewer};
use gatepost::wire::message::Request;
use serde_json::{Value, json};
use support::server::TestServer;
use support::web::{Browser, Message, Socket, read_answer};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;

/// A server with one terminal that runs `cat`, and a viewer of it.
fn cat() -> (TestServer, Browser, String, Socket) {
    let server = TestServer::start();
    let browser = server.browser();
    let terminal = browser.open(&json!({ "command": ["cat"] }));
    let mut viewer = browser.view(&terminal);
    viewer.type_in("ready\r");
    viewer.wait_text("ready");
    (server, browser, terminal, viewer)
}

/// Breaks the rules on a fresh viewer and returns the close code; the terminal has to go on.
fn after(break_rules: impl FnOnce(&mut Socket)) -> Option<u16> {
    let (_server, browser, terminal, mut viewer) = cat();
    break_rules(&mut viewer);
    let code = viewer.close_code();
    let mut next = browser.view(&terminal);
    next.type_in("goes on\r");
    next.wait_text("goes on");
    code
}

#[test]
fn ws_unmasked_is_refused() {
    assert_eq!(after(|socket| socket.bytes(&[BINARY, 1, 0x45])), Some(1002));
}

#[test]
fn ws_rsv1_is_refused_and_ws_deflate_offer_ignored() {
    assert_eq!(
        after(|socket| socket.frame(BINARY | 0x40, b"E")),
        Some(1002)
    );
    let server = TestServer::start();
    let browser = server.browser();
    let offer = browser.upgrade("/ws/events").replace(
        "Connection:",
        "Sec-WebSocket-Extensions: permessage-deflate\r\nConnection:",
    );
    let answer = browser.raw(offer.as_bytes()).unwrap();
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("sec-websocket-extensions"), None);
}

#[test]
fn ws_bad_utf8_is_refused_whole_and_split() {
    let server = TestServer::start();
    let browser = server.browser();
    let mut whole = browser.socket("/ws/terminal");
    whole.frame(TEXT, b"\xff\xfe");
    assert_eq!(whole.close_code(), Some(1007));
    let mut split = browser.socket("/ws/terminal");
    split.frame(0x01, b"\xc3");
    split.frame(0x80, b"\x28");
    assert_eq!(split.close_code(), Some(1007));
}

#[test]
fn ws_frame_2_63_is_refused_without_waiting_for_it() {
    let code = after(|socket| {
        let mut head = vec![BINARY, 0x80 | 127];
        head.extend((1_u64 << 63).to_be_bytes());
        head.extend([0; 4]);
        socket.bytes(&head);
    });
    assert!(matches!(code, Some(1002 | 1009)), "{code:?}");
}

#[test]
fn ws_frame_over_limit_is_refused_and_at_the_limit_taken() {
    let (_server, _browser, _terminal, mut viewer) = cat();
    // The longest frame there can be: 64 KiB of input.
    viewer.viewer(&FromViewer::Input(&vec![b'\r'; MAX_INPUT]));
    viewer.type_in("after the longest\r");
    viewer.wait_text("after the longest");
    assert_eq!(
        after(|socket| socket.frame(BINARY, &vec![0x42; MAX_FROM_VIEWER + 1])),
        Some(1009)
    );
}

#[test]
fn ws_fragment_flood_is_bounded_by_the_message_limit() {
    let code = after(|socket| {
        socket.frame(0x02, b"B");
        for _ in 0..=MAX_FROM_VIEWER / 1000 {
            socket.frame(0x00, &[b'x'; 1000]);
        }
    });
    assert_eq!(code, Some(1009));
}

#[test]
fn a_message_in_fragments_is_put_together() {
    let (_server, _browser, _terminal, mut viewer) = cat();
    viewer.frame(0x02, b"Bone ");
    viewer.frame(0x00, b"");
    viewer.frame(0x89, b"a ping in between");
    viewer.frame(0x80, b"piece\r");
    viewer.wait_text("one piece\r\n");
}

#[test]
fn ws_ctl_fragment_and_oversized_control_frames_are_refused() {
    assert_eq!(after(|socket| socket.frame(0x09, b"x")), Some(1002));
    assert_eq!(after(|socket| socket.frame(0x89, &[0; 126])), Some(1002));
    assert_eq!(after(|socket| socket.frame(0x80, b"orphan")), Some(1002));
}

#[test]
fn ws_reserved_opcode_is_refused() {
    assert_eq!(after(|socket| socket.frame(0x83, b"")), Some(1002));
    assert_eq!(after(|socket| socket.frame(0x8b, b"")), Some(1002));
}

#[test]
fn ws_ping_flood_is_answered_or_skipped_and_costs_the_viewer_only() {
    let (_server, _browser, _terminal, mut viewer) = cat();
    for number in 0..10_000_u32 {
        viewer.frame(0x89, &number.to_be_bytes());
    }
    viewer.type_in("after the flood\r");
    viewer.wait_text("after the flood");
}

#[test]
fn ws_text_for_binary_and_binary_for_text_are_refused() {
    assert_eq!(after(|socket| socket.frame(TEXT, b"{}")), Some(1003));
    let server = TestServer::start();
    let browser = server.browser();
    for path in ["/ws/terminal", "/ws/events"] {
        let mut socket = browser.socket(path);
        socket.frame(BINARY, b"{}");
        assert_eq!(socket.close_code(), Some(1003), "{path}");
    }
}

#[test]
fn frames_that_are_none_close_the_viewer_and_not_the_terminal() {
    assert_eq!(after(|socket| socket.frame(BINARY, b"")), Some(1002));
    assert_eq!(
        after(|socket| socket.frame(BINARY, b"G\0\0\0\x01{")),
        Some(1002)
    );
    // Judged by the keeper.
    for unknown in [&b"\xffx"[..], b"C\0", b"D\xff\xff\xff\xff\xff\xff\xff\xff"] {
        assert_eq!(after(|socket| socket.frame(BINARY, unknown)), Some(1008));
    }
}

#[test]
fn ws_send_after_close_is_ignored() {
    let (_server, _browser, _terminal, mut viewer) = cat();
    viewer.frame(0x88, &1000_u16.to_be_bytes());
    viewer.type_in("too late\r");
    assert_eq!(viewer.close_code(), Some(1000));
}

#[test]
fn ws_idle_unauth_is_closed() {
    let limit = Duration::from_secs(1);
    let server = TestServer::with(|settings| settings.web.first_message = limit);
    let browser = server.browser();
    for path in ["/ws/terminal", "/ws/events"] {
        let start = Instant::now();
        let mut socket = browser.socket(path);
        socket.frame(0x89, b"a ping is no message");
        assert_eq!(socket.close_code(), Some(1008), "{path}");
        assert!(start.elapsed() >= limit);
    }
}

#[test]
fn a_first_message_is_short_known_and_has_a_good_token() {
    let server = TestServer::start();
    let browser = server.browser();
    let terminal = browser.open(&json!({ "command": ["cat"] }));
    let first = |message: Value| {
        let mut socket = browser.socket("/ws/terminal");
        socket.text(&message);
        socket.close_code()
    };
    let with = |token: &str, terminal: &str, more: Value| {
        let mut message =
            json!({ "token": token, "terminal": terminal, "attach": { "mode": "type" } });
        message
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        message
    };
    let zeros = "0".repeat(64);
    assert_eq!(first(with(&zeros, &terminal, json!({}))), Some(4401));
    assert_eq!(first(with("x", &terminal, json!({}))), Some(4401));
    assert_eq!(first(json!({})), Some(1008));
    let unknown = with(&browser.socket_token(), &terminal, json!({ "more": 1 }));
    assert_eq!(first(unknown), Some(1008));
    let long = with(
        &browser.socket_token(),
        &terminal,
        json!({ "x": "a".repeat(5000) }),
    );
    assert_eq!(first(long), Some(1009));
    let gone = with(&browser.socket_token(), "aaaaaaaaaa", json!({}));
    assert_eq!(first(gone), Some(4404));
    let path = with(&browser.socket_token(), "../../../x", json!({}));
    assert_eq!(first(path), Some(1008));
}

#[test]
fn a_used_token_opens_nothing() {
    let server = TestServer::start();
    let browser = server.browser();
    let token = browser.socket_token();
    let mut socket = browser.socket("/ws/events");
    socket.text(&json!({ "token": token }));
    assert!(matches!(socket.next(), Message::Text(_)));
    let mut again = browser.socket("/ws/events");
    again.text(&json!({ "token": token }));
    assert_eq!(again.close_code(), Some(4401));
}

#[test]
fn handshakes_that_are_none_are_refused_in_http() {
    let server = TestServer::start();
    let browser = server.browser();
    let good = browser.upgrade("/ws/terminal");
    for (from, to, expected) in [
        ("Version: 13", "Version: 8", 400),
        ("gatepost.v1", "gatepost.v2", 400),
        ("Sec-WebSocket-Protocol: gatepost.v1\r\n", "", 400),
        ("Key: dGhl", "Key: ", 400),
        ("Upgrade: websocket", "Upgrade: h2c", 426),
        ("Connection: Upgrade", "Connection: close", 426),
    ] {
        let answer = browser.raw(good.replace(from, to).as_bytes()).unwrap();
        assert_eq!(answer.status, expected, "{to}");
    }
}

#[test]
fn what_follows_the_handshake_in_the_same_packet_is_not_lost() {
    let server = TestServer::start();
    let browser = server.browser();
    let first = json!({ "token": browser.socket_token() }).to_string();
    let mut bytes = browser.upgrade("/ws/events").into_bytes();
    bytes.extend([TEXT, 0x80 | u8::try_from(first.len()).unwrap(), 0, 0, 0, 0]);
    bytes.extend(first.as_bytes());
    let mut stream = browser.connect();
    stream.write_all(&bytes).unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().status, 101);
    let mut head = [0; 2];
    std::io::Read::read_exact(&mut stream, &mut head).unwrap();
    assert_eq!(head[0], TEXT, "the list of terminals");
}

#[test]
fn events_tell_of_terminals_that_come_change_and_go() {
    let server = TestServer::start();
    let browser = server.browser();
    let mut events = browser.socket("/ws/events");
    events.text(&json!({ "token": browser.socket_token() }));
    let mut next = |what: &str, is_it: &dyn Fn(&Value) -> bool| {
        loop {
            match events.next() {
                Message::Text(text) => {
                    let list: Value = serde_json::from_str(&text).unwrap();
                    if is_it(&list["terminals"]) {
                        return;
                    }
                }
                other => panic!("{what}: {other:?}"),
            }
        }
    };
    next("none", &|list| list == &json!([]));
    let terminal = browser.open(&json!({ "name": "one", "command": ["cat"] }));
    next("one", &|list| list[0]["name"] == "one");
    let path = format!("/api/terminals/{terminal}");
    assert_eq!(
        browser
            .send("PATCH", &path, &json!({ "name": "two" }))
            .status,
        204
    );
    next("renamed", &|list| list[0]["name"] == "two");
    assert_eq!(
        browser
            .send("PATCH", &path, &json!({ "name": null }))
            .status,
        204
    );
    next("no name", &|list| list[0]["name"].is_null());
    assert_eq!(browser.send("PATCH", &path, &json!({})).status, 400);
    assert_eq!(browser.send("DELETE", &path, &json!({})).status, 204);
    next("gone", &|list| list == &json!([]));
    assert_eq!(browser.send("DELETE", &path, &json!({})).status, 404);
}

#[test]
fn requests_that_change_something_have_to_come_as_actions() {
    let (_server, browser, terminal, mut viewer) = cat();
    for (id, request) in [
        (1, Request::Close {}),
        (2, Request::Rename { name: None }),
        (3, Request::Send { text: "x".into() }),
        (4, Request::Reset {}),
    ] {
        viewer.viewer(&FromViewer::Request { id, request });
        loop {
            let Message::Binary(frame) = viewer.next() else {
                panic!("closed")
            };
            if let ToViewer::Reply {
                request,
                last: true,
                body,
            } = ToViewer::decode(&frame).unwrap()
            {
                assert_eq!(request, id);
                let body: Value = serde_json::from_slice(body).unwrap();
                assert_eq!(body["error"]["kind"], "denied");
                break;
            }
        }
    }
    assert_eq!(browser.terminals()[0]["id"], json!(terminal));
}

#[test]
fn a_stopping_server_says_so_and_a_closed_terminal_too() {
    let (mut server, browser, terminal, mut viewer) = cat();
    let mut events = browser.socket("/ws/events");
    events.text(&json!({ "token": browser.socket_token() }));
    let other = browser.open(&json!({ "command": ["cat"] }));
    let mut doomed = browser.view(&other);
    assert_eq!(
        browser
            .send("DELETE", &format!("/api/terminals/{other}"), &json!({}))
            .status,
        204
    );
    assert_eq!(doomed.close_code(), Some(4404));
    let waiting = browser.socket("/ws/terminal");
    server.stop();
    for mut socket in [viewer_of(&mut viewer), events, waiting] {
        assert_eq!(socket.close_code(), Some(1001));
    }
    assert!(
        server.place.sockets()[0]
            .to_string_lossy()
            .contains(&terminal),
        "it goes on"
    );
}

fn viewer_of(viewer: &mut Socket) -> Socket {
    Socket::from_stream(viewer.stream.try_clone().unwrap())
}

#[test]
fn a_viewer_that_answers_no_ping_is_dropped_and_one_that_does_is_kept() {
    let server = TestServer::with(|settings| {
        settings.web.ping = Duration::from_millis(50);
        // Long enough for an answer from a machine that is busy.
        settings.web.dead = Duration::from_secs(1);
    });
    let browser = server.browser();
    let terminal = browser.open(&json!({ "command": ["cat"] }));
    let mut silent = browser.view(&terminal);
    let mut pings = 0;
    loop {
        match silent.next() {
            Message::Ping(_) => pings += 1,
            Message::Gone | Message::Close(_) => break,
            _ => {}
        }
    }
    assert!(pings >= 20, "{pings}");
    let mut alive = browser.view(&terminal);
    // Twice the time after which it would be dropped.
    let mut answered = 0;
    while answered < 40 {
        match alive.next() {
            Message::Ping(payload) => {
                alive.frame(0x8a, &payload);
                answered += 1;
            }
            Message::Binary(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn ws_slow_reader_backpressure_slows_nobody_else() {
    let server = TestServer::start();
    let browser = server.browser();
    let terminal = browser
        .open(&json!({ "command": ["sh", "-c", "yes & read x; kill $!; echo all the same"] }));
    // Never reads.
    let _stuck = browser.view(&terminal);
    let mut good = browser.view(&terminal);
    good.wait_text("y\r\ny");
    good.type_in("\r");
    good.wait_text("all the same");
}

#[test]
fn resize_0x0_and_resize_65535_are_clamped() {
    let (_server, browser, _terminal, mut viewer) = cat();
    for (cols, rows, expected) in [
        (0_u16, 0_u16, (80, 24)),
        (65535, 65535, (500, 250)),
        (2, 2, (2, 2)),
    ] {
        let mut frame = vec![0x43];
        frame.extend(cols.to_be_bytes());
        frame.extend(rows.to_be_bytes());
        viewer.frame(BINARY, &frame);
        support::keeper::until("the new size", || {
            let size = &browser.terminals()[0]["size"];
            size == &json!({ "cols": expected.0, "rows": expected.1 })
        });
    }
}

#[test]
fn one_viewer_or_one_websocket_past_the_limit_is_refused() {
    let server = TestServer::with(|settings| settings.web.sockets = 66);
    let browser = server.browser();
    let terminal = browser.open(&json!({ "command": ["cat"] }));
    // The keeper's limit is 64, the server's own connection not among them.
    let mut viewers: Vec<_> = (0..64).map(|_| browser.view(&terminal)).collect();
    for viewer in &mut viewers {
        assert!(matches!(viewer.next(), Message::Binary(_)), "attached");
    }
    let mut refused = browser.view(&terminal);
    assert_eq!(refused.close_code(), Some(4429));
    refused.hang_up();
    let mut held = Vec::new();
    let status = loop {
        let mut stream = browser.connect();
        stream
            .write_all(browser.upgrade("/ws/terminal").as_bytes())
            .unwrap();
        match read_answer(&mut stream).unwrap().status {
            101 => held.push(stream),
            other => break other,
        }
        assert!(held.len() < 3);
    };
    assert_eq!(status, 429);
    assert_eq!(
        browser.get("/api/login").status,
        200,
        "but the rest goes on"
    );
}

#[test]
fn a_keeper_that_is_killed_leaves_no_terminal() {
    let (server, browser, _terminal, mut viewer) = cat();
    let pid = browser.terminals()[0]["pid"].as_i64().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let keeper = stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap();
    let keeper = rustix::process::Pid::from_raw(keeper.parse().unwrap()).unwrap();
    rustix::process::kill_process(keeper, rustix::process::Signal::KILL).unwrap();
    assert_eq!(viewer.close_code(), Some(4404));
    support::keeper::until("it is off the list", || browser.terminals().is_empty());
    support::keeper::until("its socket is removed", || {
        server.place.sockets().is_empty()
    });
}
