//! The terminal emulator's model: what is on a terminal's screen and in its scrollback, and the bytes
//! that paint the same on another emulator. Pure: bytes in, bytes and events out.

mod answers;
mod archive;
mod csi;
mod dispatch;
mod emulator;
mod keyboard;
mod model;
mod modes;
mod outbox;
mod page;
mod paint;
mod palette;
mod parser;
mod queries;
mod reflow;
mod row;
mod screens;
mod scroll;
mod search;
mod style;
mod titles;
mod width;

pub use model::AlacrittyModel;
pub use queries::QueryFilter;
pub use search::Search;

use crate::base::{Match, Size};

/// Something the program's output asks for besides painting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScreenEvent {
    /// Answer to a query (device attributes, cursor position, modes, colours …), for the PTY.
    Reply(Vec<u8>),
    /// The title changed; control characters removed, at most 256 characters.
    Title(Option<String>),
    /// The bell rang.
    Bell,
}

/// What a repaint is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepaintKind {
    /// For a viewer that has just reset itself: up to this many lines of scrollback, then the screen.
    Full {
        /// Lines of scrollback in front of the screen.
        history: usize,
        /// Most bytes spent on them; the oldest are left out.
        max_history_bytes: usize,
    },
    /// For a viewer that fell behind in any state, even inside an escape sequence: the lines that
    /// scrolled off since its mark, then the screen. It keeps its own scrollback.
    CatchUp {
        /// [`Model::scrolled`] when the viewer's last byte had been fed.
        since: u64,
        /// Most bytes spent on scrolled lines; the oldest are left out.
        max_history_bytes: usize,
    },
}

/// A painted repaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Painted {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Lines that were wanted and left out because of the byte limit.
    pub skipped: u64,
}

/// A screen model. One implementation, [`AlacrittyModel`]; a trait so that the emulator crate is
/// named in one place and can be replaced.
pub trait Model {
    /// Interprets output. Bytes may end anywhere, also inside a sequence or a character.
    fn feed(&mut self, bytes: &[u8]);
    /// Does a little of the work that was put off while output kept coming, well under a millisecond
    /// of it; whether there is more. For a quiet moment.
    fn tidy(&mut self) -> bool;
    /// The next event since it was last asked.
    fn next_event(&mut self) -> Option<ScreenEvent>;
    /// When a synchronized update (DEC mode 2026) that is open now has to be ended with
    /// [`Model::end_synchronized_update`] if the program hasn't ended it before.
    fn synchronized_update_deadline(&self) -> Option<std::time::Instant>;
    /// Ends an open synchronized update, as its time-out or a snapshot does.
    fn end_synchronized_update(&mut self);
    /// The size.
    fn size(&self) -> Size;
    /// Changes the size; lines reflow, none are lost.
    fn resize(&mut self, size: Size);
    /// Paints the whole state: scrollback as asked, main screen, alternate screen, cursor, modes,
    /// pen, margins, tabs, charsets, palette, title, and the bytes of an unfinished sequence.
    fn repaint(&mut self, kind: RepaintKind) -> Painted;
    /// Lines that ever went from the top of the main screen into the scrollback. Never decreases.
    fn scrolled(&self) -> u64;
    /// Lines of scrollback held now.
    fn scrollback(&self) -> u64;
    /// The absolute number of the oldest line held.
    fn first_line(&self) -> u64;
    /// The text of lines from `from` (absolute number) on, as much as fits about `max_bytes`, and
    /// the number to go on with; `None` when the last line of the screen is included. The screen's
    /// lines follow the scrollback's. Trailing blanks are cut; soft-wrapped rows are joined.
    fn text(&self, from: u64, ansi: bool, max_bytes: usize) -> (String, Option<u64>);
    /// Lines that match, newest first, and whether there are more.
    fn search(&self, find: &Search, before: Option<u64>, limit: usize) -> (Vec<Match>, bool);
    /// Part of a search, for one that must not take long: at most `limit` matches among about
    /// `max_rows` rows before line `before`, newest first, and the `before` to go on with, if there
    /// are older lines.
    fn search_part(
        &self,
        find: &Search,
        before: Option<u64>,
        limit: usize,
        max_rows: usize,
    ) -> (Vec<Match>, Option<u64>);
    /// Hard reset of modes, margins and charsets, keeping text and scrollback: what a person asks
    /// for when a program left the terminal in a bad state.
    fn rescue(&mut self);
}

/// Why a text can't be searched for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// Nothing to look for.
    #[error("there is nothing to search for")]
    Empty,
    /// Not a regular expression.
    #[error("not a regular expression: {0}")]
    Regex(String),
}
