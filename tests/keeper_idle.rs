//! A terminal nobody types into is closed, after a warning.

#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a step that fails should stop its test loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use gatepost::wire::message::Request;
use support::keeper::{DEADLINE, TestKeeper, Viewer};

fn is_told(viewer: &Viewer, text: &str) -> bool {
    viewer
        .notices
        .iter()
        .any(|notice| notice.text.contains(text))
}

fn closed_after_its_time(keeper: &mut TestKeeper, since: Instant, least: Duration) {
    keeper.wait_gone();
    let lived = since.elapsed();
    assert!(lived >= least, "{lived:?}");
    assert!(lived < least + DEADLINE, "{lived:?}");
}

#[test]
fn a_terminal_nobody_types_into_is_closed_though_it_is_watched_and_its_program_writes() {
    let began = Instant::now();
    let script = "while :; do echo still busy; sleep 0.1; done";
    let mut keeper = TestKeeper::with(&["sh", "-c", script], |launch| launch.idle = 2);
    let mut viewer = keeper.attach();
    viewer.wait_text("still busy");
    viewer.wait("the warning", |viewer| is_told(viewer, "is closed in"));
    let warned = began.elapsed();
    assert!(warned >= Duration::from_secs(1), "{warned:?}");
    // Who comes now is told, too.
    let mut late = keeper.attach();
    late.wait("the warning", |late| is_told(late, "is closed in"));
    viewer.wait("the end", |viewer| {
        viewer.closed && is_told(viewer, "Closed")
    });
    closed_after_its_time(&mut keeper, began, Duration::from_secs(2));
}

#[test]
fn whoever_types_keeps_the_terminal_and_is_told_so() {
    for by_request in [false, true] {
        let mut keeper = TestKeeper::with(&["cat"], |launch| launch.idle = 2);
        let mut viewer = keeper.attach();
        viewer.wait("the warning", |viewer| is_told(viewer, "is closed in"));
        let typed = Instant::now();
        if by_request {
            let text = "x".to_owned();
            viewer.ask(Request::Send { text });
        } else {
            viewer.type_in("x");
        }
        viewer.wait("relief", |viewer| is_told(viewer, "stays"));
        viewer.wait("the end", |viewer| viewer.closed);
        closed_after_its_time(&mut keeper, typed, Duration::from_secs(2));
    }
}

#[test]
fn a_program_that_does_not_want_to_end_is_ended_with_its_children() {
    let script =
        "trap '' HUP TERM; (trap '' HUP TERM; setsid sleep 1000) & echo started; wait; sleep 1000";
    let mut keeper = TestKeeper::with(&["bash", "-c", script], |launch| launch.idle = 1);
    let mut viewer = keeper.attach();
    viewer.wait_text("started");
    let children = format!("/proc/{0}/task/{0}/children", keeper.pid());
    assert!(!std::fs::read_to_string(&children).unwrap().is_empty());
    keeper.wait_gone();
}
