//! Letting one other person watch one terminal: by whom, to whom, and until when.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::path::Path;
use std::sync::Arc;

use gatepost::base::{User, Way};
use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use serde_json::{Value, json};
use support::keeper::until;
use support::server::TestServer;
use support::web::Browser;
use tokio::sync::watch;

const USE: &str = "[\"*\".allow]\nuse = true\nopen = true\nany_command = true\n";
const SHARE: &str = "[\"user=alice\".allow]\nshare = true\n[\"user=boss\".allow]\nadmin = true\n";

fn compile(text: &str) -> Arc<Rules> {
    let layer = parse(Syntax::Toml, text, Path::new("x.toml")).unwrap();
    Arc::new(Rules::compile(&[layer]).unwrap())
}

struct Machine {
    server: TestServer,
    rules: watch::Sender<Arc<Rules>>,
}

impl Machine {
    fn new(more: &str) -> Self {
        let (rules, receiver) = watch::channel(compile(&format!("{USE}{SHARE}{more}")));
        let server = TestServer::with(|settings| settings.rules = receiver);
        Self { server, rules }
    }

    fn of(&self, name: &str) -> Browser {
        self.by(name, Way::Oidc)
    }

    fn by(&self, name: &str, way: Way) -> Browser {
        self.server
            .browser_of(User::new(name.parse().unwrap(), way))
    }
}

fn share(browser: &Browser, terminal: &str, with: &str) -> u16 {
    let ask = json!({ "action": "share-terminal", "terminal": terminal, "with": with });
    browser.post("/api/actions", &ask).status
}

fn unshare(browser: &Browser, terminal: &str, with: &str) -> u16 {
    let ask = json!({ "action": "unshare-terminal", "terminal": terminal, "with": with });
    browser.post("/api/actions", &ask).status
}

fn listed(browser: &Browser) -> usize {
    browser.terminals().len()
}

#[test]
fn whom_it_is_shared_with_watches_that_one_terminal_and_can_do_nothing_to_it() {
    let machine = Machine::new("");
    let [alice, bob, eve] = ["alice", "bob", "eve"].map(|name| machine.of(name));
    let namesake = machine.by("bob", Way::Cas);
    let shown = alice.open(&json!({ "command": ["cat"] }));
    let private = alice.open(&json!({ "command": ["cat"] }));
    assert_eq!(listed(&bob), 0);
    assert_eq!(bob.view(&shown).close_code(), Some(4403));
    assert_eq!(share(&alice, &shown, "oidc:bob"), 200);
    for other in [&eve, &namesake] {
        assert_eq!(listed(other), 0);
        assert_eq!(other.view(&shown).close_code(), Some(4403));
    }
    assert_eq!(bob.view(&private).close_code(), Some(4403));
    let list = bob.terminals();
    assert_eq!((list.len(), &list[0]["id"]), (1, &json!(shown)));
    assert_eq!(list[0]["owner"], "oidc:alice");
    assert_eq!(list[0].get("shared_with"), None, "not his to know");
    let mut own = alice.view(&shown);
    let mut watching = bob.view(&shown);
    own.type_in("for bob's eyes\r");
    watching.wait_text("for bob's eyes");
    watching.type_in("from bob\r");
    own.type_in("and again\r");
    own.wait_text("and again");
    let text = bob.get(&format!("/api/terminals/{shown}/text"));
    assert_eq!(text.status, 200);
    assert!(!String::from_utf8_lossy(&text.body).contains("from bob"));
    for ask in [
        json!({ "action": "send-text", "terminal": shown, "text": "x" }),
        json!({ "action": "reset-terminal", "terminal": shown }),
        json!({ "action": "rename-terminal", "terminal": shown, "name": "x" }),
        json!({ "action": "close-terminal", "terminal": shown }),
        json!({ "action": "message", "text": "x", "to": { "terminal": shown } }),
        json!({ "action": "share-terminal", "terminal": shown, "with": "oidc:eve" }),
        json!({ "action": "unshare-terminal", "terminal": shown, "with": "oidc:bob" }),
    ] {
        assert_eq!(bob.post("/api/actions", &ask).status, 403, "{ask}");
    }
    // He closes all that he sees and may close: nothing.
    let all = json!({ "action": "close-all-terminals" });
    assert_eq!(bob.post("/api/actions", &all).status, 200);
    assert_eq!(listed(&alice), 2);
    let of_alice = alice.terminals();
    let of_alice = of_alice.iter().find(|info| info["id"] == shown.as_str());
    assert_eq!(of_alice.unwrap()["shared_with"], json!(["oidc:bob"]));

    assert_eq!(unshare(&alice, &shown, "oidc:bob"), 200);
    assert!(watching.close_code().is_some(), "at once");
    assert_eq!(listed(&bob), 0);
    assert_eq!(bob.view(&shown).close_code(), Some(4403));
    assert_eq!(
        unshare(&alice, &shown, "oidc:bob"),
        400,
        "it isn't any more"
    );
    own.type_in("alone\r");
    own.wait_text("alone");
}

