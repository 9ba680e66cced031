//! The side that may write to the disk: one connection, one call, one answer. Nothing from a network
//! comes here but the bundle, of which nothing is believed that isn't signed.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::base::slots::{Slot, Slots};
use crate::wire::update::{MAX_LINE, UpdateCall, UpdateEnd, encode};

use super::disk::Disk;
use super::install::{Running, check, install};
use super::keys::Keys;

/// Largest file that describes the system, in bytes.
const MAX_DESCRIPTION: u64 = 4096;

/// Where everything about the system that runs is found.
#[derive(Debug, Clone)]
pub struct Places {
    /// The disk, or a file that names it.
    pub disk: PathBuf,
    /// A file with the slot that runs: `a` or `b`.
    pub slot: PathBuf,
    /// A file that describes the system that runs: version, when it was built, and for which board.
    pub system: PathBuf,
    /// The folder with the keys.
    pub keys: PathBuf,
}

/// What describes a system.
#[derive(Debug, Deserialize)]
struct Description {
    version: String,
    built: u64,
    board: String,
}

impl Places {
    /// Those below a root: `/` for the machine we run on.
    pub fn below(root: &Path) -> Self {
        Self {
            disk: root.join("run/gatepost-image/disk"),
            slot: root.join("run/gatepost-image/slot"),
            system: root.join("usr/lib/gatepost/system.json"),
            keys: root.join("usr/lib/gatepost/update-keys"),
        }
    }

    fn running(&self) -> io::Result<Running> {
        let wrong =
            |path: &Path, why: String| io::Error::other(format!("{}: {why}", path.display()));
        let slot = text(&self.slot)?;
        let slot = Slot::parse(slot.trim())
            .ok_or_else(|| wrong(&self.slot, format!("{:?} is no slot", slot.trim())))?;
        let system: Description = serde_json::from_str(&text(&self.system)?)
            .map_err(|error| wrong(&self.system, error.to_string()))?;
        Ok(Running {
            slot,
            version: system.version,
            built: system.built,
            board: system.board,
            keys: Keys::read(&self.keys),
        })
    }

    /// What writers hold, one at a time.
    fn lock(&self) -> io::Result<File> {
        File::open(&self.disk)
    }

    fn disk(&self, write: bool) -> io::Result<Disk> {
        let named = text(&self.disk)?;
        Disk::open(Path::new(named.trim()), write)
    }
}

fn text(path: &Path) -> io::Result<String> {
    let about = |error: io::Error| {
        let why = format!(
            "{}: {error}; does this machine run Gatepost's image?",
            path.display()
        );
        io::Error::new(error.kind(), why)
    };
    let mut text = String::new();
    let file = File::open(path).map_err(about)?;
    file.take(MAX_DESCRIPTION)
        .read_to_string(&mut text)
        .map_err(about)?;
    Ok(text)
}

/// Reads one call from `from`, does it, and answers on `to`.
pub fn answer(from: impl Read, mut to: impl Write, places: &Places) -> io::Result<()> {
    let mut from = BufReader::with_capacity(64 << 10, from);
    let mut line = Vec::new();
    let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
    from.by_ref().take(most).read_until(b'\n', &mut line)?;
    let end = match serde_json::from_slice(&line) {
        Ok(call) => perform(&call, &mut from, places),
        Err(error) => Err(io::Error::other(format!("not understood: {error}"))),
    };
    let end = match end {
        Ok(slots) => UpdateEnd::Done { slots },
        Err(error) => UpdateEnd::Refused {
            message: error.to_string(),
        },
    };
    to.write_all(&encode(&end)?)
}

/// Does what is asked, and says how the slots are then.
pub fn perform(call: &UpdateCall, bundle: &mut impl Read, places: &Places) -> io::Result<Slots> {
    let running = places.running()?;
    let reads = matches!(call, UpdateCall::State {} | UpdateCall::Check {});
    let mut disk = places.disk(!reads)?;
    // Held to the end, by whoever changes something.
    let lock = places.lock()?;
    let mut version = None;
    match call {
        UpdateCall::State {} => {}
        UpdateCall::Check {} => {
            let manifest = check(bundle, &running, false).map_err(io::Error::other)?;
            version = Some(manifest.version);
        }
        UpdateCall::Install { downgrade } => {
            disk.take_alone(&lock)?;
            let manifest = install(bundle, &mut disk, &running, *downgrade, &mut |step| {
                tracing::info!(step, "update");
                Ok(())
            });
            version = Some(manifest.map_err(io::Error::other)?.version);
        }
        UpdateCall::Rollback {} => {
            disk.take_alone(&lock)?;
            let back = disk.state().back(running.slot);
            let back = back.ok_or_else(|| {
                io::Error::other(
                    "the other slot holds nothing that has worked: there is nothing to go back to",
                )
            })?;
            disk.store(back)?;
        }
        UpdateCall::Confirm {} => {
            disk.take_alone(&lock)?;
            if let Some(works) = disk.state().confirmed(running.slot) {
                disk.store(works)?;
                tracing::info!(slot = %running.slot, "this system works; it stays");
            }
        }
    }
    Ok(Slots {
        running: running.slot,
        version: running.version,
        built: running.built,
        state: disk.state(),
        bundle: version,
    })
}
