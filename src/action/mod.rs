//! Everything the appliance can be asked to do, as a value: the control plane's one vocabulary.
//!
//! Keystrokes, output and resizes are not actions but streams on an attachment.

mod arguments;
mod find;
mod health;
mod kiosk;
mod outcome;
mod print;
mod text;
mod update;
mod which;
mod words;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use find::{FindError, find};
pub use health::{Check, Health, Verdict};
pub use kiosk::KioskDoes;
pub use outcome::{LoginInfo, Outcome, TerminalInfo, Watching};
pub use text::{GRAMMAR, ParseError, parse_size};
pub use update::UpdateStep;
pub use which::Which;
pub use words::{MAX_LINE, MAX_WORDS};

use crate::base::{
    Door, HookArgument, Label, Labels, Level, MessageText, Principal, Size, TerminalId,
    TerminalName, UserName,
};

/// One request. `T` is how terminals are named in it: as people do ([`Which`]) until they are looked
/// up, by id once they have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action<T = TerminalId> {
    /// List the terminals. (`{}` matters: serde lets a unit variant carry unknown fields.)
    ListTerminals {},
    /// Open a new terminal.
    OpenTerminal {
        /// A name, if wanted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<TerminalName>,
        /// One of the commands that are offered, by its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        program: Option<String>,
        /// Program and arguments; empty means what is offered by that name, or else the login shell.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        command: Vec<String>,
        /// First size.
        #[serde(default)]
        size: Size,
        /// Where the program starts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        directory: Option<std::path::PathBuf>,
        /// What it is for, in the asker's own words.
        #[serde(default, skip_serializing_if = "Labels::is_empty")]
        labels: Labels,
    },
    /// End a terminal and every process it started.
    CloseTerminal {
        /// Which one.
        terminal: T,
    },
    /// End every terminal the asker may end.
    CloseAllTerminals {},
    /// Give a terminal a name, or take it away.
    RenameTerminal {
        /// Which one.
        terminal: T,
        /// The name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<TerminalName>,
    },
    /// Type text into a terminal.
    SendText {
        /// Which one.
        terminal: T,
        /// The text, at most 64 KiB.
        text: String,
    },
    /// Bring a terminal left in a bad state back to a usable one.
    ResetTerminal {
        /// Which one.
        terminal: T,
    },
    /// Let another user of this server watch a terminal.
    ShareTerminal {
        /// Which one.
        terminal: T,
        /// Whom, by the name their own terminals belong to.
        with: UserName,
    },
    /// Let them watch it no longer.
    UnshareTerminal {
        /// Which one.
        terminal: T,
        /// Whom.
        with: UserName,
    },
    /// Show a message to people who watch, over whatever their program shows.
    Message {
        /// The text.
        text: MessageText,
        /// To whom.
        #[serde(default = "to_the_kiosk")]
        to: Recipient<T>,
        /// How much it matters.
        #[serde(default)]
        level: Level,
        /// Whether it stays until somebody says that they have read it.
        #[serde(default)]
        require_ack: bool,
    },
    /// Load the page on the machine's own screen anew.
    ReloadKiosk {},
    /// Have that page do something.
    Kiosk {
        /// What.
        does: KioskDoes,
    },
    /// Light the machine's own screen, make it dark, or let its schedule decide.
    Display {
        /// How it should be.
        state: DisplayState,
    },
    /// Restart the machine or switch it off.
    Power {
        /// What should become of it.
        state: PowerState,
    },
    /// Run one of the machine's hooks to its end.
    RunHook {
        /// Which one.
        hook: Label,
        /// Words for it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        arguments: Vec<HookArgument>,
    },
    /// Light one of the machine's lamps, or leave it to what it is configured to show.
    Lamp {
        /// Which one.
        lamp: Label,
        /// How it should be.
        state: LampState,
    },
    /// The system's other slot: what is there, put a new one in, go back.
    Update {
        /// What of it.
        step: UpdateStep,
    },
    /// Have the image's system writable until the machine restarts, or no longer.
    Image {
        /// How it should be.
        state: ImageState,
    },
    /// Who is logged in, and who watches what.
    Who {},
    /// How the machine is.
    Health {},
}

/// Who gets a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipient<T = TerminalId> {
    /// Whoever is in front of the machine's own screen.
    Kiosk {},
    /// Everybody who watches a terminal.
    All {},
    /// Everybody who watches this one.
    Terminal(T),
}

fn to_the_kiosk<T>() -> Recipient<T> {
    Recipient::Kiosk {}
}

/// How the machine's own screen is asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisplayState {
    /// Lit.
    On,
    /// Dark.
    Off,
    /// As its schedule says; lit if there is none.
    Schedule,
}

/// A lamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LampState {
    /// Lit.
    On,
    /// Dark.
    Off,
    /// Lit and dark in turn.
    Blink,
    /// As it is configured to be.
    Auto,
}

/// What becomes of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PowerState {
    /// It restarts.
    Reboot,
    /// It is switched off.
    Off,
}

/// Whether the image's system can be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageState {
    /// It can, in memory.
    Unlocked,
    /// It can't.
    Locked,
}

