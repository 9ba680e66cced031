//! What is measured. Each measure takes a fresh server, and all peers take turns at it.

mod bulk;
mod echo;
mod interrupt;
mod log;
mod many;
mod memory;
mod model;
mod open;
mod page;

use std::time::Duration;

use anyhow::{Result, bail};

use crate::peer::{Peer, Server};
use crate::stage::Stage;
use crate::table::Figures;
use crate::viewer::Viewer;

/// Longest wait for a prompt on a machine with other work.
const PROMPT: Duration = Duration::from_secs(20);

/// What a measure needs.
pub(crate) struct Turn<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) peer: Peer,
    pub(crate) server: Box<dyn Server>,
    pub(crate) figures: &'a mut Figures,
    /// Whether figures may be rougher so that the run is shorter.
    pub(crate) quick: bool,
}

/// One measure.
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut Turn) -> Result<()>,
    /// Repeats in a full run and in a quick one.
    pub(crate) repeats: [usize; 2],
    /// Who takes part.
    pub(crate) peers: &'static [Peer],
}

const ALL: &[Peer] = &Peer::ALL;
const SERVERS: &[Peer] = &[Peer::Ssh, Peer::Ttyd, Peer::Keeper, Peer::Gatepost];
const OURS: &[Peer] = &[Peer::Gatepost];

/// All measures, in the order they run.
pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "open",
        run: open::run,
        repeats: [3, 1],
        peers: ALL,
    },
    Measure {
        name: "echo",
        run: echo::run,
        repeats: [5, 2],
        peers: ALL,
    },
    Measure {
        name: "bulk",
        run: bulk::run,
        repeats: [5, 2],
        peers: ALL,
    },
    Measure {
        name: "interrupt",
        run: interrupt::run,
        repeats: [3, 1],
        peers: ALL,
    },
    Measure {
        name: "log",
        run: log::run,
        repeats: [1, 1],
        peers: ALL,
    },
    Measure {
        name: "memory",
        run: memory::run,
        repeats: [3, 1],
        peers: SERVERS,
    },
    Measure {
        name: "many",
        run: many::run,
        repeats: [1, 1],
        peers: ALL,
    },
    Measure {
        name: "model",
        run: model::run,
        repeats: [3, 1],
        peers: OURS,
    },
    Measure {
        name: "page",
        run: page::run,
        repeats: [3, 1],
        peers: OURS,
    },
];

impl Turn<'_> {
    /// Opens a terminal and waits for its first prompt.
    fn prompt(&mut self) -> Result<Viewer> {
        let mut viewer = Viewer::new(self.server.open()?);
        if !viewer.until_text("<1>", PROMPT)? {
            bail!("no prompt within {} s", PROMPT.as_secs());
        }
        Ok(viewer)
    }

    /// Adds a sample.
    fn add(&mut self, key: &'static str, value: f64) {
        self.figures.add(key, self.peer, value);
    }
}

/// A shell command that says `word` when it is reached; its echo doesn't contain the word.
fn say(word: &str) -> String {
    let (head, tail) = word.split_at(2);
    format!("printf '%s%s\\n' {head} {tail}")
}
