//! Two places for the system on a card, and the state that says which of them starts: what the boot
//! loader does with it before Linux (`image/firmware/boot.cmd` is the twin) and what an update does.
//!
//! `tests/golden/slots.json` holds both still. `docs/updates.md` is the description.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Bytes of a sector, and of one copy of the state.
pub const SECTOR: usize = 512;
/// Where the two copies of the state are on the disk, in sectors: before the first partition, and far
/// enough apart that no card keeps them in one block.
pub const COPIES: [u64; 2] = [0x1000, 0x1800];
/// How often a new system may try to come up before the other one is started again.
pub const TRIES: u8 = 3;
/// In the state: this system has shown that it works.
const CONFIRMED: u32 = 0xff;
const MAGIC: [u8; 4] = *b"GPAB";
const VERSION: u32 = 1;
/// Bytes under the checksum, and of the two that follow.
const SUMMED: usize = 28;

/// One of the two places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// Partition 2.
    A,
    /// Partition 3.
    B,
}

impl Slot {
    /// The other place.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// The number of its partition.
    pub const fn partition(self) -> usize {
        match self {
            Self::A => 2,
            Self::B => 3,
        }
    }

    /// Reads its name, `a` or `b`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "a" => Some(Self::A),
            "b" => Some(Self::B),
            _ => None,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "a",
            Self::B => "b",
        })
    }
}

/// Whether the system in a slot has shown that it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// It has: its screen was seen.
    Confirmed,
    /// It has not, and may be started this often.
    Tries(u8),
}

/// Which slot starts, and what is known of it and of the other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotState {
    /// Grows with each change: of the two copies the newer one counts.
    pub sequence: u32,
    /// The one that starts.
    pub slot: Slot,
    /// Whether it works.
    pub trust: Trust,
    /// Whether the other one holds a system that has worked.
    pub other_good: bool,
    /// Whether the boot loader came back to this one because the other one did not work.
    pub rolled_back: bool,
}

impl Default for SlotState {
    /// What a card is that nobody has updated yet.
    fn default() -> Self {
        Self {
            sequence: 0,
            slot: Slot::A,
            trust: Trust::Confirmed,
            other_good: false,
            rolled_back: false,
        }
    }
}

impl SlotState {
    /// Reads one copy; none if it isn't whole.
    pub fn decode(sector: &[u8]) -> Option<Self> {
        let word = |at: usize| {
            let bytes = sector.get(at..at + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        };
        let sum = crc32(sector.get(..SUMMED)?);
        let (first, second) = (word(SUMMED)?, word(SUMMED + 4)?);
        // The boot loader writes both byte orders, too, but not always in this order.
        if !sector.starts_with(&MAGIC) || (first != sum && second != sum) {
            return None;
        }
        Some(Self {
            sequence: word(4)?,
            slot: if word(8)? == 0 { Slot::A } else { Slot::B },
            trust: match word(12)? {
                CONFIRMED => Trust::Confirmed,
                left => Trust::Tries(u8::try_from(left).unwrap_or(TRIES).min(TRIES)),
            },
            other_good: word(16)? == 1,
            rolled_back: word(20)? == 1,
        })
    }

    /// One copy.
    pub fn encode(&self) -> [u8; SECTOR] {
        let words = [
            u32::from_le_bytes(MAGIC),
            self.sequence,
            u32::from(self.slot == Slot::B),
            match self.trust {
                Trust::Confirmed => CONFIRMED,
                Trust::Tries(left) => left.into(),
            },
            u32::from(self.other_good),
            u32::from(self.rolled_back),
            VERSION,
        ];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let sum = crc32(&bytes);
        bytes.extend(sum.to_le_bytes());
        bytes.extend(sum.to_be_bytes());
        let mut sector = [0; SECTOR];
        for (to, from) in sector.iter_mut().zip(bytes) {
            *to = from;
        }
        sector
    }

    /// The newer of two copies, and the number of the copy the next state goes to: never the one that counts.
    pub fn newer(copies: [Option<Self>; 2]) -> (Self, usize) {
        match copies {
            [Some(first), Some(second)] if second.sequence > first.sequence => (second, 0),
            [None, Some(second)] => (second, 0),
            [Some(first), _] => (first, 1),
            [None, None] => (Self::default(), 0),
        }
    }

    /// What the boot loader makes of it at a start; none if it leaves it as it is. The result's slot is the one
    /// that starts.
    pub fn started(&self) -> Option<Self> {
        match self.trust {
            Trust::Confirmed => None,
            Trust::Tries(0) if self.other_good => Some(self.fallen_back()),
            // Trying for ever is better than not at all.
            Trust::Tries(0) => None,
            Trust::Tries(left) => Some(self.next(|state| state.trust = Trust::Tries(left - 1))),
        }
    }

    fn fallen_back(&self) -> Self {
        self.next(|state| {
            state.slot = self.slot.other();
            state.trust = Trust::Confirmed;
            state.other_good = false;
            state.rolled_back = true;
        })
    }

    fn next(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut state = *self;
        state.sequence = self.sequence.wrapping_add(1);
        change(&mut state);
        state
    }

    /// Before anything is written to the other slot than the running one: what was there is not to be
    /// fallen back to any more.
    #[must_use]
    pub fn writing(&self, running: Slot) -> Self {
        self.next(|state| {
            state.slot = running;
            state.trust = Trust::Confirmed;
            state.other_good = false;
            state.rolled_back = false;
        })
    }

    /// When the other slot than the running one holds a whole system: it starts next, and has to show
    /// that it works.
    #[must_use]
    pub fn trying(&self, running: Slot) -> Self {
        self.next(|state| {
            state.slot = running.other();
            state.trust = Trust::Tries(TRIES);
            state.other_good = true;
            state.rolled_back = false;
        })
    }

    /// When the running system works; none if that is known, or if another one is to start next.
    pub fn confirmed(&self, running: Slot) -> Option<Self> {
        let news = self.slot == running && self.trust != Trust::Confirmed;
        news.then(|| self.next(|state| state.trust = Trust::Confirmed))
    }

    /// Back to the other slot by somebody's wish; none if nothing is there that has worked.
    pub fn back(&self, running: Slot) -> Option<Self> {
        if self.slot != running {
            // What was just installed has not been started: it isn't, after all.
            return Some(self.next(|state| {
                state.slot = running;
                state.trust = Trust::Confirmed;
                state.other_good = false;
            }));
        }
        self.other_good.then(|| self.trying(running))
    }
}

/// How the two slots are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slots {
    /// What runs.
    pub running: Slot,
    /// Its version.
    pub version: String,
    /// When it was made, in seconds since the Unix epoch.
    pub built: u64,
    /// What starts next, and how much is known of it.
    #[serde(flatten)]
    pub state: SlotState,
    /// The version of the bundle that was looked at or installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
}

