//! Strangers at the kiosk, on a real screen: the page while nobody is there, the countdown, the fresh
//! terminal, and the line at the edge.
#![cfg(feature = "kiosk")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

#[path = "kiosk_window/mod.rs"]
mod support;

use support::screen::Screen;
use support::server::Server;
use support::*;

/// The colour of the ring around the seconds, and of the line that says what to do.
const ACCENT: [u8; 3] = [0xe3, 0xa8, 0x57];
/// How long a window may take to open on a machine that is very busy.
const OPENS: std::time::Duration = std::time::Duration::from_mins(3);
/// Pixels of it in a few words, and in the ring.
const HINT: usize = 20;
const RING: usize = 400;
/// Behind the line at the edge.
const BAR_GROUND: [u8; 3] = [0x19, 0x1c, 0x20];
/// What the shell's prompt is.
const GUEST: &str = r#"
["kiosk".terminal]
default_command = "guest"
shell = false

["kiosk".terminal.commands.guest]
command = ["/bin/sh"]
environment = { PS1 = "guest>" }
"#;

/// Terminals by id.
fn terminals(server: &Server) -> Vec<String> {
    let list = server.gatepost(&["terminal", "list", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let list = list.get("terminals").and_then(serde_json::Value::as_array);
    let list = list.cloned().unwrap_or_default();
    list.iter()
        .filter_map(|info| info.get("id")?.as_str().map(str::to_owned))
        .collect()
}

#[test]
fn a_guest_is_greeted_warned_and_gone_and_the_next_finds_a_fresh_terminal() {
    let screen = Screen::start(800, 480);
    let mut server = Server::configured(&format!(
        r#"{GUEST}
["kiosk".kiosk]
idle_reset = "30s"
idle_warning = "25s"
forget = ["home", "clipboard"]

["kiosk".kiosk.attract]
title = "Town Library"
lines = ["Catalogue, opening hours and your account", "Free to use, for as long as you like"]
clock = true
"#
    ));
    server.start_again();
    let _window = window(&screen, &server);
    until_within(OPENS, "the page while nobody is there", || {
        screen.count(ACCENT) > HINT
    });
    until("a terminal behind it", || terminals(&server).len() == 1);
    screen.shot("kiosk-attract");
    let first = terminals(&server);

    // The key that leads to the terminal goes nowhere else.
    screen.press(&["a"]);
    until("the terminal", || screen.count(ACCENT) == 0);
    screen.type_line("echo mine-$((6*7)) > ~/mine; cat ~/mine");
    until("what was typed, and nothing else", || {
        server.shows("kiosk", "mine-42") && server.screen("kiosk").starts_with("guest>echo mine-")
    });

    until("the countdown", || screen.count(ACCENT) > RING);
    screen.shot("kiosk-idle-warning");
    screen.press(&["x"]);
    until("the terminal", || screen.count(ACCENT) == 0);
    screen.type_line("echo y");
    until("the key that answered isn't typed", || {
        server.screen("kiosk").contains("guest>echo y")
    });

    until("the countdown again", || screen.count(ACCENT) > RING);
    until("another terminal", || {
        let now = terminals(&server);
        now.len() == 1 && now != first
    });
    until("the page while nobody is there, again", || {
        (HINT..RING).contains(&screen.count(ACCENT))
    });
    screen.press(&["Return"]);
    until("the terminal", || screen.count(ACCENT) == 0);
    screen.type_line("ls ~; echo end");
    until("a home without the last guest's file", || {
        server.shows("kiosk", "end")
    });
    assert!(
        !server.screen("kiosk").contains("mine"),
        "{}",
        server.screen("kiosk")
    );
}

#[test]
fn the_line_at_the_edge_says_who_watches_and_changes_with_the_settings() {
    let screen = Screen::start(1920, 1080);
    let mut server =
        Server::configured(&format!("{GUEST}\n[\"kiosk\".kiosk]\nstrip = \"bottom\"\n"));
    server.start_again();
    let _window = window(&screen, &server);
    until_within(OPENS, "the line", || screen.count(BAR_GROUND) > 30_000);
    until("the terminal", || server.screen("kiosk").contains("guest>"));
    assert_eq!(screen.count(ACCENT), 0, "nobody watches");
    let rows = |server: &Server| server.gatepost(&["terminal", "list", "--json"]);
    let with_strip = rows(&server);

    let mut watching = server.watch("kiosk");
    until("that somebody watches", || screen.count(ACCENT) > HINT);
    screen.type_line("ls /");
    screen.shot("kiosk-strip");
    drop(watching.0.kill());
    until("that nobody does any more", || screen.count(ACCENT) == 0);

    server.configure(GUEST);
    until("the terminal alone", || screen.count(BAR_GROUND) == 0);
    until("more room for it", || rows(&server) != with_strip);
}
