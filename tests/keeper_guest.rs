//! Strangers follow one another at a terminal: the next one finds nothing of the one before.

#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a step that fails should stop its test loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::time::Duration;

use gatepost::wire::care::Care;
use gatepost::wire::message::{Attach, Mode, Request};
use support::keeper::{TestKeeper, Viewer, attach, until};

/// Nobody has to be quick to stay ahead of the reset, and nobody waits long for it.
const IDLE: Care = Care {
    restart: true,
    idle_ms: 5000,
    warning_ms: 2500,
    close: false,
    fresh_home: false,
    ends: false,
};

fn shell(care: Care) -> TestKeeper {
    TestKeeper::with(&["/bin/sh"], |launch| {
        launch.environment.push(("PS1".into(), "gp>".into()));
        launch.care = Some(care);
    })
}

fn on_the_kiosk(keeper: &TestKeeper) -> Viewer {
    keeper.attach_as(Attach {
        kiosk: true,
        counts_down: true,
        hides_command: false,
        ..attach(Mode::Type)
    })
}

fn is_announced(viewer: &mut Viewer) -> bool {
    viewer.meta.reset_in_ms.flatten().is_some()
}

fn told(viewer: &Viewer, text: &str) -> bool {
    let mut notices = viewer.notices.iter();
    notices.any(|notice| notice.text.contains(text))
}

fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn after_a_warning_the_next_guest_finds_a_fresh_program_and_nothing_of_the_last_one() {
    let keeper = shell(IDLE);
    let mut kiosk = on_the_kiosk(&keeper);
    let mut watcher = keeper.attach_as(attach(Mode::View));
    kiosk.wait_text("gp>");
    assert_eq!(kiosk.meta.used, Some(false));
    let first = kiosk.meta.pid.unwrap();
    // Scrollback, a title, colours of their own, and a program that would go on by itself.
    kiosk.type_in("for i in $(seq 100); do echo my-secret; done; printf '\\033]2;my-secret\\007\\033]4;1;#123456\\007'\r");
    kiosk.type_in("(trap '' HUP TERM; exec sleep 1000) & echo left-$!.\r");
    kiosk.wait("the program in the background", |viewer| {
        viewer.text().contains("left-") && viewer.meta.used == Some(true)
    });
    kiosk.wait_text(".\ngp>");
    let text = kiosk.text();
    let left = text.split("left-").filter_map(|rest| rest.split_once('.'));
    let left = left.map(|(pid, _)| pid.to_owned());
    let left = left.last().unwrap();
    assert!(lives(&left), "{left:?}");

    kiosk.wait("the announcement", is_announced);
    let reset_in = kiosk.meta.reset_in_ms.flatten().unwrap();
    assert!((1..=2500).contains(&reset_in), "{reset_in}");
    assert!(!told(&kiosk, "is reset"), "it counts down itself");
    watcher.wait("the words for others", |viewer| {
        told(viewer, "this terminal is reset in")
    });
    // Whoever comes now is told, too.
    let mut late = keeper.attach_as(attach(Mode::View));
    late.wait("the words", |viewer| {
        told(viewer, "this terminal is reset in")
    });

    kiosk.wait("a fresh program", |viewer| {
        viewer.meta.pid != Some(first) && viewer.meta.used == Some(false)
    });
    kiosk.wait_text("gp>");
    for viewer in [&mut kiosk, &mut watcher] {
        viewer.wait("a clean screen", |viewer| {
            !viewer.text().contains("my-secret")
        });
        assert_eq!(viewer.meta.title, Some(None));
        assert_eq!(viewer.meta.reset_in_ms, Some(None));
    }
    assert!(!lives(&left), "what ran in the background is gone");
    let mut asker = keeper.attach_as(Attach::manage());
    let asked = asker.begin(Request::Text {
        scrollback: true,
        ansi: true,
    });
    let kept = String::from_utf8(asker.answer(asked)).unwrap();
    assert!(
        !kept.contains("my-secret") && !kept.contains("left-"),
        "{kept}"
    );
    kiosk.type_in("echo next-$((6*7))\r");
    kiosk.wait_text("next-42");
}

