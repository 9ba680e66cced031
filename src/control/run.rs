//! What each action does, once the policy has granted it.

use crate::action::{Action, Ask, LoginInfo, Outcome};
use crate::base::{Principal, Way};
use crate::policy::settings::Capability;
use crate::policy::{self, Granted};
use crate::terminals::TerminalError;
use crate::wire::message::Request;

use super::open::Opening;
use super::{Control, ControlError, MAX_TEXT};

/// Nobody is there to be told.
const NO_PAGE: ControlError =
    ControlError::Nobody("no page is shown on this machine's own screen now");

/// Whether somebody logged in with a password of this machine, and can again.
fn has_password(by: &Principal) -> bool {
    by.user()
        .is_some_and(|user| user.way == Way::Pam && user.account.is_some())
}

fn check_text(text: &str) -> Result<(), ControlError> {
    if text.len() <= MAX_TEXT {
        return Ok(());
    }
    Err(ControlError::Invalid(format!(
        "text of {} bytes is over the limit of {MAX_TEXT}; send it in parts",
        text.len()
    )))
}

impl Control {
    async fn open(&self, opening: Opening, by: &Principal) -> Result<Outcome, ControlError> {
        let settings = self.settings_for(by);
        let kiosk = &self.settings_for(&Principal::Kiosk {}).kiosk;
        let helper = self.auth.as_ref();
        let helper = helper.is_some_and(|auth| auth.ways().has_helper());
        let opened = self
            .terminals
            .open(opening.by(by, &settings, kiosk, helper)?)
            .await;
        let terminal = opened.map_err(|error| match error {
            // Nobody but root can give them one, however often they log in.
            TerminalError::LogIn if !has_password(by) => ControlError::NoAccount,
            error => error.into(),
        })?;
        Ok(Outcome::Opened { terminal })
    }

    pub(super) async fn run(&self, granted: Granted) -> Result<Outcome, ControlError> {
        let terminals = &self.terminals;
        let Ask {
            action, by, door, ..
        } = granted.into_ask();
        match action {
            Action::ListTerminals {} => self.list_for(&by).await,
            Action::OpenTerminal {
                name,
                program,
                command,
                size,
                directory,
                labels,
            } => {
                let opening = Opening {
                    name,
                    program,
                    command,
                    size,
                    directory,
                    labels,
                    door,
                };
                self.open(opening, &by).await
            }
            Action::CloseTerminal { terminal } => {
                terminals.close(terminal).await?;
                Ok(Outcome::Done {})
            }
            Action::CloseAllTerminals {} => self.close_all(&by).await,
            Action::RenameTerminal { terminal, name } => {
                terminals
                    .request(terminal, Request::Rename { name })
                    .await?;
                Ok(Outcome::Done {})
            }
            Action::SendText { terminal, text } => {
                check_text(&text)?;
                terminals.request(terminal, Request::Send { text }).await?;
                Ok(Outcome::Done {})
            }
            Action::ResetTerminal { terminal } => {
                terminals.request(terminal, Request::Reset {}).await?;
                Ok(Outcome::Done {})
            }
            Action::ShareTerminal { terminal, with } => self.share(terminal, with),
            Action::UnshareTerminal { terminal, with } => self.unshare(terminal, &with),
            Action::Message {
                text,
                to,
                level,
                require_ack,
            } => self.message(text, to, level, require_ack, &by).await,
            Action::Kiosk { does } => match self.orders.send(does) {
                Ok(_) => Ok(Outcome::Done {}),
                Err(_) => Err(NO_PAGE),
            },
            Action::ReloadKiosk {} => {
                if self.reloads.receiver_count() == 0 {
                    return Err(NO_PAGE);
                }
                self.reloads.send_modify(|count| *count += 1);
                Ok(Outcome::Done {})
            }
            Action::Display { state } => {
                if !self.screen.is_there() {
                    return Err(ControlError::Nobody(
                        "nothing looks after a screen of this machine's: `gatepost kiosk run` does, which the package gatepost-kiosk starts",
                    ));
                }
                self.screen.order(state);
                Ok(Outcome::Done {})
            }
            Action::Health {} => Ok(Outcome::Health {
                health: self.health().await,
            }),
            Action::Power { state } => {
                self.power.order(state).await?;
                Ok(Outcome::Done {})
            }
            Action::RunHook { hook, arguments } => self.run_hook(hook, arguments, &by, door).await,
            Action::Lamp { lamp, state } => {
                self.lamps.order(&lamp, state)?;
                Ok(Outcome::Done {})
            }
            Action::Update { step } => self.update(step, &by).await,
            Action::Image { state } => {
                self.maintenance.order(state).await?;
                self.machine_changed();
                Ok(Outcome::Done {})
            }
            Action::Who {} => Ok(Outcome::Here {
                viewers: self.watchers.list(),
                logins: self.logins(),
            }),
        }
    }

    fn logins(&self) -> Vec<LoginInfo> {
        let logins = self.auth.as_ref().map(|auth| auth.logins(None));
        let told = logins.into_iter().flatten().map(|login| LoginInfo {
            who: login.principal.to_string(),
            from: login.address.map(|address| address.to_string()),
            since: login.made,
            used: login.used,
        });
        told.collect()
    }

    async fn list_for(&self, by: &Principal) -> Result<Outcome, ControlError> {
        let settings = self.settings_for(by);
        let mut terminals = self.terminals().await?;
        terminals.retain(|info| policy::is_visible(info, by, &settings));
        for info in &mut terminals {
            if !policy::may_close(info, by, &settings) {
                info.shared_with.clear();
            }
        }
        if !settings.allow.has(Capability::AnyCommand) {
            // What is offered by name is known by name.
            for info in &mut terminals {
                info.command.clear();
            }
        }
        Ok(Outcome::Terminals { terminals })
    }

    async fn close_all(&self, by: &Principal) -> Result<Outcome, ControlError> {
        let settings = self.settings_for(by);
        let mut list = self.terminals.list().await?;
        list.retain(|info| policy::may_close(info, by, &settings));
        let closing = list.into_iter().map(|info| async move {
            // Gone meanwhile is what was wanted.
            match self.terminals.close(info.id).await {
                Ok(()) | Err(TerminalError::NotFound(_)) => Ok(info.id),
                Err(error) => Err(error),
            }
        });
        // All at once: each may take seconds to end.
        let ended = futures_util::future::join_all(closing).await;
        let terminals = ended.into_iter().collect::<Result<_, _>>()?;
        Ok(Outcome::Closed { terminals })
    }
}
