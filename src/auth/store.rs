//! Logins on the disk, so that a restart of the server or of the machine logs nobody out.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::base::Principal;

use super::Fingerprint;

/// Largest file read, in bytes: a thousand logins are a tenth of it.
const MAX_FILE: u64 = 4 << 20;

/// One login on the disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Row {
    #[serde(with = "hex")]
    pub(super) fingerprint: Fingerprint,
    pub(super) principal: Principal,
    #[serde(default)]
    pub(super) address: Option<IpAddr>,
    #[serde(default)]
    pub(super) browser: String,
    /// Seconds since the Unix epoch.
    pub(super) made: u64,
    /// Seconds since the Unix epoch.
    pub(super) used: u64,
}

#[derive(Serialize, Deserialize)]
struct Table {
    logins: Vec<Row>,
}

#[derive(Debug)]
pub(super) struct Store {
    file: PathBuf,
    // Held while writing, so that the last table asked for is the last one written.
    writing: Mutex<()>,
}

impl Store {
    pub(super) fn new(file: PathBuf) -> Self {
        Self {
            file,
            writing: Mutex::new(()),
        }
    }

    pub(super) fn load(&self) -> Vec<Row> {
        let too_large = std::fs::metadata(&self.file).is_ok_and(|found| found.len() > MAX_FILE);
        let bytes = match std::fs::read(&self.file) {
            Ok(bytes) if !too_large => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
            Ok(_) => {
                tracing::warn!(file = %self.file.display(), "the table of logins is too large and was not read: everybody has to log in again");
                return Vec::new();
            }
            Err(error) => {
                tracing::warn!(file = %self.file.display(), %error, "the table of logins can't be read: everybody has to log in again");
                return Vec::new();
            }
        };
        match serde_json::from_slice::<Table>(&bytes) {
            Ok(table) => table.logins,
            Err(error) => {
                tracing::warn!(file = %self.file.display(), %error, "the table of logins is damaged: everybody has to log in again");
                Vec::new()
            }
        }
    }

    pub(super) fn save(&self, rows: impl FnOnce() -> Vec<Row>) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let written = serde_json::to_vec(&Table { logins: rows() })
            .map_err(std::io::Error::other)
            .and_then(|bytes| write_atomically(&self.file, &bytes));
        if let Err(error) = written {
            tracing::warn!(file = %self.file.display(), %error, "logins can't be written and will not survive a restart; is the disk full?");
        }
    }
}

/// Replaces `path` by a file with these bytes, readable by us only: whole or not at all, also when
/// the power goes.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let new = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}

/// 32 bytes as 64 hexadecimal digits.
pub(super) mod hex {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::base::Secret;

    pub(crate) fn serialize<T: Copy + Into<[u8; 32]>, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        // It has a secret's form, without being one.
        serializer.serialize_str(&Secret::from_random((*value).into()).expose_hex())
    }

    pub(crate) fn deserialize<'de, T: From<[u8; 32]>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes: Secret = text.parse().map_err(D::Error::custom)?;
        Ok((*bytes.expose_bytes()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_atomic_write_replaces_the_file_and_leaves_nothing_beside_it() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("table.json");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
    }
}
