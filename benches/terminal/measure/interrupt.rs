//! ^C in a flood: how long a viewer that works off 1 MB/s waits for the prompt.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::Turn;
use crate::peer::Peer;
use crate::viewer::{Find, Pace};

/// How long the flood runs before ^C.
const FLOOD: Duration = Duration::from_secs(3);

pub(super) fn run(turn: &mut Turn) -> Result<()> {
    let limit = Duration::from_secs(if turn.quick { 6 } else { 20 });
    for (key, pace) in [
        ("interrupt-socket", Pace::SlowSocket),
        ("interrupt-emulator", Pace::SlowEmulator),
    ] {
        // Neither has a front end that could be slow by itself.
        if pace == Pace::SlowEmulator && matches!(turn.peer, Peer::BarePty | Peer::Ssh) {
            continue;
        }
        let mut viewer = turn.prompt()?;
        viewer.pace = pace;
        viewer.link.send(b"yes\n")?;
        viewer.watch(FLOOD, &mut |_, _| false)?;
        let start = Instant::now();
        viewer.link.send(b"\x03")?;
        let mut find = Find::new("<2>");
        let found = viewer.watch(limit, &mut |bytes, _| find.seen(bytes))?;
        let time = if found {
            start.elapsed().as_secs_f64()
        } else {
            f64::INFINITY
        };
        turn.add(key, time);
        if !found {
            let note = format!("{key}: {} over {} s", turn.peer.name(), limit.as_secs());
            turn.figures.note(note);
        }
    }
    Ok(())
}
