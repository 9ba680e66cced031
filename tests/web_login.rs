//! Logging in, staying logged in, and one-time tokens.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::time::Duration;

use gatepost::base::Way;
use serde_json::json;
use support::keeper::until;
use support::server::TestServer;
use support::web::{Answer, Browser, Message};

#[test]
fn a_token_from_the_command_becomes_a_login_once() {
    let server = TestServer::start();
    let token = server.token();
    let browser = server.stranger();
    let answer = browser.post("/api/login", &json!({ "token": token }));
    assert_eq!(answer.status, 204);
    let cookie = answer.header("set-cookie").unwrap();
    let port = server.address.port();
    assert!(
        cookie.starts_with(&format!("gatepost_login_{port}=")),
        "{cookie}"
    );
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let again = browser.post("/api/login", &json!({ "token": token }));
    assert_eq!(again.status, 401, "token_reuse");
    let wrong = browser.post("/api/login", &json!({ "token": "0".repeat(64) }));
    let nonsense = browser.post(
        "/api/login",
        &json!({ "token": "../../etc/passwd\r\nDEL *" }),
    );
    assert_eq!(
        (wrong.status, nonsense.status),
        (401, 401),
        "token_key_injection"
    );
    assert_eq!(again.body, wrong.body, "the same words whatever is wrong");
    assert_eq!(again.body, nonsense.body);
}

#[test]
fn the_principal_is_whom_the_address_was_made_for() {
    let server = TestServer::start();
    let url = server.place.ok(&["url", "--kiosk"]);
    assert!(url.ends_with("&kiosk=1"), "{url}");
    let mut kiosk = server.stranger();
    kiosk.log_in(&url);
    assert_eq!(
        kiosk.get("/api/login").json(),
        json!({ "principal": "kiosk" })
    );
    let owner = server.browser();
    assert_eq!(
        owner.get("/api/login").json(),
        json!({ "principal": "owner" })
    );
    assert_eq!(server.stranger().get("/api/login").status, 401);
}

#[test]
fn token_expired_is_refused() {
    let server = TestServer::with(|settings| settings.auth.token_life = Duration::ZERO);
    let answer = server
        .stranger()
        .post("/api/login", &json!({ "token": server.token() }));
    assert_eq!(answer.status, 401);
}

#[test]
fn token_race_100_opens_one_websocket() {
    let server = TestServer::start();
    let browser = server.browser();
    let token = browser.socket_token();
    let welcome = |browser: &Browser| {
        let mut socket = browser.socket("/ws/events");
        socket.text(&json!({ "token": token }));
        matches!(socket.next(), Message::Text(_))
    };
    let winners = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..100)
            .map(|_| scope.spawn(|| welcome(&browser)))
            .collect();
        racers
            .into_iter()
            .map(|racer| racer.join().unwrap())
            .filter(|won| *won)
            .count()
    });
    assert_eq!(winners, 1);
}

#[test]
fn a_token_of_another_login_is_refused() {
    let server = TestServer::start();
    let (one, two) = (server.browser(), server.browser());
    let token = one.socket_token();
    let mut socket = two.socket("/ws/events");
    socket.text(&json!({ "token": token }));
    assert_eq!(socket.close_code(), Some(4401));
}

#[test]
fn session_fixation_is_impossible_and_cookies_are_whole_or_nothing() {
    let server = TestServer::start();
    let chosen = "ab".repeat(32);
    let name = format!("gatepost_login_{}", server.address.port());
    let mut browser = server.stranger();
    browser.cookie = Some(format!("{name}={chosen}"));
    let answer = browser.post("/api/login", &json!({ "token": server.token() }));
    let given = answer.header("set-cookie").unwrap().to_owned();
    assert!(!given.contains(&chosen), "a new secret");
    assert_eq!(
        browser.get("/api/login").status,
        401,
        "the chosen one is worth nothing"
    );
    let given = given.split(';').next().unwrap();
    for (case, cookie) in [
        (
            "cookie_tamper",
            given.replace(|c: char| c == given.chars().last().unwrap(), "x"),
        ),
        ("cookie_truncate", given[..given.len() - 1].to_owned()),
        ("cookie_8k", format!("{given}{}", "a".repeat(8000))),
        (
            "cookie_other_name",
            given.replace("gatepost_login", "gatepost_logout"),
        ),
    ] {
        browser.cookie = Some(cookie);
        assert_eq!(browser.get("/api/terminals").status, 401, "{case}");
    }
    browser.cookie = Some(given.to_owned());
    assert_eq!(browser.get("/api/terminals").status, 200);
}

