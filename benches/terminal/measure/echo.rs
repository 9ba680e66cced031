//! Key to echo, with nothing else going on and with a neighbour terminal that floods its viewer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::{Turn, say};
use crate::link::pass;
use crate::stats::{ms, quantile};
use crate::viewer::Viewer;

const LIMIT: Duration = Duration::from_secs(5);

pub(super) fn run(turn: &mut Turn) -> Result<()> {
    let keys = if turn.quick { 150 } else { 300 };
    let mut viewer = turn.prompt()?;
    listen(&mut viewer)?;
    let idle = samples(&mut viewer, keys)?;
    turn.add("echo-idle", quantile(&idle, 0.5));
    turn.add("echo-idle-p99", quantile(&idle, 0.99));

    let mut neighbour = turn.prompt()?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let flood = thread::spawn(move || -> Result<()> {
        neighbour.link.send(b"yes\n")?;
        neighbour.watch(4 * LIMIT, &mut |_, _| stopped.load(Ordering::Relaxed))?;
        Ok(())
    });
    pass(Duration::from_millis(500));
    let flooded = samples(&mut viewer, keys / 2);
    stop.store(true, Ordering::Relaxed);
    match flood.join() {
        Ok(ended) => ended?,
        Err(_) => bail!("the neighbour panicked"),
    }
    let flooded = flooded?;
    turn.add("echo-flood", quantile(&flooded, 0.5));
    turn.add("echo-flood-p99", quantile(&flooded, 0.99));
    Ok(())
}

/// Makes the kernel echo keys one by one: no program's time is in the figure.
pub(super) fn listen(viewer: &mut Viewer) -> Result<()> {
    let ready = say("READY");
    viewer
        .link
        .send(format!("stty -icanon; {ready}; exec cat >/dev/null\n").as_bytes())?;
    if !viewer.until_text("READY\r\n", LIMIT)? {
        bail!("the shell doesn't answer");
    }
    Ok(())
}

fn samples(viewer: &mut Viewer, count: u32) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for index in 0..count {
        // Uneven, so as not to beat in time with a timer of the peer's.
        pass(Duration::from_micros(u64::from(2000 + index * 617 % 5000)));
        let start = Instant::now();
        viewer.link.send(b"x")?;
        if !viewer.watch(LIMIT, &mut |bytes, _| bytes.contains(&b'x'))? {
            bail!("no echo within {} s", LIMIT.as_secs());
        }
        times.push(ms(start.elapsed()));
    }
    Ok(times)
}
