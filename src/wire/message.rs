//! The JSON parts of frames: what is rare enough that being readable beats being small.

use serde::{Deserialize, Serialize};

pub use crate::base::Level;

use super::care::Care;
use crate::base::{Access, Labels, MessageText, Size, TerminalId, TerminalName, UserName};

/// Unacknowledged bytes a viewer may have, unless it asks for another window: at 1 MB/s it is 64 ms
/// of old output in front of the answer to ^C, and at a 1 ms round trip it is still 64 MB/s.
pub const DEFAULT_WINDOW: u32 = 64 << 10;
/// Smallest window, in bytes.
pub const MIN_WINDOW: u32 = 4 << 10;
/// Largest window, in bytes.
pub const MAX_WINDOW: u32 = 1 << 20;
/// Lines of scrollback in a full repaint, unless the viewer asks for another number.
pub const DEFAULT_HISTORY: u32 = 1000;
/// Longest text to search for, in bytes.
pub const MAX_SEARCH: usize = 1024;
/// Longest label of a viewer, in bytes.
pub const MAX_LABEL: usize = 128;

/// What kind of attachment a viewer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Sees output, can't type.
    View,
    /// Sees output and types.
    Type,
    /// Sees no output: gets `Meta` and may send requests. Not listed among the viewers.
    Manage,
}

impl From<Access> for Mode {
    fn from(access: Access) -> Self {
        match access {
            Access::View => Self::View,
            Access::Type => Self::Type,
        }
    }
}

/// A viewer's first frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    /// The kind of attachment.
    pub mode: Mode,
    /// The viewer's own screen. Without it the viewer takes whatever size the terminal has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Lines of scrollback wanted in full repaints; the terminal's own limit applies.
    #[serde(default = "default_history")]
    pub history: u32,
    /// Unacknowledged bytes wanted, clamped to [`MIN_WINDOW`]..=[`MAX_WINDOW`].
    #[serde(default = "default_window")]
    pub window: u32,
    /// Who is watching, for the others' eyes; cut at [`MAX_LABEL`].
    #[serde(default)]
    pub label: String,
    /// Whether this is the machine's own screen, which owns the size unless somebody takes it.
    #[serde(default)]
    pub kiosk: bool,
    /// Whether it counts down to a reset itself, so that it needs no notice of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub counts_down: bool,
    /// Whether the command line is kept from it: what is offered by name is known by name.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hides_command: bool,
}

/// What goes with a browser's connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// How it attaches.
    pub attach: Attach,
    /// It is pinged this often, in milliseconds.
    pub ping: u32,
    /// One that has given no sign of life for this long is gone, in milliseconds.
    pub dead: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes the field by reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

impl Attach {
    /// An attachment that sees no output and only asks.
    pub fn manage() -> Self {
        Self {
            mode: Mode::Manage,
            size: None,
            history: 0,
            window: MIN_WINDOW,
            label: String::new(),
            kiosk: false,
            counts_down: false,
            hides_command: false,
        }
    }
}

fn default_history() -> u32 {
    DEFAULT_HISTORY
}

fn default_window() -> u32 {
    DEFAULT_WINDOW
}

/// The keeper's first frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// The terminal.
    pub terminal: TerminalId,
    /// This viewer's number, unique while the keeper lives; `Meta::size_owner` speaks of it.
    pub viewer: u32,
    /// The kind of attachment granted.
    pub mode: Mode,
    /// Unacknowledged bytes granted.
    pub window: u32,
    /// Version of the keeper's executable, which may be older than the server's.
    pub keeper: String,
    /// Everything there is to know now; later changes come as `Meta`.
    pub meta: Meta,
}