#[test]
fn session_after_logout_is_over_and_its_websockets_are_closed() {
    let server = TestServer::start();
    let browser = server.browser();
    let terminal = browser.open(&json!({ "command": ["cat"] }));
    let mut viewer = browser.view(&terminal);
    viewer.type_in("still here\r");
    viewer.wait_text("still here");
    let mut events = browser.socket("/ws/events");
    events.text(&json!({ "token": browser.socket_token() }));
    assert!(matches!(events.next(), Message::Text(_)));
    let other = server.browser();
    let answer = browser.post("/api/logout", &json!({}));
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(viewer.close_code(), Some(4401));
    assert_eq!(events.close_code(), Some(4401));
    assert_eq!(browser.get("/api/terminals").status, 401);
    assert_eq!(
        other.terminals().len(),
        1,
        "other logins and the terminal go on"
    );
}

/// A server with a local administrator, and their password.
fn with_admin() -> (TestServer, String) {
    let server = TestServer::with(|settings| {
        settings.ways.open = vec![Way::Local];
        settings.ways.settings.throttle.failure_milliseconds = 20;
    });
    let mut kiosk = server.stranger();
    kiosk.log_in(&server.place.ok(&["url", "--kiosk"]));
    let fresh = kiosk.get("/api/fresh-password").json();
    assert_eq!(fresh["user"], "admin");
    let password = fresh["password"].as_str().unwrap().to_owned();
    (server, password)
}

/// What a browser with our form does.
fn log_in(browser: &mut Browser, user: &str, password: &str) -> Answer {
    let begun = browser.post("/api/login/pam", &json!({ "user": user }));
    if begun.status != 200 {
        return begun;
    }
    browser.take_cookies(&begun);
    let begun = begun.json();
    assert_eq!(
        begun["prompts"],
        json!([{ "text": "Password: ", "echo": false }])
    );
    let said = json!({ "conversation": begun["conversation"], "answers": [password] });
    let answer = browser.post("/api/login/pam", &said);
    browser.take_cookies(&answer);
    answer
}

#[test]
fn the_administrator_logs_in_with_the_password_from_the_kiosks_screen() {
    let (server, password) = with_admin();
    let ways = server.stranger().get("/api/ways").json();
    assert_eq!(ways, json!({ "ways": [{ "way": "local", "link": null }] }));
    let mut admin = server.stranger();
    assert_eq!(log_in(&mut admin, "admin", &password).status, 204);
    assert_eq!(
        admin.get("/api/login").json(),
        json!({ "principal": "user", "user": "admin", "way": "local" })
    );
    let terminal = admin.open(&json!({ "command": ["cat"] }));
    let mut viewer = admin.view(&terminal);
    viewer.type_in("from afar\r");
    viewer.wait_text("from afar");
    let mut kiosk = server.stranger();
    kiosk.log_in(&server.place.ok(&["url", "--kiosk"]));
    assert_eq!(
        kiosk.get("/api/fresh-password").status,
        404,
        "shown no more"
    );
    assert_eq!(admin.get("/api/fresh-password").status, 404);
}

