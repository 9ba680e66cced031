//! How much output a fast viewer gets, what it costs the server, and what goes over the wire.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{Turn, say};
use crate::peer::Peer;
use crate::procs;
use crate::stats::{megabytes, ms};
use crate::viewer::{Find, Viewer};

const LIMIT: Duration = Duration::from_secs(50);
/// What `seq` counts to.
const SEQ: u32 = 2_000_000;

pub(super) fn run(turn: &mut Turn) -> Result<()> {
    let mut viewer = turn.prompt()?;
    for (rate, cpu, name) in [
        ("bulk-mixed", "cpu-mixed", "mixed"),
        ("bulk-seq", "cpu-seq", "seq"),
        ("bulk-redraw", "cpu-redraw", "redraw"),
        ("bulk-colours", "cpu-colours", "colours"),
    ] {
        let (command, size) = what(turn, name)?;
        let done = one(turn, &mut viewer, name, &command).with_context(|| name.to_owned())?;
        let output = megabytes(size);
        turn.add(rate, output / done.time.as_secs_f64());
        if turn.peer != Peer::BarePty {
            turn.add(cpu, ms(done.cpu) / output);
        }
        // What ssh sends is behind its client, out of sight.
        if name == "mixed" && matches!(turn.peer, Peer::Ttyd | Peer::Keeper | Peer::Gatepost) {
            turn.add("wire-mixed", megabytes(done.wire) / output);
        }
        if name == "mixed" && matches!(turn.peer, Peer::Keeper | Peer::Gatepost) {
            let left_out = 100.0 * (1.0 - megabytes(done.live) / output);
            turn.add("left-out-mixed", left_out.max(0.0));
        }
    }
    Ok(())
}

/// The command, and the bytes it puts on the terminal, where each `\n` becomes `\r\n`.
fn what(turn: &Turn, name: &str) -> Result<(String, u64)> {
    if name == "seq" {
        let digits: u64 = (1..=SEQ).map(|n| u64::from(n.ilog10()) + 1).sum();
        return Ok((format!("seq {SEQ}"), digits + 2 * u64::from(SEQ)));
    }
    let path = turn.stage.path(name);
    let bytes = fs::read(&path)?;
    let lines = memchr::memchr_iter(b'\n', &bytes).count();
    Ok((
        format!("cat {}", path.display()),
        (bytes.len() + lines) as u64,
    ))
}

struct Done {
    time: Duration,
    cpu: Duration,
    /// Bytes off the wire.
    wire: u64,
    /// Bytes of output that came as the program wrote them.
    live: u64,
}

fn one(turn: &mut Turn, viewer: &mut Viewer, name: &str, command: &str) -> Result<Done> {
    // Of its own for each, since a repaint shows the one before again.
    let end = format!("END-OF-{name}");
    let processes = turn.server.processes();
    let cpu = procs::cpu(&processes);
    let wire = viewer.link.wire;
    let live = viewer.link.live;
    let start = Instant::now();
    viewer
        .link
        .send(format!("{command}; {}\n", say(&end)).as_bytes())?;
    let mut find = Find::new(&end);
    if !viewer.watch(LIMIT, &mut |bytes, _| find.seen(bytes))? {
        bail!("not at the end after {} s", LIMIT.as_secs());
    }
    Ok(Done {
        time: start.elapsed(),
        cpu: procs::cpu(&processes).saturating_sub(cpu),
        wire: viewer.link.wire - wire,
        live: viewer.link.live - live,
    })
}
