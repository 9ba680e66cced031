//! What came of an action: what it is answered with, through every door.

use serde::{Deserialize, Serialize};

use super::Health;
use crate::base::slots::Slots;
use crate::base::{Access, Door, Labels, Size, TerminalId, TerminalName, UserName};

/// What came of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// To `ListTerminals`.
    Terminals {
        /// Oldest first.
        terminals: Vec<TerminalInfo>,
    },
    /// To `OpenTerminal`.
    Opened {
        /// The new terminal.
        terminal: TerminalId,
    },
    /// To `CloseAllTerminals`.
    Closed {
        /// Those that are gone.
        terminals: Vec<TerminalId>,
    },
    /// To `Message`.
    Told {
        /// The message's number: whoever waits for its acknowledgement names it.
        message: u32,
        /// The terminals it is shown over.
        terminals: Vec<TerminalId>,
        /// How many viewers see it.
        viewers: u32,
    },
    /// To `Who`.
    Here {
        /// Everybody who watches, the longest first.
        viewers: Vec<Watching>,
        /// Every login, the one used last first.
        #[serde(default)]
        logins: Vec<LoginInfo>,
    },
    /// To `Health`.
    Health {
        /// How it is.
        health: Health,
    },
    /// To `Update`.
    Update {
        /// How the slots are now.
        slots: Slots,
    },
    /// Done, nothing more to say.
    Done {},
}

/// One viewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watching {
    /// The terminal.
    pub terminal: TerminalId,
    /// Who.
    pub who: String,
    /// Where from: an address, or `this machine`.
    pub from: String,
    /// Through which door.
    pub door: Door,
    /// Whether they may type.
    pub access: Access,
    /// Since when, in seconds since the Unix epoch.
    pub since: u64,
}

/// One login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginInfo {
    /// Who.
    pub who: String,
    /// Where from, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Since when, in seconds since the Unix epoch.
    pub since: u64,
    /// When it was used last, in seconds since the Unix epoch.
    pub used: u64,
}

/// One terminal in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalInfo {
    /// Its id.
    pub id: TerminalId,
    /// Name given by a person.
    pub name: Option<TerminalName>,
    /// Title set by the program.
    pub title: Option<String>,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Size.
    pub size: Size,
    /// Process id of the program.
    pub pid: Option<u32>,
    /// When it was opened, in seconds since the Unix epoch.
    pub opened: u64,
    /// The same in milliseconds: what the list is in the order of.
    #[serde(default)]
    pub opened_ms: u64,
    /// When the program last wrote something, in seconds since the Unix epoch.
    pub last_output: Option<u64>,
    /// How many watch, managers not counted.
    pub viewers: u32,
    /// Exit status, once the program has returned.
    pub exit_status: Option<i32>,
    /// The signal that killed the program.
    pub exit_signal: Option<i32>,
    /// Bells rung so far.
    pub bells: u64,
    /// The user it belongs to; none: whoever started Gatepost.
    #[serde(default)]
    pub owner: Option<UserName>,
    /// Who else may watch it, for the eyes of those who may change that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_with: Vec<UserName>,
    /// What it is for, in the words of whoever opened it.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Version of its keeper, which may be older than the server.
    pub keeper: String,
}
