//! Many viewers, slow ones, silent ones, and ones that break the rules.

#![expect(
    clippy::unwrap_used,
    reason = "a step that fails should stop its test loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use gatepost::base::Size;
use gatepost::screen::Model as _;
use gatepost::wire::PROTOCOL;
use gatepost::wire::frame::{FromViewer, MAX_INPUT, prefixed};
use gatepost::wire::message::{
    Attach, Exit, Level, MAX_WINDOW, MIN_WINDOW, Mode, Request, WaitFor,
};
use support::keeper::{TestKeeper, Viewer, attach, until, within};

/// Private memory of a process, in KiB.
fn private_memory(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let lines = rollup.lines().filter(|line| line.starts_with("Private_"));
    lines
        .map(|line| {
            line.split_whitespace()
                .nth(1)
                .unwrap()
                .parse::<u64>()
                .unwrap()
        })
        .sum()
}

/// Sends raw bytes and returns why the keeper closed the connection.
fn closed_after(keeper: &TestKeeper, mode: Mode, frames: &[&[u8]]) -> String {
    let mut viewer = keeper.attach_as(attach(mode));
    for frame in frames {
        let mut bytes = Vec::new();
        prefixed(&mut bytes, |out| out.extend_from_slice(frame));
        drop(viewer.socket.write_all(&bytes));
    }
    while !viewer.closed {
        viewer.wait("the keeper closes", |viewer| viewer.closed);
    }
    let last = viewer.notices.last().unwrap();
    assert_eq!(last.level, Level::Error);
    last.text.clone()
}

