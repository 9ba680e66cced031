//! `gatepost --host`: the commands against a Gatepost elsewhere, and that it is never the wrong one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::process::Output;

use serde_json::Value;
use support::keeper::until;
use support::server::{Place, TestServer};

/// Somebody's command line on another machine.
struct Elsewhere {
    place: Place,
    host: String,
}

impl Elsewhere {
    fn new(host: String) -> Self {
        Self {
            place: Place::new(),
            host,
        }
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut all = vec!["--host", &self.host];
        all.extend(arguments);
        self.place.run_with(&all, input)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    fn log_in(&self, url: &str) {
        let output = self.run_with(&["login"], url);
        assert!(output.status.success(), "{}", said(&output));
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_command_works_from_another_machine_after_a_login() {
    let server = TestServer::start();
    let elsewhere = Elsewhere::new(format!("http://{}", server.address));
    let before = elsewhere.run(&["terminal", "list"]);
    assert_eq!(before.status.code(), Some(5), "{}", said(&before));
    assert!(said(&before).contains("login"), "{}", said(&before));
    let wrong = elsewhere.run_with(&["login"], &"0".repeat(64));
    assert_eq!(wrong.status.code(), Some(5), "{}", said(&wrong));
    elsewhere.log_in(&server.place.ok(&["url"]));

    let id = elsewhere.ok(&["terminal", "open", "--name", "far away", "--", "cat"]);
    assert!(server.place.ok(&["terminal", "list"]).contains(&id));
    elsewhere.ok(&["terminal", "send", "far away", "hello\\n", "--escapes"]);
    until("it is shown twice: echoed, and by cat", || {
        elsewhere.ok(&["terminal", "show", "far away"]) == "hello\nhello"
    });
    elsewhere.ok(&["terminal", "wait", "far away", "--for", "^hello$"]);
    let found = elsewhere.ok(&["terminal", "search", &id, "hello"]);
    assert_eq!(found, "0: hello\n1: hello");
}

#[test]
fn refusals_come_with_the_same_exit_codes_as_on_the_machine_itself() {
    let server = TestServer::start();
    let elsewhere = Elsewhere::new(format!("http://{}", server.address));
    elsewhere.log_in(&server.place.ok(&["url"]));
    let id = elsewhere.ok(&["do", "terminal open --name work -- cat"]);
    for (arguments, code) in [
        (&["terminal", "show", "nowhere"][..], 3),
        (&["terminal", "reset", "nowhere"], 3),
        (&["do", "terminal sing"], 2),
        (&["power", "reboot"], 1),
        (&["url"], 2),
        (&["terminal", "search", "work", "nothing of that"], 1),
        (
            &[
                "terminal",
                "wait",
                "work",
                "--for",
                "never",
                "--timeout",
                "0",
            ],
            7,
        ),
        (
            &[
                "message",
                "--to",
                "work",
                "--wait",
                "--timeout",
                "0",
                "hello",
            ],
            7,
        ),
    ] {
        let output = elsewhere.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            said(&output)
        );
    }
    let list: Value = serde_json::from_str(&elsewhere.ok(&["terminal", "list", "--json"])).unwrap();
    assert_eq!(list["terminals"][0]["id"], Value::String(id));
    assert!(elsewhere.ok(&["status"]).contains(&elsewhere.host));
    elsewhere.ok(&["terminal", "rename", "work", "done"]);
    elsewhere.ok(&["terminal", "reset", "done"]);
    assert!(elsewhere.ok(&["who"]).starts_with("WHO"));
    elsewhere.ok(&["terminal", "close", "--all"]);
    assert!(server.browser().terminals().is_empty());

    elsewhere.ok(&["logout"]);
    assert_eq!(elsewhere.run(&["terminal", "list"]).status.code(), Some(5));
    let gone = Elsewhere::new("http://127.0.0.1:1".to_owned());
    assert_eq!(
        gone.run(&["login"]).status.code(),
        Some(2),
        "nothing was typed"
    );
    let token = "ab".repeat(32);
    assert_eq!(gone.run_with(&["login"], &token).status.code(), Some(4));
}

#[test]
fn a_token_in_a_file_is_good_for_one_command_and_nothing_is_kept() {
    let server = TestServer::start();
    let elsewhere = Elsewhere::new(format!("http://{}", server.address));
    let file = elsewhere.place.temp.path().join("token");
    std::fs::write(&file, server.place.ok(&["url"])).unwrap();
    let file = file.to_str().unwrap();
    let listed = elsewhere.ok(&["--token-file", file, "terminal", "list"]);
    assert!(listed.starts_with("ID"), "{listed}");
    let again = elsewhere.run(&["--token-file", file, "terminal", "list"]);
    assert_eq!(again.status.code(), Some(5), "{}", said(&again));
    assert!(!elsewhere.place.folders.state.join("remote").exists());
}

#[test]
fn what_is_kept_of_a_login_is_for_its_user_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = TestServer::start();
    let elsewhere = Elsewhere::new(format!("http://{}", server.address));
    elsewhere.log_in(&server.place.ok(&["url"]));
    let folder = elsewhere.place.folders.state.join("remote");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in std::fs::read_dir(folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[test]
fn attach_from_another_machine_is_a_real_terminal_and_leaves_the_other_one_running() {
    let server = TestServer::start();
    let elsewhere = Elsewhere::new(format!("http://{}", server.address));
    elsewhere.log_in(&server.place.ok(&["url"]));
    let id = elsewhere.ok(&["terminal", "open", "--", "sh", "-c", "echo far; exec cat"]);
    // A terminal to sit at, of a Gatepost of its own.
    let near = TestServer::start();
    let state = elsewhere.place.folders.state.to_str().unwrap();
    let sitting = near.browser().open(&serde_json::json!({ "command": [
        "env", format!("GATEPOST_STATE_DIR={state}"), env!("CARGO_BIN_EXE_gatepost"),
        "--host", elsewhere.host, "terminal", "attach", id,
    ]}));
    let mut person = near.browser().view(&sitting);
    person.wait_text("far");
    person.type_in("through two terminals\r");
    person.wait_text("through two terminals\r\nthrough two terminals");
    assert!(elsewhere.ok(&["who"]).contains("type"));
    // What is said to them covers the screen until they have read it.
    let far_place = &server.place;
    let waiting = std::thread::scope(|scope| {
        let waiting =
            scope.spawn(|| far_place.ok(&["message", "--wait", "--to", &id, "Hello from far"]));
        person.wait_text("Press Enter to say that you have read it.");
        assert!(person.seen.contains("Hello from far"));
        // A key too soon was meant for the program; later it counts.
        until("Enter has said so", || {
            person.type_in("\r");
            waiting.is_finished()
        });
        waiting.join().unwrap()
    });
    assert!(waiting.contains("read by browser"), "{waiting}");
    // Ctrl-\ leaves.
    person.type_in("\u{1c}");
    person.wait_text("detached; the terminal goes on");
    assert!(
        elsewhere
            .ok(&["terminal", "show", &id])
            .starts_with("far\nthrough two")
    );
}
