//! Putting a bundle into the slot nobody runs from: checked, written, read back, and only then started
//! next. Wherever this ends, by an error or by a pulled plug, what runs now starts again.

use std::fmt::Write as _;
use std::io::{self, Read};

use ring::digest::{Context, SHA256};

use crate::base::slots::{SECTOR, Slot};
use crate::wire::bundle::{BundleError, Manifest, Part, PartName, RawHead};

use super::disk::{Disk, Place};
use super::keys::Keys;

/// How much is read and written at a time, in bytes.
const PIECE: usize = 1 << 20;

/// What runs, and whom it trusts.
#[derive(Debug)]
pub struct Running {
    /// The slot.
    pub slot: Slot,
    /// Version of the system in it.
    pub version: String,
    /// When that was made, in seconds since the Unix epoch.
    pub built: u64,
    /// What kind of machine this is.
    pub board: String,
    /// Whose bundles it takes.
    pub keys: Keys,
}

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// No key is there.
    #[error(
        "this system has no key in /usr/lib/gatepost/update-keys, so it can't tell whose bundles are good"
    )]
    NoKeys,
    /// For another machine.
    #[error("the bundle is for {for_board}, and this machine is {board}")]
    Board {
        /// What it is for.
        for_board: String,
        /// What we are.
        board: String,
    },
    /// Older.
    #[error(
        "the bundle, version {version}, is older than what runs; say --downgrade to install it all the same"
    )]
    Older {
        /// Its version.
        version: String,
    },
    /// What runs has not shown that it works, and the other slot is what one would go back to.
    #[error(
        "the system that runs has not been confirmed yet, and the other one may be needed; wait until its screen is seen, or run: gatepost update confirm"
    )]
    Unconfirmed,
    /// Something follows.
    #[error("something follows the bundle's last part; nothing was installed")]
    Longer,
    /// A part isn't what was signed.
    #[error("the bundle's {0} is not what was signed; nothing was installed")]
    Sum(&'static str),
    /// The card doesn't keep what is written.
    #[error(
        "what was written to the card's {0} reads back differently: replace the card; nothing was installed"
    )]
    Card(&'static str),
    /// The disk.
    #[error("the disk can't be used: {0}")]
    Disk(#[source] io::Error),
}

const fn called(name: PartName) -> &'static str {
    match name {
        PartName::Root => "root",
        PartName::Boot => "boot part",
    }
}

/// Whether this bundle would be installed here. Reads its head only.
pub(super) fn check(
    bundle: &mut impl Read,
    running: &Running,
    downgrade: bool,
) -> Result<Manifest, InstallError> {
    if running.keys.is_empty() {
        return Err(InstallError::NoKeys);
    }
    let head = RawHead::read(bundle)?;
    let manifest = head.verify(|bytes, signature| running.keys.signed(bytes, signature))?;
    if manifest.board != running.board {
        return Err(InstallError::Board {
            for_board: manifest.board,
            board: running.board.clone(),
        });
    }
    if manifest.built < running.built && !downgrade {
        return Err(InstallError::Older {
            version: manifest.version,
        });
    }
    Ok(manifest)
}

/// Installs a bundle. `before` is asked between the steps whether to go on; tests pull the plug there.
pub fn install(
    bundle: &mut impl Read,
    disk: &mut Disk,
    running: &Running,
    downgrade: bool,
    before: &mut impl FnMut(&'static str) -> io::Result<()>,
) -> Result<Manifest, InstallError> {
    let manifest = check(bundle, running, downgrade)?;
    let state = disk.state();
    if state.slot == running.slot && state.trust != crate::base::slots::Trust::Confirmed {
        return Err(InstallError::Unconfirmed);
    }
    let to = running.slot.other();
    let failed = InstallError::Disk;
    before("forgetting what was there").map_err(failed)?;
    disk.store(state.writing(running.slot)).map_err(failed)?;
    // Without its first sector the boot loader finds no kernel there, whatever else is written.
    let start = disk.part(to, PartName::Boot);
    start.write(0, &[0; SECTOR]).map_err(failed)?;
    disk.settle().map_err(failed)?;
    let mut first = Vec::new();
    for part in &manifest.parts {
        before(called(part.name)).map_err(failed)?;
        let held = write(bundle, disk.part(to, part.name), part)?;
        first = held.unwrap_or(first);
    }
    let mut more = [0];
    match bundle.read(&mut more) {
        Ok(0) => {}
        Ok(_) => return Err(InstallError::Longer),
        Err(error) => return Err(BundleError::from(error).into()),
    }
    before("making it whole").map_err(failed)?;
    disk.settle().map_err(failed)?;
    start.write(0, &first).map_err(failed)?;
    disk.settle().map_err(failed)?;
    before("reading it back").map_err(failed)?;
    for part in &manifest.parts {
        read_back(disk.part(to, part.name), part)?;
    }
    before("having it started").map_err(failed)?;
    let state = disk.state().trying(running.slot);
    disk.store(state).map_err(failed)?;
    before("saying so").map_err(failed)?;
    Ok(manifest)
}

/// Writes a part, and holds back the first sector of the one that makes a slot whole.
fn write(
    bundle: &mut impl Read,
    place: Place<'_>,
    part: &Part,
) -> Result<Option<Vec<u8>>, InstallError> {
    let mut sum = Context::new(&SHA256);
    let mut piece = vec![0; PIECE];
    let mut held = None;
    let mut at = 0;
    while at < part.size {
        let left = usize::try_from(part.size - at).unwrap_or(PIECE).min(PIECE);
        let Some(piece) = piece.get_mut(..left) else {
            break;
        };
        bundle.read_exact(piece).map_err(BundleError::from)?;
        sum.update(piece);
        let mut skip = 0;
        if part.name == PartName::Boot && at == 0 {
            skip = SECTOR.min(left);
            held = piece.get(..skip).map(<[u8]>::to_vec);
        }
        let (from, rest) = (u64::try_from(skip).unwrap_or(0), piece.get(skip..));
        place
            .write(at + from, rest.unwrap_or_default())
            .map_err(InstallError::Disk)?;
        at += u64::try_from(left).unwrap_or(u64::MAX);
    }
    if digits(sum) == part.sha256.to_ascii_lowercase() {
        Ok(held)
    } else {
        Err(InstallError::Sum(called(part.name)))
    }
}

fn read_back(place: Place<'_>, part: &Part) -> Result<(), InstallError> {
    let mut sum = Context::new(&SHA256);
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    while at < part.size {
        let left = usize::try_from(part.size - at).unwrap_or(PIECE).min(PIECE);
        let Some(piece) = piece.get_mut(..left) else {
            break;
        };
        place.read(at, piece).map_err(InstallError::Disk)?;
        sum.update(piece);
        at += u64::try_from(left).unwrap_or(u64::MAX);
    }
    if digits(sum) == part.sha256.to_ascii_lowercase() {
        Ok(())
    } else {
        Err(InstallError::Card(called(part.name)))
    }
}

fn digits(sum: Context) -> String {
    sum.finish()
        .as_ref()
        .iter()
        .fold(String::new(), |mut out, byte| {
            // Writing to a String can't fail.
            let _infallible = write!(out, "{byte:02x}");
            out
        })
}
