//! A browser's plain connection is its keeper's after the first message, and the server's again at the end.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use gatepost::wire::frame::FromViewer;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use support::server::{Place, ServerProcess};
use support::web::{Browser, Message, Socket};

/// A server, somebody logged in, and a viewer of a terminal that runs `cat`.
fn cat() -> (Place, ServerProcess, Browser, String, Socket) {
    let place = Place::new();
    let server = ServerProcess::start(&place, &[]);
    let mut browser = Browser::new(server.address);
    browser.log_in(&place.ok(&["url"]));
    let terminal = browser.open(&json!({ "command": ["cat"] }));
    let mut viewer = browser.view(&terminal);
    viewer.type_in("ready\r");
    viewer.wait_text("ready\r\nready");
    (place, server, browser, terminal, viewer)
}

/// The keeper of the only terminal: the parent of its program.
fn keeper(browser: &Browser) -> Pid {
    let program = browser.terminals()[0]["pid"].as_u64().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{program}/stat")).unwrap();
    let parent = stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap();
    Pid::from_raw(parent.parse().unwrap()).unwrap()
}

#[test]
fn keys_and_their_echo_do_not_pass_the_server() {
    let (_place, server, _browser, _terminal, mut viewer) = cat();
    server.signal(Signal::STOP);
    viewer.type_in("nobody is between us\r");
    viewer.wait_text("nobody is between us\r\nnobody is between us");
    // In parts, and longer than any head has room for in a byte.
    let line = "x".repeat(300);
    let mut bytes = Vec::new();
    FromViewer::Input(line.as_bytes()).encode(&mut bytes);
    viewer.frame(0x02, &bytes[..100]);
    viewer.frame(0x00, &bytes[100..200]);
    viewer.frame(0x89, b"still there?");
    viewer.frame(0x80, &bytes[200..]);
    viewer.wait_text(&line);
    server.signal(Signal::CONT);
    viewer.frame(0x88, &1000_u16.to_be_bytes());
    assert_eq!(viewer.close_code(), Some(1000));
    assert_eq!(viewer.next(), Message::Gone);
}

#[test]
fn what_is_sent_with_the_first_message_is_not_lost() {
    let (_place, _server, browser, terminal, _viewer) = cat();
    let mut socket = browser.socket("/ws/terminal");
    let (token, attach) = (browser.socket_token(), json!({ "mode": "type" }));
    // Buffered, so that it all comes in one piece.
    let mut together = Socket::from_stream(socket.stream.try_clone().unwrap());
    let first = json!({ "token": token, "terminal": terminal, "attach": attach }).to_string();
    let mut bytes = vec![0x81, 0xfe];
    bytes.extend(u16::try_from(first.len()).unwrap().to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(first.as_bytes());
    let mut key = Vec::new();
    FromViewer::Input(b"at once\r").encode(&mut key);
    bytes.extend([0x82, 0x80 | u8::try_from(key.len()).unwrap(), 0, 0, 0, 0]);
    bytes.extend(&key);
    together.bytes(&bytes);
    socket.wait_text("at once\r\nat once");
}

#[test]
fn the_last_keys_before_a_close_are_typed() {
    let (_place, _server, browser, terminal, mut viewer) = cat();
    let mut key = Vec::new();
    FromViewer::Input(b"last words\r").encode(&mut key);
    let mut bytes = vec![0x82, 0x80 | u8::try_from(key.len()).unwrap(), 0, 0, 0, 0];
    bytes.extend(&key);
    bytes.extend([0x88, 0x82, 0, 0, 0, 0]);
    bytes.extend(1000_u16.to_be_bytes());
    viewer.bytes(&bytes);
    assert_eq!(viewer.close_code(), Some(1000));
    browser
        .view(&terminal)
        .wait_text("last words\r\nlast words");
}

#[test]
fn a_log_out_ends_it_also_where_the_keeper_stands_still() {
    let (_place, _server, browser, _terminal, mut viewer) = cat();
    assert_eq!(browser.post("/api/logout", &json!({})).status, 204);
    assert_eq!(viewer.close_code(), Some(4401));

    let (_place, _server, browser, _terminal, mut viewer) = cat();
    let keeper = keeper(&browser);
    kill_process(keeper, Signal::STOP).unwrap();
    assert_eq!(browser.post("/api/logout", &json!({})).status, 204);
    assert_eq!(viewer.close_code(), None, "nobody can say why");
    kill_process(keeper, Signal::CONT).unwrap();
}

#[test]
fn a_killed_server_or_keeper_takes_the_connection_with_it() {
    let (place, server, _browser, terminal, mut viewer) = cat();
    let listen = server.address.to_string();
    server.kill();
    assert_eq!(viewer.close_code(), None);
    let server = ServerProcess::start(&place, &["--listen", &listen]);
    let mut browser = Browser::new(server.address);
    browser.log_in(&place.ok(&["url"]));
    let mut viewer = browser.view(&terminal);
    viewer.wait_text("ready");
    kill_process(keeper(&browser), Signal::KILL).unwrap();
    assert_eq!(viewer.close_code(), Some(4404));
}
