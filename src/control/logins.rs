//! Logging in and out is no action, and is written down like one.

use std::net::IpAddr;

use tokio::sync::broadcast::error::RecvError;

use crate::auth::{Auth, Turned};
use crate::base::{Door, Principal, Way};

use super::{Control, ControlError, Line};

impl Control {
    /// Does something about a login, once it is written down where nothing may be done without, and
    /// writes down what came of it.
    pub async fn recorded<T, E: From<ControlError>>(
        &self,
        (by, door, address): (&Principal, Door, Option<IpAddr>),
        action: &'static str,
        doing: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let address = address.map(|address| address.to_string());
        let line = Line::new(by, door, address.as_deref(), action, None);
        let granted = self.granted(&line, false).await;
        granted.map_err(ControlError::from)?;
        let result = doing.await;
        let outcome = if result.is_ok() { "done" } else { "failed" };
        self.finish(line.with(outcome, None)).await;
        result
    }

    /// Somebody was not let in, for this reason, which they are not told.
    pub fn turned_away(&self, way: Way, from: IpAddr, reason: String) {
        let line = Line::of_stranger(None, way, Some(from.to_string()));
        let settings = self.rules().machine().log.clone();
        self.audit.tell_of_stranger(line, Some(reason), &settings);
    }

    /// How many browsers this user may be logged in with at a time, if there is such a limit for them.
    /// Whoever started the server and the machine's own screen have none.
    pub fn most_logins(&self, by: &Principal) -> Option<u32> {
        by.user()?;
        Some(self.settings_for(by).limits.logins).filter(|most| *most > 0)
    }

    /// Whether this address is kept out altogether. Never the machine itself: somebody has to be able
    /// to change that.
    pub fn keeps_out(&self, address: IpAddr) -> bool {
        !address.to_canonical().is_loopback() && self.rules().is_blacklisted(address)
    }

    /// Writes down whom the ways to log in turned away.
    pub(super) fn note_refusals(&self, auth: &Auth) {
        let mut turned = auth.ways().turned_away();
        // Not the whole of us, which holds what `turned` waits for the end of.
        let (audit, rules) = (self.audit.clone(), self.rules.clone());
        tokio::spawn(async move {
            loop {
                match turned.recv().await {
                    Ok(Turned {
                        way,
                        user,
                        address,
                        locked,
                    }) => {
                        let reason = locked.then(|| "and has to wait from now on".to_owned());
                        let line = Line::of_stranger(user.as_ref(), way, Some(address.to_string()));
                        let settings = rules.borrow().machine().log.clone();
                        audit.tell_of_stranger(line, reason, &settings);
                    }
                    Err(RecvError::Lagged(missed)) => {
                        tracing::error!(missed, "refused logins came too fast to be written down");
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        });
    }
}