#[test]
fn pam_user_enum_text_is_the_same_whatever_is_wrong() {
    let (server, password) = with_admin();
    let tries = [
        ("admin", "wrong"),
        ("admin", ""),
        ("root", password.as_str()),
        ("nobody-there", "wrong"),
        ("a/b", "wrong"),
        ("-oProxyCommand=x", "wrong"),
        ("", "wrong"),
    ];
    let answers: Vec<_> = tries
        .iter()
        .map(|(user, password)| log_in(&mut server.stranger(), user, password))
        .collect();
    for (answer, (user, _)) in answers.iter().zip(tries) {
        assert_eq!(answer.status, 401, "{user}");
        assert_eq!(answer.body, answers[0].body, "{user}");
    }
}

#[test]
fn one_sees_one_s_own_logins_and_ends_them_with_their_sockets() {
    let (server, password) = with_admin();
    let (mut here, mut there) = (server.stranger(), server.stranger());
    assert_eq!(log_in(&mut here, "admin", &password).status, 204);
    assert_eq!(log_in(&mut there, "admin", &password).status, 204);
    let owner = server.browser();
    let list = here.get("/api/logins").json()["logins"].clone();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 2, "not the owner's: {list:?}");
    assert!(list.iter().all(|login| login["address"] == "127.0.0.1"));
    let other = list.iter().find(|login| login["current"] == false).unwrap();
    let id = other["id"].as_str().unwrap();
    let cookies = here.cookie.clone().unwrap() + &there.cookie.clone().unwrap();
    assert!(!cookies.contains(id), "an id is no secret");
    let owners = owner.get("/api/logins").json()["logins"][0]["id"].clone();
    let owners = format!("/api/logins/{}", owners.as_str().unwrap());
    assert_eq!(
        here.send("DELETE", &owners, &json!({})).status,
        404,
        "not one's own"
    );
    let mut events = there.socket("/ws/events");
    events.text(&json!({ "token": there.socket_token() }));
    assert!(matches!(events.next(), Message::Text(_)));
    let path = format!("/api/logins/{id}");
    assert_eq!(here.send("DELETE", &path, &json!({})).status, 204);
    assert_eq!(events.close_code(), Some(4401));
    assert_eq!(there.get("/api/login").status, 401);
    assert_eq!(here.get("/api/login").status, 200);
    assert_eq!(owner.get("/api/login").status, 200);
    assert!(
        server
            .place
            .ok(&["logins", "list"])
            .contains("admin (local)")
    );
    server.place.ok(&["logins", "revoke", "--user", "admin"]);
    assert_eq!(here.get("/api/login").status, 401);
}

#[test]
fn session_fixation_a_login_ends_the_one_the_browser_had() {
    let (server, password) = with_admin();
    let mut browser = server.browser();
    let before = browser.clone();
    assert_eq!(log_in(&mut browser, "admin", &password).status, 204);
    assert_ne!(before.cookie, browser.cookie, "a new secret");
    assert_eq!(
        before.get("/api/login").status,
        401,
        "and the old one is over"
    );
}

#[test]
fn login_csrf_a_foreign_page_can_neither_begin_nor_finish_a_login() {
    let (server, password) = with_admin();
    let address = server.address;
    for origin in ["Origin: http://evil.example\r\n", "Origin: null\r\n", ""] {
        let body = json!({ "user": "admin" }).to_string();
        let request = format!(
            "POST /api/login/pam HTTP/1.1\r\nHost: {address}\r\n{origin}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        assert_eq!(
            server.stranger().raw(request.as_bytes()).unwrap().status,
            403
        );
    }
    // A conversation somebody else began is worth nothing in this browser.
    let mut attacker = server.stranger();
    let begun = attacker.post("/api/login/pam", &json!({ "user": "admin" }));
    attacker.take_cookies(&begun);
    let said = json!({ "conversation": begun.json()["conversation"], "answers": [password] });
    assert_eq!(server.stranger().post("/api/login/pam", &said).status, 401);
    assert_eq!(attacker.post("/api/login/pam", &said).status, 204);
}

