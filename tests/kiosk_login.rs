//! People log in at the kiosk's real window, on a real screen, with real accounts: what is shown, what is
//! typed where, and that nothing of them is left.
#![cfg(feature = "kiosk")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "kiosk_window/mod.rs"]
mod kiosk;
#[path = "support/mod.rs"]
mod support;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use gatepost::base::Way;
use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use kiosk::screen::Screen;
use kiosk::{Running, hit_renderer, renderer_of, until};
use rustix::process::Signal;
use support::login::{Account, LoginPlace, PASSWORD, UNIX, is_root};
use support::server::TestServer;

/// The colour of the button below the form.
const BUTTON: [u8; 3] = [0xe3, 0xa8, 0x57];
/// Pixels of it that are a button, and not a name on the line at the edge.
const MOST_OF_IT: usize = 4000;
const LINE: usize = 30;

fn rules() -> Arc<Rules> {
    let text = r#"
["*".allow]
use = true
open = true

["kiosk".kiosk]
login = true
"#;
    let layer = parse(Syntax::Toml, text, Path::new("x.toml")).unwrap();
    Arc::new(Rules::compile(&[layer]).unwrap())
}

/// The terminals there are, as whoever started the server sees them.
fn terminals(server: &TestServer) -> Vec<serde_json::Value> {
    let list = server.place.ok(&["terminal", "list", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    list["terminals"].as_array().unwrap().clone()
}

fn shows(server: &TestServer, text: &str) -> bool {
    server
        .place
        .ok(&["terminal", "show", "kiosk"])
        .contains(text)
}

/// Whether the form is there for somebody.
fn asks(screen: &Screen) -> bool {
    screen.count(BUTTON) > MOST_OF_IT
}

/// Types a line into their terminal until it shows this: the page may not have the keys yet, and what is typed before
/// goes nowhere.
fn run(screen: &Screen, server: &TestServer, line: &str, text: &str) {
    until(text, || {
        screen.type_line(line);
        // Another process's lines bring no event; each look asks the server.
        (0..10).any(|_| shows(server, text))
    });
}

fn write(screen: &Screen, account: &Account, password: &str) {
    until("the form", || asks(screen));
    screen.script(&format!(
        "type --delay 40 {}\nkey Tab\ntype --delay 40 {password}\nkey Return\n",
        account.name
    ));
}

#[test]
fn whoever_logs_in_at_the_window_has_their_own_shell_and_leaves_nothing() {
    if !is_root() {
        return;
    }
    let (place, account) = (LoginPlace::new(UNIX), Account::new());
    let server = place.server(|settings| {
        settings.ways.open = vec![Way::Pam];
        settings.rules = tokio::sync::watch::channel(rules()).1;
    });
    let screen = Screen::start(800, 480);
    let mut window = Command::new(env!("CARGO_BIN_EXE_gatepost-kiosk"));
    screen
        .use_it(&mut window)
        .env("GATEPOST_RUNTIME_DIR", place.path("run"))
        .env("HOME", place.temp.path());
    let window = Running(window.spawn().unwrap());

    until("the form", || asks(&screen));
    assert!(terminals(&server).is_empty(), "nothing before a login");
    screen.shot("kiosk-login-window");

    write(&screen, &account, PASSWORD);
    until("their terminal", || terminals(&server).len() == 1);
    assert_eq!(terminals(&server)[0]["owner"], account.name.as_str());
    until("their name on the line, and no form", || {
        (LINE..MOST_OF_IT).contains(&screen.count(BUTTON))
    });
    until("a prompt", || shows(&server, "$"));
    let own = format!("<{}-42>", account.name);
    run(&screen, &server, "echo \"<$(id -un)-$((6*7))>\"", &own);

    // A page that is lost is no log-out.
    let (_, renderer) = hit_renderer(&window, Signal::KILL);
    until("another page", || {
        renderer_of(&window).is_some_and(|pid| pid != renderer)
    });
    until("the terminal again, not the form", || {
        (LINE..MOST_OF_IT).contains(&screen.count(BUTTON))
    });
    run(&screen, &server, "echo \"<$((5*5))>\"", "<25>");
    assert!(shows(&server, &own), "the same shell");

    screen.type_line("exit");
    until("the form again", || asks(&screen));
    until("no terminal", || terminals(&server).is_empty());
    assert_eq!(
        server
            .place
            .users()
            .iter()
            .filter(|user| !user.is_null())
            .count(),
        0
    );

    write(&screen, &account, "wrong");
    until("it says no, in red", || {
        let red = |[red, green, blue]: &&[u8; 3]| *red > 180 && *green < 120 && *blue < 120;
        screen.pixels().iter().filter(red).count() > LINE
    });
    assert!(terminals(&server).is_empty());
    // The name is there still; the password is asked for again.
    screen.script(&format!("type --delay 40 {PASSWORD}\nkey Return\n"));
    until("their terminal", || terminals(&server).len() == 1);

    // Another window: nobody knows who is in front of it.
    drop(window);
    let mut window = Command::new(env!("CARGO_BIN_EXE_gatepost-kiosk"));
    screen
        .use_it(&mut window)
        .env("GATEPOST_RUNTIME_DIR", place.path("run"))
        .env("HOME", place.temp.path());
    let _window = Running(window.spawn().unwrap());
    until("the form", || asks(&screen));
    assert_eq!(terminals(&server).len(), 1, "their shell goes on");
}
