//! What is said to the people who watch: how much it matters, and text that can do no harm.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::name::is_deceptive;

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Good to know.
    #[default]
    Info,
    /// Something isn't as wanted.
    Warning,
    /// Something failed.
    Error,
}

/// What one person says to others: plain text of 1 to 512 characters in at most 12 lines, none of them
/// a control character (but line ends) or one that reorders text. It is shown as it is, never read as
/// HTML or escape sequences.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct MessageText(String);

impl MessageText {
    /// Longest text, in characters: what fits a small screen.
    pub const MAX_CHARS: usize = 512;
    /// Most lines, for the same reason.
    pub const MAX_LINES: usize = 12;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text can't be a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageTextError {
    /// Nothing but blanks.
    #[error("a message needs at least one character")]
    Empty,
    /// Over [`MessageText::MAX_CHARS`] or [`MessageText::MAX_LINES`].
    #[error(
        "a message has at most {} characters in {} lines",
        MessageText::MAX_CHARS,
        MessageText::MAX_LINES
    )]
    TooLong,
    /// A control or text-reordering character.
    #[error("a message must not contain control characters, except line ends")]
    Control,
}

impl FromStr for MessageText {
    type Err = MessageTextError;
    fn from_str(text: &str) -> Result<Self, MessageTextError> {
        let text = text.trim();
        if text.is_empty() {
            Err(MessageTextError::Empty)
        } else if text.chars().count() > Self::MAX_CHARS || text.lines().count() > Self::MAX_LINES {
            Err(MessageTextError::TooLong)
        } else if text.chars().any(|c| c != '\n' && is_deceptive(c)) {
            Err(MessageTextError::Control)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl fmt::Display for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<MessageText> for String {
    fn from(text: MessageText) -> Self {
        text.0
    }
}

impl TryFrom<String> for MessageText {
    type Error = MessageTextError;
    fn try_from(text: String) -> Result<Self, MessageTextError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_512_characters_or_12_lines_is_taken_and_one_more_is_not() {
        assert!("ä".repeat(512).parse::<MessageText>().is_ok());
        assert!(["x"; 12].join("\n").parse::<MessageText>().is_ok());
        for long in ["ä".repeat(513), ["x"; 13].join("\n")] {
            assert_eq!(long.parse::<MessageText>(), Err(MessageTextError::TooLong));
        }
    }

    #[test]
    fn xss_bell_message_control_characters_never_get_into_a_message() {
        for bad in [
            "a\u{7}b",
            "\u{1b}]0;x\u{7}y",
            "a\rb",
            "a\u{202e}b",
            "a\u{9b}31m",
            "a\0",
        ] {
            assert_eq!(
                bad.parse::<MessageText>(),
                Err(MessageTextError::Control),
                "{bad:?}"
            );
        }
        assert_eq!(" \n ".parse::<MessageText>(), Err(MessageTextError::Empty));
        let html = "<script>alert(1)</script> & \"quotes\"";
        assert_eq!(html.parse::<MessageText>().unwrap().as_str(), html);
    }
}
