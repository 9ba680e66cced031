//! Updates: what the writer is asked, and what the people in front of terminals are told of it.

use std::time::Duration;

use crate::action::{Outcome, PowerState, Recipient, UpdateStep};
use crate::base::slots::{Slots, Trust};
use crate::base::{Level, MessageText, Principal};
use crate::system::update::UpdateError;
use crate::wire::update::UpdateCall;

use super::{Control, ControlError};

/// How long people have to come to an end when a new system is to start.
const WARNING: Duration = Duration::from_secs(30);

impl Control {
    pub(super) async fn update(
        &self,
        step: UpdateStep,
        by: &Principal,
    ) -> Result<Outcome, ControlError> {
        let (call, from, restart) = match step {
            UpdateStep::Check { from: None } => (UpdateCall::State {}, None, false),
            UpdateStep::Check { from } => (UpdateCall::Check {}, from, false),
            UpdateStep::Install {
                from,
                downgrade,
                restart,
            } => (UpdateCall::Install { downgrade }, Some(from), restart),
            UpdateStep::Rollback { restart } => (UpdateCall::Rollback {}, None, restart),
            UpdateStep::Confirm {} => (UpdateCall::Confirm {}, None, false),
        };
        let slots = self.updates.ask(&call, from.as_ref()).await?;
        if !matches!(call, UpdateCall::Install { .. } | UpdateCall::Rollback {}) {
            return Ok(Outcome::Update { slots });
        }
        let what = what_starts(&slots);
        if restart {
            let seconds = WARNING.as_secs();
            let text = format!("This machine restarts in {seconds} s, to start {what}.");
            self.warn(&text, by).await;
            tokio::time::sleep(WARNING).await;
            self.power.order(PowerState::Reboot).await?;
        } else {
            let text = format!("The next restart of this machine starts {what}.");
            self.warn(&text, by).await;
        }
        Ok(Outcome::Update { slots })
    }

    /// The machine's own screen shows what it should: if this system is new here, it stays.
    pub async fn screen_is_seen(&self) {
        if let Some(reason) = &self.locked {
            let text = format!(
                "This machine is locked: {reason}.\n\
                 It runs from memory and keeps nothing; nobody can come in over the network.\n\
                 Its owner should replace the card."
            );
            self.tell(
                &text,
                Recipient::Kiosk {},
                Level::Error,
                &Principal::Owner {},
            )
            .await;
        }
        match self.updates.ask(&UpdateCall::Confirm {}, None).await {
            Ok(slots) if slots.state.trust == Trust::Confirmed => {
                tracing::info!(slot = %slots.running, version = slots.version, "the screen is seen; this system stays");
            }
            Ok(slots) => {
                tracing::info!(running = %slots.running, next = %slots.state.slot, "the screen is seen; another system starts next");
            }
            Err(UpdateError::Absent) => {}
            Err(error) => tracing::error!(%error, "this system could not be confirmed"),
        }
    }

    /// Everybody who watches a terminal is told. That nobody does is no fault.
    async fn warn(&self, text: &str, by: &Principal) {
        self.tell(text, Recipient::All {}, Level::Warning, by).await;
    }

    async fn tell(&self, text: &str, to: Recipient, level: Level, by: &Principal) {
        let Ok(text) = text.parse::<MessageText>() else {
            return;
        };
        // What is wrong with the machine stays until somebody has read it.
        let stays = level == Level::Error;
        if let Err(error) = self.message(text, to, level, stays, by).await {
            tracing::debug!(%error, "nobody was told");
        }
    }
}

fn what_starts(slots: &Slots) -> String {
    match &slots.bundle {
        Some(version) => format!("version {version} of its system"),
        None if slots.state.slot == slots.running => "the same system as now".to_owned(),
        None => "the system in its other slot".to_owned(),
    }
}
