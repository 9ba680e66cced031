//! Actions through the real server: messages over the screens of two viewers, acknowledgements, power, who.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::io::BufRead as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use gatepost::wire::frame::{FromViewer, ToViewer};
use gatepost::wire::message::{Notice, Request};
use serde_json::{Value, json};
use support::keeper::until;
use support::server::TestServer;
use support::web::{Answer, Browser, Message, Socket};

/// What comes over the socket until a notice does.
fn notice(socket: &mut Socket) -> Notice {
    loop {
        match socket.next() {
            Message::Binary(frame) => {
                if let ToViewer::Notice(notice) = ToViewer::decode(&frame).unwrap() {
                    return notice;
                }
            }
            Message::Ping(payload) => socket.frame(0x8a, &payload),
            Message::Pong(_) => {}
            other => panic!("waited for a notice, got {other:?}"),
        }
    }
}

/// The answer to this request.
fn reply(socket: &mut Socket, id: u32, request: Request) -> Value {
    socket.viewer(&FromViewer::Request { id, request });
    loop {
        if let Message::Binary(frame) = socket.next()
            && let ToViewer::Reply { request, body, .. } = ToViewer::decode(&frame).unwrap()
        {
            assert_eq!(request, id);
            return serde_json::from_slice(body).unwrap();
        }
    }
}

fn act(browser: &Browser, action: &Value) -> Answer {
    browser.post("/api/actions", action)
}

fn done(browser: &Browser, line: &str) -> Value {
    let answer = act(browser, &json!({ "line": line }));
    assert_eq!(answer.status, 200, "{line}: {answer:?}");
    answer.json()
}

fn watch(browser: &Browser, terminal: &str) -> Socket {
    let mut socket = browser.socket("/ws/terminal");
    socket.text(&json!({
        "token": browser.socket_token(), "terminal": terminal, "attach": { "mode": "view" }
    }));
    socket
}

#[test]
fn a_message_reaches_every_viewer_and_not_the_program_and_is_acknowledged_by_name() {
    let server = TestServer::start();
    let browser = server.browser();
    let terminal = browser.open(&json!({ "name": "work", "command": ["cat"] }));
    let mut typing = browser.view(&terminal);
    let mut watching = watch(&browser, &terminal);
    typing.type_in("ready\r");
    typing.wait_text("ready\r\nready");
    watching.wait_text("ready\r\nready");

    let text = "xss_bell_message <img src=x onerror=alert(1)>\nsecond line";
    let told = act(
        &browser,
        &json!({
            "action": "message", "text": text, "to": { "terminal": "work" },
            "level": "warning", "require_ack": true
        }),
    );
    assert_eq!(told.status, 200, "{told:?}");
    let told = told.json();
    assert_eq!(
        (&told["outcome"], &told["viewers"]),
        (&json!("told"), &json!(2))
    );
    let number = u32::try_from(told["message"].as_u64().unwrap()).unwrap();
    for socket in [&mut typing, &mut watching] {
        let notice = notice(socket);
        assert_eq!(notice.text, text, "plain, unchanged");
        let head = notice.message.unwrap();
        assert_eq!((head.id, head.require_ack), (number, true));
        assert_eq!(head.from, "the owner");
    }
    // Whoever comes before it is read sees it, too.
    let mut late = watch(&browser, &terminal);
    assert_eq!(notice(&mut late).message.unwrap().id, number);

    let question = json!({ "op": "wait", "for": { "acknowledged": number }, "timeout_ms": 0 });
    let ask = format!("/api/terminals/{terminal}/ask");
    let not_yet = browser.post(&ask, &question).json();
    assert_eq!(not_yet["error"]["kind"], "timeout");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let question = json!({ "op": "wait", "for": { "acknowledged": number } });
            browser.post(&ask, &question).json()
        });
        let acknowledge = || Request::Acknowledge { message: number };
        assert_eq!(reply(&mut watching, 1, acknowledge()), json!({ "ok": {} }));
        assert_eq!(reply(&mut typing, 1, acknowledge()), json!({ "ok": {} }));
        let read = waiting.join().unwrap();
        assert_eq!(read["ok"]["by"], "browser");
        assert_eq!(read["ok"]["kiosk"], false);
        assert!(read["ok"]["at"].as_u64().unwrap() > 1_700_000_000);
    });
    // Nobody is told again, and the program has noticed nothing.
    let mut later = watch(&browser, &terminal);
    assert!(reply(&mut later, 1, Request::Status {})["ok"].is_object());
    typing.type_in("end\r");
    typing.wait_text("end\r\nend");
    assert!(!typing.seen.contains("xss"), "{}", typing.seen);
    let shown = server.place.ok(&["terminal", "show", "work"]);
    assert_eq!(shown, "ready\nready\nend\nend");
}