#[test]
fn whoever_touches_the_screen_stays_and_where_nobody_was_nothing_is_reset() {
    let keeper = shell(IDLE);
    let mut kiosk = on_the_kiosk(&keeper);
    kiosk.wait_text("gp>");
    let first = kiosk.meta.pid;
    for _ in 0..2 {
        kiosk.ask(Request::Present {});
        kiosk.wait("the announcement", is_announced);
        kiosk.ask(Request::Present {});
        kiosk.wait("it is called off", |viewer| !is_announced(viewer));
    }
    assert_eq!((kiosk.meta.pid, kiosk.meta.used), (first, Some(true)));
    // What the server says later counts at once, and only the server may say it.
    let care = Care { idle_ms: 0, ..IDLE };
    let refused = kiosk.ask(Request::Care(care)).to_string();
    assert!(refused.contains("denied"), "{refused}");
    let mut server = keeper.attach_as(Attach::manage());
    server.ask(Request::Care(Care {
        idle_ms: 3000,
        warning_ms: 1000,
        ..IDLE
    }));
    kiosk.wait("a fresh program", |viewer| viewer.meta.pid != first);
    kiosk.wait("nobody there", |viewer| viewer.meta.used == Some(false));
    // Nobody has been there since: for several times as long as it would take, nothing happens.
    let second = kiosk.meta.pid;
    let waited = kiosk.ask(Request::Wait {
        what: gatepost::wire::message::WaitFor::Regex("never".into()),
        timeout_ms: Some(7000),
    });
    assert!(waited.to_string().contains("timeout"), "{waited}");
    assert_eq!((kiosk.meta.pid, kiosk.meta.used), (second, Some(false)));
}

#[test]
fn a_reset_that_closes_ends_the_terminal_though_nobody_is_connected() {
    let mut keeper = shell(Care {
        close: true,
        idle_ms: 2000,
        warning_ms: 1000,
        ..IDLE
    });
    let mut kiosk = on_the_kiosk(&keeper);
    kiosk.type_in("echo here\r");
    kiosk.wait_text("here");
    // The page hangs, the window is killed, the server is replaced.
    drop(kiosk);
    keeper.wait_gone();
}

#[test]
fn a_program_that_ends_is_started_again_but_not_in_a_loop() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    let script = format!("echo run >> {}; echo the reason; exit 3", runs.display());
    let count = || {
        fs::read_to_string(&runs)
            .unwrap_or_default()
            .lines()
            .count()
    };
    let keeper = TestKeeper::with(&["sh", "-c", &script], |launch| {
        launch.care = Some(Care {
            restart: true,
            ..Care::default()
        });
    });
    let mut kiosk = on_the_kiosk(&keeper);
    kiosk.wait("the reason", |viewer| told(viewer, "twice within a second"));
    // Two, unless the machine was so busy that one of them took a second.
    let so_far = count();
    assert!(so_far >= 2, "{so_far}");
    assert_eq!(kiosk.meta.restarts, Some(true));
    kiosk.wait_text("the reason");
    until("another start, after the pause", || count() > so_far);
    assert_eq!(count(), so_far + 1);
}

#[test]
fn a_program_that_ends_leaves_no_word_to_the_next_guest() {
    let keeper = shell(Care {
        restart: true,
        ..Care::default()
    });
    let mut kiosk = on_the_kiosk(&keeper);
    let first = kiosk.meta.pid;
    // Long enough that it didn't end as soon as it was started.
    kiosk.type_in("sleep 1.2; echo my-secret; exit\r");
    kiosk.wait("another program", |viewer| {
        viewer.meta.pid.is_some() && viewer.meta.pid != first && viewer.meta.used == Some(false)
    });
    kiosk.wait_text("gp>");
    assert!(!kiosk.text().contains("my-secret"), "{}", kiosk.text());
}

#[test]
fn a_guests_home_is_their_own_and_goes_with_them() {
    let mut keeper = shell(Care {
        restart: true,
        fresh_home: true,
        ..Care::default()
    });
    let mut kiosk = on_the_kiosk(&keeper);
    kiosk.type_in("sleep 1.2; mkdir -p ~/a/b; echo x > ~/a/b/secret; chmod 0 ~/a/b; cd; pwd\r");
    kiosk.wait_text("gatepost-guest-");
    let home = std::env::temp_dir().join(format!("gatepost-guest-{}", keeper.id));
    until("the file", || home.join("a").exists());
    kiosk.type_in("exit\r");
    kiosk.wait("the end", |viewer| viewer.closed);
    keeper.wait_gone();
    assert!(!home.exists());
}

#[test]
fn a_guests_program_that_ends_at_once_is_seen_for_a_moment_before_the_next() {
    let began = std::time::Instant::now();
    let mut keeper = TestKeeper::with(&["sh", "-c", "echo the reason"], |launch| {
        launch.care = Some(Care {
            restart: true,
            fresh_home: true,
            ..Care::default()
        });
    });
    let mut kiosk = on_the_kiosk(&keeper);
    kiosk.wait("why", |viewer| told(viewer, "as soon as it was started"));
    kiosk.wait_text("the reason");
    keeper.wait_gone();
    assert!(
        began.elapsed() >= Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}
