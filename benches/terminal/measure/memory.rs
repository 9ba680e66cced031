//! Memory: of an idle server, of an idle terminal, of a terminal's scrollback.

use std::time::Duration;

use anyhow::{Result, bail};

use super::{PROMPT, Turn};
use crate::link::pass;
use crate::peer::Peer;
use crate::procs;
use crate::stats::kibibytes;

/// Idle terminals the average is taken over.
const TERMINALS: u32 = 10;
/// Terminals that show a log.
const LOGS: u32 = 3;

pub(super) fn run(turn: &mut Turn) -> Result<()> {
    settle();
    let main = turn.server.main_process();
    if let Some(rss) = main.and_then(procs::rss) {
        turn.add("rss", kibibytes(rss));
    }
    let before = memory(turn, main);
    let mut viewers = Vec::new();
    for _ in 0..TERMINALS {
        viewers.push(turn.prompt()?);
    }
    settle();
    let idle = memory(turn, main);
    turn.add("terminal", (idle - before) / f64::from(TERMINALS));

    for viewer in viewers.iter_mut().take(usize::try_from(LOGS)?) {
        let log = turn.stage.path("short-log");
        viewer
            .link
            .send(format!("cat {}\n", log.display()).as_bytes())?;
        if !viewer.until_text("<2>", PROMPT)? {
            bail!("no prompt after the log");
        }
    }
    settle();
    let full = memory(turn, main);
    turn.add("history", (full - idle) / f64::from(LOGS));
    Ok(())
}

/// Ours: the keepers alone, which is what a terminal is. The others': everything.
fn memory(turn: &mut Turn, main: Option<u32>) -> f64 {
    let mut processes = turn.server.processes();
    if turn.peer == Peer::Gatepost {
        processes.retain(|&pid| Some(pid) != main);
    }
    kibibytes(procs::pss(&processes))
}

/// Idle means that whatever a server does after work is done.
fn settle() {
    pass(Duration::from_millis(500));
}