/// What is known about a terminal besides its screen. In `Hello` every key is set (absent means
/// none); in a `Meta` frame only what changed, and JSON `null` means "no longer".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Name given by a person; beats the program's title.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "nullable")]
    pub name: Option<Option<TerminalName>>,
    /// Title set by the program, control characters removed, at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "nullable")]
    pub title: Option<Option<String>>,
    /// The terminal's size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// The viewer whose screen decides the size.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "nullable")]
    pub size_owner: Option<Option<u32>>,
    /// Everybody who watches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewers: Option<Vec<ViewerInfo>>,
    /// How the program ended; `null` once it runs again.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "nullable")]
    pub exit: Option<Option<Exit>>,
    /// Whether Ctrl-S has stopped the output (and Ctrl-Q would resume it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<bool>,
    /// Bells rung so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bells: Option<u64>,
    /// The program that was started and its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Process id of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The user it belongs to; absent when it belongs to whoever started Gatepost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserName>,
    /// What it is for, in the words of whoever opened it; absent when they said nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
    /// When the terminal was opened, in seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<u64>,
    /// The same in milliseconds, so that terminals opened within a second have an order. An older
    /// keeper doesn't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_ms: Option<u64>,
    /// When the program last wrote something, in seconds since the Unix epoch; sent with other
    /// changes and at most every ten seconds by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_output: Option<u64>,
    /// Lines of scrollback held now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrollback: Option<u64>,
    /// Whether anybody has been there since the program was started. An older keeper doesn't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<bool>,
    /// Whether the program is started again by itself when it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts: Option<bool>,
    /// Milliseconds until the terminal is reset, because nobody has been there for a while; `null`
    /// once somebody is.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "nullable")]
    pub reset_in_ms: Option<Option<u64>>,
    /// Whether the viewer this frame goes to is behind and will be repainted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<bool>,
}

/// Tells "unchanged" (key absent) from "none" (`null`).
mod nullable {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(
        clippy::ref_option,
        reason = "serde's `with` passes the field by reference"
    )]
    #[expect(
        clippy::option_option,
        reason = "absent and null mean different things"
    )]
    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &Option<Option<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value
            .as_ref()
            .and_then(Option::as_ref)
            .serialize(serializer)
    }

    #[expect(
        clippy::option_option,
        reason = "absent and null mean different things"
    )]
    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::<T>::deserialize(deserializer).map(Some)
    }
}

/// One viewer, as the others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewerInfo {
    /// Its number.
    pub viewer: u32,
    /// Its label.
    pub label: String,
    /// `view` or `type`.
    pub mode: Mode,
    /// Whether it is the machine's own screen.
    pub kiosk: bool,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// It returned this status.
    Status(i32),
    /// This signal killed it.
    Signal(i32),
}

/// A sentence for the person watching: the keeper's own, or what somebody says to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// How much it matters.
    pub level: Level,
    /// Plain text, at most 512 characters.
    pub text: String,
    /// Set when a person says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageHead>,
}

/// What makes a notice a message from a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageHead {
    /// Its number, which an acknowledgement names.
    pub id: u32,
    /// Who says it, for the eyes of whoever reads it; cut at [`MAX_LABEL`].
    pub from: String,
    /// Whether it stays until it is acknowledged.
    #[serde(default)]
    pub require_ack: bool,
}

/// Somebody has acknowledged a message: what [`WaitFor::Acknowledged`] is answered with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Label of the viewer who did.
    pub by: String,
    /// Whether it was done on the machine's own screen.
    pub kiosk: bool,
    /// When, in seconds since the Unix epoch.
    pub at: u64,
}

