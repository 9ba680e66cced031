//! Who asks, through which door, and what a viewer may do.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::user::User;

/// Who asks for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Principal {
    /// The person (or a program of theirs) who started Gatepost, known by their Unix uid or by a
    /// login that came from a one-time token they made.
    Owner {},
    /// The window on the machine's own screen.
    Kiosk {},
    /// Whoever pressed a button of the machine.
    Button {
        /// Which button.
        button: Label,
        /// What they did with it.
        gesture: Gesture,
    },
    /// Somebody who logged in.
    User {
        /// Who.
        user: User,
    },
}

impl Principal {
    /// The user, if it is one.
    pub const fn user(&self) -> Option<&User> {
        match self {
            Self::User { user } => Some(user),
            Self::Owner {} | Self::Kiosk {} | Self::Button { .. } => None,
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner {} => f.write_str("the owner"),
            Self::Kiosk {} => f.write_str("the kiosk"),
            Self::Button { button, .. } => write!(f, "the button {button}"),
            Self::User { user } => write!(f, "{}", user.upn),
        }
    }
}

/// What can be done with a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gesture {
    /// Pressed.
    Press,
    /// Let go.
    Release,
    /// Kept down.
    Hold,
    /// Pressed twice.
    Double,
}

impl Gesture {
    /// Its name in the configuration, and for hooks.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Press => "press",
            Self::Release => "release",
            Self::Hold => "hold",
            Self::Double => "double",
        }
    }
}

/// Where a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// HTTP and WebSocket.
    Web,
    /// The control socket.
    Local,
    /// The machine's buttons.
    Button,
}

impl Door {
    /// Its name for hooks and for programs in terminals.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Local => "local",
            Self::Button => "button",
        }
    }
}

/// What a viewer of a terminal may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Watch. There is no way to send input.
    View,
    /// Watch and type.
    Type,
}
