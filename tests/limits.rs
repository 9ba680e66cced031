//! How much of what is allowed, by scope: idle terminals and browsers logged in.

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
use serde_json::json;
use support::keeper::until;
use support::server::TestServer;
use support::web::Browser;
use tokio::sync::watch;

const USE: &str = "[\"*\".allow]\nuse = true\nopen = true\nany_command = true\n";

fn compile(text: &str) -> Arc<Rules> {
    let layer = parse(Syntax::Toml, &format!("{USE}{text}"), Path::new("x.toml")).unwrap();
    Arc::new(Rules::compile(&[layer]).unwrap())
}

fn server(text: &str) -> (TestServer, watch::Sender<Arc<Rules>>) {
    let (sender, receiver) = watch::channel(compile(text));
    let server = TestServer::with(|settings| settings.rules = receiver);
    (server, sender)
}

fn user(name: &str, way: Way) -> User {
    User::new(name.parse().unwrap(), way)
}

fn is_in(browser: &Browser) -> bool {
    match browser.get("/api/login").status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

#[test]
fn an_idle_terminal_is_closed_by_the_scope_of_whoever_opened_it() {
    let (server, _rules) = server("[\"*\".limits]\nidle = 1\n[\"user=alice\".limits]\nidle = 0\n");
    let alice = server.browser_of(user("alice", Way::Oidc));
    let bob = server.browser_of(user("bob", Way::Oidc));
    let hers = alice.open(&json!({ "command": ["cat"] }));
    let his = bob.open(&json!({ "command": ["cat"] }));
    let mut watching = bob.view(&his);
    assert_eq!(watching.close_code(), Some(4404));
    until("it is gone", || bob.terminals().is_empty());
    assert!(is_in(&bob), "a login is something else");
    assert_eq!(alice.terminals()[0]["id"], hers);
}

#[test]
fn a_login_too_many_ends_the_one_of_the_same_person_that_was_unused_for_longest() {
    let (server, rules) = server("[\"*\".limits]\nlogins = 2\n");
    let log_in = |name: &str, way| server.browser_of(user(name, way));
    let first = log_in("alice", Way::Oidc);
    let namesake = log_in("alice", Way::Cas);
    let bob = log_in("bob", Way::Oidc);
    let terminal = first.open(&json!({ "command": ["cat"] }));
    let mut watching = first.view(&terminal);
    let second = log_in("alice", Way::Oidc);
    assert!(is_in(&first) && is_in(&second));
    // Seconds decide who was used last; among the same second, who came first.
    let third = log_in("alice", Way::Oidc);
    assert_eq!(
        [&first, &second, &third].map(is_in),
        [false, true, true],
        "the first has gone"
    );
    assert_eq!(watching.close_code(), Some(4401), "with what it had opened");
    assert!(is_in(&namesake) && is_in(&bob), "others' are left alone");
    assert_eq!(second.terminals()[0]["id"], terminal, "the shell goes on");
    // The owner, who can't be locked out.
    let owners = [server.browser(), server.browser(), server.browser()];
    assert!(owners.iter().all(is_in));
    // A changed limit counts at the next login.
    rules.send_replace(compile("[\"*\".limits]\nlogins = 1\n"));
    assert!(is_in(&second) && is_in(&third));
    let fourth = log_in("alice", Way::Oidc);
    assert_eq!([&second, &third, &fourth].map(is_in), [false, false, true]);
    rules.send_replace(compile("[\"user=bob\".limits]\nlogins = 1\n"));
    let fifth = log_in("alice", Way::Oidc);
    assert!(is_in(&fourth) && is_in(&fifth), "no limit for her any more");
    let _again = log_in("bob", Way::Oidc);
    assert!(!is_in(&bob));
}

#[test]
fn logging_in_again_in_the_same_browser_costs_no_other_browser_its_login() {
    let (server, _rules) = server("[\"*\".limits]\nlogins = 2\n");
    let other = server.browser_of(user("alice", Way::Oidc));
    let mut here = server.browser_of(user("alice", Way::Oidc));
    for _ in 0..3 {
        let url = server.url_of(user("alice", Way::Oidc));
        here.log_in(&url);
        assert!(is_in(&here) && is_in(&other));
    }
}
