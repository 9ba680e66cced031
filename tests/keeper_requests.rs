//! Questions to a keeper: status, text, search, waiting, and their limits.

#![expect(
    clippy::indexing_slicing,
    reason = "a step that fails should stop its test loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use gatepost::wire::frame::{FromViewer, MAX_INPUT, prefixed};
use gatepost::wire::message::{Exit, MAX_SEARCH, Mode, Request, WaitFor};
use serde_json::{Value, json};
use std::io::Write as _;
use support::keeper::{TestKeeper, attach};

fn kind(answer: &Value) -> &str {
    answer["error"]["kind"].as_str().unwrap_or("no error")
}

fn wait_for(what: WaitFor, timeout_ms: Option<u64>) -> Request {
    Request::Wait { what, timeout_ms }
}

#[test]
fn status_tells_everything() {
    let keeper = TestKeeper::run(&["sh", "-c", "printf '\\033]2;title\\007'; echo; read x"]);
    let mut manager = keeper.attach_as(attach(Mode::Manage));
    manager.wait("the title", |v| {
        v.meta.title == Some(Some("title".to_owned()))
    });
    let status = manager.ask(Request::Status {});
    let meta = &status["ok"];
    assert_eq!(meta["command"][0], "sh");
    assert_eq!(meta["title"], "title");
    assert_eq!(meta["size"], json!({ "cols": 80, "rows": 24 }));
    assert_eq!(meta["viewers"], json!([]));
    assert!(meta["pid"].as_u64().unwrap() > 1);
    assert!(meta["opened"].as_u64().unwrap() > 1_700_000_000);
    assert!(meta["last_output"].as_u64().unwrap() > 1_700_000_000);
    let repaint = manager.ask(Request::Repaint { history: 10 });
    assert_eq!(kind(&repaint), "invalid");
    assert_eq!(manager.output_bytes + manager.repaint_bytes, 0, "no output");
}

#[test]
fn the_whole_scrollback_comes_as_text_in_parts() {
    let keeper = TestKeeper::run(&["sh", "-c", "seq 1 9000; echo done; read x"]);
    let mut viewer = keeper.attach();
    viewer.wait_text("done");
    let id = viewer.begin(Request::Text {
        scrollback: true,
        ansi: false,
    });
    let text = String::from_utf8(viewer.answer(id)).unwrap();
    let expected = (1..=9000).map(|n| n.to_string()).collect::<Vec<_>>();
    assert_eq!(text.trim_end(), format!("{}\ndone", expected.join("\n")));
    let id = viewer.begin(Request::Text {
        scrollback: false,
        ansi: false,
    });
    let screen = String::from_utf8(viewer.answer(id)).unwrap();
    assert!(screen.trim_end().ends_with("9000\ndone") && screen.lines().count() <= 25);
}