#[test]
fn xss_username_is_said_back_by_nobody() {
    let (server, _) = with_admin();
    let name = "<img/src=x>";
    let answer = log_in(&mut server.stranger(), name, "x");
    assert_eq!(answer.status, 401);
    let name = "<script>alert(1)<script>";
    let answer = log_in(&mut server.stranger(), name, "x");
    assert_eq!(answer.status, 401);
    assert!(!String::from_utf8_lossy(&answer.body).contains("script"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn open_redirect_next_leads_nowhere() {
    let (server, password) = with_admin();
    let mut browser = server.stranger();
    let begun = browser.post(
        "/api/login/pam?next=//evil.example",
        &json!({ "user": "admin" }),
    );
    browser.take_cookies(&begun);
    let said = json!({ "conversation": begun.json()["conversation"], "answers": [password] });
    let answer = browser.post("/api/login/pam?next=https://evil.example", &said);
    assert_eq!((answer.status, answer.header("location")), (204, None));
}

#[test]
fn the_administrator_s_password_is_reset_on_the_machine_and_the_old_one_is_worthless() {
    let (server, password) = with_admin();
    let said = server.place.ok(&["admin", "password", "--reset"]);
    let fresh = said
        .lines()
        .find_map(|line| line.strip_prefix("password: "))
        .unwrap();
    assert_eq!(
        log_in(&mut server.stranger(), "admin", &password).status,
        401
    );
    assert_eq!(log_in(&mut server.stranger(), "admin", fresh).status, 204);
}

#[test]
fn none_lets_in_whoever_is_on_this_machine_and_nobody_where_it_is_not_open() {
    let server = TestServer::with(|settings| settings.ways.open = vec![Way::None]);
    let mut browser = server.stranger();
    let answer = browser.post("/api/login/none", &json!({}));
    assert_eq!(answer.status, 204);
    browser.take_cookies(&answer);
    assert_eq!(browser.get("/api/login").json()["way"], "none");
    let closed = TestServer::start();
    for way in ["none", "pam", "api", "token"] {
        let path = format!("/api/login/{way}");
        let said = match way {
            "pam" => json!({ "user": "x" }),
            "token" => json!({ "token": "x" }),
            _ => json!({}),
        };
        assert_eq!(closed.stranger().post(&path, &said).status, 404, "{way}");
    }
}

#[test]
fn session_idle_timeout_and_absolute_timeout_end_a_login() {
    for absolute in [false, true] {
        let server = TestServer::with(|settings| {
            let limit = if absolute {
                &mut settings.auth.login_absolute
            } else {
                &mut settings.auth.login_idle
            };
            *limit = Duration::ZERO;
        });
        let browser = server.browser();
        until("the login is over", || {
            browser.get("/api/login").status == 401
        });
    }
}

#[test]
fn token_in_url_log_never_happens() {
    let server = TestServer::start();
    let place = &server.place;
    let second = support::server::Place::new();
    let log = place.temp.path().join("log");
    let mut command = second.gatepost(&["serve", "--listen", "127.0.0.1:0"]);
    command
        .env("GATEPOST_LOG", "trace")
        .stderr(std::fs::File::create(&log).unwrap());
    let process = support::server::ServerProcess::run_logged(command);
    let mut browser = Browser::new(process.address);
    let url = second.ok(&["url"]);
    let token = url.split_once("#token=").unwrap().1;
    browser.log_in(&url);
    let terminal = browser.open(&json!({ "command": ["cat"] }));
    let mut viewer = browser.view(&terminal);
    viewer.type_in("my secret password\r");
    viewer.wait_text("my secret password");
    let secret = browser.cookie.clone().unwrap();
    let secret = secret.split_once('=').unwrap().1;
    assert_eq!(process.stop(), Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("audit"), "{log}");
    for hidden in [token, secret, "secret password"] {
        assert!(!log.contains(hidden), "{hidden} is in the log");
    }
}
