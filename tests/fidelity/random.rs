//! The same for random output, and a model that is fed its own repaint.

use std::cell::RefCell;

use gatepost::screen::{AlacrittyModel, Model as _};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::browser::Browser;
use crate::grammar;
use crate::recordings::Recording;
use crate::report::Report;
use crate::viewers::{FULL, MODEL_HISTORY, cut_and_compare, cuts_wanted, fall_behind_and_compare};

/// Which rows continue the one above isn't compared: random output moves and deletes rows in the middle of lines,
/// and xterm.js then has combinations (a first row that continues a line that ends above it) that no output can make.
const FORGIVEN: [&str; 3] = ["wraps", "hidden wraps", "scrollback wraps"];

/// The same numbers on every machine and every run, unless `GATEPOST_FIDELITY_SEED` asks for others.
fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let seed = std::env::var("GATEPOST_FIDELITY_SEED").map_or(0, |text| {
        text.parse::<u64>()
            .expect("GATEPOST_FIDELITY_SEED is a number")
    });
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

#[test]
fn random_output_cut_anywhere_and_repainted_looks_as_if_never_cut() {
    let browser = RefCell::new(Browser::start());
    let outcome =
        runner(10 * u32::try_from(cuts_wanted()).unwrap()).run(&grammar::cases(40), |case| {
            let recording = Recording {
                name: "random".to_owned(),
                size: case.size,
                bytes: case.bytes(),
            };
            let mut report = Report::default();
            cut_and_compare(
                &mut browser.borrow_mut(),
                &recording,
                &case.places(),
                &mut report,
            );
            for field in FORGIVEN {
                report.fields.remove(field);
            }
            prop_assert!(report.fields.is_empty(), "{}", report.text());
            Ok(())
        });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_viewer_that_falls_behind_random_output_looks_as_if_it_never_had() {
    let browser = RefCell::new(Browser::start());
    let outcome =
        runner(10 * u32::try_from(cuts_wanted()).unwrap()).run(&grammar::cases(40), |case| {
            let recording = Recording {
                name: "random".to_owned(),
                size: case.size,
                bytes: case.bytes(),
            };
            let mut report = Report::default();
            fall_behind_and_compare(
                &mut browser.borrow_mut(),
                &recording,
                &case.places(),
                &mut report,
            );
            for field in FORGIVEN {
                report.fields.remove(field);
            }
            prop_assert!(report.fields.is_empty(), "{}", report.text());
            Ok(())
        });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// Without a browser, and so for many more cases: nothing is lost on the way through a repaint.
#[test]
fn a_model_fed_a_repaint_paints_the_same_repaint() {
    let outcome =
        runner(40 * u32::try_from(cuts_wanted()).unwrap()).run(&grammar::cases(60), |case| {
            let bytes = case.bytes();
            let mut first = AlacrittyModel::new(case.size, MODEL_HISTORY);
            let mut done = 0;
            for place in case.places() {
                first.feed(&bytes[done..place]);
                done = place;
                let painted = first.repaint(FULL);
                let mut second = AlacrittyModel::new(case.size, MODEL_HISTORY);
                second.feed(&painted.bytes);
                let again = second.repaint(FULL);
                prop_assert_eq!(
                    String::from_utf8_lossy(&painted.bytes),
                    String::from_utf8_lossy(&again.bytes),
                    "at {}",
                    place
                );
            }
            Ok(())
        });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
