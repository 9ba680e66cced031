//! Ways out of the kiosk's window that somebody in front of it may try: none leads anywhere, and what a
//! terminal needs reaches the terminal.
#![cfg(feature = "kiosk")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

#[path = "kiosk_window/mod.rs"]
mod support;

use std::process::{Command, Stdio};

use support::screen::{Screen, count};
use support::server::Server;
use support::*;

/// A terminal that shows, in letters, every byte that is typed.
const SHOWS_KEYS: &str = "stty raw -echo; exec cat -v";

/// A window whose terminal shows what is typed into it.
fn window_that_shows_keys(screen: &Screen, server: &Server) -> Running {
    server.open_kiosk(&format!(
        "printf '\\033[48;2;201;30;90m%100s\\033[0m' ''; {SHOWS_KEYS}"
    ));
    let window = window(screen, server);
    until("the bar on the screen", || screen.count(PROMPT) > BAR);
    assert_eq!(screen.more_windows(), 0);
    window
}

/// What has been typed, as `cat -v` shows it.
fn typed(server: &Server) -> String {
    let screen = server.screen("kiosk");
    screen.split_whitespace().collect()
}

/// Types chords and expects exactly these bytes in the terminal, and the same window as before.
fn types(chords: &[&str], expected: &str) {
    let screen = Screen::start(800, 480);
    let server = Server::start();
    let mut window = window_that_shows_keys(&screen, &server);
    screen.press(chords);
    // Whatever came before this has arrived, or never will.
    screen.press(&["z"]);
    until("the last key in the terminal", || {
        typed(&server).ends_with('z')
    });
    assert_eq!(typed(&server), format!("{expected}z"));
    is_as_before(&screen, &mut window);
}

#[test]
fn ctrl_n_t_w_o_s_p_j_u_h_l_reach_the_terminal() {
    types(
        &[
            "ctrl+n",
            "ctrl+t",
            "ctrl+w",
            "ctrl+o",
            "ctrl+s",
            "ctrl+p",
            "ctrl+u",
            "ctrl+h",
            "ctrl+l",
            "ctrl+c",
            "ctrl+r",
            "ctrl+q",
            "ctrl+d",
            "ctrl+f",
            "ctrl+g",
            "ctrl+a",
            "ctrl+z",
            "ctrl+backslash",
        ],
        "^N^T^W^O^S^P^U^H^L^C^R^Q^D^F^G^A^Z^\\",
    );
}

#[test]
fn f1_f11_f12_shift_esc_reach_the_terminal() {
    types(
        &[
            "F1",
            "F5",
            "F7",
            "F10",
            "F11",
            "F12",
            "shift+Escape",
            "alt+Left",
            "alt+Right",
        ],
        "^[OP^[[15~^[[18~^[[21~^[[23~^[[24~^[^[[1;3D^[[1;3C",
    );
}

#[test]
fn alt_f4_tab_space_go_nowhere() {
    types(
        &[
            "alt+F4",
            "alt+Tab",
            "alt+shift+Tab",
            "alt+space",
            "alt+Escape",
            "Super_L",
            "Menu",
            "shift+F10",
            "ctrl+shift+i",
            "ctrl+shift+j",
            "ctrl+shift+d",
            "ctrl+period",
            "ctrl+semicolon",
        ],
        "",
    );
}

#[test]
fn pinch_zoom_and_its_keys_change_nothing() {
    let screen = Screen::start(800, 480);
    let server = Server::start();
    let mut window = window_that_shows_keys(&screen, &server);
    // The pointer of the terminal stands where the bar ends at first.
    screen.press(&["z"]);
    until("a key in the terminal", || typed(&server) == "z");
    let before = screen.count(PROMPT);
    screen.press(&[
        "ctrl+plus",
        "ctrl+plus",
        "ctrl+minus",
        "ctrl+0",
        "ctrl+KP_Add",
        "ctrl+equal",
    ]);
    screen.script(
        "mousemove 300 200\nkeydown ctrl\nclick --repeat 10 4\nclick --repeat 3 5\nkeyup ctrl\n",
    );
    screen.press(&["z"]);
    until("the last key in the terminal", || {
        typed(&server).ends_with("zz") || typed(&server).len() > 3
    });
    until("the same size as before", || screen.count(PROMPT) == before);
    assert_eq!(screen.count(PROMPT), before, "nothing grew or shrank");
    is_as_before(&screen, &mut window);
}

#[test]
fn context_menu_long_press_and_middle_click_open_nothing() {
    let screen = Screen::start(800, 480);
    let server = Server::start();
    let mut window = window_that_shows_keys(&screen, &server);
    screen.script("mousemove 300 200\nclick 3\nclick 2\nclick 8\nclick 9\nclick --repeat 3 1\nmousedown 1\nsleep 1.5\nmouseup 1\n");
    screen.press(&["z"]);
    until("the last key in the terminal", || {
        typed(&server).ends_with('z')
    });
    is_as_before(&screen, &mut window);
}

