//! What people who logged in may see and do: their own terminals, and others' only where a scope
//! grants it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use gatepost::action::Action;
use gatepost::base::{User, Way};
use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use serde_json::{Value, json};
use support::server::TestServer;
use support::web::{Browser, Message, Socket, read_answer};
use tokio::sync::watch;

fn compile(text: &str) -> Arc<Rules> {
    let layer = parse(Syntax::Toml, text, Path::new("x.toml")).unwrap();
    Arc::new(Rules::compile(&[layer]).unwrap())
}

/// A server with these rules, and the way to change them.
fn server(text: &str) -> (TestServer, watch::Sender<Arc<Rules>>) {
    let (sender, receiver) = watch::channel(compile(text));
    let server = TestServer::with(|settings| settings.rules = receiver);
    (server, sender)
}

fn user(name: &str) -> User {
    User::new(name.parse().unwrap(), Way::Oidc)
}

const USE: &str = "[\"*\".allow]\nuse = true\nopen = true\nany_command = true\n";

fn act(browser: &Browser, action: &Value) -> (u16, Value) {
    let answer = browser.post("/api/actions", action);
    (answer.status, answer.json())
}

/// One of each action there is, from the file that holds their form still; which there are, serde says.
fn every_action() -> Vec<Value> {
    let unknown = serde_json::from_value::<Action>(json!({ "action": "?" }));
    let known = unknown.unwrap_err().to_string();
    let known: BTreeSet<_> = known
        .split('`')
        .skip(3)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/actions.json");
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let asks = golden["actions"].as_array().unwrap().iter();
    let asks: Vec<Value> = asks.map(|action| action["json"].clone()).collect();
    let found = asks
        .iter()
        .map(|ask| ask["action"].as_str().unwrap().to_owned());
    assert_eq!(found.collect::<BTreeSet<_>>(), known);
    asks
}

#[test]
fn without_a_scope_that_grants_it_a_user_may_do_nothing_and_is_told_so_in_words() {
    let (server, _rules) = server("");
    let alice = server.browser_of(user("alice"));
    let asks = every_action();
    for ask in asks {
        let (status, answer) = act(&alice, &ask);
        assert_eq!(status, 403, "{ask}");
        let words = answer.to_string();
        assert!(words.contains("you may not"), "{words}");
    }
}

