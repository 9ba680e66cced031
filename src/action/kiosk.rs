//! What the page on the machine's own screen is asked to do.

use serde::{Deserialize, Serialize};

/// An order to it. Its words are the same in text and JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KioskDoes {
    /// It shows the machine's name, address and fingerprint.
    Identity,
    /// The highlight of those who use it by switches moves on.
    SwitchNext,
    /// What is highlighted is chosen.
    SwitchChoose,
}

impl KioskDoes {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Identity, Self::SwitchNext, Self::SwitchChoose];

    /// How it is written in a line.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Identity => "kiosk identity",
            Self::SwitchNext => "kiosk switch next",
            Self::SwitchChoose => "kiosk switch choose",
        }
    }

    /// Whether it is somebody typing: then it is no deed to be written down.
    pub const fn is_typing(self) -> bool {
        matches!(self, Self::SwitchNext | Self::SwitchChoose)
    }
}