#[test]
fn a_message_goes_to_the_kiosk_unless_it_says_otherwise() {
    let server = TestServer::start();
    let owner = server.browser();
    let (one, two) = (
        owner.open(&json!({ "name": "kiosk", "command": ["cat"] })),
        owner.open(&json!({ "name": "other", "command": ["cat"] })),
    );
    let answer = act(&owner, &json!({ "line": "message hello" }));
    assert_eq!(answer.status, 500, "{answer:?}");
    let said = answer.json()["error"]["message"].to_string();
    assert!(said.contains("--to ID"), "{said}");

    let mut kiosk = server.stranger();
    kiosk.log_in(&server.place.ok(&["url", "--kiosk"]));
    let mut screen = kiosk.view(&one);
    let mut other = owner.view(&two);
    screen.type_in("a\r");
    screen.wait_text("a\r\na");
    other.type_in("b\r");
    other.wait_text("b\r\nb");
    let told = done(&owner, "message hello");
    assert_eq!(told["terminals"], json!([one]));
    assert_eq!(notice(&mut screen).text, "hello");
    let told = done(&owner, "message 'to all' --all");
    assert_eq!(told["viewers"], 2);
    assert_eq!(notice(&mut screen).text, "to all");
    assert_eq!(notice(&mut other).text, "to all", "and not the first one");
}

