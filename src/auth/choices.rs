//! What people chose for the page (colours, type size, …), kept for each of them, so that it is there in
//! another browser, too. What it means is the page's business.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};

use crate::base::Principal;

use super::small_file;
use super::store::write_atomically;

/// Longest that is kept for one person, in bytes of JSON: ten times what the page has.
pub const MAX_CHOICES: usize = 4 << 10;

/// Most people whose choices are kept.
const MAX_PEOPLE: usize = 1000;

/// Largest file read, in bytes: everybody's, and their names.
const MAX_FILE: u64 = 8 << 20;

/// Why choices were not kept.
#[derive(Debug, thiserror::Error)]
pub enum ChoicesError {
    /// Longer than [`MAX_CHOICES`].
    #[error("that is over the limit of {MAX_CHOICES} bytes")]
    TooLong,
    /// There are [`MAX_PEOPLE`] others.
    #[error("the choices of {MAX_PEOPLE} people are kept already; yours stay in this browser")]
    TooMany,
    /// The machine's own screen and its buttons have no choices: the configuration decides.
    #[error("nobody in particular asks, so nothing is kept; the configuration decides")]
    Nobody,
    /// The disk refused.
    #[error("they can't be written: {0}")]
    Disk(#[from] io::Error),
}

type Table = BTreeMap<String, Map<String, Value>>;

/// Everybody's choices.
#[derive(Debug)]
pub(super) struct Choices {
    file: PathBuf,
    // Held while writing, so that what was chosen last is what is written last.
    table: Mutex<Table>,
}

impl Choices {
    /// Reads what was kept in `file`. One that can't be read costs the choices, not the start.
    pub(super) fn open(file: PathBuf) -> Self {
        let table = match small_file::read(&file, MAX_FILE) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Table::new()),
            Err(error) => Err(error),
        };
        let table = table.unwrap_or_else(|error| {
            tracing::warn!(file = %file.display(), %error, "what people chose for the page can't be read: it has to be chosen again");
            Table::new()
        });
        Self {
            file,
            table: Mutex::new(table),
        }
    }

    pub(super) fn of(&self, who: &Principal) -> Option<Map<String, Value>> {
        let key = key(who)?;
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.get(&key).cloned()
    }

    /// Keeps what somebody chose, in place of what they chose before. Blocks on the disk.
    pub(super) fn keep(
        &self,
        who: &Principal,
        chosen: Map<String, Value>,
    ) -> Result<(), ChoicesError> {
        let key = key(who).ok_or(ChoicesError::Nobody)?;
        let length = serde_json::to_vec(&chosen).map_err(io::Error::from)?.len();
        if length > MAX_CHOICES {
            return Err(ChoicesError::TooLong);
        }
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.get(&key) == Some(&chosen) {
            return Ok(());
        }
        if table.len() >= MAX_PEOPLE && !table.contains_key(&key) {
            return Err(ChoicesError::TooMany);
        }
        let mut changed = table.clone();
        changed.insert(key, chosen);
        let bytes = serde_json::to_vec(&changed).map_err(io::Error::from)?;
        write_atomically(&self.file, &bytes)?;
        *table = changed;
        Ok(())
    }
}

/// Whose they are. No user's name can be taken for the owner's.
fn key(who: &Principal) -> Option<String> {
    match who {
        Principal::Owner {} => Some("owner".to_owned()),
        Principal::User { user } => Some(format!("user {}", user.owner())),
        Principal::Kiosk {} | Principal::Button { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(theme: &str) -> Map<String, Value> {
        let value = serde_json::json!({ "theme": theme });
        value.as_object().unwrap().clone()
    }

    #[test]
    fn choices_are_kept_for_whoever_made_them_and_survive_a_restart() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("choices.json");
        let choices = Choices::open(file.clone());
        let owner = Principal::Owner {};
        assert_eq!(choices.of(&owner), None);
        choices.keep(&owner, chosen("light")).unwrap();
        let refused = choices.keep(&Principal::Kiosk {}, chosen("dark"));
        assert!(matches!(refused, Err(ChoicesError::Nobody)));
        let again = Choices::open(file.clone());
        assert_eq!(again.of(&owner), Some(chosen("light")));
        assert_eq!(again.of(&Principal::Kiosk {}), None);
        std::fs::write(&file, "[").unwrap();
        assert_eq!(Choices::open(file).of(&owner), None);
    }

    #[test]
    fn choices_at_their_limit_are_kept_and_one_byte_more_are_not() {
        let temp = tempfile::tempdir().unwrap();
        let choices = Choices::open(temp.path().join("choices.json"));
        let of = |length: usize| chosen(&"x".repeat(length - r#"{"theme":""}"#.len()));
        let owner = Principal::Owner {};
        choices.keep(&owner, of(MAX_CHOICES)).unwrap();
        let refused = choices.keep(&owner, of(MAX_CHOICES + 1));
        assert!(matches!(refused, Err(ChoicesError::TooLong)));
        assert_eq!(choices.of(&owner), Some(of(MAX_CHOICES)));
        // A disk that refuses changes nothing.
        std::fs::remove_dir_all(temp.path()).unwrap();
        let refused = choices.keep(&owner, chosen("light"));
        assert!(matches!(refused, Err(ChoicesError::Disk(_))));
        assert_eq!(choices.of(&owner), Some(of(MAX_CHOICES)));
    }
}
