//! The kiosk's window loses its page in every way there is, and shows the same terminal again in time,
//! without ever being white.
#![cfg(feature = "kiosk")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what is wrong by panicking, and how long things took"
)]

#[path = "kiosk_window/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::screen::{BLACK, Screen, count};
use support::server::Server;
use support::*;

/// Times are promises on a quiet machine. Where everything is tested at once, they are only told.
fn told(what: &str, since: Instant, limit: Duration) {
    let took = since.elapsed();
    eprintln!("{what}: {took:.1?}, promised {limit:.0?}");
    let strict = std::env::var_os("GATEPOST_STRICT_TIMES").is_some();
    let slack = if strict { 1 } else { 5 };
    assert!(took <= limit * slack, "{what} took {took:.1?}");
}

/// Waits until the bar is gone and there again, or there again after `since`.
fn back_again(screen: &Screen) -> usize {
    screen.never_white_until(|pixels| count(pixels, |pixel| *pixel == PROMPT) > BAR)
}

#[test]
fn a_page_whose_process_is_killed_is_painted_again_within_two_seconds() {
    let screen = Screen::start(800, 480);
    let server = Server::start();
    let mut window = window_with_bar(&screen, &server);
    screen.shot("terminal");
    let (since, dead) = hit_renderer(&window, Signal::KILL);
    until("another process", || {
        renderer_of(&window).is_some_and(|pid| pid != dead)
    });
    let looks = back_again(&screen);
    told("killed and painted again", since, Duration::from_secs(2));
    eprintln!("looked {looks} times");
    assert!(
        window.0.try_wait().unwrap().is_none(),
        "it is the same window"
    );
}

#[test]
fn a_page_that_hangs_is_noticed_within_ten_seconds_and_painted_again_within_fifteen() {
    let screen = Screen::start(800, 480);
    let server = Server::start();
    let window = window_with_bar(&screen, &server);
    let (since, stopped) = hit_renderer(&window, Signal::STOP);
    until("the stopped process is ended", || {
        renderer_of(&window) != Some(stopped)
    });
    told("stopped and noticed", since, Duration::from_secs(10));
    back_again(&screen);
    told("stopped and painted again", since, Duration::from_secs(15));
}

#[test]
fn a_page_lost_again_and_again_ends_the_window_with_the_code_for_another() {
    let screen = Screen::start(640, 400);
    let server = Server::start();
    let mut window = window_with_bar(&screen, &server);
    let (mut losses, mut code) = (0, None);
    screen.never_white_until(|pixels| {
        // Not sooner: WebKit takes the whole window with it when a process is killed that has just started.
        if count(pixels, |pixel| *pixel == PROMPT) > BAR
            && let Some(pid) = renderer_of(&window)
            && rustix::process::kill_process(pid, Signal::KILL).is_ok()
        {
            losses += 1;
            until("the killed process is gone", || {
                renderer_of(&window) != Some(pid)
            });
        }
        code = window.0.try_wait().unwrap();
        code.is_some()
    });
    assert_eq!(code.unwrap().code(), Some(10));
    assert_eq!(losses, 4, "three are made good within a minute");
}

#[test]
fn a_page_that_takes_too_much_memory_is_replaced() {
    let screen = Screen::start(640, 400);
    let mut server = Server::configured("[\"kiosk\".kiosk]\nmemory_limit = 16\n");
    server.start_again();
    server.open_kiosk(&quiet_bar(PROMPT));
    let mut window = window(&screen, &server);
    back_again(&screen);
    let first = renderer_of(&window);
    // So small a limit no page can keep: it is ended when WebKit looks, every five seconds.
    screen.never_white_until(|_| {
        let now = renderer_of(&window);
        now.is_some() && now != first
    });
    back_again(&screen);
    assert!(
        window.0.try_wait().unwrap().is_none(),
        "it is the same window"
    );
}

#[test]
fn a_window_that_is_killed_and_started_again_shows_the_same_terminal_within_four_seconds() {
    let screen = Screen::start(800, 480);
    let server = Server::start();
    let first = window_with_bar(&screen, &server);
    drop(first);
    let since = Instant::now();
    let _second = window(&screen, &server);
    until("the bar in another window", || screen.count(PROMPT) > BAR);
    told("another window painted", since, Duration::from_secs(4));
}

#[test]
fn a_server_that_dies_is_told_on_the_page_and_comes_back_without_anything_lost() {
    let screen = Screen::start(800, 480);
    let mut server = Server::start();
    let window = window_with_bar(&screen, &server);
    server.kill();
    // The page stays, and says how it stands: the bar is dimmed.
    screen.never_white_until(|pixels| count(pixels, |pixel| *pixel == PROMPT) < BAR);
    screen.shot("offline-page");
    let painting = renderer_of(&window);
    server.start_again();
    back_again(&screen);
    assert_eq!(renderer_of(&window), painting, "the same page went on");
}

#[test]
fn a_page_lost_while_the_server_is_away_says_offline_until_it_is_back() {
    let screen = Screen::start(800, 480);
    let mut server = Server::start();
    let mut window = window_with_bar(&screen, &server);
    server.kill();
    let (_, dead) = hit_renderer(&window, Signal::KILL);
    let words = |pixels: &[[u8; 3]]| {
        let black = count(pixels, |pixel| *pixel == BLACK);
        black > pixels.len() * 9 / 10 && black < pixels.len() - 1000
    };
    screen.never_white_until(words);
    screen.shot("offline");
    server.start_again();
    back_again(&screen);
    assert_ne!(renderer_of(&window), Some(dead));
    assert!(
        window.0.try_wait().unwrap().is_none(),
        "it is the same window"
    );
}

#[test]
fn ten_thousand_screens_of_output_take_no_memory_that_stays() {
    let screen = Screen::start(800, 480);
    let server = Server::start();
    // A screen is 28 lines; the page's scrollback is full after 10 000 lines, before the first look.
    let flood = |screens: u32| {
        format!(
            "i=0; while [ $i -lt {screens} ]; do i=$((i+1)); seq $((i*28)) $((i*28+27)); done; printf '\\033]2;%s\\007' {screens}"
        )
    };
    server.open_kiosk("exec /bin/sh");
    let window = window(&screen, &server);
    let memory = || {
        let mut pids = vec![i32::try_from(window.0.id()).unwrap()];
        pids.extend(renderer_of(&window).map(|pid| pid.as_raw_nonzero().get()));
        let of = |pid: &i32| {
            let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
            let pss = text
                .lines()
                .find_map(|line| line.strip_prefix("Pss:"))
                .unwrap();
            pss.split_whitespace()
                .next()
                .unwrap()
                .parse::<u64>()
                .unwrap()
        };
        pids.iter().map(of).sum::<u64>()
    };
    let after = |screens: u32| {
        let line = flood(screens);
        server.gatepost(&["terminal", "send", "kiosk", "--enter", &line]);
        until_within(Duration::from_mins(10), "the output's end", || {
            server
                .gatepost(&["terminal", "list"])
                .contains(&screens.to_string())
        });
        // What is garbage is let go in the page's own time: the lowest of some seconds counts.
        let end = Instant::now() + Duration::from_secs(15);
        let mut lowest = memory();
        while Instant::now() < end {
            std::thread::park_timeout(Duration::from_millis(500));
            lowest = lowest.min(memory());
        }
        lowest
    };
    let few = after(100);
    let many = after(10_000);
    eprintln!("window and page: {few} KiB after 100 screens, {many} KiB after 10 000 more");
    assert!(many * 10 <= few * 11, "{few} KiB, then {many} KiB");
}