#[test]
fn who_breaks_the_protocol_is_told_and_closed_and_nobody_else_notices() {
    let keeper = TestKeeper::shell();
    let mut good = keeper.attach();
    good.wait_text("gp>");
    let again = [&[0x41, PROTOCOL][..], br#"{"mode":"type"}"#].concat();
    let ack = [&[0x44][..], &u64::MAX.to_be_bytes()].concat();
    let long = [&[0x42][..], &vec![b'x'; MAX_INPUT + 1]].concat();
    for (mode, frame, why) in [
        (Mode::Type, &again[..], "second Attach"),
        (Mode::Type, &ack, "acknowledged"),
        (Mode::Type, &long, "limit"),
        (Mode::Type, &[0x7f], "unknown frame type"),
        (Mode::Type, &[], "empty frame"),
        (Mode::Type, &[0x43, 1], "wrong length"),
        (Mode::View, b"\x42touch typed", "can't type"),
        (Mode::Manage, b"\x42touch typed", "can't type"),
        (Mode::View, &[0x46], "can't restart"),
    ] {
        let said = closed_after(&keeper, mode, &[frame]);
        assert!(said.contains(why), "{said:?} for {why:?}");
    }
    good.type_in("echo still $((1+1))\n");
    good.wait_text("still 2");
    assert!(!good.screen().contains("typed"));
}

#[test]
fn a_first_frame_other_than_attach_and_another_version_are_refused() {
    let keeper = TestKeeper::shell();
    let newer = [&[0x41, PROTOCOL + 1][..], br#"{"mode":"type"}"#].concat();
    for (frame, why) in [(&[0x45][..], "Attach"), (&newer, "version 2")] {
        let mut socket = keeper.connect();
        let mut bytes = Vec::new();
        prefixed(&mut bytes, |out| out.extend_from_slice(frame));
        socket.write_all(&bytes).unwrap();
        let mut said = Vec::new();
        drop(socket.read_to_end(&mut said));
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_connection_that_says_nothing_is_closed_after_five_seconds() {
    let keeper = TestKeeper::shell();
    within(Duration::from_secs(8), || {
        let began = Instant::now();
        let mut socket = keeper.connect();
        let mut said = Vec::new();
        socket.read_to_end(&mut said).unwrap();
        let waited = began.elapsed();
        assert!(waited >= Duration::from_secs(5), "{waited:?}");
        assert!(String::from_utf8_lossy(&said).contains("5 seconds"));
        waited
    });
}

#[test]
fn sixty_four_viewers_are_served_and_one_more_is_told_to_wait() {
    let keeper = TestKeeper::shell();
    let mut viewers: Vec<Viewer> = (0..64).map(|_| keeper.attach()).collect();
    let refused = keeper.attach();
    assert!(refused.closed && refused.hello.is_none());
    assert!(refused.notices[0].text.starts_with("busy"));
    viewers[0].type_in("echo to all $((2+2))\n");
    for viewer in &mut viewers {
        viewer.wait_text("to all 4");
    }
    viewers.pop();
    until("a place is free", || keeper.attach().hello.is_some());
}

#[test]
fn managers_take_no_viewers_place_and_have_a_limit_of_their_own() {
    let keeper = TestKeeper::shell();
    let manager = || keeper.attach_as(Attach::manage());
    let managers: Vec<Viewer> = (0..64).map(|_| manager()).collect();
    assert!(managers.iter().all(|manager| manager.hello.is_some()));
    let refused = manager();
    assert!(refused.closed && refused.notices[0].text.starts_with("busy"));
    let viewers: Vec<Viewer> = (0..64).map(|_| keeper.attach()).collect();
    assert!(viewers.iter().all(|viewer| viewer.hello.is_some()));
    drop(managers);
    until("a place is free", || manager().hello.is_some());
}

#[test]
fn connections_that_say_nothing_are_bounded_too() {
    let keeper = TestKeeper::shell();
    let mut silent: Vec<_> = (0..64 + 64 + 16).map(|_| keeper.connect()).collect();
    let mut refused = keeper.connect();
    let mut said = Vec::new();
    refused.read_to_end(&mut said).unwrap();
    assert!(String::from_utf8_lossy(&said).contains("busy"));
    silent.pop();
    until("a place is free", || keeper.attach().hello.is_some());
}

#[test]
fn windows_are_granted_within_limits() {
    let keeper = TestKeeper::shell();
    for (wanted, granted) in [
        (0, MIN_WINDOW),
        (MIN_WINDOW, MIN_WINDOW),
        (MAX_WINDOW, MAX_WINDOW),
        (MAX_WINDOW + 1, MAX_WINDOW),
        (u32::MAX, MAX_WINDOW),
    ] {
        let mut attach = attach(Mode::View);
        attach.window = wanted;
        let viewer = keeper.attach_as(attach);
        assert_eq!(viewer.hello.unwrap().window, granted);
    }
}

#[test]
fn a_viewer_that_keeps_up_gets_the_programs_bytes_and_nothing_else() {
    let keeper = TestKeeper::run(&[
        "bash",
        "-c",
        "stty -echo; echo ready; while read x; do seq 1 2000; echo next; done",
    ]);
    let mut viewer = keeper.attach();
    viewer.wait_text("ready");
    viewer.settle();
    let (output, repainted, wire) = (viewer.output_bytes, viewer.repaint_bytes, viewer.wire_bytes);
    for round in 1..=20 {
        viewer.type_in("\n");
        viewer.wait("the next lot", |viewer| {
            viewer.text().matches("next").count() == round
        });
    }
    let output = viewer.output_bytes - output;
    let lot: usize = (1..=2000).map(|n: u32| n.to_string().len() + 2).sum();
    assert_eq!(output, 20 * (lot as u64 + 6));
    assert_eq!(viewer.repaint_bytes, repainted, "no repaint");
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    let ratio = (viewer.wire_bytes - wire) as f64 / output as f64;
    assert!(
        ratio <= 1.02,
        "{ratio} bytes on the wire for each byte of output"
    );
}

/// Floods a terminal that eight viewers watch who neither read nor acknowledge (or none does), and
/// returns it, one that does, and the keeper's private memory before it all, in KiB.
fn flood(silent: usize) -> (TestKeeper, Vec<Viewer>, Viewer, u64) {
    let keeper = TestKeeper::run(&[
        "bash",
        "-c",
        "read x; head -c 5000000 /dev/zero | tr '\\0' 'y' | fold; echo; echo the end; read x",
    ]);
    let mut good = keeper.attach();
    let mut silent: Vec<_> = (0..silent)
        .map(|_| keeper.attach_as(attach(Mode::View)))
        .collect();
    good.settle();
    let before = private_memory(keeper.pid());
    for viewer in &mut silent {
        viewer.acks = false;
        for _ in 0..200 {
            viewer.begin(Request::Status {});
        }
    }
    good.type_in("\n");
    good.wait("the end", |viewer| viewer.screen().contains("the end"));
    (keeper, silent, good, before)
}

/// What a keeper takes more than before, in KiB. The newest rows are compressed, and what that
/// frees goes back, when the output has been quiet for a moment.
fn growth(keeper: &TestKeeper, before: u64) -> u64 {
    private_memory(keeper.pid()).saturating_sub(before)
}

#[test]
fn viewers_that_never_read_cost_their_windows_and_disturb_nobody() {
    let (keeper, _, _, before) = flood(0);
    let alone = growth(&keeper, before);
    let (keeper, mut silent, good, before) = flood(8);
    // Eight windows and eight lots of unread answers; most of it is in the kernel.
    until("less than 2 MiB more than without them", || {
        growth(&keeper, before) < alone + (2 << 10)
    });
    // What such a viewer finds when it reads again is right.
    let late = &mut silent[0];
    late.acks = true;
    late.send(&FromViewer::Ack(late.seq));
    late.wait("the same screen", |v| v.screen() == good.screen());
    drop(keeper);
}

#[test]
fn a_slow_viewer_skips_and_still_ends_with_the_right_screen_and_scrollback() {
    let keeper = TestKeeper::with(
        &["bash", "-c", "read x; seq 1 300000; echo the end; read x"],
        |launch| launch.scrollback = 2000,
    );
    let mut slow = keeper.attach();
    let mut quick = keeper.attach();
    slow.settle();
    quick.settle();
    slow.type_in("\n");
    slow.acks = false;
    let mut told = false;
    slow.wait("the end", |viewer| {
        for _ in 0..8 {
            quick.read(Duration::from_millis(2));
        }
        // An eighth of the pace of somebody who keeps up, however busy the machine is, until that one has it all.
        let all = quick.screen().contains("the end");
        let budget = if all { u64::MAX } else { quick.seq / 8 };
        let seq = viewer.seq.min(budget);
        viewer.send(&FromViewer::Ack(seq));
        told |= viewer.meta.behind == Some(true);
        viewer.screen().contains("the end") && viewer.full_repaints >= 2
    });
    assert!(slow.catch_ups > 0);
    assert!(slow.output_bytes < 1_500_000, "{} bytes", slow.output_bytes);
    assert!(told, "it was told that it is behind");
    slow.send(&FromViewer::Ack(slow.seq));
    slow.wait("not behind any more", |v| v.meta.behind == Some(false));
    let text = slow.text();
    let tail: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
    let expected: Vec<_> = (299_001..=300_000).map(|n| n.to_string()).collect();
    assert_eq!(tail.last(), Some(&"the end"));
    assert_eq!(tail[tail.len() - 1001..tail.len() - 1], expected);
}

#[test]
fn an_interrupt_gets_through_a_flood_to_a_slow_viewer() {
    within(Duration::from_millis(600), || {
        let keeper = TestKeeper::shell();
        let mut slow = keeper.attach();
        slow.wait_text("gp>");
        slow.type_in("yes\n");
        slow.wait_text("y\ny\ny");
        slow.acks = false;
        let began = Instant::now();
        let start = slow.seq;
        let mut typed = None;
        slow.wait("a prompt", |viewer| {
            let elapsed = began.elapsed();
            let budget = start + u64::try_from(elapsed.as_micros()).unwrap(); // 1 MB/s
            viewer.send(&FromViewer::Ack(viewer.seq.min(budget)));
            if elapsed > Duration::from_millis(700) && typed.is_none() {
                viewer.type_in("\x03");
                typed = Some((Instant::now(), viewer.seq));
            }
            typed.is_some() && viewer.screen().trim_end().ends_with("gp>")
        });
        let (at, seq) = typed.unwrap();
        // What such a line takes 0.3 s for, whatever the machine is busy with.
        let between = slow.seq - seq;
        assert!(
            between < 300_000,
            "{between} bytes between the key and the prompt"
        );
        at.elapsed()
    });
}

#[test]
fn a_ping_overtakes_output_that_is_not_acknowledged() {
    let keeper = TestKeeper::shell();
    let mut viewer = keeper.attach();
    viewer.wait_text("gp>");
    viewer.type_in("yes\n");
    viewer.acks = false;
    viewer.wait("a used up window", |viewer| viewer.output_bytes > 60_000);
    viewer.send(&FromViewer::Ping(42));
    viewer.wait("the pong", |viewer| viewer.pongs == [42]);
    viewer.type_in("\x03");
}

#[test]
fn queries_are_answered_once_however_many_watch() {
    let keeper = TestKeeper::run(&[
        "bash",
        "-c",
        "stty raw -echo; echo up; read -n1 x; printf '\\033[2J\\033[Hab\\033[6n'; sleep 0.4; \
         answer=$(dd bs=64 count=1 2>/dev/null | od -An -c | tr -d ' \\n'); printf '<%s>' \"$answer\"; sleep 100",
    ]);
    let mut one = keeper.attach();
    let _two = keeper.attach();
    let _three = keeper.attach();
    one.wait_text("up");
    one.type_in("x");
    one.wait_text(">");
    assert!(one.screen().contains("<033[1;3R>"), "{}", one.screen());
}

#[test]
fn a_storm_of_sizes_becomes_a_few_and_ends_at_the_last() {
    let keeper = TestKeeper::shell();
    let mut viewer = keeper.attach();
    viewer.wait_text("gp>");
    for cols in 20..=320 {
        viewer.send(&FromViewer::Resize(Size::clamped(cols, 40)));
    }
    viewer.wait("the last size", |viewer| {
        viewer.meta.size == Some(Size::clamped(320, 40))
    });
    viewer.wait("its repaint", |v| v.model.size() == Size::clamped(320, 40));
    assert!(viewer.full_repaints < 30, "{}", viewer.full_repaints);
    viewer.type_in("stty size\n");
    viewer.wait_text("40 320");
}

/// A viewer that has typed until the keeper took no more.
fn too_much(keeper: &TestKeeper) -> Viewer {
    let mut typing = keeper.attach();
    typing.socket.set_nonblocking(true).unwrap();
    let mut frame = Vec::new();
    prefixed(&mut frame, |out| {
        FromViewer::Input(&vec![b'x'; MAX_INPUT]).encode(out);
    });
    let (mut sent, mut full) = (0, false);
    let mut rest = frame.as_slice();
    until("the keeper stops reading", || {
        match typing.socket.write(rest) {
            Ok(n) => {
                sent += n;
                rest = rest.get(n..).unwrap_or_default();
                if rest.is_empty() {
                    rest = &frame;
                }
                assert!(sent < 64 << 20, "it reads for ever");
                full = false;
                false
            }
            Err(_) => std::mem::replace(&mut full, true),
        }
    });
    typing
}

/// Processor time a process has used, in hundredths of a second.
fn processor_time(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ');
    fields
        .skip(11)
        .take(2)
        .map(|f| f.parse::<u64>().unwrap())
        .sum()
}

#[test]
fn whoever_leaves_with_input_that_nobody_reads_costs_no_processor_time() {
    let keeper = TestKeeper::run(&["bash", "-c", "stty raw -echo; echo up; sleep 1000"]);
    let mut watching = keeper.attach_as(attach(Mode::View));
    watching.wait_text("up");
    drop(too_much(&keeper));
    let before = processor_time(keeper.pid());
    watching.ask(Request::Wait {
        what: WaitFor::Silence(1000),
        timeout_ms: None,
    });
    let used = processor_time(keeper.pid()) - before;
    assert!(used < 20, "{used} hundredths of a second in one");
}

#[test]
fn input_for_a_program_that_does_not_read_is_bounded_and_blocks_nobody_who_watches() {
    let keeper = TestKeeper::run(&["bash", "-c", "stty raw -echo; echo up; sleep 1000"]);
    let mut watching = keeper.attach_as(attach(Mode::View));
    watching.wait_text("up");
    let before = private_memory(keeper.pid());
    let _typing = too_much(&keeper);
    watching.ask(Request::Status {});
    let grown = private_memory(keeper.pid()).saturating_sub(before);
    assert!(grown < 4 << 10, "{grown} KiB more");
}

#[test]
fn answers_to_queries_nobody_reads_are_bounded() {
    let keeper = TestKeeper::run(&[
        "bash",
        "-c",
        "stty raw -echo; echo up; read -n1 x; yes $'\\033[c\\033[6n' | head -c 2000000; echo the end; sleep 1000",
    ]);
    let mut viewer = keeper.attach();
    viewer.wait_text("up");
    let before = private_memory(keeper.pid());
    viewer.type_in("x");
    viewer.wait_text("the end");
    let grown = private_memory(keeper.pid()).saturating_sub(before);
    assert!(grown < 2 << 10, "{grown} KiB more");
    // It still takes what is typed.
    assert_eq!(
        viewer.ask(Request::Send {
            text: "y".to_owned()
        }),
        serde_json::json!({ "ok": {} })
    );
}

#[test]
fn a_large_paste_arrives_whole() {
    let keeper = TestKeeper::run(&[
        "bash",
        "-c",
        "stty raw -echo; echo up; head -c 700000 | cksum; sleep 1000",
    ]);
    let mut viewer = keeper.attach();
    viewer.wait_text("up");
    let numbers: Vec<_> = (0..100_000).map(|n| format!("{n:07}")).collect();
    let text = numbers.concat();
    viewer.type_in(&text);
    viewer.wait_text("700000");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("paste");
    fs::write(&path, text).unwrap();
    let sum = std::process::Command::new("cksum")
        .stdin(fs::File::open(path).unwrap())
        .output()
        .unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    assert!(viewer.screen().contains(sum.trim()), "{}", viewer.screen());
}

#[test]
fn ctrl_s_is_told_and_ctrl_q_too() {
    let keeper = TestKeeper::run(&["bash", "-c", "echo up; while read x; do echo got $x; done"]);
    let mut viewer = keeper.attach();
    viewer.wait_text("up");
    assert_eq!(viewer.meta.stopped, Some(false));
    viewer.type_in("\x13");
    viewer.wait("stopped", |viewer| viewer.meta.stopped == Some(true));
    assert_eq!(keeper.attach().meta.stopped, Some(true));
    viewer.type_in("abc\n");
    viewer.settle();
    assert!(!viewer.screen().contains("got abc"));
    viewer.type_in("\x11");
    viewer.wait("resumed", |viewer| viewer.meta.stopped == Some(false));
    viewer.wait_text("got abc");
}

#[test]
fn everybody_hears_who_comes_and_goes_but_not_of_managers() {
    let keeper = TestKeeper::shell();
    let mut one = keeper.attach_as({
        let mut attach = attach(Mode::Type);
        attach.label = "one\u{1b}[31m".to_owned();
        attach.kiosk = true;
        attach
    });
    let manager = keeper.attach_as(attach(Mode::Manage));
    let two = keeper.attach_as(attach(Mode::View));
    let count = |n: usize| move |v: &mut Viewer| v.meta.viewers.as_ref().unwrap().len() == n;
    one.wait("two viewers", count(2));
    let seen = one.meta.viewers.clone().unwrap();
    assert_eq!(seen[0].label, "one[31m");
    assert!(seen[0].kiosk);
    assert_eq!(seen[1].viewer, two.number());
    assert_eq!(seen[1].mode, Mode::View);
    drop(two);
    one.wait("one viewer", count(1));
    assert_eq!(manager.meta.viewers.as_ref().unwrap().len(), 1);
}

#[test]
fn titles_and_bells_are_told_and_a_name_stays_until_it_is_taken_away() {
    let keeper = TestKeeper::run(&[
        "bash",
        "-c",
        "printf '\\033]2;from the program\\007\\007\\007'; read x; exit 0",
    ]);
    let mut viewer = keeper.attach();
    viewer.wait("the title", |v| {
        v.meta.title == Some(Some("from the program".to_owned()))
    });
    viewer.wait("two bells", |v| v.meta.bells == Some(2));
    viewer.ask(Request::Rename {
        name: Some("mine".parse().unwrap()),
    });
    viewer.wait("the name", |v| {
        v.meta.name == Some(Some("mine".parse().unwrap()))
    });
    viewer.ask(Request::Rename { name: None });
    viewer.wait("no name", |v| v.meta.name == Some(None));
    viewer.type_in("\n");
    viewer.wait("the end", |v| v.meta.exit == Some(Some(Exit::Status(0))));
}
