//! A long log to a slow viewer: how long until its screen and the last 1 000 lines are right.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::Turn;
use crate::emulator::Emulator;
use crate::peer::Peer;
use crate::viewer::Pace;

/// Rows above the prompt that have to be right.
const RIGHT: usize = 1000;
/// Bytes of the file's end that surely hold them.
const TAIL: usize = 1 << 20;

pub(super) fn run(turn: &mut Turn) -> Result<()> {
    let limit = Duration::from_secs(if turn.quick { 6 } else { 70 });
    let expected = expected(turn)?;
    for (key, pace) in [
        ("log-socket", Pace::SlowSocket),
        ("log-emulator", Pace::SlowEmulator),
    ] {
        if pace == Pace::SlowEmulator && matches!(turn.peer, Peer::BarePty | Peer::Ssh) {
            continue;
        }
        // Two modes of 50 s tell no more about it than one.
        if pace == Pace::SlowSocket && turn.peer == Peer::Ttyd {
            continue;
        }
        let mut viewer = turn.prompt()?;
        viewer.pace = pace;
        let mut emulator = Emulator::new();
        let mut wrong = None;
        let path = turn.stage.path("log");
        let start = Instant::now();
        viewer
            .link
            .send(format!("cat {}\n", path.display()).as_bytes())?;
        let right = viewer.watch(limit, &mut |bytes, reset| {
            emulator.feed(bytes, reset);
            if emulator.cursor_row() != "<2>" {
                return false;
            }
            wrong = first_difference(&emulator.last_rows(RIGHT), &expected);
            wrong.is_none()
        })?;
        let time = if right {
            start.elapsed().as_secs_f64()
        } else {
            f64::INFINITY
        };
        turn.add(key, time);
        if !right {
            let how = wrong.unwrap_or_else(|| "not at the end".to_owned());
            let note = format!(
                "{key}: {}: after {} s {how}",
                turn.peer.name(),
                limit.as_secs()
            );
            turn.figures.note(note);
        }
    }
    Ok(())
}

/// What is wrong, as a sentence.
fn first_difference(shown: &[String], expected: &[String]) -> Option<String> {
    if shown.len() != expected.len() {
        return Some(format!(
            "{} of {} rows are there",
            shown.len(),
            expected.len()
        ));
    }
    let pairs = shown.iter().zip(expected);
    let (row, (is, should)) = pairs.enumerate().find(|(_, (is, should))| is != should)?;
    Some(format!("row {row} is {is:?} and should be {should:?}"))
}

/// The rows as an emulator shows them that saw everything.
fn expected(turn: &Turn) -> Result<Vec<String>> {
    let file = fs::read(turn.stage.path("log"))?;
    let tail = file.get(file.len() - TAIL..).unwrap_or_default();
    let mut bytes = Vec::with_capacity(TAIL + (TAIL >> 5));
    for line in tail.split_inclusive(|&byte| byte == b'\n') {
        bytes.extend(line.strip_suffix(b"\n").unwrap_or(line));
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"<2>");
    let mut emulator = Emulator::new();
    emulator.feed(&bytes, false);
    let rows = emulator.last_rows(RIGHT);
    ensure!(rows.len() == RIGHT + 1, "the expected rows are incomplete");
    Ok(rows)
}
