//! `cargo bench --bench terminal`: Gatepost beside OpenSSH, ttyd and a bare pseudo-terminal, measured
//! by one client in one run, taking turns. `docs/benchmarks.md` says how to read it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command whose output is the point"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "JSON indexed by a key it lacks is null, not a panic"
)]
#![expect(
    clippy::format_push_string,
    reason = "readable, and none of it is inside what is measured"
)]

mod chromium;
mod data;
mod emulator;
mod http;
mod link;
mod measure;
mod peer;
mod procs;
mod pty;
mod rows;
mod stage;
mod stats;
mod table;
mod viewer;
mod ws;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::measure::{MEASURES, Turn};
use crate::peer::Peer;
use crate::stage::Stage;
use crate::table::Figures;

/// Size of every terminal measured.
pub(crate) const COLS: u16 = 80;
/// See [`COLS`].
pub(crate) const ROWS: u16 = 24;

/// Measures Gatepost beside other ways to a terminal.
#[derive(Parser)]
struct Arguments {
    /// Fewer repeats and shorter limits: about two minutes.
    #[arg(long)]
    quick: bool,
    /// Who takes part: barepty, ssh, ttyd, keeper, gatepost; without
    /// this, all but keeper.
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// Which measures: open, echo, bulk, interrupt, log, memory, many, model, page.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Repeats of every measure, instead of each one's own number.
    #[arg(long)]
    repeats: Option<usize>,
    /// Print JSON with every sample instead of the table.
    #[arg(long)]
    json: bool,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let peers = chosen(&arguments.peers)?;
    restore_signals()?;
    for name in &arguments.only {
        if !MEASURES.iter().any(|measure| measure.name == *name) {
            bail!("there is no measure {name:?}");
        }
    }
    let stage = Stage::new()?;
    let mut figures = Figures::default();
    let mut away = BTreeSet::new();
    let start = Instant::now();
    figures.note(format!("load average before: {}", load()));
    for measure in MEASURES {
        if !arguments.only.is_empty() && !arguments.only.iter().any(|name| name == measure.name) {
            continue;
        }
        let [full, quick] = measure.repeats;
        let repeats = arguments
            .repeats
            .unwrap_or(if arguments.quick { quick } else { full });
        for repeat in 1..=repeats {
            for &peer in peers.iter().filter(|peer| measure.peers.contains(peer)) {
                if away.contains(&peer) {
                    continue;
                }
                eprintln!(
                    "[{:4.0} s] {} {repeat}/{repeats} {}",
                    start.elapsed().as_secs_f64(),
                    measure.name,
                    peer.name()
                );
                let server = match peer.start(&stage) {
                    Ok(server) => server,
                    Err(error) => {
                        figures.note(format!("{}: not available: {error:#}", peer.name()));
                        away.insert(peer);
                        continue;
                    }
                };
                let mut turn = Turn {
                    stage: &stage,
                    peer,
                    server,
                    figures: &mut figures,
                    quick: arguments.quick,
                };
                if let Err(error) = (measure.run)(&mut turn) {
                    let note = format!("{}: {}: {error:#}", measure.name, peer.name());
                    eprintln!("{note}");
                    figures.note(note);
                }
            }
        }
    }
    figures.note(format!("load average after: {}", load()));
    figures
        .note("A miss of a bound in times of a peer's figure is decided in this run only.".into());
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&figures.json())?);
    } else {
        println!("{}", figures.print(&peers));
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<Peer>> {
    if names.is_empty() {
        let mut peers = Peer::ALL.to_vec();
        peers.retain(|peer| *peer != Peer::Keeper);
        return Ok(peers);
    }
    for name in names {
        if !Peer::ALL.iter().any(|peer| peer.name() == name) {
            bail!("there is no peer {name:?}");
        }
    }
    let mut peers = Peer::ALL.to_vec();
    peers.retain(|peer| names.iter().any(|name| name == peer.name()));
    Ok(peers)
}

/// A background job may have been started with SIGINT ignored. Every shell below would inherit that
/// and ^C would stop nothing, so the run starts again with all signals as they should be.
fn restore_signals() -> Result<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    let (interrupt, quit) = (1 << (2 - 1), 1 << (3 - 1));
    if ignored & (interrupt | quit) == 0 {
        return Ok(());
    }
    let error = Command::new("env")
        .arg("--default-signal=INT,QUIT")
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .exec();
    Err(error).context("can't start again with signals restored (coreutils' env)")
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut words: Vec<&str> = text.split(' ').collect();
    words.truncate(3);
    words.join(" ")
}