#[test]
fn a_search_finds_newest_first_and_pages_on() {
    let keeper = TestKeeper::run(&["sh", "-c", "seq 1 1000; echo Done; read x"]);
    let mut viewer = keeper.attach();
    viewer.wait_text("Done");
    let search = |text: &str, regex, before, limit| Request::Search {
        text: text.to_owned(),
        regex,
        before,
        limit,
    };
    let answer = viewer.ask(search("99", false, None, 3));
    let lines: Vec<_> = answer["ok"]["matches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(lines, ["999", "998", "997"]);
    assert_eq!(answer["ok"]["more"], true);
    let before = answer["ok"]["matches"][2]["line"].as_u64();
    let answer = viewer.ask(search("99", false, before, 100));
    assert_eq!(answer["ok"]["matches"][0]["text"], "996");
    assert_eq!(answer["ok"]["more"], false);
    let answer = viewer.ask(search("^do+ne$", true, None, 10));
    assert_eq!(answer["ok"]["matches"][0]["text"], "Done");
    assert_eq!(kind(&viewer.ask(search("(", true, None, 10))), "invalid");
    assert_eq!(kind(&viewer.ask(search("", false, None, 10))), "invalid");
    let longest = "x".repeat(MAX_SEARCH);
    assert_eq!(
        kind(&viewer.ask(search(&longest, false, None, 10))),
        "no error"
    );
    let longer = "x".repeat(MAX_SEARCH + 1);
    assert_eq!(
        kind(&viewer.ask(search(&longer, false, None, 10))),
        "invalid"
    );
}

#[test]
fn waiting_for_a_line_sees_what_is_there_and_what_comes() {
    let keeper = TestKeeper::run(&[
        "bash",
        "-c",
        "echo here already; while read x; do seq 1 5000; echo came with $x; seq 1 5000; done",
    ]);
    let mut viewer = keeper.attach();
    viewer.wait_text("here already");
    let now = WaitFor::Regex("^here al".to_owned());
    assert_eq!(viewer.ask(wait_for(now, None)), json!({ "ok": {} }));
    let later = viewer.begin(wait_for(WaitFor::Regex("came with [x]+".to_owned()), None));
    let never = viewer.begin(wait_for(WaitFor::Regex("never".to_owned()), Some(300)));
    viewer.type_in("xyz\n");
    let answer: Value = serde_json::from_slice(&viewer.answer(later)).unwrap();
    assert_eq!(answer, json!({ "ok": {} }));
    let answer: Value = serde_json::from_slice(&viewer.answer(never)).unwrap();
    assert_eq!(kind(&answer), "timeout");
    let wrong = WaitFor::Regex("(".to_owned());
    assert_eq!(kind(&viewer.ask(wait_for(wrong, None))), "invalid");
}

#[test]
fn waiting_for_the_end_and_for_silence() {
    let keeper = TestKeeper::run(&[
        "bash",
        "-c",
        "for i in 1 2 3 4 5; do echo $i; read -t 0.1 x; done; read x; exit 2",
    ]);
    let mut viewer = keeper.attach();
    let began = Instant::now();
    let silence = viewer.begin(wait_for(WaitFor::Silence(1500), None));
    viewer.answer(silence);
    assert!(began.elapsed() >= Duration::from_millis(1500));
    assert!(viewer.screen().contains('5'));
    let late = wait_for(WaitFor::Silence(10_000), Some(200));
    assert_eq!(kind(&viewer.ask(late)), "timeout");
    let end = viewer.begin(wait_for(WaitFor::Exit {}, None));
    let line = viewer.begin(wait_for(WaitFor::Regex("never".to_owned()), None));
    viewer.type_in("\n");
    let answer: Value = serde_json::from_slice(&viewer.answer(end)).unwrap();
    assert_eq!(answer, json!({ "ok": {} }));
    assert_eq!(viewer.meta.exit, Some(Some(Exit::Status(2))));
    let answer: Value = serde_json::from_slice(&viewer.answer(line)).unwrap();
    assert_eq!(kind(&answer), "ended");
    let again = wait_for(WaitFor::Exit {}, None);
    assert_eq!(viewer.ask(again), json!({ "ok": {} }));
}

#[test]
fn sixteen_questions_are_answered_at_a_time_and_one_more_is_refused() {
    let keeper = TestKeeper::shell();
    let mut viewer = keeper.attach();
    for _ in 0..16 {
        viewer.begin(wait_for(WaitFor::Exit {}, None));
    }
    assert_eq!(kind(&viewer.ask(wait_for(WaitFor::Exit {}, None))), "busy");
    assert_eq!(kind(&viewer.ask(Request::Status {})), "no error");
    let mut other = keeper.attach();
    let timeout = wait_for(WaitFor::Exit {}, Some(1));
    assert_eq!(kind(&other.ask(timeout)), "timeout");
}

#[test]
fn sent_text_is_typed_at_its_limit_and_refused_beyond_and_after_the_end() {
    let keeper = TestKeeper::run(&[
        "bash",
        "-c",
        "stty raw -echo; echo up; head -c 65536 | wc -c; read x; exit",
    ]);
    let mut viewer = keeper.attach_as(attach(Mode::Manage));
    let mut watching = keeper.attach();
    watching.wait_text("up");
    let send = |length: usize| Request::Send {
        text: "x".repeat(length),
    };
    // A frame is a little longer than the longest text, JSON included.
    assert_eq!(viewer.ask(send(MAX_INPUT - 64)), json!({ "ok": {} }));
    assert_eq!(viewer.ask(send(64)), json!({ "ok": {} }));
    watching.wait_text("65536");
    watching.type_in("\n");
    watching.wait("the end", |v| v.meta.exit.flatten().is_some());
    assert_eq!(kind(&viewer.ask(send(1))), "ended");
}

#[test]
fn a_repaint_brings_as_many_lines_as_asked_for() {
    let keeper = TestKeeper::run(&["sh", "-c", "seq 1 5000; echo done; read x"]);
    keeper.attach().wait_text("done");
    let mut viewer = keeper.attach_as({
        let mut attach = attach(Mode::View);
        attach.history = 10;
        attach
    });
    viewer.wait_text("done");
    assert!(viewer.text().starts_with("49"), "{}", viewer.text());
    viewer.ask(Request::Repaint { history: 3000 });
    viewer.wait("more history", |viewer| viewer.text().starts_with("19"));
}

#[test]
fn reset_brings_a_garbled_terminal_back_and_asks_for_a_repaint() {
    let keeper = TestKeeper::run(&[
        "bash",
        "-c",
        "stty -echo -icanon; printf 'before\\033[3;4r\\033[3;1H\\033(0\\033[?25l\\033[31mgarbled'; while read -rn1 x; do printf '<%q>' \"$x\"; done",
    ]);
    let mut viewer = keeper.attach();
    viewer.wait_text("before");
    viewer.settle();
    let repaints = viewer.full_repaints;
    assert_eq!(viewer.ask(Request::Reset {}), json!({ "ok": {} }));
    viewer.wait_text("<$'\\f'>");
    assert!(viewer.full_repaints > repaints);
    assert!(viewer.text().contains("before"));
}

#[test]
fn who_only_watches_may_ask_and_not_change() {
    let keeper = TestKeeper::shell();
    let mut viewer = keeper.attach_as(attach(Mode::View));
    for request in [
        Request::Rename { name: None },
        Request::Send {
            text: "x".to_owned(),
        },
        Request::Reset {},
        Request::Close {},
    ] {
        assert_eq!(kind(&viewer.ask(request)), "denied");
    }
    assert_eq!(kind(&viewer.ask(Request::Status {})), "no error");
}

#[test]
fn a_question_of_a_newer_version_is_answered_and_the_viewer_stays() {
    let keeper = TestKeeper::shell();
    let mut viewer = keeper.attach();
    let mut bytes = Vec::new();
    prefixed(&mut bytes, |out| {
        out.extend([0x47, 0, 0, 0, 77]);
        out.extend(br#"{"op":"brew-coffee","strength":11}"#);
    });
    viewer.socket.write_all(&bytes).unwrap();
    let answer: Value = serde_json::from_slice(&viewer.answer(77)).unwrap();
    assert_eq!(kind(&answer), "invalid");
    viewer.send(&FromViewer::Ping(1));
    viewer.wait("still served", |viewer| viewer.pongs == [1]);
}