#[test]
fn reattach_other_user() {
    let (server, _rules) = server(USE);
    let alice = server.browser_of(user("alice"));
    let eve = server.browser_of(user("eve"));
    let owner = server.browser();
    let hers = alice.open(&json!({ "command": ["cat"] }));
    let owners = owner.open(&json!({ "command": ["cat"] }));
    let listed = |browser: &Browser| {
        let ids = browser.terminals();
        ids.iter()
            .map(|info| info["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(&alice), std::slice::from_ref(&hers));
    assert!(listed(&eve).is_empty());
    let all = listed(&owner);
    assert!(all.len() == 2 && all.contains(&hers) && all.contains(&owners));
    for terminal in [&hers, &owners] {
        let asks = [
            eve.send("DELETE", &format!("/api/terminals/{terminal}"), &json!({})),
            eve.send(
                "PATCH",
                &format!("/api/terminals/{terminal}"),
                &json!({ "name": "x" }),
            ),
            eve.post(&format!("/api/terminals/{terminal}/reset"), &json!({})),
            eve.get(&format!("/api/terminals/{terminal}/text")),
        ];
        for answer in asks {
            assert!(matches!(answer.status, 403 | 404), "{}", answer.status);
        }
        let send = json!({ "action": "send-text", "terminal": terminal, "text": "x" });
        assert!(matches!(act(&eve, &send).0, 403 | 404));
        assert_eq!(eve.view(terminal).close_code(), Some(4403));
    }
    assert_eq!(
        act(&eve, &json!({ "action": "close-all-terminals" })).0,
        200
    );
    assert_eq!(listed(&owner).len(), 2, "others' terminals are left alone");
    // From another browser, the same person has the same terminals.
    let again = server.browser_of(user("alice"));
    let mut viewer = again.view(&hers);
    viewer.type_in("still here\r");
    viewer.wait_text("still here");
}

#[test]
fn who_may_watch_cannot_type_and_who_may_type_can() {
    let (server, rules) = server(&format!("{USE}[\"user=eve\".allow]\nwatch = true\n"));
    let alice = server.browser_of(user("alice"));
    let eve = server.browser_of(user("eve"));
    let hers = alice.open(&json!({ "command": ["cat"] }));
    let mut own = alice.view(&hers);
    let mut watcher = eve.view(&hers);
    own.type_in("from alice\r");
    watcher.wait_text("from alice");
    watcher.type_in("from eve\r");
    own.type_in("and again\r");
    own.wait_text("and again");
    let text = alice.get(&format!("/api/terminals/{hers}/text")).body;
    assert!(!String::from_utf8_lossy(&text).contains("from eve"));
    let send = json!({ "action": "send-text", "terminal": hers, "text": "from eve\r" });
    assert_eq!(act(&eve, &send).0, 403);
    rules.send_replace(compile(&format!(
        "{USE}[\"user=eve\".allow]\nwatch = true\ntype = true\n"
    )));
    assert_eq!(
        act(&eve, &send).0,
        200,
        "the changed setting counts at once"
    );
    own.wait_text("from eve");
}

#[test]
fn what_is_taken_away_is_taken_from_open_pages_too() {
    let (server, rules) = server(&format!("{USE}[\"user=eve\".allow]\nwatch = true\n"));
    let alice = server.browser_of(user("alice"));
    let eve = server.browser_of(user("eve"));
    let hers = alice.open(&json!({ "command": ["cat"] }));
    let mut watching = eve.view(&hers);
    let mut own = alice.view(&hers);
    own.type_in("before\r");
    watching.wait_text("before");
    rules.send_replace(compile(USE));
    assert_eq!(watching.close_code(), Some(1008));
    own.type_in("after\r");
    own.wait_text("after");
    assert_eq!(eve.view(&hers).close_code(), Some(4403));
}

#[test]
fn a_login_whose_user_is_blacklisted_loses_its_sockets_and_gets_403_for_everything() {
    let (server, rules) = server(USE);
    let alice = server.browser_of(user("alice"));
    let eve = server.browser_of(user("eve"));
    let hers = eve.open(&json!({ "command": ["cat"] }));
    let mut viewer = eve.view(&hers);
    viewer.type_in("x\r");
    viewer.wait_text("x");
    let mut events = eve.socket("/ws/events");
    events.text(&json!({ "token": eve.socket_token() }));
    assert!(matches!(events.next(), Message::Text(_)));
    rules.send_replace(compile(&format!(
        "{USE}[\"user=eve\".allow]\nblacklist = true\n"
    )));
    assert_eq!(viewer.close_code(), Some(1008));
    assert_eq!(events.close_code(), Some(1008));
    for path in ["/api/terminals", "/api/login", "/api/logins"] {
        assert_eq!(eve.get(path).status, 403, "{path}");
    }
    assert_eq!(eve.post("/api/token", &json!({})).status, 403);
    let upgrade = eve.upgrade("/ws/events");
    assert_eq!(
        eve.raw(upgrade.as_bytes()).unwrap().status,
        403,
        "before 101"
    );
    assert_eq!(alice.get("/api/terminals").status, 200);
    assert_eq!(server.browser().terminals().len(), 1, "terminals go on");
}

#[test]
fn a_blacklisted_address_is_kept_out_before_anything_and_the_machine_itself_never() {
    let (sender, receiver) = watch::channel(compile(
        "[\"user.ip_address=198[.]51[.]100[.].*|127.*\".allow]\nblacklist = true\n",
    ));
    let server = TestServer::with(|settings| {
        settings.rules = receiver;
        settings.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    });
    let browser = server.stranger();
    let from = |address: &str, path: &str| {
        let head = browser.head("GET", path);
        let request = format!("{head}X-Forwarded-For: {address}\r\n\r\n");
        browser.raw(request.as_bytes()).unwrap().status
    };
    for path in ["/", "/api/ways", "/health", "/login/oidc/x"] {
        assert_eq!(from("198.51.100.7", path), 403, "{path}");
    }
    assert_eq!(from("198.51.101.7", "/"), 200, "a neighbour");
    assert_eq!(from("203.0.113.198", "/"), 200);
    assert_eq!(browser.get("/").status, 200, "the machine itself");
    // Whoever has come in before goes: a login made here, used from there.
    let owner = server.browser();
    let there = owner.upgrade("/ws/events").replacen(
        "Origin:",
        "X-Forwarded-For: 198.51.101.7\r\nOrigin:",
        1,
    );
    let mut stream = owner.connect();
    stream.write_all(there.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().status, 101);
    let mut events = Socket::from_stream(stream);
    events.text(&json!({ "token": owner.socket_token() }));
    assert!(matches!(events.next(), Message::Text(_)));
    sender.send_replace(compile(
        "[\"user.ip_address=198[.]51[.]101[.]7\".allow]\nblacklist = true\n",
    ));
    assert_eq!(events.close_code(), Some(1008));
    sender.send_replace(compile(""));
    assert_eq!(from("198.51.100.7", "/"), 200, "at once");
}

#[test]
fn a_users_terminals_have_a_limit_and_attaching_does_not_count() {
    let (server, _rules) = server(&format!("{USE}[\"*\".limits]\nterminals = 2\n"));
    let alice = server.browser_of(user("alice"));
    let first = alice.open(&json!({ "command": ["cat"] }));
    alice.open(&json!({ "command": ["cat"] }));
    let third = alice.post("/api/terminals", &json!({ "command": ["cat"] }));
    assert_eq!(third.status, 429);
    assert!(third.json().to_string().contains("2 terminals open"));
    alice.view(&first).wait_text("");
    let eve = server.browser_of(user("eve"));
    eve.open(&json!({ "command": ["cat"] }));
    server.browser().open(&json!({ "command": ["cat"] }));
}

#[test]
fn nobody_opens_more_terminals_than_the_machine_may_have() {
    let (server, _rules) = server(&format!("{USE}[\"*\".limits]\nmachine_terminals = 1\n"));
    server.browser().open(&json!({ "command": ["cat"] }));
    for browser in [server.browser(), server.browser_of(user("alice"))] {
        assert_eq!(
            browser
                .post("/api/terminals", &json!({ "command": ["cat"] }))
                .status,
            429
        );
    }
}

#[test]
fn a_free_command_line_takes_a_right_of_its_own() {
    let (server, _rules) = server("[\"*\".allow]\nuse = true\nopen = true\n");
    let alice = server.browser_of(user("alice"));
    let answer = alice.post(
        "/api/terminals",
        &json!({ "command": ["cat", "/etc/passwd"] }),
    );
    assert_eq!(answer.status, 403);
    assert!(answer.json().to_string().contains("any_command"));
    alice.open(&json!({}));
}

const OFFERS: &str = "[\"*\".allow]\nuse = true\nopen = true\n[\"*\".terminal]\nshell = false\n[\"*\".terminal.environment]\nWHO = \"all\"\n[\"*\".terminal.commands.greet]\ncommand = [\"sh\", \"-c\", \"echo $WHO; echo \\\"$1\\\"; exec cat\", \"sh\", \"hello {user}\"]\ndescription = \"Says hello\"\nicon = \"wave\"\nenvironment = { WHO = \"greeter\" }\n";

#[test]
fn commands_are_offered_by_name_and_their_command_line_stays_on_the_server() {
    let (server, _rules) = server(OFFERS);
    let alice = server.browser_of(user("a;$(id)"));
    let offered = alice.get("/api/commands");
    let words = offered.json().to_string();
    assert!(words.contains("Says hello") && words.contains("wave"));
    assert!(!words.contains("exec"), "{words}");
    let terminal = alice.open(&json!({ "program": "greet" }));
    let mut viewer = alice.view(&terminal);
    viewer.wait_text("greeter");
    viewer.wait_text("hello a;$(id)");
    let listed = alice.get("/api/terminals").json().to_string();
    assert!(!listed.contains("exec cat"), "{listed}");
    assert!(listed.contains("greet"), "{listed}");
    let nothing = alice.post("/api/terminals", &json!({}));
    assert_eq!(nothing.status, 403, "no login shell is offered");
    let unknown = alice.post("/api/terminals", &json!({ "program": "rm" }));
    assert_eq!(unknown.status, 403);
    let both = alice.post(
        "/api/terminals",
        &json!({ "program": "greet", "command": ["id"] }),
    );
    assert_eq!(both.status, 403);
    let stranger = server.stranger().get("/api/commands");
    assert_eq!(stranger.status, 401);
}

#[test]
fn a_users_terminal_is_opened_no_larger_than_the_limit() {
    let (server, _rules) = server(&format!("{USE}[\"*\".limits]\ncolumns = 100\nrows = 30\n"));
    let alice = server.browser_of(user("alice"));
    alice.open(&json!({ "command": ["cat"], "size": { "cols": 400, "rows": 200 } }));
    let size = &alice.terminals()[0]["size"];
    assert_eq!(
        (size["cols"].as_u64(), size["rows"].as_u64()),
        (Some(100), Some(30))
    );
}

#[test]
fn when_people_begin_to_log_in_at_the_kiosk_its_own_login_is_good_for_the_screen_only() {
    let (server, rules) = server(USE);
    let mut kiosk = server.stranger();
    kiosk.log_in(&server.place.ok(&["url", "--kiosk"]));
    let terminal = kiosk.open(&json!({ "command": ["cat"] }));
    let mut watching = kiosk.view(&terminal);
    assert!(matches!(watching.next(), Message::Binary(_)));
    rules
        .send(compile(&format!("{USE}\n[\"*\".kiosk]\nlogin = true\n")))
        .unwrap();
    assert!(watching.close_code().is_some());
    assert_eq!(kiosk.get("/api/terminals").status, 401);
    // The window asks for another address.
    let url = server.place.ok(&["url", "--kiosk"]);
    assert!(url.ends_with("&kiosk=1&login=1"), "{url}");
    let before = kiosk.clone();
    kiosk.log_in(&url);
    assert_ne!(before.cookie, kiosk.cookie);
    for path in ["/api/terminals", "/api/me", "/api/login"] {
        assert_eq!(kiosk.get(path).status, 401, "{path}");
    }
    assert_eq!(kiosk.post("/api/kiosk/token", &json!({})).status, 200);
    // Whoever is logged in elsewhere is no screen.
    let owner = server.browser();
    assert_eq!(owner.post("/api/kiosk/token", &json!({})).status, 401);
    assert_eq!(owner.get("/api/terminals").status, 200);
}
