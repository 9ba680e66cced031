//! Viewers that are cut off and repainted, beside one that never is.

use gatepost::screen::{AlacrittyModel, Model as _, RepaintKind};

use crate::browser::Browser;
use crate::recordings::{Random, Recording};
use crate::report::Report;

/// Lines of scrollback in the viewers and in a full repaint.
pub(crate) const HISTORY: usize = 300;
/// The model keeps more than any viewer.
pub(crate) const MODEL_HISTORY: u32 = 2000;
/// No limit: what a byte limit leaves out has its own test.
pub(crate) const NO_LIMIT: usize = usize::MAX;
pub(crate) const FULL: RepaintKind = RepaintKind::Full {
    history: HISTORY,
    max_history_bytes: NO_LIMIT,
};

/// Cuts for each recording; `GATEPOST_FIDELITY_CUTS` raises them.
pub(crate) fn cuts_wanted() -> usize {
    std::env::var("GATEPOST_FIDELITY_CUTS").map_or(32, |text| {
        text.parse()
            .expect("GATEPOST_FIDELITY_CUTS is a number of cuts for each recording")
    })
}

/// Repaints a used viewer at every cut, compares it there and again at the next cut, and lets some go on to
/// the end.
pub(crate) fn cut_and_compare(
    browser: &mut Browser,
    recording: &Recording,
    cuts: &[usize],
    report: &mut Report,
) {
    let Recording { name, size, bytes } = recording;
    for viewer in ["never cut", "cut"] {
        browser.open(viewer, *size, HISTORY);
    }
    let mut model = AlacrittyModel::new(*size, MODEL_HISTORY);
    let mut runners: Vec<(usize, String)> = Vec::new();
    let mut done = 0;
    for (i, &cut) in cuts.iter().enumerate() {
        let piece = &bytes[done..cut];
        browser.feed("never cut", piece);
        browser.feed("cut", piece);
        for (_, runner) in &runners {
            browser.feed(runner, piece);
        }
        model.feed(piece);
        if i > 0 {
            let differences = browser.differences("never cut", "cut", HISTORY, &[]);
            report.add(&format!("{name}: cut at {done}, at {cut}"), &differences);
        }
        let painted = model.repaint(FULL);
        browser.reset("cut");
        browser.feed("cut", &painted.bytes);
        let differences = browser.differences("never cut", "cut", HISTORY, &[]);
        report.add(&format!("{name}: cut at {cut}"), &differences);
        if i % 8 == 4 {
            let runner = format!("from {cut}");
            browser.open(&runner, *size, HISTORY);
            browser.feed(&runner, &painted.bytes);
            runners.push((cut, runner));
        }
        done = cut;
    }
    for (cut, runner) in runners {
        let differences = browser.differences("never cut", &runner, HISTORY, &[]);
        report.add(&format!("{name}: cut at {cut}, at the end"), &differences);
        browser.close(&runner);
    }
}

/// Lets a viewer fall behind at random: it misses pieces of output, gets a catch-up and goes on.
pub(crate) fn fall_behind_and_compare(
    browser: &mut Browser,
    recording: &Recording,
    cuts: &[usize],
    report: &mut Report,
) {
    let Recording { name, size, bytes } = recording;
    for viewer in ["never behind", "behind"] {
        browser.open(viewer, *size, HISTORY);
    }
    let mut model = AlacrittyModel::new(*size, MODEL_HISTORY);
    let mut random = Random::named(name);
    let mut done = 0;
    // what the viewer's last byte was, and the lines scrolled off by then
    let mut missing: Option<(usize, u64)> = None;
    for &cut in cuts {
        let piece = &bytes[done..cut];
        if missing.is_none() && random.below(2) == 0 {
            missing = Some((done, model.scrolled()));
        }
        browser.feed("never behind", piece);
        model.feed(piece);
        if missing.is_none() {
            browser.feed("behind", piece);
        }
        done = cut;
        if let Some((since_byte, since)) = missing
            && (random.below(2) == 0 || cut == bytes.len())
        {
            missing = None;
            let painted = model.repaint(RepaintKind::CatchUp {
                since,
                max_history_bytes: NO_LIMIT,
            });
            assert_eq!(painted.skipped, 0, "{name} at {cut}: nothing limits it");
            browser.feed("behind", &painted.bytes);
            let what = format!("{name}: behind from {since_byte} to {cut}");
            let differences = browser.differences("never behind", "behind", HISTORY, &[]);
            report.add(&what, &differences);
            if !differences.is_empty() {
                // start afresh, so that one fault isn't told at every later cut
                browser.reset("behind");
                browser.feed("behind", &bytes[..cut]);
            }
        } else if missing.is_none() {
            let differences = browser.differences("never behind", "behind", HISTORY, &[]);
            report.add(&format!("{name}: at {cut}, with everything"), &differences);
        }
    }
}