#[test]
fn the_kiosks_page_is_told_what_to_do_and_others_are_not() {
    let server = TestServer::start();
    let owner = server.browser();
    let mut own = owner.socket("/ws/events");
    own.text(&json!({ "token": owner.socket_token() }));
    assert!(matches!(own.next(), Message::Text(_)));
    let nobody = act(&owner, &json!({ "action": "reload-kiosk" }));
    assert_eq!(nobody.status, 500);
    let mut kiosk = server.stranger();
    kiosk.log_in(&server.place.ok(&["url", "--kiosk"]));
    let mut page = kiosk.socket("/ws/kiosk");
    let token = kiosk.post("/api/kiosk/token", &json!({})).json()["token"].clone();
    page.text(&json!({ "token": token }));
    assert!(matches!(page.next(), Message::Text(_)));
    assert_eq!(done(&owner, "kiosk reload"), json!({ "outcome": "done" }));
    // How things are is told before, and in between.
    let order = |page: &mut Socket| loop {
        let Message::Text(text) = page.next() else {
            panic!("an order");
        };
        if !text.starts_with(r#"{"kiosk""#) {
            return text;
        }
    };
    assert_eq!(order(&mut page), r#"{"reload":true}"#);
    for (line, told) in [
        ("kiosk identity", r#"{"identity":true}"#),
        ("kiosk switch next", r#"{"pressed":"next"}"#),
        ("kiosk switch choose", r#"{"pressed":"choose"}"#),
    ] {
        assert_eq!(done(&owner, line), json!({ "outcome": "done" }));
        assert_eq!(order(&mut page), told);
    }
    owner.open(&json!({ "command": ["cat"] }));
    let Message::Text(text) = own.next() else {
        panic!("the list");
    };
    assert!(text.starts_with(r#"{"terminals""#), "{text}");
}

#[test]
fn power_is_in_a_program_that_was_named_and_in_nothing_else() {
    let server = TestServer::start();
    for line in ["power reboot", "power off"] {
        let answer = act(&server.browser(), &json!({ "line": line }));
        assert_eq!(answer.status, 500);
        assert!(
            answer.json()["error"]["message"]
                .to_string()
                .contains("--power")
        );
    }
    // A program that writes down what it is told, in place of systemctl.
    let temp = tempfile::tempdir().unwrap();
    let program = temp.path().join("systemctl");
    std::fs::write(&program, "#!/bin/sh\necho \"$@\" >> \"${0%/*}/orders\"\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = TestServer::with(|settings| settings.power = Some(program));
    assert_eq!(
        done(&server.browser(), "power reboot"),
        json!({ "outcome": "done" })
    );
    server.place.ok(&["power", "off"]);
    let orders = std::fs::read_to_string(temp.path().join("orders")).unwrap();
    assert_eq!(
        orders,
        "--no-ask-password reboot\n--no-ask-password poweroff\n"
    );
}

#[test]
fn who_names_everybody_who_watches_and_what_they_may() {
    let server = TestServer::start();
    let browser = server.browser();
    let terminal = browser.open(&json!({ "command": ["cat"] }));
    let here = || done(&browser, "who")["viewers"].as_array().unwrap().clone();
    assert!(here().is_empty());
    let mut typing = browser.view(&terminal);
    typing.type_in("x\r");
    typing.wait_text("x");
    let mut watching = watch(&browser, &terminal);
    watching.wait_text("x");
    let now = here();
    assert_eq!(now.len(), 2, "{now:?}");
    assert_eq!(
        (&now[0]["access"], &now[1]["access"]),
        (&json!("type"), &json!("view"))
    );
    assert_eq!(now[0]["terminal"], json!(terminal));
    assert_eq!(now[0]["who"], "the owner");
    assert!(server.place.ok(&["who"]).contains(&terminal));
    typing.hang_up();
    until("it is seen that one has left", || here().len() == 1);
}

#[test]
fn all_terminals_are_closed_at_once() {
    let server = TestServer::start();
    let browser = server.browser();
    let mut opened: Vec<_> = (0..3)
        .map(|_| browser.open(&json!({ "command": ["cat"] })))
        .collect();
    let closed = done(&browser, "terminal close --all");
    let mut closed: Vec<_> = closed["terminals"].as_array().unwrap().clone();
    closed.sort_by_key(ToString::to_string);
    opened.sort();
    assert_eq!(closed, opened);
    assert!(browser.terminals().is_empty());
}

#[test]
fn actions_need_a_login_and_say_what_is_wrong_with_them() {
    let server = TestServer::start();
    let browser = server.browser();
    let stranger = server.stranger();
    for (path, body) in [
        ("/api/actions", json!({ "action": "who" })),
        ("/api/terminals/aaaaaaaaaa/ask", json!({ "op": "status" })),
    ] {
        assert_eq!(stranger.post(path, &body).status, 401, "{path}");
    }
    for (body, status, says) in [
        (json!({ "line": "dance" }), 400, "is no action"),
        (json!({ "line": "who", "x": 1 }), 400, "unknown field"),
        (json!({ "action": "dance" }), 400, "unknown variant"),
        (json!({ "action": "who", "x": 1 }), 400, "unknown field"),
        (
            json!({ "line": "terminal reset work" }),
            404,
            "no terminal is called",
        ),
        (
            json!({ "line": "display off" }),
            500,
            "nothing looks after a screen",
        ),
    ] {
        let answer = act(&browser, &body);
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        let said = answer.json()["error"]["message"].to_string();
        assert!(said.contains(says), "{body}: {said}");
    }
    let terminal = browser.open(&json!({ "name": "desk", "command": ["cat"] }));
    let ask = |question: Value| browser.post("/api/terminals/desk/ask", &question);
    assert!(ask(json!({ "op": "status" })).json()["ok"]["command"].is_array());
    for change in [
        json!({ "op": "close" }),
        json!({ "op": "send", "text": "x" }),
        json!({ "op": "notify", "text": "x", "message": { "id": 1, "from": "eve" } }),
    ] {
        assert_eq!(ask(change.clone()).status, 400, "{change}");
    }
    let spoofed = ask(json!({ "op": "acknowledge", "message": 1 }));
    assert_eq!(
        spoofed.json()["error"]["kind"],
        "denied",
        "only a viewer has read it"
    );
    assert_eq!(browser.terminals()[0]["id"], json!(terminal));
}

#[test]
fn me_names_the_rights_of_whoever_asks_and_nobody_elses() {
    let server = TestServer::start();
    assert_eq!(server.stranger().get("/api/me").status, 401);
    let me = server.browser().get("/api/me").json();
    assert_eq!(me["principal"], "owner");
    let rights = [
        "use",
        "open",
        "any_command",
        "watch",
        "type",
        "share",
        "message",
        "admin",
        "power",
        "hook",
        "update",
    ];
    assert_eq!(me["may"], json!(rights));
    let name = "eve".parse().unwrap();
    let eve = server.browser_of(gatepost::base::User::new(name, gatepost::base::Way::Oidc));
    assert_eq!(
        eve.get("/api/me").json(),
        json!({ "principal": "user", "user": "eve", "way": "oidc", "may": [] })
    );
}

#[test]
fn a_viewer_cannot_send_messages_past_the_policy() {
    let server = TestServer::start();
    let browser = server.browser();
    let terminal = browser.open(&json!({ "command": ["cat"] }));
    let mut viewer = browser.view(&terminal);
    let forged = Request::Notify {
        level: gatepost::base::Level::Info,
        text: "forged".parse().unwrap(),
        message: gatepost::wire::message::MessageHead {
            id: 1,
            from: "the owner".to_owned(),
            require_ack: false,
        },
    };
    assert_eq!(reply(&mut viewer, 1, forged)["error"]["kind"], "denied");
}

#[test]
fn the_command_line_says_every_action_and_waits_for_who_has_read_a_message() {
    let server = TestServer::start();
    let place = &server.place;
    let id = place.ok(&["do", "terminal open --name 'my work' -- cat"]);
    assert_eq!(place.ok(&["do", "terminal send 'my work' 'hi\\n'"]), "");
    place.ok(&["terminal", "wait", &id, "--for", "^hi$", "--timeout", "60"]);
    let json: Value = serde_json::from_str(&place.ok(&["do", "--json", "terminal list"])).unwrap();
    assert_eq!(json["terminals"][0]["name"], "my work");
    assert_eq!(place.run(&["do", "terminal sing"]).status.code(), Some(2));
    assert_eq!(
        place.run(&["do", "terminal reset nowhere"]).status.code(),
        Some(3)
    );
    assert_eq!(place.run(&["power", "reboot"]).status.code(), Some(1));
    assert_eq!(place.run(&["message", "a\u{7}b"]).status.code(), Some(2));

    let browser = server.browser();
    let mut viewer = browser.view(&id);
    viewer.wait_text("hi");
    let mut waiting = place
        .gatepost(&["message", "--wait", "--to", &id, "read this"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let message = notice(&mut viewer).message.unwrap().id;
    reply(&mut viewer, 1, Request::Acknowledge { message });
    let mut line = String::new();
    let stdout = waiting.stdout.take().unwrap();
    std::io::BufReader::new(stdout)
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, format!("{id}: read by browser\n"));
    assert!(waiting.wait().unwrap().success());
    let late = place.run(&[
        "message",
        "--wait",
        "--timeout",
        "0",
        "--to",
        &id,
        "too late",
    ]);
    assert_eq!(late.status.code(), Some(7));
    assert!(
        !viewer.is_silent(Duration::from_secs(20)),
        "it was shown all the same"
    );
}
