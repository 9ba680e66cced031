//! Who lets whom watch which terminal. Kept in memory: a restart of the server ends every share, as does the end
//! of the terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::action::{Outcome, TerminalInfo};
use crate::base::{TerminalId, UserName};
use crate::terminals::TerminalError;

use super::{Control, ControlError};

/// Most people one terminal is shared with: a class, not a public.
const MAX_PEOPLE: usize = 64;

/// Everything that is shared.
#[derive(Debug)]
pub(super) struct Shares {
    // Held for an insert, a remove or a look, never across an await.
    people: Mutex<BTreeMap<TerminalId, BTreeSet<UserName>>>,
    /// Counts the changes.
    changes: watch::Sender<u64>,
}

impl Default for Shares {
    fn default() -> Self {
        Self {
            people: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }
}

impl Shares {
    fn people(&self) -> MutexGuard<'_, BTreeMap<TerminalId, BTreeSet<UserName>>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    /// The terminals there are, each with whom it is shared.
    pub(super) async fn terminals(&self) -> Result<Vec<TerminalInfo>, TerminalError> {
        let mut list = self.terminals.list().await?;
        let mut people = self.shares.people();
        if !people.is_empty() {
            people.retain(|id, _| list.iter().any(|info| info.id == *id));
            for info in &mut list {
                if let Some(with) = people.get(&info.id) {
                    info.shared_with = with.iter().cloned().collect();
                }
            }
        }
        Ok(list)
    }

    /// Tells when somebody may watch a terminal, or may no longer.
    pub fn share_changes(&self) -> watch::Receiver<u64> {
        self.shares.changes.subscribe()
    }

    pub(super) fn share(
        &self,
        terminal: TerminalId,
        with: UserName,
    ) -> Result<Outcome, ControlError> {
        {
            let mut people = self.shares.people();
            let people = people.entry(terminal).or_default();
            if people.len() >= MAX_PEOPLE && !people.contains(&with) {
                return Err(ControlError::Invalid(format!(
                    "this terminal is shared with {MAX_PEOPLE} people, which is the limit"
                )));
            }
            people.insert(with);
        }
        self.shares.changes.send_modify(|count| *count += 1);
        Ok(Outcome::Done {})
    }

    pub(super) fn unshare(
        &self,
        terminal: TerminalId,
        with: &UserName,
    ) -> Result<Outcome, ControlError> {
        let was = self
            .shares
            .people()
            .get_mut(&terminal)
            .is_some_and(|people| people.remove(with));
        if !was {
            return Err(ControlError::Invalid(format!(
                "this terminal isn't shared with {with}; terminal list --json says with whom"
            )));
        }
        self.shares.changes.send_modify(|count| *count += 1);
        Ok(Outcome::Done {})
    }
}
