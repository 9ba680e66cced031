//! The disk with two slots: its partition table, the two copies of the state, and the slot nobody runs
//! from. A file will do as the disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rustix::fs::{Advice, FlockOperation, fadvise};

use crate::base::SlotState;
use crate::base::slots::{COPIES, SECTOR, Slot};
use crate::wire::bundle::{PartName, SLOT};

/// Where the partition table's entries begin in the first sector, and the bytes of one.
const ENTRIES: usize = 446;
const ENTRY: usize = 16;

/// A disk that is a Gatepost card.
#[derive(Debug)]
pub struct Disk {
    file: File,
    state: SlotState,
    /// The number of the copy the next state goes to.
    next: usize,
    /// Where the slots begin, in bytes.
    places: [u64; 2],
}

impl Disk {
    /// Opens it, to be written to or only looked at.
    pub fn open(path: &Path, write: bool) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(write).open(path)?;
        let mut first = [0; SECTOR];
        file.read_exact_at(&mut first, 0)?;
        let places = [place(&first, Slot::A)?, place(&first, Slot::B)?];
        let mut disk = Self {
            file,
            state: SlotState::default(),
            next: 0,
            places,
        };
        disk.look();
        Ok(disk)
    }

    /// Makes sure that nobody else changes it meanwhile, as long as each holds this file: two would write over
    /// one another. (Not the disk itself, which udev holds now and then.)
    pub(super) fn take_alone(&mut self, lock: &File) -> io::Result<()> {
        rustix::fs::flock(lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| io::Error::other("another update is under way; wait for it to end"))?;
        // It may have been another one's turn between our looking and now.
        self.look();
        Ok(())
    }

    fn look(&mut self) {
        let copy = |sector: u64| {
            let mut bytes = [0; SECTOR];
            let read = self.file.read_exact_at(&mut bytes, bytes_of(sector));
            read.ok().and_then(|()| SlotState::decode(&bytes))
        };
        (self.state, self.next) = SlotState::newer(COPIES.map(copy));
    }

    /// The state in force.
    pub const fn state(&self) -> SlotState {
        self.state
    }

    /// Writes a new state over the older copy. It is on the disk when this returns, or the old one counts.
    pub fn store(&mut self, state: SlotState) -> io::Result<()> {
        let sector = COPIES.get(self.next).copied().unwrap_or_default();
        self.file.write_all_at(&state.encode(), bytes_of(sector))?;
        self.file.sync_all()?;
        self.state = state;
        self.next = 1 - self.next;
        Ok(())
    }

    /// A part of a slot.
    pub fn part(&self, slot: Slot, name: PartName) -> Place<'_> {
        let [a, b] = self.places;
        let start = match slot {
            Slot::A => a,
            Slot::B => b,
        };
        Place {
            file: &self.file,
            start: start + name.offset(),
            most: name.most(),
        }
    }

    /// What was written is on the disk when this returns, and will be read from it, not from memory.
    pub fn settle(&self) -> io::Result<()> {
        self.file.sync_all()?;
        Ok(fadvise(&self.file, 0, None, Advice::DontNeed)?)
    }
}

fn bytes_of(sector: u64) -> u64 {
    sector * u64::try_from(SECTOR).unwrap_or(u64::MAX)
}

/// Where a slot begins, by the partition table (one of DOS).
fn place(first: &[u8; SECTOR], slot: Slot) -> io::Result<u64> {
    let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let no = || wrong("the disk has no partition table with two slots".to_owned());
    if !first.ends_with(&[0x55, 0xaa]) {
        return Err(no());
    }
    let at = ENTRIES + ENTRY * (slot.partition() - 1);
    let word = |at: usize| {
        let bytes = first.get(at..at + 4)?;
        Some(u64::from(u32::from_le_bytes(bytes.try_into().ok()?)))
    };
    let (start, size) = word(at + 8).zip(word(at + 12)).ok_or_else(no)?;
    // Before the first slot are the states and what the firmware reads.
    let least = COPIES.iter().max().copied().unwrap_or_default() + 1;
    if start < least || bytes_of(size) < SLOT {
        return Err(wrong(format!(
            "partition {} is no slot: it begins at sector {start} and has {size}",
            slot.partition()
        )));
    }
    Ok(bytes_of(start))
}

/// A stretch of the disk that may be written to, and nothing beyond it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    file: &'a File,
    start: u64,
    most: u64,
}

impl Place<'_> {
    /// Writes at this many bytes from its beginning.
    pub fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.check(at, bytes.len())?;
        self.file.write_all_at(bytes, self.start + at)
    }

    /// Reads from there.
    pub fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.check(at, bytes.len())?;
        self.file.read_exact_at(bytes, self.start + at)
    }

    fn check(&self, at: u64, length: usize) -> io::Result<()> {
        let end = u64::try_from(length)
            .ok()
            .and_then(|length| at.checked_add(length));
        if end.is_some_and(|end| end <= self.most) {
            Ok(())
        } else {
            Err(io::Error::other("beyond the end of the slot"))
        }
    }
}
