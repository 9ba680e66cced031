//! Two hundred terminals that echo: as fast as they can, and at the pace of people.

use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, poll};

use super::Turn;
use super::echo::listen;
use crate::link::{READ, timespec};
use crate::peer::Peer;
use crate::stats::{ms, quantile};
use crate::viewer::Viewer;

const TERMINALS: usize = 200;
/// How long the closed loop runs.
const LOOP: Duration = Duration::from_secs(3);
/// How long the paced keys go on.
const PACED: Duration = Duration::from_secs(5);
/// Between two keys of all terminals together: one key a second in each.
const EVERY: Duration = Duration::from_millis(5);
/// An echo that takes longer has failed.
const LOST: Duration = Duration::from_secs(2);

pub(super) fn run(turn: &mut Turn) -> Result<()> {
    // Two hundred logins by ssh take minutes and tell nothing new.
    if turn.quick && turn.peer == Peer::Ssh {
        return Ok(());
    }
    let start = Instant::now();
    let mut failed = 0;
    let mut terminals = Vec::new();
    for _ in 0..TERMINALS {
        match open(turn) {
            Ok(viewer) => terminals.push(Typist {
                viewer,
                sent: None,
                lost: false,
            }),
            Err(error) => {
                failed += 1;
                let note = format!("many: {}: {error:#}", turn.peer.name());
                turn.figures.note(note);
            }
        }
        if failed > 5 && terminals.is_empty() {
            break;
        }
    }
    turn.add("many-open", start.elapsed().as_secs_f64());
    failed = TERMINALS - terminals.len();

    let (count, time) = closed_loop(&mut terminals)?;
    turn.add("many-loop", f64::from(count) / time.as_secs_f64());
    let times = paced(&mut terminals)?;
    turn.add("many-paced", quantile(&times, 0.5));
    turn.add("many-paced-p99", quantile(&times, 0.99));
    failed += terminals.iter().filter(|one| one.lost).count();
    turn.add("many-failed", f64::from(u32::try_from(failed)?));
    Ok(())
}

fn open(turn: &mut Turn) -> Result<Viewer> {
    let mut viewer = turn.prompt()?;
    listen(&mut viewer)?;
    Ok(viewer)
}

struct Typist {
    viewer: Viewer,
    sent: Option<Instant>,
    lost: bool,
}

impl Typist {
    fn press(&mut self) {
        self.sent = Some(Instant::now());
        self.lost |= self.viewer.link.send(b"x").is_err();
    }

    /// Takes what has arrived; the time to echo if the key is back.
    fn look(&mut self) -> Option<Duration> {
        let link = &mut self.viewer.link;
        self.lost |= link.receive(READ, Instant::now()).is_err() || link.closed();
        let mut back = false;
        while let Some(chunk) = link.next() {
            back |= chunk.bytes.contains(&b'x');
            self.lost |= link.parsed(&chunk).is_err();
        }
        if back {
            self.sent.take().map(|sent| sent.elapsed())
        } else {
            None
        }
    }
}

/// Every echo is answered with the next key.
fn closed_loop(all: &mut [Typist]) -> Result<(u32, Duration)> {
    let start = Instant::now();
    let mut count = 0;
    all.iter_mut().for_each(Typist::press);
    while start.elapsed() < LOOP {
        for index in ready(all, start + LOOP)? {
            if let Some(one) = all.get_mut(index)
                && one.look().is_some()
            {
                count += 1;
                one.press();
            }
        }
    }
    let time = start.elapsed();
    drain(all, |_| {})?;
    Ok((count, time))
}

/// One key a second in each terminal, evenly spread over all.
fn paced(all: &mut [Typist]) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    let start = Instant::now();
    let mut due = start;
    let mut turn = 0;
    while start.elapsed() < PACED && !all.is_empty() {
        if Instant::now() >= due {
            let count = all.len();
            if let Some(one) = all.get_mut(turn % count) {
                one.press();
            }
            turn += 1;
            due += EVERY;
        }
        for index in ready(all, due)? {
            times.extend(all.get_mut(index).and_then(Typist::look).map(ms));
        }
    }
    drain(all, |time| times.push(ms(time)))?;
    Ok(times)
}

/// Waits for the echoes still out.
fn drain(all: &mut [Typist], mut back: impl FnMut(Duration)) -> Result<()> {
    let until = Instant::now() + LOST;
    while all.iter().any(|one| one.sent.is_some() && !one.lost) && Instant::now() < until {
        for index in ready(all, until)? {
            if let Some(time) = all.get_mut(index).and_then(Typist::look) {
                back(time);
            }
        }
    }
    for one in all {
        one.lost |= one.sent.take().is_some();
    }
    Ok(())
}

/// Which have something to read, waiting until one has or `until`.
fn ready(all: &[Typist], until: Instant) -> Result<Vec<usize>> {
    let mut fds: Vec<PollFd> = all
        .iter()
        .map(|one| {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, !one.lost);
            PollFd::new(one.viewer.link.fd(), flags)
        })
        .collect();
    let left = until.saturating_duration_since(Instant::now());
    poll(&mut fds, Some(&timespec(left)))?;
    let found = fds.iter().enumerate();
    Ok(found
        .filter(|(index, fd)| {
            !fd.revents().is_empty() && all.get(*index).is_some_and(|one| !one.lost)
        })
        .map(|(index, _)| index)
        .collect())
}
