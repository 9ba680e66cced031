//! A frame of every kind, and how the golden file shows it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

use gatepost::base::{Size, TerminalId};
use gatepost::wire::care::Care;
use gatepost::wire::frame::{FromViewer, ToViewer};
use gatepost::wire::message::{
    Attach, Exit, Hello, Level, MessageHead, Meta, Mode, Notice, Request, ViewerInfo, WaitFor,
};
use serde_json::{Value, json};

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// A frame as the golden file shows it; bytes in hexadecimal.
pub(crate) fn shown_to_viewer(frame: &ToViewer<'_>) -> Value {
    match frame {
        ToViewer::Hello(hello) => json!({ "type": "hello", "hello": hello }),
        ToViewer::Output { seq, bytes } => {
            json!({ "type": "output", "seq": seq, "bytes": hex(bytes) })
        }
        ToViewer::Repaint {
            seq,
            size,
            keep,
            bytes,
        } => json!({
            "type": "repaint", "seq": seq, "size": size, "keep": keep, "bytes": hex(bytes)
        }),
        ToViewer::Meta(meta) => json!({ "type": "meta", "meta": meta }),
        ToViewer::Notice(notice) => json!({ "type": "notice", "notice": notice }),
        ToViewer::Pong(value) => json!({ "type": "pong", "value": value }),
        ToViewer::Reply {
            request,
            last,
            body,
        } => json!({ "type": "reply", "request": request, "last": last, "body": hex(body) }),
        ToViewer::Taken | ToViewer::End { .. } => panic!("only a server hears {frame:?}"),
    }
}

/// The same for the other direction.
pub(crate) fn shown_from_viewer(frame: &FromViewer<'_>) -> Value {
    match frame {
        FromViewer::Attach(attach) => json!({ "type": "attach", "attach": attach }),
        FromViewer::Input(bytes) => json!({ "type": "input", "bytes": hex(bytes) }),
        FromViewer::Resize(size) => json!({ "type": "resize", "size": size }),
        FromViewer::Ack(seq) => json!({ "type": "ack", "seq": seq }),
        FromViewer::TakeSize => json!({ "type": "take-size" }),
        FromViewer::Restart => json!({ "type": "restart" }),
        FromViewer::Request { id, request } => {
            json!({ "type": "request", "id": id, "request": request })
        }
        FromViewer::Ping(value) => json!({ "type": "ping", "value": value }),
        FromViewer::Handover { .. } => panic!("only a server says {frame:?}"),
    }
}

fn id() -> TerminalId {
    "abcdefgh27".parse().unwrap()
}

