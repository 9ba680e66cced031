//! A viewer that was cut off anywhere and got a repaint shows what one shows that never was: recorded
//! programs and random streams, compared cell by cell and mode by mode in the browser's own emulator.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test tells its figures, and what is wrong by panicking"
)]

#[path = "fidelity/browser.rs"]
mod browser;
#[path = "fidelity/grammar.rs"]
mod grammar;
#[path = "fidelity/harness.rs"]
mod harness;
#[path = "fidelity/hunt.rs"]
mod hunt;
#[path = "fidelity/random.rs"]
mod random;
#[path = "fidelity/recordings.rs"]
mod recordings;
#[path = "fidelity/report.rs"]
mod report;
#[path = "fidelity/tricky.rs"]
mod tricky;
#[path = "fidelity/viewers.rs"]
mod viewers;

use browser::Browser;
use gatepost::base::Size;
use gatepost::screen::{AlacrittyModel, Model as _, RepaintKind};
use recordings::{Random, Recording, cuts, recordings_wanted};
use report::Report;
use viewers::{
    FULL, HISTORY, MODEL_HISTORY, cut_and_compare, cuts_wanted, fall_behind_and_compare,
};

#[test]
fn a_recorded_program_cut_anywhere_and_repainted_looks_as_if_never_cut() {
    let mut browser = Browser::start();
    let mut report = Report::default();
    for recording in recordings_wanted() {
        let cuts = cuts(
            &recording.bytes,
            cuts_wanted(),
            &mut Random::named(&recording.name),
        );
        let before = (report.compared, report.failed);
        cut_and_compare(&mut browser, &recording, &cuts, &mut report);
        println!(
            "{}: {} cuts, {} comparisons, {} failed",
            recording.name,
            cuts.len(),
            report.compared - before.0,
            report.failed - before.1
        );
    }
    println!(
        "all: {} comparisons, {} failed",
        report.compared, report.failed
    );
    report.check();
}

#[test]
fn a_viewer_that_falls_behind_at_random_looks_as_if_it_never_had() {
    let mut browser = Browser::start();
    let mut report = Report::default();
    for recording in recordings_wanted() {
        let mut random = Random::named(&format!("{} behind", recording.name));
        let cuts = cuts(&recording.bytes, cuts_wanted(), &mut random);
        fall_behind_and_compare(&mut browser, &recording, &cuts, &mut report);
    }
    println!("{} comparisons, {} failed", report.compared, report.failed);
    report.check();
}

/// Changes the size at random; viewers take a full repaint then. One that got it at once and one that got
/// it later have to agree.
#[test]
fn after_a_resize_viewers_repainted_at_different_times_agree() {
    // Lines that scrolled off at another width take another number of rows, so the oldest differ in length;
    // and a program that hasn't redrawn yet moves rows in the middle of lines.
    const FEW: usize = 60;
    let mut browser = Browser::start();
    let mut report = Report::default();
    for Recording { name, size, bytes } in recordings_wanted() {
        if name == "apt" {
            // In another size its progress bar scrolls the screen between ESC 7 and ESC 8, and xterm.js then
            // puts the cursor elsewhere than other terminals.
            continue;
        }
        let mut random = Random::named(&format!("{name} resized"));
        let mut model = AlacrittyModel::new(size, MODEL_HISTORY);
        browser.open("at once", size, HISTORY);
        browser.open("later", size, HISTORY);
        let mut done = 0;
        for cut in cuts(&bytes, cuts_wanted() / 2, &mut random) {
            let piece = &bytes[done..cut];
            model.feed(piece);
            browser.feed("at once", piece);
            if random.below(3) == 0 {
                let cols = u16::try_from(5 + random.below(140)).unwrap();
                let rows = u16::try_from(2 + random.below(50)).unwrap();
                let size = Size::clamped(cols, rows);
                model.resize(size);
                let painted = model.repaint(FULL);
                browser.resize("at once", size);
                browser.reset("at once");
                browser.feed("at once", &painted.bytes);
                browser.resize("later", size);
            } else {
                let painted = model.repaint(FULL);
                browser.reset("later");
                browser.feed("later", &painted.bytes);
                let differences = browser.differences("at once", "later", FEW, &["wraps"]);
                report.add(
                    &format!("{name}: at {cut}, {:?}", model.size()),
                    &differences,
                );
            }
            done = cut;
        }
    }
    println!("{} comparisons, {} failed", report.compared, report.failed);
    report.check();
}

#[test]
fn a_repaint_leaves_out_the_oldest_lines_when_they_are_too_many_bytes_and_says_how_many() {
    let mut browser = Browser::start();
    let mut report = Report::default();
    for Recording { name, size, bytes } in recordings_wanted() {
        let mut model = AlacrittyModel::new(size, MODEL_HISTORY);
        browser.open("whole", size, HISTORY);
        browser.feed("whole", &bytes);
        model.feed(&bytes);
        let held = usize::try_from(model.scrollback()).unwrap().min(HISTORY);
        for max_history_bytes in [0, 1, 300, 5000] {
            let painted = model.repaint(RepaintKind::Full {
                history: HISTORY,
                max_history_bytes,
            });
            let unlimited = model.repaint(FULL);
            let screen = model.repaint(RepaintKind::Full {
                history: 0,
                max_history_bytes: 0,
            });
            assert!(
                painted.bytes.len() <= screen.bytes.len() + max_history_bytes + 64,
                "{name}: {} bytes, of which {} are the screen",
                painted.bytes.len(),
                screen.bytes.len()
            );
            assert!(painted.bytes.len() <= unlimited.bytes.len(), "{name}");
            browser.open("limited", size, HISTORY);
            browser.feed("limited", &painted.bytes);
            let skipped = usize::try_from(painted.skipped).unwrap();
            let told = held.saturating_sub(skipped);
            let what = format!("{name}: {told} of {held} lines in {max_history_bytes} bytes");
            let ignore = ["scrollback length"];
            let differences = browser.differences("whole", "limited", told, &ignore);
            report.add(&what, &differences);
        }
    }
    println!("{} comparisons, {} failed", report.compared, report.failed);
    report.check();
}
