//! The ledger of auth objects that were used: each is good once, on whatever connection, also after
//! the server was killed. What is accepted is on the disk before anybody is let in.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use crate::base::Secret;

use super::Fingerprint;
use super::object::{AuthObject, ObjectError};
use super::store::write_atomically;

/// Most objects remembered at a time: an object is remembered for a minute at most, and nobody logs
/// in 10 000 times a minute. 100 bytes each.
const MAX_USED: usize = 10_000;
/// Lines of the file that say nothing any more before it is written anew, 82 bytes each.
const MAX_STALE: usize = 1000;
/// Largest file read, in bytes: everything above, twice.
const MAX_FILE: u64 = 4 << 20;

/// Objects by a digest of key and signature, and until when they would be good (milliseconds since
/// 1970).
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    used: HashMap<Fingerprint, u64>,
    file: Option<File>,
    lines: usize,
}

impl Ledger {
    /// Reads what was used before. A ledger that can't be read is an error: without it, what was
    /// used could be used again.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let text = match std::fs::metadata(&path) {
            Ok(found) if found.len() > MAX_FILE => {
                return Err(io::Error::other(
                    "too large to be the ledger of auth objects",
                ));
            }
            Ok(_) => std::fs::read_to_string(&path)?,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        // The last line may be cut where the power went: nobody was let in for it.
        let used = text.lines().filter_map(read_line).collect();
        Ok(Self {
            path,
            used,
            file: None,
            lines: text.lines().count(),
        })
    }

    /// Notes that an object, which was found to be good until `until`, is used now. When this
    /// returns well, it is on the disk. Blocks.
    pub(super) fn enter(
        &mut self,
        object: &AuthObject,
        until: u64,
        now: u64,
    ) -> Result<(), ObjectError> {
        let id = identify(object);
        if self.used.contains_key(&id) {
            return Err(ObjectError::Replay);
        }
        self.used.retain(|_, until| *until >= now);
        if self.used.len() >= MAX_USED {
            return Err(ObjectError::TooMany);
        }
        self.used.insert(id, until);
        // On a failure it stays noted in memory: refusing is the safe side.
        self.write(id, until)
            .map_err(|error| ObjectError::Ledger(error.to_string()))
    }

    /// Whether an object was used.
    pub(super) fn knows(&self, object: &AuthObject) -> bool {
        self.used.contains_key(&identify(object))
    }

    fn write(&mut self, id: Fingerprint, until: u64) -> io::Result<()> {
        if self.file.is_none() || self.lines > self.used.len() + MAX_STALE {
            let all: String = self
                .used
                .iter()
                .map(|(id, until)| line(*id, *until))
                .collect();
            write_atomically(&self.path, all.as_bytes())?;
            self.lines = self.used.len();
            let file = OpenOptions::new()
                .append(true)
                .mode(0o600)
                .open(&self.path)?;
            self.file = Some(file);
            return Ok(());
        }
        if let Some(file) = &mut self.file {
            let written = file
                .write_all(line(id, until).as_bytes())
                .and_then(|()| file.sync_data());
            if let Err(error) = written {
                // Half a line may be there: start over with a whole file.
                self.file = None;
                return Err(error);
            }
            self.lines += 1;
        }
        Ok(())
    }
}

fn identify(object: &AuthObject) -> Fingerprint {
    let mut digest = Sha256::new();
    digest.update(object.key().as_bytes());
    digest.update([0]);
    digest.update(object.signature());
    Fingerprint(digest.finalize().into())
}

fn line(id: Fingerprint, until: u64) -> String {
    format!("{until:013} {}\n", Secret::from_random(id.0).expose_hex())
}

fn read_line(line: &str) -> Option<(Fingerprint, u64)> {
    let (until, id) = line.split_once(' ')?;
    let id: Secret = id.parse().ok()?;
    Some((Fingerprint(*id.expose_bytes()), until.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(number: usize) -> AuthObject {
        let json = serde_json::json!({
            "api_key": "key", "upn": "alice", "timestamp": "1800000000000", "api_version": "1.0",
            "signature_method": "HMAC-SHA256", "signature": format!("{number:064x}"),
        });
        AuthObject::parse(&json.to_string()).unwrap()
    }

    const NOW: u64 = 1_800_000_000_000;

    #[test]
    fn hmac_replay_after_restart_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("used");
        let mut ledger = Ledger::open(path.clone()).unwrap();
        ledger.enter(&object(1), NOW + 30_000, NOW).unwrap();
        ledger.enter(&object(2), NOW + 30_000, NOW).unwrap();
        assert_eq!(
            ledger.enter(&object(1), NOW + 30_000, NOW),
            Err(ObjectError::Replay)
        );
        // As after kill -9: nothing was closed or flushed.
        let mut again = Ledger::open(path.clone()).unwrap();
        for number in [1, 2] {
            assert_eq!(
                again.enter(&object(number), NOW + 30_000, NOW),
                Err(ObjectError::Replay)
            );
        }
        // The first of a new file writes all of it anew, the next one is added at its end.
        again.enter(&object(3), NOW + 30_000, NOW).unwrap();
        again.enter(&object(4), NOW + 30_000, NOW).unwrap();
        // A line cut by a power failure costs nothing but itself.
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 5]).unwrap();
        let cut = Ledger::open(path).unwrap();
        assert_eq!(
            [1, 2, 3, 4].map(|number| cut.knows(&object(number))),
            [true, true, true, false]
        );
    }

    #[test]
    fn ten_thousand_are_remembered_and_one_more_is_refused_until_some_are_over() {
        let temp = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(temp.path().join("used")).unwrap();
        for number in 0..MAX_USED {
            ledger.used.insert(identify(&object(number)), NOW);
        }
        let one_more = object(MAX_USED);
        assert_eq!(ledger.enter(&one_more, NOW, NOW), Err(ObjectError::TooMany));
        ledger.enter(&one_more, NOW + 60_000, NOW + 1).unwrap();
        assert_eq!(ledger.used.len(), 1);
    }

    #[test]
    fn a_ledger_that_can_t_be_written_lets_nobody_in() {
        let temp = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(temp.path().join("no/such/folder")).unwrap();
        let refused = ledger.enter(&object(1), NOW, NOW);
        assert!(
            matches!(refused, Err(ObjectError::Ledger(_))),
            "{refused:?}"
        );
        assert_eq!(ledger.enter(&object(1), NOW, NOW), Err(ObjectError::Replay));
    }
}