#[test]
fn it_takes_the_right_and_the_terminal_and_what_was_shared_can_always_be_taken_back() {
    let machine = Machine::new("[\"user=mallory\".allow]\nshare = true\n");
    let [alice, bob, mallory, boss] =
        ["alice", "bob", "mallory", "boss"].map(|name| machine.of(name));
    let terminal = alice.open(&json!({ "command": ["cat"] }));
    let his = bob.open(&json!({ "command": ["cat"] }));
    assert_eq!(share(&bob, &his, "oidc:alice"), 403, "without the right");
    assert_eq!(share(&alice, &terminal, "oidc:mallory"), 200);
    assert_eq!(
        share(&mallory, &terminal, "oidc:bob"),
        403,
        "what was shared isn't passed on"
    );
    assert!(share(&mallory, &his, "oidc:mallory") >= 400);
    assert!(
        share(&boss, &terminal, "oidc:boss") >= 400,
        "not even the boss"
    );
    for bad in ["", "a b", "../x", "-x"] {
        assert_eq!(share(&alice, &terminal, bad), 400, "{bad:?}");
    }
    // The right is gone, and with it nothing that could be taken back.
    machine.rules.send_replace(compile(USE));
    assert_eq!(listed(&mallory), 1);
    assert_eq!(share(&alice, &terminal, "oidc:bob"), 403);
    assert_eq!(unshare(&alice, &terminal, "oidc:mallory"), 200);
    assert_eq!(listed(&mallory), 0);
    // An administrator takes back what somebody else has shared.
    machine
        .rules
        .send_replace(compile(&format!("{USE}{SHARE}watch = true\n")));
    assert_eq!(share(&alice, &terminal, "oidc:mallory"), 200);
    let mut watching = mallory.view(&terminal);
    watching.wait_text("");
    assert_eq!(unshare(&boss, &terminal, "oidc:mallory"), 200);
    assert!(watching.close_code().is_some());
    // Who is kept out altogether is, whatever is shared with them.
    assert_eq!(share(&alice, &terminal, "oidc:mallory"), 200);
    machine.rules.send_replace(compile(&format!(
        "{USE}{SHARE}[\"user=mallory\".allow]\nuse = false\n"
    )));
    assert_eq!(mallory.view(&terminal).close_code(), Some(4403));
}

#[test]
fn sixty_four_people_can_be_let_in_and_the_next_one_can_not() {
    let machine = Machine::new("");
    let alice = machine.of("alice");
    let terminal = alice.open(&json!({ "command": ["cat"] }));
    for number in 0..64 {
        assert_eq!(share(&alice, &terminal, &format!("pupil{number}")), 200);
    }
    assert_eq!(share(&alice, &terminal, "pupil64"), 400);
    assert_eq!(share(&alice, &terminal, "pupil0"), 200, "once more");
}

#[test]
fn the_command_line_shares_too_and_the_record_says_with_whom() {
    let machine = Machine::new("");
    let file = machine.server.place.temp.path().join("audit.jsonl");
    machine.rules.send_replace(compile(&format!(
        "{USE}[\"*\".log]\naudit_file = \"{}\"\n",
        file.display()
    )));
    let place = &machine.server.place;
    let bob = machine.of("bob");
    let mut events = bob.socket("/ws/events");
    events.text(&json!({ "token": bob.socket_token() }));
    let terminal = place.ok(&["terminal", "open", "--name", "demo", "--", "cat"]);
    place.ok(&["terminal", "share", "demo", "oidc:bob"]);
    assert_eq!(bob.terminals()[0]["id"], terminal);
    let shown = place.ok(&["terminal", "list", "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["terminals"][0]["shared_with"], json!(["oidc:bob"]));
    // His page hears of it by itself.
    until("the list with it", || match events.next() {
        support::web::Message::Text(text) => text.contains(&terminal),
        _ => false,
    });
    place.ok(&["do", "terminal unshare demo oidc:bob"]);
    until("the list without it", || match events.next() {
        support::web::Message::Text(text) => !text.contains(&terminal),
        _ => false,
    });
    let refused = place.run(&["terminal", "share", "demo", "oidc:bob", "--revoke"]);
    assert_eq!(refused.status.code(), Some(2));
    let lines = || -> Vec<Value> {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        lines.collect()
    };
    until("both are written down", || {
        ["share-terminal", "unshare-terminal"].iter().all(|action| {
            lines().iter().any(|line| {
                line["action"] == *action
                    && line["outcome"] == "done"
                    && line["with"] == "oidc:bob"
                    && line["terminal"] == terminal
            })
        })
    });
}
