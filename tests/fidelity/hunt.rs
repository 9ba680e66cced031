//! Two tools for whoever hunts a mismatch; neither runs with the tests.

use std::cell::RefCell;
use std::env;

use gatepost::screen::{AlacrittyModel, Model as _};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use crate::browser::{Browser, Difference};
use crate::grammar;
use crate::recordings::{self, Recording};
use crate::report::Report;
use crate::viewers::{FULL, HISTORY, MODEL_HISTORY, cut_and_compare, fall_behind_and_compare};

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

#[test]
#[ignore = "a tool: HOW=end|cut|behind SEEDS=20 IGNORE=wraps,joins; tells one small failing case for each seed"]
fn small_random_output_that_fails() {
    let browser = RefCell::new(Browser::start());
    let (how, ignore) = (variable("HOW"), variable("IGNORE"));
    for seed in 0..variable("SEEDS").parse::<u8>().unwrap_or(20) {
        let config = Config {
            cases: 200,
            failure_persistence: None,
            max_shrink_iters: 3000,
            ..Config::default()
        };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        let outcome = TestRunner::new_with_rng(config, rng).run(&grammar::cases(30), |case| {
            let mut report = Report::default();
            let recording = Recording {
                name: "random".to_owned(),
                size: case.size,
                bytes: case.bytes(),
            };
            let browser = &mut browser.borrow_mut();
            match how.as_str() {
                "cut" => cut_and_compare(browser, &recording, &case.places(), &mut report),
                "behind" => {
                    fall_behind_and_compare(browser, &recording, &case.places(), &mut report);
                }
                _ => cut_and_compare(browser, &recording, &[recording.bytes.len()], &mut report),
            }
            for field in ignore.split(',') {
                report.fields.remove(field);
            }
            prop_assert!(report.fields.is_empty(), "{}", report.text());
            Ok(())
        });
        if let Err(TestError::Fail(reason, case)) = outcome {
            let (size, pieces, places) = (case.size, &case.pieces, case.places());
            println!("### {seed}: {size:?} {pieces:?} {places:?}\n{reason}");
        }
    }
}

#[test]
#[ignore = "a tool: RECORDING=vim AT=1234 FIELD=wraps; makes the output before a failing cut small"]
fn small_part_of_a_recording_that_fails() {
    let (name, field) = (variable("RECORDING"), variable("FIELD"));
    let recording = recordings::all()
        .into_iter()
        .find(|recording| recording.name == name)
        .expect("RECORDING names one");
    let at = variable("AT").parse().unwrap_or(recording.bytes.len());
    let mut pieces = sequences(&recording.bytes[..at]);
    let mut browser = Browser::start();
    let mut differences = |pieces: &[&[u8]]| -> (Vec<Difference>, String) {
        let bytes = pieces.concat();
        browser.open("never cut", recording.size, HISTORY);
        browser.open("cut", recording.size, HISTORY);
        browser.feed("never cut", &bytes);
        let mut model = AlacrittyModel::new(recording.size, MODEL_HISTORY);
        model.feed(&bytes);
        let painted = model.repaint(FULL);
        browser.feed("cut", &painted.bytes);
        let text = String::from_utf8_lossy(&painted.bytes).into_owned();
        (browser.differences("never cut", "cut", HISTORY, &[]), text)
    };
    let mut fails = |pieces: &[&[u8]]| {
        let (found, _) = differences(pieces);
        found.iter().any(|difference| difference.field == field)
    };
    assert!(fails(&pieces), "{field} doesn't differ there");
    let mut count = pieces.len();
    while count > 0 {
        let mut from = 0;
        while from < pieces.len() {
            let mut fewer = pieces.clone();
            fewer.drain(from..(from + count).min(pieces.len()));
            if fails(&fewer) {
                pieces = fewer;
            } else {
                from += count;
            }
        }
        count /= 2;
    }
    let (found, painted) = differences(&pieces);
    let size = recording.size;
    println!(
        "### {size:?} {:?}",
        String::from_utf8_lossy(&pieces.concat())
    );
    for difference in found {
        println!("{difference}");
    }
    println!("{painted:?}");
}

/// Output as escape sequences and single characters.
fn sequences(bytes: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let length = match (first, rest.get(1)) {
            (0x1b, Some(b'[')) => rest
                .iter()
                .skip(2)
                .position(|byte| (0x40..0x7f).contains(byte))
                .map(|at| at + 3),
            (0x1b, Some(b']')) => rest.iter().position(|byte| *byte == 7).map(|at| at + 1),
            (0x1b, Some(b'(' | b')' | b'*' | b'+' | b'#')) => Some(3),
            (0x1b, _) => Some(2),
            (0xf0.., _) => Some(4),
            (0xe0.., _) => Some(3),
            (0xc0.., _) => Some(2),
            _ => Some(1),
        };
        let (piece, more) = rest.split_at(length.unwrap_or(rest.len()).min(rest.len()));
        pieces.push(piece);
        rest = more;
    }
    pieces
}
