//! The keeper's everyday life: start, watch, type, resize, end, close.

#[path = "support/mod.rs"]
mod support;

use gatepost::base::Size;
use gatepost::wire::frame::FromViewer;
use gatepost::wire::message::{Exit, Mode, Request};
use support::keeper::{TestKeeper, attach};

#[test]
fn what_is_typed_reaches_the_program_and_its_output_the_viewer() {
    let keeper = TestKeeper::shell();
    let mut viewer = keeper.attach();
    viewer.wait_text("gp>");
    viewer.type_in("echo $((6*7))-$GATEPOST_TERMINAL\n");
    viewer.wait_text(&format!("42-{}", keeper.id));
}

#[test]
fn who_attaches_later_sees_what_was_written_before() {
    let keeper = TestKeeper::run(&["sh", "-c", "seq 1 100; echo done; read x"]);
    let mut first = keeper.attach();
    first.wait_text("done");
    drop(first);
    let mut second = keeper.attach();
    second.wait_text("done");
    assert_eq!(second.full_repaints, 1);
    let text = second.text();
    assert!(text.starts_with("1\n2\n3\n"), "{text}");
}

#[test]
fn the_first_who_types_decides_the_size() {
    let keeper = TestKeeper::shell();
    let mut one = keeper.attach();
    let mut two = keeper.attach_as({
        let mut attach = attach(Mode::Type);
        attach.size = Some(Size::clamped(100, 30));
        attach
    });
    one.send(&FromViewer::Resize(Size::clamped(90, 20)));
    one.wait("the new size", |v| {
        v.meta.size == Some(Size::clamped(90, 20))
    });
    one.type_in("stty size\n");
    one.wait_text("20 90");
    assert_eq!(one.meta.size_owner, Some(Some(one.number())));
    two.send(&FromViewer::TakeSize);
    one.wait("the other's size", |v| {
        v.meta.size == Some(Size::clamped(100, 30))
    });
    drop(two);
    one.wait("its own size again", |v| {
        v.meta.size == Some(Size::clamped(90, 20))
    });
}

#[test]
fn the_exit_status_and_the_last_screen_stay_to_be_seen() {
    let keeper = TestKeeper::run(&["sh", "-c", "echo last words; exit 3"]);
    let mut viewer = keeper.attach();
    viewer.wait("the end", |v| v.meta.exit == Some(Some(Exit::Status(3))));
    viewer.wait_text("last words");
    let mut late = keeper.attach();
    late.wait_text("last words");
    assert_eq!(late.meta.exit, Some(Some(Exit::Status(3))));
}

#[test]
fn a_killed_program_tells_its_signal() {
    let keeper = TestKeeper::run(&["sh", "-c", "kill -9 $$"]);
    let mut viewer = keeper.attach();
    viewer.wait("the end", |v| v.meta.exit == Some(Some(Exit::Signal(9))));
}

#[test]
fn a_closed_terminal_answers_and_takes_its_socket_along() {
    let mut keeper = TestKeeper::shell();
    let mut viewer = keeper.attach();
    viewer.wait_text("gp>");
    let answer = viewer.ask(Request::Close {});
    assert_eq!(answer, serde_json::json!({ "ok": {} }));
    keeper.wait_gone();
    assert!(!keeper.socket().exists());
}
