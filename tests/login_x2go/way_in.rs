//! A server of ours that asks an X2Go authentication service about names and passwords.

#![allow(
    unreachable_pub,
    clippy::allow_attributes,
    reason = "helpers of tests are no interface of a library"
)]

use std::path::Path;
use std::sync::Arc;

use gatepost::base::Way;
use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use serde_json::json;

use super::support::login::{Account, PASSWORD};
use super::support::server::TestServer;
use super::support::web::{Answer, Browser};

/// A server of ours that asks the service on this socket.
pub fn server(socket: &Path) -> TestServer {
    let text = "[\"*\".allow]\nuse = true\nopen = true\n";
    let layer = parse(Syntax::Toml, text, Path::new("x.toml")).unwrap();
    let rules = Arc::new(Rules::compile(&[layer]).unwrap());
    TestServer::with(|settings| {
        settings.ways.open = vec![Way::Pam];
        settings.ways.settings.pam.socket = socket.with_extension("no-helper");
        settings.ways.settings.pam.x2go = Some(socket.to_owned());
        settings.ways.settings.throttle.failure_milliseconds = 20;
        settings.rules = tokio::sync::watch::channel(rules).1;
    })
}

/// What the page's form does with a name and a password.
pub fn log_in(server: &TestServer, user: &str, password: &str) -> (Browser, Answer) {
    let mut browser = server.stranger();
    let begun = browser.post("/api/login/pam", &json!({ "user": user }));
    assert_eq!(begun.status, 200, "{begun:?}");
    assert_eq!(begun.json()["prompts"][0]["echo"], false);
    browser.take_cookies(&begun);
    let said = json!({ "conversation": begun.json()["conversation"], "answers": [password] });
    let answer = browser.post("/api/login/pam", &said);
    browser.take_cookies(&answer);
    (browser, answer)
}

/// People come in by what the service says, and no further than into the page.
pub fn lets_people_in(server: &TestServer, account: &Account) {
    let (browser, answer) = log_in(server, &account.name, PASSWORD);
    assert_eq!(answer.status, 204, "{answer:?}");
    let who = browser.get("/api/login").json();
    assert_eq!(
        (&who["user"], &who["way"]),
        (&json!(account.name), &json!("pam"))
    );
    assert_eq!(browser.get("/api/terminals").status, 200);
    let opened = browser.post("/api/terminals", &json!({}));
    assert_eq!(opened.status, 403, "no shell: {opened:?}");
    let wrong = log_in(server, &account.name, "wrong").1;
    assert_eq!(wrong.status, 401);
    for (user, password) in [
        ("nobody-here", "x"),
        ("root", "x"),
        ("root", "x\rchfn\n"),
        (&account.name, "x\rx2gobroker\n"),
        (&account.name, ""),
    ] {
        let refused = log_in(server, user, password).1;
        assert_eq!(refused.status, 401, "{user}");
        assert_eq!(refused.body, wrong.body, "{user}");
    }
}