#[test]
fn drag_drop_file_link_text_moves_nothing() {
    let screen = Screen::start(800, 480);
    let server = Server::start();
    let mut window = window_that_shows_keys(&screen, &server);
    // Text is selected, then the selection is dragged about.
    screen.script(
        "mousemove 5 8\nclick --repeat 3 1\nmousemove 60 8\nmousedown 1\nmousemove 200 200\nmousemove 500 300\nmouseup 1\n",
    );
    screen.press(&["z"]);
    until("the last key in the terminal", || {
        typed(&server).ends_with('z')
    });
    is_as_before(&screen, &mut window);
}

#[test]
fn window_open_target_blank_and_links_of_programs_lead_nowhere() {
    let screen = Screen::start(800, 480);
    let server = Server::start();
    // A link by OSC 8, an address in plain text, a title, a file to fetch: as any program may print.
    server.open_kiosk(
        "printf '\\033]8;;file:///etc/passwd\\007%400s\\033]8;;\\007 http://127.0.0.1:1/ \\033]0;x\\007'; \
         printf '\\033[48;2;201;30;90m%100s\\033[0m' ''; stty raw -echo; exec cat -v",
    );
    let mut window = window(&screen, &server);
    until("the bar on the screen", || screen.count(PROMPT) > BAR);
    assert_eq!(screen.more_windows(), 0);
    for y in [8, 24, 40, 56, 72, 88] {
        screen.script(&format!(
            "mousemove 100 {y}\nclick 1\nkeydown ctrl\nclick 1\nkeyup ctrl\nkeydown shift\nclick 1\nkeyup shift\nclick 2\n"
        ));
    }
    screen.press(&["Return", "z"]);
    until("the last key in the terminal", || {
        typed(&server).ends_with('z')
    });
    is_as_before(&screen, &mut window);
}

#[test]
fn remote_debugging_port_and_dev_tools_are_refused_at_the_start() {
    let server = Server::start();
    for name in [
        "WEBKIT_INSPECTOR_SERVER",
        "WEBKIT_INSPECTOR_HTTP_SERVER",
        "GTK_DEBUG",
        "GTK_MODULES",
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost-kiosk"));
        let refused = server
            .environment(&mut command)
            .env(name, "127.0.0.1:9222")
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(refused.status.code(), Some(1), "{name}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains(name));
    }
}

#[test]
fn the_profile_leaves_nothing_on_the_disk() {
    let screen = Screen::start(800, 480);
    let server = Server::start();
    let window = window_that_shows_keys(&screen, &server);
    screen.press(&["a", "ctrl+alt+shift+a"]);
    until("the administrator's page", || screen.count(PROMPT) < BAR);
    screen.press(&["ctrl+alt+shift+a"]);
    until("the terminal", || screen.count(PROMPT) > BAR);
    drop(window);
    let mut left = Vec::new();
    files(server.home(), &mut left);
    // The server's own folders are in the same home here.
    left.retain(|path| !path.contains("/run/") && !path.contains("/state/"));
    // What libraries keep for themselves names no page and no person.
    let theirs = ["/mesa_shader_cache", "/fontconfig/", "/dconf/"];
    left.retain(|path| !theirs.iter().any(|folder| path.contains(folder)));
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn the_administrators_page_asks_for_a_login_and_goes_by_itself() {
    let screen = Screen::start(800, 480);
    let mut server = Server::configured(
        // Long enough for a busy machine to have painted the page and taken the keys.
        "[\"kiosk\".kiosk]\nadmin_chord = \"Ctrl-Alt-Shift-Home\"\nadmin_idle = 20\nzoom = 150\n[\"*\".display]\ncursor = \"never\"\n",
    );
    server.start_again();
    let mut window = window_that_shows_keys(&screen, &server);
    // The default one is the terminal's now.
    screen.press(&["ctrl+alt+shift+Home"]);
    screen.never_white_until(|pixels| count(pixels, |pixel| *pixel == PROMPT) < BAR);
    until("a page to log in at", || {
        let lit = screen.pixels();
        count(&lit, |pixel| pixel.iter().all(|part| *part > 100)) > 200
    });
    screen.shot("admin-login");
    screen.press(&["q", "u", "i", "t"]);
    screen.never_white_until(|pixels| count(pixels, |pixel| *pixel == PROMPT) > BAR);
    screen.press(&["z"]);
    until("the key in the terminal", || typed(&server).ends_with('z'));
    assert_eq!(typed(&server), "z", "what was typed there stayed there");
    is_as_before(&screen, &mut window);
}
