//! The record of who did what: one line for everything that was asked for, and nothing without it where
//! it is required.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost::base::{User, Way};
use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use serde_json::{Value, json};
use support::keeper::until;
use support::server::TestServer;
use support::web::Browser;
use tokio::sync::watch;

fn compile(text: &str) -> Arc<Rules> {
    let layer = parse(Syntax::Toml, text, Path::new("x.toml")).unwrap();
    Arc::new(Rules::compile(&[layer]).unwrap())
}

fn rules(file: &Path, required: bool) -> Arc<Rules> {
    let file = file.display();
    compile(&format!(
        "[\"user=alice\".allow]\nuse = true\nopen = true\nany_command = true\n[\"*\".log]\naudit_file = \"{file}\"\naudit_required = {required}\naudit_max_bytes = 65536\n"
    ))
}

struct Audited {
    server: TestServer,
    rules: watch::Sender<Arc<Rules>>,
    file: PathBuf,
}

impl Audited {
    fn start(required: bool) -> Self {
        let (sender, receiver) = watch::channel(Arc::default());
        let server = TestServer::with(|settings| settings.rules = receiver);
        let file = server.place.temp.path().join("audit.jsonl");
        sender.send_replace(rules(&file, required));
        Self {
            server,
            rules: sender,
            file,
        }
    }

    fn of(&self, name: &str) -> Browser {
        let user = User::new(name.parse().unwrap(), Way::Oidc);
        self.server.browser_of(user)
    }

    fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }

    fn find(&self, action: &str, outcome: &str) -> Option<Value> {
        let fits = |line: &Value| line["action"] == action && line["outcome"] == outcome;
        self.lines().into_iter().find(fits)
    }
}

#[test]
fn everything_that_is_asked_for_is_one_line_allowed_or_not() {
    let audited = Audited::start(false);
    let alice = audited.of("alice");
    let terminal = alice.open(&json!({ "command": ["cat"] }));
    alice.view(&terminal).wait_text("");
    assert_eq!(
        audited.of("eve").post("/api/terminals", &json!({})).status,
        403
    );
    until("three lines", || {
        ["open-terminal", "attach"].map(|action| audited.find(action, "done").is_some())
            == [true; 2]
            && audited.find("open-terminal", "denied").is_some()
    });
    let opened = audited.find("open-terminal", "done").unwrap();
    assert_eq!(opened["who"], "alice");
    assert_eq!(opened["way"], "oidc");
    assert_eq!(opened["door"], "web");
    assert_eq!(opened["terminal"], terminal);
    assert_eq!(opened["address"], "127.0.0.1");
    let attached = audited.find("attach", "done").unwrap();
    assert_eq!(attached["terminal"], terminal);
    let refused = audited.find("open-terminal", "denied").unwrap();
    assert_eq!(refused["who"], "eve");
    assert_eq!(refused["way"], "oidc");
    assert_eq!(refused["address"], "127.0.0.1");
    assert!(refused["reason"].as_str().unwrap().contains("you may not"));
    let mode = std::fs::metadata(&audited.file)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn where_it_is_required_a_line_stands_before_anything_is_done() {
    let audited = Audited::start(true);
    let terminal = audited.of("alice").open(&json!({ "command": ["cat"] }));
    let mut lines = audited.lines();
    lines.retain(|line| line["action"] == "open-terminal");
    assert_eq!(lines[0]["outcome"], "granted");
    assert_eq!(lines[1]["outcome"], "done");
    assert_eq!(lines[1]["terminal"], terminal);
}

#[test]
fn when_the_disk_is_full_nothing_is_allowed_until_there_is_room_again() {
    let audited = Audited::start(true);
    let (alice, owner) = (audited.of("alice"), audited.server.browser());
    let terminal = alice.open(&json!({ "command": ["cat"] }));
    audited
        .rules
        .send_replace(rules(Path::new("/dev/full"), true));
    for browser in [&alice, &owner] {
        let answer = browser.post("/api/terminals", &json!({ "command": ["cat"] }));
        assert!(answer.status >= 500, "{}", answer.status);
        assert!(answer.json().to_string().contains("written down"));
        assert!(
            browser.get("/api/terminals").status >= 500,
            "not even looking"
        );
    }
    let mut viewer = alice.view(&terminal);
    assert!(viewer.close_code().is_some(), "nor attaching");
    audited.rules.send_replace(rules(&audited.file, true));
    alice.open(&json!({ "command": ["cat"] }));
    assert_eq!(alice.terminals().len(), 2, "what was refused was not done");
}

#[test]
fn logging_in_and_out_stands_in_the_record_and_does_not_happen_without_it() {
    let audited = Audited::start(true);
    let url = audited.server.token();
    let mut browser = audited.server.stranger();
    let login = |token: &str| json!({ "token": token });
    let answer = browser.post("/api/login", &login(&url));
    assert_eq!(answer.status, 204);
    browser.take_cookies(&answer);
    let line = audited.find("log-in", "done").unwrap();
    assert_eq!(line["who"], "the owner");
    assert_eq!(line["address"], "127.0.0.1");
    assert!(audited.find("log-in", "granted").is_some(), "first");
    assert_eq!(browser.post("/api/logout", &json!({})).status, 204);
    assert!(audited.find("log-out", "done").is_some());
    audited
        .rules
        .send_replace(rules(Path::new("/dev/full"), true));
    let refused = browser.post("/api/login", &login(&audited.server.token()));
    assert!(refused.status >= 500, "{}", refused.status);
    assert_eq!(refused.header("set-cookie"), None);
}

#[test]
fn strangers_neither_push_out_of_the_record_what_others_did_nor_keep_the_disk_from_it() {
    let audited = Audited::start(true);
    let alice = audited.of("alice");
    std::thread::scope(|scope| {
        for flood in 0..4 {
            let server = &audited.server;
            scope.spawn(move || {
                for number in 0..250 {
                    let path = format!("/login/cas/{flood}{number}");
                    assert_eq!(server.stranger().get(&path).status, 404);
                }
            });
        }
        // In the middle of it: where every line is required, none may be kept waiting for theirs.
        for _ in 0..10 {
            let terminal = alice.open(&json!({ "command": ["cat"] }));
            let path = format!("/api/terminals/{terminal}");
            assert_eq!(alice.send("DELETE", &path, &json!({})).status, 204);
        }
    });
    let opened = |line: &&Value| line["action"] == "open-terminal" && line["outcome"] == "done";
    assert_eq!(audited.lines().iter().filter(opened).count(), 10);
    let refused = |line: &&Value| line["action"] == "log-in" && line["outcome"] == "denied";
    let refused = audited.lines().iter().filter(refused).count();
    // Ten a minute about one address, and the flood may have gone on through a change of minutes or two.
    assert!((1..=60).contains(&refused), "{refused}");
}

#[test]
fn a_full_file_is_renamed_and_no_line_is_lost_at_the_seam() {
    let audited = Audited::start(true);
    let alice = audited.of("alice");
    let before = audited.lines().len();
    let old = audited.file.with_extension("jsonl.1");
    let mut asked = 0;
    while !old.exists() {
        assert_eq!(
            alice
                .send("DELETE", "/api/terminals/aaaaaaaaaa", &json!({}))
                .status,
            404
        );
        asked += 1;
        assert!(asked < 1000, "never renamed");
    }
    let kept = std::fs::read_to_string(&old).unwrap();
    assert!(kept.len() <= 65536);
    assert_eq!(kept.lines().count() + audited.lines().len(), before + asked);
}
