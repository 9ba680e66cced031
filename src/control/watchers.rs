//! Who watches what through this server. Whoever comes back after a restart sits down again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::action::Watching;
use crate::base::{Access, Door, Principal, TerminalId};
use crate::wire::message::Mode;

/// Everybody who watches. Each entry is as long-lived as a connection, of which there is a limited number.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    // Held for an insert, a remove or a copy, never across an await.
    seats: Mutex<Seats>,
    /// How many of them are not the machine's own screen.
    others: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Seats {
    next: u64,
    taken: BTreeMap<u64, Watching>,
}

/// Somebody's place: given up when dropped.
#[derive(Debug)]
#[must_use]
pub struct Seat {
    number: u64,
    access: Access,
    other: bool,
    watchers: Arc<Watchers>,
}

impl Watchers {
    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody begins to watch.
    pub(super) fn sit(
        self: &Arc<Self>,
        terminal: TerminalId,
        mode: Mode,
        by: &Principal,
        door: Door,
        from: &str,
    ) -> Seat {
        let access = if mode == Mode::Type {
            Access::Type
        } else {
            Access::View
        };
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let watching = Watching {
            terminal,
            who: by.to_string(),
            from: from.to_owned(),
            door,
            access,
            since: since.map_or(0, |since| since.as_secs()),
        };
        let mut seats = self.seats();
        let number = seats.next;
        seats.next += 1;
        seats.taken.insert(number, watching);
        drop(seats);
        let other = *by != Principal::Kiosk {};
        if other {
            self.others.send_modify(|count| *count += 1);
        }
        Seat {
            number,
            access,
            other,
            watchers: self.clone(),
        }
    }

    /// How many watch, besides the machine's own screen.
    pub(super) fn others(&self) -> watch::Receiver<usize> {
        self.others.subscribe()
    }

    /// Everybody, the longest first.
    pub(super) fn list(&self) -> Vec<Watching> {
        self.seats().taken.values().cloned().collect()
    }
}

impl Seat {
    /// What may be done from it.
    pub fn access(&self) -> Access {
        self.access
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.watchers.seats().taken.remove(&self.number);
        if self.other {
            let fewer = |count: &mut usize| *count = count.saturating_sub(1);
            self.watchers.others.send_modify(fewer);
        }
    }
}
