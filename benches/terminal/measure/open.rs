//! How long a person waits: for a new terminal's prompt, and for an old terminal to be painted again.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::{PROMPT, Turn};
use crate::emulator::Emulator;
use crate::stats::{median, ms};
use crate::viewer::Viewer;

/// Scrollback asked for when attaching again.
const HISTORY: u32 = 1000;
const LIMIT: Duration = Duration::from_secs(10);

pub(super) fn run(turn: &mut Turn) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..if turn.quick { 5 } else { 10 } {
        let start = Instant::now();
        let viewer = turn.prompt()?;
        times.push(ms(start.elapsed()));
        drop(viewer);
    }
    turn.add("open", median(&times));
    again(turn)
}

fn again(turn: &mut Turn) -> Result<()> {
    let mut viewer = turn.prompt()?;
    let log = turn.stage.path("short-log");
    viewer
        .link
        .send(format!("cat {}\n", log.display()).as_bytes())?;
    if !viewer.until_text("<2>", PROMPT)? {
        bail!("no prompt after the log");
    }
    let rows = usize::try_from(HISTORY)?;
    let mut times = Vec::new();
    for _ in 0..if turn.quick { 5 } else { 10 } {
        let start = Instant::now();
        let Some(link) = turn.server.again(HISTORY)? else {
            return Ok(());
        };
        let mut viewer = Viewer::new(link);
        let mut emulator = Emulator::new();
        let painted = viewer.watch(LIMIT, &mut |bytes, reset| {
            emulator.feed(bytes, reset);
            emulator.cursor_row() == "<2>"
        })?;
        let time = ms(start.elapsed());
        // Logical lines may take several rows, never fewer.
        if !painted || emulator.last_rows(rows).len() <= rows {
            bail!("attached again, and the last {HISTORY} lines aren't there");
        }
        times.push(time);
    }
    turn.add("again", median(&times));
    Ok(())
}
