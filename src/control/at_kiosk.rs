//! Logins at the machine's own screen. Each has one terminal there, and they end together: a shell that
//! was left, or reset because nobody was there, leaves no login behind for whoever comes next.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::auth::{Login, LoginId};
use crate::base::{Door, Principal, TerminalId, User};
use crate::wire::message::Request;

use super::Control;

/// How long a login may be without its terminal: after a login until one is open, after a start of the
/// server until the page has come back.
const GRACE: Duration = Duration::from_secs(60);
/// How often that is looked at when nothing else happens.
const LOOK: Duration = Duration::from_secs(10);

/// Who has which terminal on the screen.
#[derive(Debug, Default)]
pub(super) struct AtKiosk {
    // A plain lock, never held across an await.
    seats: Mutex<HashMap<LoginId, TerminalId>>,
    changed: Notify,
}

impl AtKiosk {
    fn seats(&self) -> MutexGuard<'_, HashMap<LoginId, TerminalId>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody who logged in at the screen has this terminal there.
    pub(super) fn shows(&self, terminal: TerminalId) -> bool {
        self.seats().values().any(|shown| *shown == terminal)
    }
}

/// Whether they logged in at the machine's own screen.
pub(super) fn is_at_kiosk(by: &Principal) -> bool {
    by.user().is_some_and(User::is_at_kiosk)
}

impl Control {
    /// Whether whoever comes to the machine's own screen logs in there.
    pub fn people_log_in(&self) -> bool {
        self.settings_for(&Principal::Kiosk {}).kiosk.login
    }

    /// This terminal is what `login` has on the machine's own screen from now on, if it was made there and
    /// the terminal is theirs. `opened`: just now, by whoever is there.
    pub async fn sits_at_kiosk(&self, login: &Login, terminal: TerminalId, opened: bool) {
        let Some(user) = login.principal.user().filter(|user| user.is_at_kiosk()) else {
            return;
        };
        let list = self.terminals.list().await.unwrap_or_default();
        let owner = Some(user.owner());
        if !list
            .iter()
            .any(|info| info.id == terminal && info.owner == owner)
        {
            return;
        }
        self.at_kiosk.seats().insert(login.id(), terminal);
        self.at_kiosk.changed.notify_one();
        self.tend(terminal).await;
        if opened {
            // The clock begins with the login, whatever becomes of the page.
            let present = self.terminals.request(terminal, Request::Present {}).await;
            if let Err(error) = present {
                tracing::info!(%terminal, %error, "it can't be told that somebody is there");
            }
        }
    }

    /// Somebody is about to log out at the machine's own screen: what they have there, to be given to
    /// [`Control::closes_at_kiosk`] when they have. Taken before, since a login that is gone has no
    /// terminal there any more.
    pub fn leaves_kiosk(&self, login: LoginId) -> Option<TerminalId> {
        self.at_kiosk.seats().remove(&login)
    }

    /// Closes what somebody had at the machine's own screen, without waiting for it.
    pub fn closes_at_kiosk(&self, terminal: TerminalId) {
        let terminals = self.terminals.clone();
        tokio::spawn(async move {
            if let Err(error) = terminals.close(terminal).await {
                tracing::info!(%terminal, %error, "after a log-out at the kiosk");
            }
        });
    }

    /// Ends logins at the machine's own screen whose terminal there has ended, or never came, until
    /// `stop`. Not left to the page, which may hang just then.
    pub async fn look_after_kiosk_logins(self, stop: CancellationToken) {
        let mut changes = self.changes();
        let mut rules = self.rules_changes();
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut known = HashMap::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = changes.changed() => if changed.is_err() {
                    return;
                },
                Ok(()) = rules.changed() => {}
                () = self.at_kiosk.changed.notified() => {}
                _ = ticks.tick() => {}
            }
            self.end_kiosk_logins(&mut known).await;
        }
    }

    /// `known`: since when.
    async fn end_kiosk_logins(&self, known: &mut HashMap<LoginId, Instant>) {
        let Some(auth) = &self.auth else { return };
        let logins = auth.at_kiosk();
        known.retain(|id, _| logins.iter().any(|login| login.id() == *id));
        {
            let mut seats = self.at_kiosk.seats();
            seats.retain(|id, _| logins.iter().any(|login| login.id() == *id));
        }
        if logins.is_empty() {
            return;
        }
        let open = self.people_log_in();
        // Before the list: who sits down meanwhile is in the next one.
        let seats = self.at_kiosk.seats().clone();
        let Ok(list) = self.terminals.list().await else {
            return;
        };
        for login in logins {
            let since = known.entry(login.id()).or_insert_with(Instant::now);
            let over = match seats.get(&login.id()) {
                Some(seat) => !list.iter().any(|info| info.id == *seat),
                None => since.elapsed() >= GRACE,
            };
            if over || !open {
                self.end_kiosk_login(login).await;
            }
        }
    }

    async fn end_kiosk_login(&self, login: Login) {
        let Some(auth) = self.auth.clone() else {
            return;
        };
        let by = login.principal.clone();
        let ending = async {
            let ended = tokio::task::spawn_blocking(move || auth.log_out(&login));
            ended
                .await
                .map_err(|error| super::ControlError::Invalid(error.to_string()))
        };
        // What has ended has ended, even where the disk can't take a line about it.
        let ended = self.recorded((&by, Door::Web, None), "log-out", ending);
        if let Err(error) = ended.await {
            tracing::error!(%error, "a login at the kiosk has not ended");
        }
    }
}
