//! The kiosk's window on a real X server with a real window manager: what it shows, what is typed
//! into it, and that it comes back by itself.
#![cfg(feature = "kiosk")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

#[path = "kiosk_window/mod.rs"]
mod support;

use std::process::{Command, Stdio};

use rustix::process::Signal;
use support::screen::{BLACK, Screen, count};
use support::server::Server;
use support::*;

#[test]
fn the_prompt_is_shown_keys_arrive_and_nothing_killed_stays_dead() {
    let screen = Screen::start(800, 480);
    let mut server = Server::start();
    let [red, green, blue] = PROMPT;
    let shell = shell_with_bar(red, green, blue);
    server.open_kiosk(&shell);

    let mut window = window(&screen, &server);
    until("the prompt on the screen", || screen.count(PROMPT) > BAR);
    assert_eq!(
        screen.size_of_window("Gatepost"),
        (800, 480),
        "it fills the screen"
    );

    screen.type_line("echo typed-$((6*7))");
    until("the typed line's output", || {
        server.shows("kiosk", "typed-42")
    });

    server.kill();
    server.start_again();
    let [red, green, blue] = LATER;
    let bar = format!("printf '\\033[48;2;{red};{green};{blue}m          \\033[0m\\n'");
    server.gatepost(&["terminal", "send", "kiosk", "--enter", &bar]);
    until(
        "output in the same window after the server was killed",
        || screen.count(LATER) > BAR,
    );
    assert!(
        screen.count(PROMPT) > BAR,
        "what was there before is there again"
    );
    screen.type_line("echo again-$((40+4))");
    until("keys after the server was killed", || {
        server.shows("kiosk", "again-44")
    });

    let (_, renderer) = hit_renderer(&window, Signal::KILL);
    until("another renderer", || {
        renderer_of(&window).is_some_and(|pid| pid != renderer)
    });
    until("the prompt after the renderer was killed", || {
        screen.count(PROMPT) > BAR
    });
    assert!(
        window.0.try_wait().unwrap().is_none(),
        "it is the same window"
    );
}

#[test]
fn the_window_is_black_until_there_is_a_server_and_the_page_has_painted() {
    let screen = Screen::start(640, 400);
    let mut server = Server::not_started();
    let _window = window(&screen, &server);
    until("a window", || screen.has_window("Gatepost"));
    assert_eq!(screen.count(BLACK), 640 * 400, "nothing but black");
    screen.never_white_until(|pixels| {
        // A word, once black has lasted.
        (100..20_000).contains(&count(pixels, |pixel| *pixel != BLACK))
    });
    screen.shot("starting");
    server.start_again();
    until("a terminal", || screen.count(BLACK) < 640 * 400 - BAR);
    until("the kiosk's own terminal", || {
        server.gatepost(&["terminal", "list"]).contains("kiosk")
    });
}

#[test]
fn a_second_window_is_refused_and_no_display_is_an_error_with_a_reason() {
    let screen = Screen::start(640, 400);
    let server = Server::start();
    let _first = window(&screen, &server);
    until("the first window", || screen.has_window("Gatepost"));

    let mut second = Command::new(env!("CARGO_BIN_EXE_gatepost-kiosk"));
    screen.use_it(server.environment(&mut second));
    let second = second.stderr(Stdio::piped()).output().unwrap();
    assert_eq!(second.status.code(), Some(8));
    assert!(String::from_utf8_lossy(&second.stderr).contains("already open"));

    let elsewhere = Server::not_started();
    let mut blind = Command::new(env!("CARGO_BIN_EXE_gatepost-kiosk"));
    let blind = elsewhere
        .environment(&mut blind)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    assert_eq!(blind.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&blind.stderr).contains("DISPLAY"));
}