/// A question to the keeper. Answered by one `Reply` with JSON, unless said otherwise:
/// `{"ok": …}` or `{"error": {"kind": …, "message": …}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Request {
    /// Everything known, as a full [`Meta`].
    Status {},
    /// The text on the screen, with the scrollback in front if wanted: several `Reply` parts of
    /// UTF-8 (with escape sequences for colours when `ansi`), lines ended by `\n`.
    Text {
        /// Include the scrollback.
        #[serde(default)]
        scrollback: bool,
        /// Keep colours and attributes.
        #[serde(default)]
        ansi: bool,
    },
    /// Lines that contain a text, newest first: `{"ok": {"matches": [crate::base::Match], "more": bool}}`.
    Search {
        /// What to look for, at most [`MAX_SEARCH`] bytes. Without capitals, case doesn't matter.
        text: String,
        /// Whether `text` is a regular expression.
        #[serde(default)]
        regex: bool,
        /// Only lines before this one (absolute number), to page on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<u64>,
        /// Most matches wanted, at most 1000.
        #[serde(default = "default_matches")]
        limit: u32,
    },
    /// Answered when it has come true: `{"ok": {}}`, or the error `timeout`.
    Wait {
        /// What to wait for.
        #[serde(rename = "for")]
        what: WaitFor,
        /// Give up after this many milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_ms: Option<u64>,
    },
    /// Give the terminal a name, or take it away.
    Rename {
        /// The new name.
        name: Option<TerminalName>,
    },
    /// Send a full repaint with this many lines of scrollback.
    Repaint {
        /// Lines wanted.
        history: u32,
    },
    /// Type this text. (What `gatepost terminal send` does; a viewer that types uses `Input`.)
    Send {
        /// The text, at most 64 KiB.
        text: String,
    },
    /// Rescue a terminal left in a bad state: reset the screen model's modes and ask the program to
    /// repaint.
    Reset {},
    /// Show a message to everybody who watches, without touching the program:
    /// `{"ok": {"viewers": n}}`. One that wants to be acknowledged is shown to later viewers, too, until
    /// somebody has.
    Notify {
        /// How much it matters.
        #[serde(default)]
        level: Level,
        /// What to show.
        text: MessageText,
        /// Who says it, and whether they want to know that it was read.
        message: MessageHead,
    },
    /// This viewer's person has read a message.
    Acknowledge {
        /// Its number.
        message: u32,
    },
    /// Somebody is in front of this viewer's screen: a key, a touch, a pointer that moved.
    Present {},
    /// How the terminal is to be kept from now on.
    Care(Care),
    /// Hang up, end every process the terminal started, then the keeper itself. Answered before
    /// the keeper is gone.
    Close {},
}

/// What a browser is told that asks a keeper for something that changes anything.
pub const MUST_BE_AN_ACTION: &str = "this changes something: use the HTTP interface";

impl Request {
    /// Whether a request changes nothing. Whatever changes something is an action.
    pub fn only_looks(&self) -> bool {
        match self {
            Self::Status {}
            | Self::Text { .. }
            | Self::Search { .. }
            | Self::Wait { .. }
            | Self::Repaint { .. }
            // Says only that this viewer has read what it was shown.
            | Self::Acknowledge { .. }
            // And this only that its person is there.
            | Self::Present {} => true,
            Self::Rename { .. } | Self::Send { .. } | Self::Reset {}
            | Self::Notify { .. }
            // How a terminal is kept is said by the configuration.
            | Self::Care(_)
            | Self::Close {} => false,
        }
    }
}

fn default_matches() -> u32 {
    100
}

/// What `Request::Wait` waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitFor {
    /// A line on the screen now, or written later, matches this regular expression.
    Regex(String),
    /// The program has ended.
    Exit {},
    /// Nothing was written for this many milliseconds.
    Silence(u64),
    /// Somebody has acknowledged the message of this number; the answer is [`Acknowledged`].
    Acknowledged(u32),
}

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// `invalid`, `timeout`, `denied`, `ended` or `busy`.
    pub kind: FailureKind,
    /// What was wrong and what to do, for a person.
    pub message: String,
}

/// Kinds of failure a program can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The request makes no sense.
    Invalid,
    /// It didn't come true in time.
    Timeout,
    /// This attachment may not.
    Denied,
    /// The program has ended.
    Ended,
    /// Too many at once.
    Busy,
}
