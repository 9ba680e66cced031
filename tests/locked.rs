//! A machine that has lost its lasting files: its own screen goes on and says why, nobody else gets in.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use gatepost::wire::frame::ToViewer;
use serde_json::json;
use support::server::{Place, ServerProcess, free_port};
use support::web::{Browser, Message};

/// Nobody's own shell: what it reads at its start is theirs.
const PLAIN: &str = "[\"kiosk\".terminal]\ndefault_command = \"plain\"\n\
    [\"kiosk\".terminal.commands.plain]\ncommand = [\"/bin/sh\"]\n";

#[test]
fn a_locked_machine_serves_its_own_screen_only_and_says_why() {
    let place = Place::new();
    std::fs::create_dir_all(place.config()).unwrap();
    std::fs::write(place.config().join("gatepost.toml"), PLAIN).unwrap();
    let (open, local) = (free_port(), free_port());
    let lock = place.temp.path().join("locked");
    let listen = format!("127.0.0.1:{open}");
    let arguments = [
        "--listen",
        &listen,
        "--tls",
        "--local-listen",
        &format!("127.0.0.1:{local}"),
        "--locked",
        lock.to_str().unwrap(),
    ];
    let server = ServerProcess::start(&place, &arguments);
    assert!(
        TcpStream::connect(&listen).is_ok(),
        "not locked, it listens"
    );
    drop(server);

    std::fs::write(&lock, "the data partition is damaged\n").unwrap();
    let _server = ServerProcess::start(&place, &arguments);
    assert!(TcpStream::connect(&listen).is_err(), "nobody comes in");
    let url = place.ok(&["url", "--kiosk"]);
    assert!(
        url.starts_with(&format!("http://127.0.0.1:{local}/")),
        "{url}"
    );
    TcpStream::connect(("127.0.0.1", local)).unwrap();

    // What the kiosk's window does; the reason is over its terminal then.
    let mut kiosk = Browser::new(([127, 0, 0, 1], local).into());
    kiosk.log_in(&url);
    let terminal = kiosk.open(&json!({}));
    let mut screen = kiosk.view(&terminal);
    screen.type_in("echo it\\'s alive\r");
    screen.wait_text("it's alive");
    let mut stream = UnixStream::connect(place.folders.control_socket()).unwrap();
    let call = br#"{"call":"painted"}"#;
    stream
        .write_all(&[0, 0, 0, u8::try_from(call.len()).unwrap()])
        .unwrap();
    stream.write_all(call).unwrap();
    let notice = loop {
        if let Message::Binary(frame) = screen.next()
            && let ToViewer::Notice(notice) = ToViewer::decode(&frame).unwrap()
        {
            break notice;
        }
    };
    assert!(
        notice
            .text
            .contains("locked: the data partition is damaged"),
        "{}",
        notice.text
    );
    assert!(
        notice.message.unwrap().require_ack,
        "until somebody has read it"
    );
}