fn full_meta() -> Meta {
    Meta {
        name: Some(Some("büro".parse().unwrap())),
        title: Some(None),
        size: Some(Size::clamped(132, 43)),
        size_owner: Some(Some(1)),
        viewers: Some(vec![ViewerInfo {
            viewer: 1,
            label: "kiosk".to_owned(),
            mode: Mode::Type,
            kiosk: true,
        }]),
        exit: Some(None),
        stopped: Some(false),
        bells: Some(0),
        command: Some(vec!["/bin/bash".to_owned()]),
        pid: Some(4711),
        owner: None,
        labels: None,
        opened: Some(1_795_316_400),
        opened_ms: Some(1_795_316_400_123),
        last_output: None,
        scrollback: Some(0),
        used: Some(false),
        restarts: Some(true),
        reset_in_ms: Some(Some(30_000)),
        behind: Some(false),
    }
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn to_viewer() -> Vec<(&'static str, ToViewer<'static>)> {
    let meta = |meta| ToViewer::Meta(meta);
    vec![
        (
            "hello",
            ToViewer::Hello(Hello {
                terminal: id(),
                viewer: 1,
                mode: Mode::Type,
                window: 65536,
                keeper: "0.1.0".to_owned(),
                meta: full_meta(),
            }),
        ),
        (
            "output",
            ToViewer::Output {
                seq: 0x0001_0000_0005,
                bytes: b"hello",
            },
        ),
        (
            "output that ends inside a character and a sequence",
            ToViewer::Output {
                seq: 6,
                bytes: b"\x1b[31mgr\xc3",
            },
        ),
        ("empty output", ToViewer::Output { seq: 6, bytes: b"" }),
        (
            "full repaint",
            ToViewer::Repaint {
                seq: 9,
                size: Size::clamped(80, 24),
                keep: false,
                bytes: b"\x1b[HA",
            },
        ),
        (
            "catch-up repaint at the largest size",
            ToViewer::Repaint {
                seq: 10,
                size: Size::clamped(500, 250),
                keep: true,
                bytes: b"B",
            },
        ),
        (
            "meta: title taken away, bell",
            meta(Meta {
                title: Some(None),
                bells: Some(3),
                ..Meta::default()
            }),
        ),
        (
            "meta: title",
            meta(Meta {
                title: Some(Some("vi – notes".to_owned())),
                ..Meta::default()
            }),
        ),
        (
            "meta: ended with a status",
            meta(Meta {
                exit: Some(Some(Exit::Status(3))),
                ..Meta::default()
            }),
        ),
        (
            "meta: killed by a signal",
            meta(Meta {
                exit: Some(Some(Exit::Signal(9))),
                behind: Some(true),
                ..Meta::default()
            }),
        ),
        (
            "notice",
            ToViewer::Notice(Notice {
                level: Level::Warning,
                text: "The folder /gone can't be entered.".to_owned(),
                message: None,
            }),
        ),
        (
            "notice: a message from a person",
            ToViewer::Notice(Notice {
                level: Level::Info,
                text: "Back at 5.\n<b>Not</b> bold.".to_owned(),
                message: Some(MessageHead {
                    id: u32::MAX,
                    from: "ada".to_owned(),
                    require_ack: true,
                }),
            }),
        ),
        ("pong", ToViewer::Pong(0x0102_0304_0506)),
        (
            "reply, not the last part",
            ToViewer::Reply {
                request: 0x8000_0001,
                last: false,
                body: "grü".as_bytes(),
            },
        ),
        (
            "reply: failure",
            ToViewer::Reply {
                request: 2,
                last: true,
                body: br#"{"error":{"kind":"timeout","message":"too late"}}"#,
            },
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn from_viewer() -> Vec<(&'static str, FromViewer<'static>)> {
    let request = |id, request| FromViewer::Request { id, request };
    vec![
        (
            "attach",
            FromViewer::Attach(Attach {
                mode: Mode::View,
                size: Some(Size::clamped(120, 40)),
                history: 1000,
                window: 65536,
                label: "Ada's phone".to_owned(),
                kiosk: false,
                counts_down: false,
                hides_command: false,
            }),
        ),
        (
            "attach of a manager",
            FromViewer::Attach(Attach {
                mode: Mode::Manage,
                size: None,
                history: 0,
                window: 4096,
                label: String::new(),
                kiosk: false,
                counts_down: false,
                hides_command: false,
            }),
        ),
        ("input", FromViewer::Input("ls -l\r\u{1b}[A€".as_bytes())),
        ("resize", FromViewer::Resize(Size::clamped(300, 2))),
        ("ack", FromViewer::Ack((1 << 40) + 5)),
        ("take size", FromViewer::TakeSize),
        ("restart", FromViewer::Restart),
        ("ping", FromViewer::Ping(7)),
        (
            "attach of a screen that counts down",
            FromViewer::Attach(Attach {
                mode: Mode::Type,
                kiosk: true,
                counts_down: true,
                hides_command: false,
                ..Attach::manage()
            }),
        ),
        ("request: present", request(9, Request::Present {})),
        (
            "request: care",
            request(
                10,
                Request::Care(Care {
                    restart: true,
                    idle_ms: 300_000,
                    warning_ms: 30_000,
                    close: false,
                    fresh_home: true,
                    ends: false,
                }),
            ),
        ),
        ("request: status", request(1, Request::Status {})),
        (
            "request: text",
            request(
                2,
                Request::Text {
                    scrollback: true,
                    ansi: false,
                },
            ),
        ),
        (
            "request: search",
            request(
                0x8000_0001,
                Request::Search {
                    text: "fehl(er|t)".to_owned(),
                    regex: true,
                    before: Some(900),
                    limit: 50,
                },
            ),
        ),
        (
            "request: wait for a line",
            request(
                3,
                Request::Wait {
                    what: WaitFor::Regex("\\$ $".to_owned()),
                    timeout_ms: Some(1500),
                },
            ),
        ),
        (
            "request: wait for the end",
            request(
                4,
                Request::Wait {
                    what: WaitFor::Exit {},
                    timeout_ms: None,
                },
            ),
        ),
        (
            "request: wait for silence",
            request(
                5,
                Request::Wait {
                    what: WaitFor::Silence(2000),
                    timeout_ms: None,
                },
            ),
        ),
        (
            "request: rename",
            request(
                6,
                Request::Rename {
                    name: Some("büro".parse().unwrap()),
                },
            ),
        ),
        (
            "request: take the name away",
            request(7, Request::Rename { name: None }),
        ),
        (
            "request: repaint",
            request(8, Request::Repaint { history: 5000 }),
        ),
        (
            "request: send",
            request(
                9,
                Request::Send {
                    text: "make\n".to_owned(),
                },
            ),
        ),
        (
            "request: wait for a message to be read",
            request(
                12,
                Request::Wait {
                    what: WaitFor::Acknowledged(7),
                    timeout_ms: None,
                },
            ),
        ),
        (
            "request: show a message",
            request(
                13,
                Request::Notify {
                    level: Level::Error,
                    text: "Back at 5.".parse().unwrap(),
                    message: MessageHead {
                        id: 7,
                        from: "ada".to_owned(),
                        require_ack: false,
                    },
                },
            ),
        ),
        (
            "request: acknowledge",
            request(14, Request::Acknowledge { message: 7 }),
        ),
        ("request: reset", request(10, Request::Reset {})),
        ("request: close", request(11, Request::Close {})),
    ]
}
