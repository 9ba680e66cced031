//! What a keeper is told when it is started: one JSON object on its standard input, then end of file.
//!
//! Not on the command line, where every user of the machine could read it. The keeper answers on its
//! standard output with one line: `ready`, or `failed ` and a sentence.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::base::{Labels, Size, TerminalId, TerminalName, UserName};

use super::care::Care;

/// Longest launch message, in bytes: an environment and a command line are far below it.
pub const MAX_LAUNCH: usize = 256 << 10;
/// Lines of scrollback kept, unless the launch says otherwise.
pub const DEFAULT_SCROLLBACK: u32 = 10_000;
/// Most lines of scrollback a terminal may be given.
pub const MAX_SCROLLBACK: u32 = 1_000_000;

/// The file beside its socket in which a keeper that broke says where: lines of text, at most
/// [`MAX_LAST_WORDS`] of which are read.
pub fn last_words_file(id: TerminalId) -> String {
    format!("{id}{LAST_WORDS}")
}
/// How the names of such files end.
pub const LAST_WORDS: &str = ".broken";
/// Most bytes read of one.
pub const MAX_LAST_WORDS: u64 = 4096;

/// Whether a variable of this name may be set for a program: not one that makes the loader run foreign
/// code, belongs to the service manager's conversation with the server, or looks like a secret on its
/// way to every program in the shell.
pub fn may_be_set(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    !(name.is_empty()
        || name.contains(['=', '\0'])
        || upper.starts_with("LD_")
        || upper.starts_with("LISTEN_")
        || upper.contains("TOKEN")
        || matches!(upper.as_str(), "NOTIFY_SOCKET" | "CREDENTIALS_DIRECTORY"))
}

/// Everything a keeper needs to open its terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// The terminal's id; its socket is `<folder>/<id>.sock`.
    pub id: TerminalId,
    /// The folder for the socket; it exists and is private to whoever may attach.
    pub folder: PathBuf,
    /// A name, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<TerminalName>,
    /// The user it belongs to, as everybody is told; absent for whoever started Gatepost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserName>,
    /// Program and arguments; empty means the user's login shell. Never parsed by a shell.
    #[serde(default)]
    pub command: Vec<String>,
    /// Where the program starts; the home folder if absent or not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// Environment variables to set over the ones the keeper builds from scratch.
    #[serde(default)]
    pub environment: Vec<(String, String)>,
    /// First size.
    #[serde(default)]
    pub size: Size,
    /// Lines of scrollback, at most [`MAX_SCROLLBACK`].
    #[serde(default = "default_scrollback")]
    pub scrollback: u32,
    /// Seconds an ended terminal nobody watches is kept to be seen.
    #[serde(default = "default_linger")]
    pub linger: u64,
    /// Seconds after which the terminal is closed when nobody types into it; 0: never.
    #[serde(default, skip_serializing_if = "is_never")]
    pub idle: u64,
    /// How it is kept; absent: as it is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub care: Option<Care>,
    /// What it is for, in the words of whoever opened it.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Unix uids, besides the keeper's own and root, that may connect to the socket.
    #[serde(default)]
    pub peers: Vec<u32>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes the field by reference"
)]
fn is_never(idle: &u64) -> bool {
    *idle == 0
}

fn default_scrollback() -> u32 {
    DEFAULT_SCROLLBACK
}

fn default_linger() -> u64 {
    24 * 60 * 60
}
