//! The recorded programs, and where to cut them.

use std::fs;
use std::path::Path;

use gatepost::base::Size;

/// What a program wrote to a terminal of one size.
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) size: Size,
    pub(crate) bytes: Vec<u8>,
}

/// Every recording, by name.
pub(crate) fn all() -> Vec<Recording> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fidelity/recordings");
    let mut found: Vec<Recording> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            let mut parts = file.split('.');
            let name = parts.next().unwrap().to_owned();
            let (cols, rows) = parts.next().unwrap().split_once('x').unwrap();
            Recording {
                name,
                size: Size::clamped(cols.parse().unwrap(), rows.parse().unwrap()),
                bytes: fs::read(&path).unwrap(),
            }
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Every recording, or the one that `GATEPOST_FIDELITY_ONLY` names.
pub(crate) fn recordings_wanted() -> Vec<Recording> {
    let only = std::env::var("GATEPOST_FIDELITY_ONLY").ok();
    let wanted = |recording: &Recording| only.as_ref().is_none_or(|only| *only == recording.name);
    all().into_iter().filter(wanted).collect()
}

/// A small generator of numbers (SplitMix64): the same on every machine and every run.
pub(crate) struct Random(u64);

impl Random {
    /// The generator for a name, so that one recording's cuts don't depend on another's.
    pub(crate) fn named(name: &str) -> Self {
        // FNV-1a
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }
}

/// About `count` places to cut, in order, the end included: half anywhere, a quarter inside escape
/// sequences, an eighth inside characters, an eighth between a character and a sequence.
pub(crate) fn cuts(bytes: &[u8], count: usize, random: &mut Random) -> Vec<usize> {
    if bytes.len() <= count {
        return (0..=bytes.len()).collect();
    }
    let within_character: Vec<usize> = (1..bytes.len())
        .filter(|&at| bytes[at] & 0xc0 == 0x80)
        .collect();
    let before_sequence: Vec<usize> = (1..bytes.len())
        .filter(|&at| bytes[at] == 0x1b && bytes[at - 1] >= b' ')
        .collect();
    let escapes: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] == 0x1b).collect();
    let mut chosen = vec![bytes.len()];
    for i in 0..count {
        let pick = |from: &[usize], random: &mut Random| match from.len() {
            0 => None,
            length => Some(from[random.below(length)]),
        };
        let cut = match i % 8 {
            0..4 => None,
            4..6 => pick(&escapes, random).map(|at| at + 1 + random.below(6)),
            6 => pick(&within_character, random),
            _ => pick(&before_sequence, random),
        };
        chosen.push(
            cut.unwrap_or_else(|| random.below(bytes.len()))
                .min(bytes.len()),
        );
    }
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}
