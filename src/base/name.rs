//! Names people give to things: parsed once, valid for ever.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A terminal's name as its owner typed it: 1 to 64 characters, none of them a control character
/// or one that reorders text (a name must look like what it is in every list).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TerminalName(String);

impl TerminalName {
    /// Longest name, in characters: what fits a tab with a tooltip.
    pub const MAX_CHARS: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text can't be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing but blanks.
    #[error("a name needs at least one character")]
    Empty,
    /// Over [`TerminalName::MAX_CHARS`].
    #[error("a name has at most {} characters", TerminalName::MAX_CHARS)]
    TooLong,
    /// A control or text-reordering character.
    #[error("a name must not contain control characters")]
    Control,
}

/// Characters that change the order or visibility of the text around them (Unicode bidi controls,
/// zero-width characters).
pub(crate) fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

impl FromStr for TerminalName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if text.is_empty() {
            Err(NameError::Empty)
        } else if text.chars().count() > Self::MAX_CHARS {
            Err(NameError::TooLong)
        } else if text.chars().any(is_deceptive) {
            Err(NameError::Control)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl fmt::Display for TerminalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<TerminalName> for String {
    fn from(name: TerminalName) -> Self {
        name.0
    }
}

impl TryFrom<String> for TerminalName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_64_characters_is_taken_and_one_more_is_not() {
        assert!("ä".repeat(64).parse::<TerminalName>().is_ok());
        assert_eq!(
            "ä".repeat(65).parse::<TerminalName>(),
            Err(NameError::TooLong)
        );
    }

    #[test]
    fn control_and_reordering_characters_are_refused() {
        for bad in ["a\u{1b}[31mb", "a\nb", "a\u{202e}b", "\u{200b}a"] {
            assert_eq!(
                bad.parse::<TerminalName>(),
                Err(NameError::Control),
                "{bad:?}"
            );
        }
        assert_eq!("  ".parse::<TerminalName>(), Err(NameError::Empty));
    }
}