/// The checksum of zlib and U-Boot (CRC-32, IEEE 802.3), bit by bit: it is over 28 bytes.
fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(slot: Slot, trust: Trust, other_good: bool) -> SlotState {
        SlotState {
            sequence: 7,
            slot,
            trust,
            other_good,
            rolled_back: false,
        }
    }

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_state_is_read_as_it_was_written_and_no_flipped_bit_is_believed() {
        for slot in [Slot::A, Slot::B] {
            for trust in [Trust::Confirmed, Trust::Tries(0), Trust::Tries(TRIES)] {
                for other_good in [false, true] {
                    let state = state(slot, trust, other_good);
                    assert_eq!(SlotState::decode(&state.encode()), Some(state));
                }
            }
        }
        let whole = state(Slot::B, Trust::Tries(2), true).encode();
        for bit in 0..SUMMED * 8 {
            let mut torn = whole;
            torn[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SlotState::decode(&torn), None, "bit {bit}");
        }
        assert_eq!(SlotState::decode(&[]), None);
        assert_eq!(SlotState::decode(&[0; SECTOR]), None);
        assert_eq!(SlotState::decode(&[0xff; SECTOR]), None);
    }

    #[test]
    fn the_newer_copy_counts_and_the_other_one_is_written_next() {
        let old = state(Slot::A, Trust::Confirmed, false);
        let new = old.trying(Slot::A);
        assert_eq!(SlotState::newer([Some(old), Some(new)]), (new, 0));
        assert_eq!(SlotState::newer([Some(new), Some(old)]), (new, 1));
        assert_eq!(SlotState::newer([Some(old), None]), (old, 1));
        assert_eq!(SlotState::newer([None, Some(old)]), (old, 0));
        assert_eq!(SlotState::newer([None, None]).0, SlotState::default());
    }

    #[test]
    fn a_system_that_never_comes_up_is_left_after_its_tries_and_the_old_one_starts() {
        let mut now = state(Slot::A, Trust::Confirmed, false).trying(Slot::A);
        for left in (0..TRIES).rev() {
            now = now.started().unwrap();
            assert_eq!((now.slot, now.trust), (Slot::B, Trust::Tries(left)));
        }
        now = now.started().unwrap();
        assert_eq!((now.slot, now.trust), (Slot::A, Trust::Confirmed));
        assert!(now.rolled_back && !now.other_good);
        assert_eq!(now.started(), None, "a system that works isn't counted");
    }

    #[test]
    fn a_system_that_shows_its_screen_stays_and_the_old_one_can_be_had_back() {
        let installed = state(Slot::A, Trust::Confirmed, false).trying(Slot::A);
        assert_eq!(
            installed.confirmed(Slot::A),
            None,
            "the old one says nothing"
        );
        let started = installed.started().unwrap();
        let works = started.confirmed(Slot::B).unwrap();
        assert_eq!((works.slot, works.trust), (Slot::B, Trust::Confirmed));
        assert_eq!(works.confirmed(Slot::B), None);
        let back = works.back(Slot::B).unwrap();
        assert_eq!((back.slot, back.trust), (Slot::A, Trust::Tries(TRIES)));
    }

    #[test]
    fn from_the_first_byte_written_on_there_is_nothing_to_go_back_to() {
        let before = state(Slot::B, Trust::Confirmed, true);
        let writing = before.writing(Slot::B);
        assert_eq!(writing.back(Slot::B), None);
        assert_eq!((writing.slot, writing.started()), (Slot::B, None));
        let alone = state(Slot::A, Trust::Tries(0), false);
        assert_eq!(alone.started(), None, "there is no other system");
    }

    #[test]
    fn what_was_installed_and_not_started_can_be_taken_back() {
        let installed = state(Slot::A, Trust::Confirmed, false).trying(Slot::A);
        let back = installed.back(Slot::A).unwrap();
        assert_eq!((back.slot, back.trust), (Slot::A, Trust::Confirmed));
        assert!(!back.other_good);
    }
}
