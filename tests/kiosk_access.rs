//! The kiosk for people without its keys, in the real window: the keyboard on the screen and two switches.
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

/// The highlight's colour, mixed into no other part of the page.
const ACCENT: [u8; 3] = [0xff, 0xd8, 0x4d];
/// The same of the dark theme: the button of a page that asks for a login.
const QUIET_ACCENT: [u8; 3] = [0xe3, 0xa8, 0x57];
/// The ground of the high-contrast theme.
const WHITE: [u8; 3] = [255, 255, 255];

/// What two switches are pressed for a key: `row`, then `group` in it, then `key` in that, all from 0.
/// `begun`: the first row is highlighted already, as it is after a key.
fn switches(begun: bool, row: usize, group: usize, key: usize) -> Vec<&'static str> {
    let (next, choose) = ("F9", "F10");
    let mut pressed = vec![next; row + usize::from(!begun)];
    pressed.push(choose);
    pressed.extend(vec![next; group]);
    pressed.push(choose);
    pressed.extend(vec![next; key]);
    pressed.push(choose);
    pressed
}

#[test]
fn two_switches_or_a_finger_on_the_screen_type_a_command() {
    let screen = Screen::start(800, 480);
    let mut server = Server::configured(
        r#"["*".server]
auth = ["local"]

["kiosk".kiosk]
identity = "never"
keyboard = "always"
theme = "high-contrast"
switch_keys = ["F9", "F10"]
"#,
    );
    server.start_again();
    let folder = server.home().join("found");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("by-two-switches"), "").unwrap();
    let shell = format!("cd '{}'; PS1='$ ' exec /bin/sh -i", folder.display());
    server.open_kiosk(&shell);
    let _window = window(&screen, &server);
    until("the keyboard, each of its keys with an edge", || {
        screen.count(WHITE) > 5000
    });
    until("the prompt", || server.shows("kiosk", "$"));

    // On an American keyboard l is the fifth key of the second group of the third row.
    screen.press(&switches(false, 2, 1, 4));
    until("the first letter", || server.shows("kiosk", "$ l"));
    until("the highlight is back on the first row", || {
        screen.count(ACCENT) > BAR
    });
    screen.press(&switches(true, 2, 0, 2));
    until("the second letter", || server.shows("kiosk", "$ ls"));
    screen.press(&["F9", "F9", "F10"]);
    until("groups of the third row", || screen.count(ACCENT) > BAR);
    screen.shot("kiosk-switch-window");
    screen.press(&["F9", "F9", "F10", "F9", "F9", "F10"]);
    until("what the command found", || {
        server.shows("kiosk", "by-two-switches")
    });

    // The letter a, where a finger finds it.
    screen.script("mousemove 107 365 click 1\n");
    until("what was touched", || server.shows("kiosk", "$ a"));
    until("no highlight for somebody who points", || {
        screen.count(ACCENT) == 0
    });
    // Real keys are keys as ever.
    screen.type_line("b");
    until("keys", || server.shows("kiosk", "$ ab"));

    // Where there are no keys, the administrator's chord is touched, one key after the other.
    for (x, y) in [(43, 365), (116, 454), (56, 410), (107, 365)] {
        screen.script(&format!("mousemove {x} {y} click 1\n"));
    }
    until("the administrator's page", || {
        screen.count(QUIET_ACCENT) > 1000
    });
    screen.shot("kiosk-admin-keys");
    let shown = server.screen("kiosk");
    let last = shown.lines().rfind(|line| !line.trim().is_empty());
    assert_eq!(
        last.map(str::trim_end),
        Some("$"),
        "the chord went nowhere else"
    );
}
