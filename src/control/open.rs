//! From what somebody wants opened to what is started: their own command line, one that is offered to
//! them by name, or their login shell.

use std::path::PathBuf;

use crate::base::{Door, Labels, Principal, Size, TerminalName, User, Way};
use crate::policy::settings::{Kiosk, Settings};
use crate::policy::{Offered, offered};
use crate::terminals::{Open, Starter};

use super::ControlError;
use super::at_kiosk::is_at_kiosk;
use super::care::{care, care_of_login};

/// What is wanted.
pub(super) struct Opening {
    pub(super) name: Option<TerminalName>,
    pub(super) program: Option<String>,
    pub(super) command: Vec<String>,
    pub(super) size: Size,
    pub(super) directory: Option<PathBuf>,
    pub(super) labels: Labels,
    /// Where it was asked for.
    pub(super) door: Door,
}

impl Opening {
    /// What is started for `by`, who was found to be allowed to; `kiosk`: how terminals on the machine's
    /// own screen are kept; `helper`: whether this machine has a
    /// login helper.
    pub(super) fn by(
        self,
        by: &Principal,
        settings: &Settings,
        kiosk: &Kiosk,
        helper: bool,
    ) -> Result<Open, ControlError> {
        let program = if self.command.is_empty() {
            offered(self.program.as_deref(), by, None, settings)?
        } else if self.program.is_some() {
            return Err(ControlError::Invalid(
                "give either the name of a command that is offered or a command line".to_owned(),
            ));
        } else {
            let environment = settings.terminal.environment.clone();
            Offered {
                command: self.command,
                environment: environment.into_iter().collect(),
                directory: None,
            }
        };
        if program.command.first().is_some_and(String::is_empty)
            || program.command.iter().any(|word| word.contains('\0'))
        {
            return Err(ControlError::Invalid(
                "a command's first word must not be empty, and no word may contain NUL".to_owned(),
            ));
        }
        let mut environment = program.environment;
        // Last, so that these are never somebody else's words.
        environment.extend(whose(by, self.door));
        let limits = &settings.limits;
        let size = Size::clamped(
            self.size.cols().min(limits.columns),
            self.size.rows().min(limits.rows),
        );
        // What was chosen by name is called so.
        let called = self.program.and_then(|name| name.parse().ok());
        Ok(Open {
            name: self.name.or(called),
            owner: by.user().map(User::owner),
            command: program.command,
            environment,
            size,
            scrollback: Some(settings.terminal.scrollback),
            idle: limits.idle,
            care: match by {
                Principal::Kiosk {} => Some(care(kiosk)),
                by => is_at_kiosk(by).then(|| care_of_login(kiosk)),
            },
            directory: program.directory.or(self.directory),
            labels: self.labels,
            starter: starter(by, helper),
        })
    }
}

/// For the programs in it: who opened the terminal, and through which door. Neither is secret.
fn whose(by: &Principal, door: Door) -> [(String, String); 2] {
    [
        ("GATEPOST_USER".to_owned(), by.to_string()),
        ("GATEPOST_DOOR".to_owned(), door.name().to_owned()),
    ]
}

/// Who logged in with PAM gets a shell of their own account; with a login helper on the machine, so
/// does everybody who logged in, or nothing. Without one, shells run as whoever started the server.
fn starter(by: &Principal, helper: bool) -> Starter {
    match by.user() {
        Some(user) if helper || user.way == Way::Pam => Starter::Helper,
        _ => Starter::Keeper,
    }
}
