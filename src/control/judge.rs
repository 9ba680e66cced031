//! What the policy has to know before it judges, looked up at the time of use: a changed setting
//! counts at the next click.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::watch;

use crate::action::{Ask, TerminalInfo};
use crate::base::{Access, Principal, TerminalId};
use crate::policy::settings::Settings;
use crate::policy::{self, Facts, Granted, Rules, Whose};
use crate::terminals::TerminalError;

use super::{Control, ControlError};

impl Control {
    /// The rules in force now. They may be others the next time.
    pub fn rules(&self) -> Arc<Rules> {
        self.rules.borrow().clone()
    }

    /// Tells when the rules have become others.
    pub fn rules_changes(&self) -> watch::Receiver<Arc<Rules>> {
        let mut rules = self.rules.clone();
        rules.mark_unchanged();
        rules
    }

    /// The settings in force now for whoever asks.
    pub fn settings_for(&self, by: &Principal) -> Arc<Settings> {
        self.rules().settings_for(by, None)
    }

    /// Returns when `by` may do less with this terminal than `access`, or nothing at all here, with no
    /// terminal given: the rules have changed, or what was shared was taken back.
    pub async fn until_less(&self, by: &Principal, seat: Option<(TerminalId, Access)>) {
        let mut rules = self.rules_changes();
        let mut shares = self.share_changes();
        loop {
            // Before the first change, too: it may have come since somebody sat down.
            let less = match seat {
                None => self.settings_for(by).allow.blacklist,
                Some((terminal, before)) => match self.access(by, terminal).await {
                    Ok(now) => before == Access::Type && now == Access::View,
                    // That the terminal is gone is for its connection to find out.
                    Err(error) => matches!(error, ControlError::Denied(_)),
                },
            };
            if less {
                return;
            }
            tokio::select! {
                Ok(()) = rules.changed() => {}
                Ok(()) = shares.changed() => {}
                // Nobody changes them any more.
                else => return std::future::pending().await,
            }
        }
    }

    /// Returns when this address is kept out: whoever was let in before goes, too.
    pub async fn until_kept_out(&self, from: IpAddr) {
        let mut rules = self.rules_changes();
        while !self.keeps_out(from) {
            if rules.changed().await.is_err() {
                // Nobody changes them any more.
                return std::future::pending().await;
            }
        }
    }

    pub(super) async fn judge(&self, ask: Ask) -> Result<Granted, ControlError> {
        let facts = self.facts(&ask.by, ask.action.terminal()).await?;
        let settings = self.settings_for(&ask.by);
        Ok(policy::decide(ask, &settings, &facts)?)
    }

    /// What `by` may do as a viewer of this terminal, at most.
    pub(super) async fn access(
        &self,
        by: &Principal,
        terminal: TerminalId,
    ) -> Result<Access, ControlError> {
        let facts = self.facts(by, Some(terminal)).await?;
        Ok(policy::access(&self.settings_for(by), facts.terminal)?)
    }

    async fn facts(
        &self,
        by: &Principal,
        about: Option<TerminalId>,
    ) -> Result<Facts, TerminalError> {
        let list = self.terminals().await?;
        let whose = |info: &TerminalInfo| Whose::of_terminal(info, by);
        let meant = about.and_then(|id| list.iter().find(|info| info.id == id));
        if let (Some(id), None, Principal::User { .. }) = (about, meant, by) {
            // Whether there is none, or it isn't known whose: the same answer.
            return Err(TerminalError::NotFound(id));
        }
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(Facts {
            terminal: meant.map(whose).unwrap_or_default(),
            own: count(list.iter().filter(|info| whose(info) == Whose::Own).count()),
            all: count(list.len()),
        })
    }
}
