//! Messages to the people who watch, passed on to the keepers of what they watch.

use crate::action::{Outcome, Recipient};
use crate::base::{Level, MessageText, Principal, TerminalId};
use crate::terminals::TerminalError;
use crate::wire::message::{FailureKind, MessageHead, Meta, Request};

use super::{Control, ControlError};

impl Control {
    /// Shows a message over terminals.
    pub(super) async fn message(
        &self,
        text: MessageText,
        to: Recipient,
        level: Level,
        require_ack: bool,
        by: &Principal,
    ) -> Result<Outcome, ControlError> {
        let wanted = match to {
            Recipient::Terminal(terminal) => vec![terminal],
            Recipient::All {} => {
                let list = self.terminals.list().await?;
                list.iter().map(|info| info.id).collect()
            }
            Recipient::Kiosk {} => self.on_the_kiosk().await?,
        };
        let mut random = [0; 4];
        getrandom::fill(&mut random).map_err(|error| ControlError::Invalid(error.to_string()))?;
        let message = u32::from_ne_bytes(random);
        let request = Request::Notify {
            level,
            text,
            message: MessageHead {
                id: message,
                from: by.to_string(),
                require_ack,
            },
        };
        let asking = wanted.iter().map(|terminal| {
            let request = self.terminals.request(*terminal, request.clone());
            async { (*terminal, request.await) }
        });
        let (mut terminals, mut viewers, mut failure) = (Vec::new(), 0, None);
        for (terminal, answer) in futures_util::future::join_all(asking).await {
            match answer {
                Ok(told) => {
                    terminals.push(terminal);
                    viewers += told
                        .get("viewers")
                        .and_then(serde_json::Value::as_u64)
                        .unwrap_or(0);
                }
                Err(error) => failure = Some(explain(terminal, error)),
            }
        }
        match failure {
            // To many: those who can be told are.
            Some(error) if terminals.is_empty() => Err(error),
            _ => Ok(Outcome::Told {
                message,
                terminals,
                viewers: u32::try_from(viewers).unwrap_or(u32::MAX),
            }),
        }
    }

    /// The terminals that the machine's own screen shows.
    pub(super) async fn on_the_kiosk(&self) -> Result<Vec<TerminalId>, ControlError> {
        let watched = self.terminals.list().await?;
        let watched = watched.into_iter().filter(|info| info.viewers > 0);
        let asking = watched.map(|info| async move {
            let status = self.terminals.request(info.id, Request::Status {}).await;
            (info.id, status)
        });
        let mut found = Vec::new();
        for (terminal, status) in futures_util::future::join_all(asking).await {
            let meta = status
                .ok()
                .and_then(|meta| serde_json::from_value::<Meta>(meta).ok());
            let viewers = meta.and_then(|meta| meta.viewers).unwrap_or_default();
            if viewers.iter().any(|viewer| viewer.kiosk) {
                found.push(terminal);
            }
        }
        if found.is_empty() {
            return Err(ControlError::Nobody(
                "this machine's own screen shows no terminal now; name one with --to ID, or say --all",
            ));
        }
        Ok(found)
    }
}

/// A keeper that doesn't know the request is older than we are.
fn explain(terminal: TerminalId, error: TerminalError) -> ControlError {
    match error {
        TerminalError::Refused(failure) if failure.kind == FailureKind::Invalid => {
            ControlError::Invalid(format!(
                "terminal {terminal} was opened by an older Gatepost that can't show messages; open a new one"
            ))
        }
        error => error.into(),
    }
}
