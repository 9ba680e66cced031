//! The control socket: how `gatepost`'s subcommands and the kiosk window talk to the server on the
//! same machine. Each message is one JSON object after its length (`u32`, big-endian).
//!
//! The client sends one [`Call`]; the server sends one [`Answer`]. After a successful
//! [`Call::Attach`] the same connection carries terminal frames (`wire::frame`), length-prefixed.

use serde::{Deserialize, Serialize};

use crate::action::{Action, Outcome, Which};
use crate::wire::buttons::{ButtonsCall, Hardware};
use crate::wire::kiosk::WindowSettings;
use crate::wire::logins::{LoginsCall, LoginsReply};
use crate::wire::message::{Attach, Request};

/// Largest message, in bytes.
pub const MAX_MESSAGE: usize = 4 << 20;

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "kebab-case")]
pub enum Call {
    /// A fresh one-time login URL.
    Url {
        /// Whether it is for the kiosk window.
        #[serde(default)]
        kiosk: bool,
        /// How many of its pages the window has lost since it last got one.
        #[serde(default, skip_serializing_if = "is_none")]
        lost: u32,
    },
    /// The kiosk's window says that there is something to see on it. Answered before anything comes of it.
    Painted {},
    /// What is wrong with the configuration's files as they are now.
    Configuration {},
    /// Do something.
    Act {
        /// What.
        action: Action<Which>,
    },
    /// Become a viewer of a terminal.
    Attach {
        /// Its id, name, or an unambiguous beginning of its id.
        terminal: String,
        /// The attachment wanted.
        attach: Attach,
    },
    /// Ask a terminal's keeper something; the `Reply` parts follow the [`Answer`] as frames.
    Ask {
        /// As for `Attach`.
        terminal: String,
        /// The question.
        request: Request,
    },
    /// Look after the machine's own screen: orders and reports of `wire::display` follow.
    Display {},
    /// About the machine's buttons.
    Buttons {
        /// What.
        about: ButtonsCall,
    },
    /// About logins, and the secrets of the ways in.
    Logins {
        /// What.
        about: LoginsCall,
    },
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over the field as it is"
)]
const fn is_none(lost: &u32) -> bool {
    *lost == 0
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// To [`Call::Url`].
    Url {
        /// The address to open, good once and for 20 seconds.
        url: String,
        /// How the kiosk's window is to be, when it asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<WindowSettings>,
    },
    /// To [`Call::Configuration`].
    Configuration {
        /// Why the files as they are now are not in force, one line for each problem; none: they are.
        refused: Vec<String>,
        /// What works and should be looked at.
        warnings: Vec<String>,
    },
    /// To [`Call::Act`].
    Done {
        /// What came of it.
        outcome: Outcome,
    },
    /// To [`Call::Buttons`]: which there are.
    Buttons {
        /// All of them.
        hardware: Hardware,
    },
    /// To [`Call::Logins`].
    Logins {
        /// What came of it.
        reply: LoginsReply,
    },
    /// To [`Call::Painted`].
    Noted {},
    /// To [`Call::Display`]: orders follow.
    Display {},
    /// To [`Call::Attach`] and [`Call::Ask`]: frames follow.
    Attached {},
    /// No.
    Refused {
        /// What a program can act on.
        kind: RefusalKind,
        /// What was wrong and what to do.
        message: String,
    },
}

/// Kinds of refusal; the command line has an exit code for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalKind {
    /// The call makes no sense.
    Invalid,
    /// No such terminal, or several that the text could mean.
    NotFound,
    /// Not allowed.
    Denied,
    /// A limit is reached.
    Limit,
    /// It was tried and failed.
    Failed,
}

impl RefusalKind {
    /// Its name in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::NotFound => "not-found",
            Self::Denied => "denied",
            Self::Limit => "limit",
            Self::Failed => "failed",
        }
    }
}
