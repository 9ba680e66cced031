//! The screen model by itself, in this process: how much of the server's time is its, and how long a
//! repaint takes to make.

use std::fs;
use std::time::Instant;

use anyhow::Result;
use gatepost::base::Size;
use gatepost::screen::{AlacrittyModel, Model, RepaintKind};

use super::Turn;
use crate::link::READ;
use crate::stats::{megabytes, ms};
use crate::{COLS, ROWS};

/// Lines of scrollback, as a terminal has by itself.
const SCROLLBACK: u32 = 10_000;

pub(super) fn run(turn: &mut Turn) -> Result<()> {
    for (key, name) in [
        ("model-mixed", "mixed"),
        ("model-log", "log"),
        ("model-redraw", "redraw"),
    ] {
        let bytes = with_returns(&fs::read(turn.stage.path(name))?);
        let mut model = AlacrittyModel::new(Size::clamped(COLS, ROWS), SCROLLBACK);
        let start = Instant::now();
        for chunk in bytes.chunks(READ) {
            model.feed(chunk);
        }
        let time = start.elapsed().as_secs_f64();
        turn.add(key, megabytes(bytes.len() as u64) / time);
        if name == "log" {
            let start = Instant::now();
            let painted = model.repaint(RepaintKind::Full {
                history: 1000,
                max_history_bytes: 1 << 20,
            });
            turn.add("model-repaint", ms(start.elapsed()));
            drop(painted);
        }
    }
    Ok(())
}

/// What the kernel makes of a file on its way to a terminal.
fn with_returns(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + (bytes.len() >> 4));
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                out.extend_from_slice(text);
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}
