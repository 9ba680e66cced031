//! API keys: whose signatures count. The secrets are kept in a file of the server's own, for a
//! signature can't be checked with a hash.

use std::fmt;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::wire::logins::KeyInfo;

use super::random_secret;
use super::store::write_atomically;

/// Most keys.
const MAX_KEYS: usize = 256;
/// Letters in a key made here: all keys are as long, so that key and user, which are signed as one
/// text, are unambiguous.
const KEY_LENGTH: usize = 24;
/// Longest name, in characters.
const MAX_NAME: usize = 64;
/// Largest file read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// A key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    key: String,
    secret: String,
    name: String,
    /// Seconds since the Unix epoch.
    made: u64,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<key {}>", self.key)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    keys: Vec<Row>,
}

/// A key that was just made, with its secret. `Debug` doesn't show that.
#[derive(Clone)]
pub struct NewKey {
    /// The key.
    pub key: String,
    secret: String,
}

impl NewKey {
    /// The secret, for the one file it is meant for.
    pub fn expose_secret(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<key {}>", self.key)
    }
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The name.
    #[error("a key's name has 1 to {MAX_NAME} characters and no control characters")]
    Name,
    /// [`MAX_KEYS`] are there.
    #[error("there are {MAX_KEYS} keys already; revoke some with: gatepost api-key revoke KEY")]
    TooMany,
    /// The operating system gave no random bytes.
    #[error("no random bytes from the operating system")]
    Random,
}

/// The keys of one server.
#[derive(Debug)]
pub(super) struct Keys {
    path: PathBuf,
    table: Table,
}

impl Keys {
    /// Reads them. A file others can read is refused: who has read it can be anybody.
    pub(super) fn open(path: PathBuf) -> Result<Self, KeysError> {
        let table = read(&path).map_err(|source| KeysError::File {
            path: path.clone(),
            source,
        })?;
        Ok(Self { path, table })
    }

    /// The secret of a key.
    pub(super) fn secret(&self, key: &str) -> Option<&str> {
        let found = self.table.keys.iter().find(|known| known.key == key);
        found.map(|key| key.secret.as_str())
    }

    pub(super) fn list(&self) -> Vec<KeyInfo> {
        let info = |key: &Row| KeyInfo {
            key: key.key.clone(),
            name: key.name.clone(),
            made: key.made,
        };
        self.table.keys.iter().map(info).collect()
    }

    /// Makes one. Blocks.
    pub(super) fn create(&mut self, name: &str, now: u64) -> Result<NewKey, KeysError> {
        let name = name.trim();
        let length = name.chars().count();
        if !(1..=MAX_NAME).contains(&length) || name.chars().any(crate::base::is_deceptive) {
            return Err(KeysError::Name);
        }
        if self.table.keys.len() >= MAX_KEYS {
            return Err(KeysError::TooMany);
        }
        let random = || random_secret().map_err(|_| KeysError::Random);
        let key: String = random()?.expose_hex().chars().take(KEY_LENGTH).collect();
        let secret = random()?.expose_hex();
        self.table.keys.push(Row {
            key: key.clone(),
            secret: secret.clone(),
            name: name.to_owned(),
            made: now,
        });
        if let Err(error) = self.save() {
            self.table.keys.pop();
            return Err(error);
        }
        Ok(NewKey { key, secret })
    }

    /// Takes one away; nothing signed with it counts any more. Says whether it was there. Blocks.
    pub(super) fn revoke(&mut self, key: &str) -> Result<bool, KeysError> {
        let before = self.table.keys.len();
        self.table.keys.retain(|known| known.key != key);
        let found = self.table.keys.len() != before;
        if found {
            self.save()?;
        }
        Ok(found)
    }

    fn save(&self) -> Result<(), KeysError> {
        serde_json::to_vec_pretty(&self.table)
            .map_err(io::Error::other)
            .and_then(|bytes| write_atomically(&self.path, &bytes))
            .map_err(|source| KeysError::File {
                path: self.path.clone(),
                source,
            })
    }
}

fn read(path: &std::path::Path) -> io::Result<Table> {
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Table::default()),
        Err(error) => return Err(error),
    };
    if found.len() > MAX_FILE {
        return Err(io::Error::other("too large to be the file of API keys"));
    }
    if found.permissions().mode() & 0o077 != 0 {
        return Err(io::Error::other(
            "others can read these secrets; make new keys, or if nobody has: chmod 600",
        ));
    }
    serde_json::from_slice(&std::fs::read(path)?).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_kept_closed_and_revoked_for_good() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("api-keys.json");
        let mut keys = Keys::open(path.clone()).unwrap();
        let new = keys.create(" the shop ", 1).unwrap();
        assert_eq!(new.key.len(), KEY_LENGTH);
        assert_eq!(new.expose_secret().len(), 64);
        assert!(!format!("{new:?}{keys:?}").contains(new.expose_secret()));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mut again = Keys::open(path.clone()).unwrap();
        assert_eq!(again.secret(&new.key), Some(new.expose_secret()));
        assert_eq!(again.list()[0].name, "the shop");
        assert!(again.revoke(&new.key).unwrap());
        assert!(!again.revoke(&new.key).unwrap());
        assert!(Keys::open(path.clone()).unwrap().secret(&new.key).is_none());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Keys::open(path).is_err());
        for bad in ["", " ", "a\nb", &"x".repeat(65)] {
            assert!(matches!(again.create(bad, 1), Err(KeysError::Name)));
        }
        for number in 0..MAX_KEYS {
            // Without the disk, which would take its time.
            again.table.keys.push(Row {
                key: number.to_string(),
                secret: String::new(),
                name: String::new(),
                made: 0,
            });
        }
        assert!(matches!(
            again.create("one more", 1),
            Err(KeysError::TooMany)
        ));
    }
}
