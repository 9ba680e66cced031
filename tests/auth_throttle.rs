//! Guessing: how often, how long, and what it tells; and PAM over the form, with real accounts.

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
use std::time::{Duration, Instant};

use gatepost::base::Way;
use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use gatepost::role::serve::Settings;
use serde_json::{Value, json};
use support::login::{Account, LoginPlace, PASSWORD, UNIX, is_root};
use support::server::TestServer;
use support::web::{Answer, Browser};

/// What a browser with our form does: every prompt is answered with the next of these.
fn log_in(browser: &mut Browser, user: &str, answers: &[&str]) -> Answer {
    let mut answer = browser.post("/api/login/pam", &json!({ "user": user }));
    let mut left = answers.iter();
    while answer.status == 200 {
        browser.take_cookies(&answer);
        let turn = answer.json();
        let now: Vec<_> = turn["prompts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|_| *left.next().unwrap())
            .collect();
        let said = json!({ "conversation": turn["conversation"], "answers": now });
        answer = browser.post("/api/login/pam", &said);
    }
    browser.take_cookies(&answer);
    answer
}

fn local(change: impl FnOnce(&mut Settings)) -> (TestServer, String) {
    let server = TestServer::with(|settings| {
        settings.ways.open = vec![Way::Local];
        settings.ways.settings.throttle.failure_milliseconds = 20;
        change(settings);
    });
    let said = server.place.ok(&["admin", "password", "--reset"]);
    let password = said
        .lines()
        .find_map(|line| line.strip_prefix("password: "));
    let password = password.unwrap().to_owned();
    (server, password)
}

#[test]
fn pam_bruteforce_lockout_holds_for_the_right_password_too_and_the_owner_lifts_it() {
    let (server, password) = local(|settings| {
        settings.ways.settings.throttle.user_failures = 3;
        settings.ways.settings.throttle.wait = 3600;
        settings.ways.settings.throttle.longest_wait = 3600;
    });
    let mut said = Vec::new();
    for _ in 0..3 {
        said.push(log_in(&mut server.stranger(), "admin", &["wrong"]).body);
    }
    let locked = log_in(&mut server.stranger(), "admin", &[&password]);
    assert_eq!(locked.status, 401);
    assert!(
        said.iter().all(|body| *body == locked.body),
        "nobody is told"
    );
    let list = server.place.ok(&["logins", "locked"]);
    assert!(
        list.contains("admin") && list.contains("3 failures"),
        "{list}"
    );
    let json: Value =
        serde_json::from_str(&server.place.ok(&["logins", "locked", "--json"])).unwrap();
    assert_eq!(json[0]["who"], "admin");
    // Whoever sits at the machine comes in all the same.
    assert_eq!(
        server.browser().get("/api/login").json()["principal"],
        "owner"
    );
    server.place.ok(&["logins", "unlock", "admin"]);
    assert_eq!(
        log_in(&mut server.stranger(), "admin", &[&password]).status,
        204
    );
    assert_eq!(server.place.ok(&["logins", "locked"]), "");
}

#[test]
fn an_address_that_tries_many_names_has_to_wait() {
    let (server, password) = local(|settings| {
        settings.ways.settings.throttle.address_failures = 4;
        settings.ways.settings.throttle.wait = 3600;
        settings.ways.settings.throttle.longest_wait = 3600;
    });
    for number in 0..4 {
        log_in(&mut server.stranger(), &format!("user{number}"), &["wrong"]);
    }
    assert_eq!(
        log_in(&mut server.stranger(), "admin", &[&password]).status,
        401
    );
    server.place.ok(&["logins", "unlock", "127.0.0.1"]);
    assert_eq!(
        log_in(&mut server.stranger(), "admin", &[&password]).status,
        204
    );
}

#[test]
fn pam_user_enum_timing_every_failure_ends_at_the_same_time() {
    let unit = Duration::from_millis(1500);
    let (server, _) = local(|settings| {
        settings.ways.settings.throttle.failure_milliseconds = 1500;
        settings.ways.settings.throttle.user_failures = 1;
    });
    // A wrong password, a name that isn't there, one that can't be, and one that is locked by now.
    for user in ["admin", "nobody-there", "a b", "admin"] {
        let began = Instant::now();
        assert_eq!(log_in(&mut server.stranger(), user, &["wrong"]).status, 401);
        assert!(began.elapsed() >= unit, "{user}: {:?}", began.elapsed());
    }
}

#[test]
fn pam_parallel_limit_refuses_one_conversation_too_many_and_keeps_the_others() {
    let (server, password) = local(|_| ());
    let begin = |browser: &Browser| browser.post("/api/login/pam", &json!({ "user": "admin" }));
    let browsers: Vec<_> = (0..4).map(|_| server.stranger()).collect();
    let begun: Vec<_> = browsers.iter().map(begin).collect();
    assert!(begun.iter().all(|answer| answer.status == 200));
    assert_eq!(begin(&server.stranger()).status, 429);
    let mut first = browsers[0].clone();
    first.take_cookies(&begun[0]);
    let said = json!({ "conversation": begun[0].json()["conversation"], "answers": [password] });
    assert_eq!(first.post("/api/login/pam", &said).status, 204);
    assert_eq!(begin(&server.stranger()).status, 200, "there is room again");
}

#[test]
fn a_form_s_bad_answers_end_the_conversation_as_a_wrong_password_does() {
    let (server, _) = local(|_| ());
    let bad: [Value; 4] = [
        json!([]),
        json!(["a", "b"]),
        json!(["a\0b"]),
        json!(["x".repeat(512)]),
    ];
    for answers in bad {
        let mut browser = server.stranger();
        let begun = browser.post("/api/login/pam", &json!({ "user": "admin" }));
        browser.take_cookies(&begun);
        let said = json!({ "conversation": begun.json()["conversation"], "answers": answers });
        assert_eq!(browser.post("/api/login/pam", &said).status, 401);
        assert_eq!(browser.post("/api/login/pam", &said).status, 401);
    }
}

/// A server whose users log in through a real helper and have the usual rights.
fn with_pam(place: &LoginPlace) -> TestServer {
    let socket = place.socket.clone();
    TestServer::with(move |settings| {
        settings.ways.open = vec![Way::Pam];
        settings.ways.settings.pam.socket = socket;
        settings.ways.settings.throttle.failure_milliseconds = 20;
        settings.ways.settings.throttle.address_failures = 1000;
    })
}

#[test]
fn somebody_with_their_unix_password_is_who_they_are_in_the_browser() {
    if !is_root() {
        return;
    }
    let (place, account) = (LoginPlace::new(UNIX), Account::new());
    let server = with_pam(&place);
    let mut browser = server.stranger();
    assert_eq!(log_in(&mut browser, &account.name, &[PASSWORD]).status, 204);
    let who = browser.get("/api/login").json();
    assert_eq!(
        (&who["user"], &who["way"]),
        (&json!(account.name), &json!("pam"))
    );
    let wrong = log_in(&mut server.stranger(), &account.name, &["wrong"]);
    let nobody = log_in(&mut server.stranger(), "nobody-there", &["wrong"]);
    let root = log_in(&mut server.stranger(), "root", &["wrong"]);
    assert_eq!((wrong.status, nobody.status, root.status), (401, 401, 401));
    assert_eq!(wrong.body, nobody.body, "pam_user_enum_text");
    assert_eq!(wrong.body, root.body);
    assert_eq!(browser.post("/api/logout", &json!({})).status, 204);
    place.wait_no_helpers();
    assert!(!place.log().contains(PASSWORD));
}

#[test]
fn a_page_that_goes_away_in_the_middle_leaves_no_helper_behind() {
    if !is_root() {
        return;
    }
    let (place, account) = (LoginPlace::new(UNIX), Account::new());
    let server = TestServer::with(|settings| {
        settings.ways.open = vec![Way::Pam];
        settings.ways.settings.pam.socket = place.socket.clone();
        settings.ways.settings.pam.abandoned = 0;
    });
    let begun = server
        .stranger()
        .post("/api/login/pam", &json!({ "user": account.name }));
    assert_eq!(begun.status, 200);
    // Whoever comes next clears it away; by itself it takes a minute.
    let next = server
        .stranger()
        .post("/api/login/pam", &json!({ "user": "x" }));
    drop(next);
    support::keeper::until("only the newest helper is left", || {
        place.helpers().len() <= 1
    });
}

/// Everybody who logs in may open terminals.
const USE: &str = "[\"*\".allow]\nuse = true\nopen = true\n";

#[test]
fn a_namesake_from_another_way_gets_neither_shell_nor_terminals_of_the_account() {
    if !is_root() {
        return;
    }
    let (place, account) = (LoginPlace::new(UNIX), Account::new());
    let layer = parse(Syntax::Toml, USE, Path::new("x.toml")).unwrap();
    let rules = Arc::new(Rules::compile(&[layer]).unwrap());
    let server = TestServer::with(|settings| {
        settings.ways.open = vec![Way::Pam, Way::Token];
        settings.ways.settings.pam.socket = place.socket.clone();
        settings.rules = tokio::sync::watch::channel(rules).1;
    });
    let mut alice = server.stranger();
    assert_eq!(log_in(&mut alice, &account.name, &[PASSWORD]).status, 204);
    let namesake = || {
        let mut browser = server.stranger();
        let minted = server.place.ok(&["token", "new", "--user", &account.name]);
        let answer = browser.post("/api/login/token", &json!({ "token": minted }));
        assert_eq!(answer.status, 204, "{answer:?}");
        browser.take_cookies(&answer);
        browser
    };
    let eve = namesake();
    let opened = eve.post("/api/terminals", &json!({}));
    assert_eq!(opened.status, 403, "{opened:?}");
    assert!(eve.terminals().is_empty());
}
