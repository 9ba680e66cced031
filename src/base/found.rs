//! A line found in a terminal's scrollback.

use serde::{Deserialize, Serialize};

/// One line found by a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The line's absolute number: 0 is the first line the terminal ever showed.
    pub line: u64,
    /// The whole line as text, at most 4096 characters of it.
    pub text: String,
    /// Where in `text` the match starts, in characters.
    pub start: u32,
    /// How long it is, in characters.
    pub length: u32,
}