impl<T> Action<T> {
    /// Its name in logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ListTerminals {} => "list-terminals",
            Self::OpenTerminal { .. } => "open-terminal",
            Self::CloseTerminal { .. } => "close-terminal",
            Self::CloseAllTerminals {} => "close-all-terminals",
            Self::RenameTerminal { .. } => "rename-terminal",
            Self::SendText { .. } => "send-text",
            Self::ResetTerminal { .. } => "reset-terminal",
            Self::ShareTerminal { .. } => "share-terminal",
            Self::UnshareTerminal { .. } => "unshare-terminal",
            Self::Message { .. } => "message",
            Self::ReloadKiosk {} => "reload-kiosk",
            Self::Kiosk { .. } => "kiosk",
            Self::Display { .. } => "display",
            Self::Power { .. } => "power",
            Self::RunHook { .. } => "run-hook",
            Self::Lamp { .. } => "lamp",
            Self::Update { step } => step.name(),
            Self::Image {
                state: ImageState::Unlocked,
            } => "image-unlock",
            Self::Image {
                state: ImageState::Locked,
            } => "image-lock",
            Self::Who {} => "who",
            Self::Health {} => "health",
        }
    }

    /// Whom it lets in or shuts out.
    pub const fn with(&self) -> Option<&UserName> {
        match self {
            Self::ShareTerminal { with, .. } | Self::UnshareTerminal { with, .. } => Some(with),
            _ => None,
        }
    }

    /// The same action, its terminal named in another way.
    pub fn try_map<U, E>(self, mut rename: impl FnMut(T) -> Result<U, E>) -> Result<Action<U>, E> {
        Ok(match self {
            Self::ListTerminals {} => Action::ListTerminals {},
            Self::OpenTerminal {
                name,
                program,
                command,
                size,
                directory,
                labels,
            } => Action::OpenTerminal {
                name,
                program,
                command,
                size,
                directory,
                labels,
            },
            Self::CloseTerminal { terminal } => Action::CloseTerminal {
                terminal: rename(terminal)?,
            },
            Self::CloseAllTerminals {} => Action::CloseAllTerminals {},
            Self::RenameTerminal { terminal, name } => Action::RenameTerminal {
                terminal: rename(terminal)?,
                name,
            },
            Self::SendText { terminal, text } => Action::SendText {
                terminal: rename(terminal)?,
                text,
            },
            Self::ResetTerminal { terminal } => Action::ResetTerminal {
                terminal: rename(terminal)?,
            },
            Self::ShareTerminal { terminal, with } => Action::ShareTerminal {
                terminal: rename(terminal)?,
                with,
            },
            Self::UnshareTerminal { terminal, with } => Action::UnshareTerminal {
                terminal: rename(terminal)?,
                with,
            },
            Self::Message {
                text,
                to,
                level,
                require_ack,
            } => Action::Message {
                text,
                to: match to {
                    Recipient::Kiosk {} => Recipient::Kiosk {},
                    Recipient::All {} => Recipient::All {},
                    Recipient::Terminal(terminal) => Recipient::Terminal(rename(terminal)?),
                },
                level,
                require_ack,
            },
            Self::ReloadKiosk {} => Action::ReloadKiosk {},
            Self::Kiosk { does } => Action::Kiosk { does },
            Self::Display { state } => Action::Display { state },
            Self::Power { state } => Action::Power { state },
            Self::RunHook { hook, arguments } => Action::RunHook { hook, arguments },
            Self::Lamp { lamp, state } => Action::Lamp { lamp, state },
            Self::Update { step } => Action::Update { step },
            Self::Image { state } => Action::Image { state },
            Self::Who {} => Action::Who {},
            Self::Health {} => Action::Health {},
        })
    }
}

impl<T: Copy> Action<T> {
    /// The terminal it is about, if it is about one.
    pub const fn terminal(&self) -> Option<T> {
        match self {
            Self::ListTerminals {}
            | Self::OpenTerminal { .. }
            | Self::CloseAllTerminals {}
            | Self::ReloadKiosk {}
            | Self::Kiosk { .. }
            | Self::Display { .. }
            | Self::Power { .. }
            | Self::RunHook { .. }
            | Self::Lamp { .. }
            | Self::Update { .. }
            | Self::Image { .. }
            | Self::Who {}
            | Self::Health {} => None,
            Self::CloseTerminal { terminal }
            | Self::RenameTerminal { terminal, .. }
            | Self::SendText { terminal, .. }
            | Self::ShareTerminal { terminal, .. }
            | Self::UnshareTerminal { terminal, .. }
            | Self::ResetTerminal { terminal } => Some(*terminal),
            Self::Message { to, .. } => match to {
                Recipient::Terminal(terminal) => Some(*terminal),
                Recipient::Kiosk {} | Recipient::All {} => None,
            },
        }
    }
}

impl Action<Which> {
    /// The action on the terminals that are meant, of those there are.
    pub fn resolve(self, terminals: &[TerminalInfo]) -> Result<Action, FindError> {
        self.try_map(|which| find(terminals, which.as_str()))
    }

    /// Whether it names a terminal, so that it has to be looked up.
    pub const fn names_a_terminal(&self) -> bool {
        matches!(
            self,
            Self::CloseTerminal { .. }
                | Self::RenameTerminal { .. }
                | Self::SendText { .. }
                | Self::ResetTerminal { .. }
                | Self::ShareTerminal { .. }
                | Self::UnshareTerminal { .. }
                | Self::Message {
                    to: Recipient::Terminal(_),
                    ..
                }
        )
    }
}

/// An [`Action`] with who asks and where it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What.
    pub action: Action,
    /// Who.
    pub by: Principal,
    /// Through which door.
    pub door: Door,
    /// From which address, if it came over a network.
    pub from: Option<IpAddr>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_in_an_action_are_refused() {
        for bad in [
            r#"{"action":"list-terminals","x":1}"#,
            r#"{"action":"close-terminal","terminal":"abcaaaaaaa","force":true}"#,
            r#"{"action":"reboot"}"#,
        ] {
            assert!(serde_json::from_str::<Action>(bad).is_err(), "{bad}");
        }
    }
}
