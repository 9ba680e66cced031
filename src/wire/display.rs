//! What the server and whoever looks after the machine's own screen tell each other: after
//! `Call::Display` the same connection carries [`Order`]s one way and [`Report`]s the other, each one
//! JSON object after its length (`u32`, big-endian).

use serde::{Deserialize, Serialize};

use crate::action::DisplayState;
use crate::base::DisplaySettings;

/// Largest message, in bytes: settings and reports are lists of a few outputs.
pub const MAX_MESSAGE: usize = 64 << 10;

/// How the screen should be. The last one holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What is configured.
    pub settings: DisplaySettings,
    /// What was asked for last.
    pub state: DisplayState,
    /// Counts the asks: one more is one more ask, also for the same.
    pub asked: u64,
    /// Counts reasons to light the screen for a while, as if somebody had touched it.
    pub woken: u64,
}

/// How the screen is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Whether it is lit.
    pub lit: Lit,
    /// Why it is as it is, in a few words.
    pub why: String,
    /// What was found when blanking was last looked at.
    pub blanking: Blanking,
    /// The outputs there are.
    pub outputs: Vec<Output>,
    /// How often something had to be started again.
    pub restarts: Restarts,
    /// What is wrong and could not be put right, a sentence each.
    pub trouble: Vec<String>,
}

/// Whether the screen is lit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lit {
    /// As bright as it is.
    #[default]
    On,
    /// Less bright: nobody is there.
    Dimmed,
    /// Dark, on purpose.
    Off,
}

/// What was found when blanking was last looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blanking {
    /// When, in seconds since the Unix epoch; 0: never.
    pub checked: u64,
    /// Whether nothing would blank the screen by itself now.
    pub off: bool,
    /// Whether the X server has the DPMS extension: without it nothing can end the signal.
    pub dpms: bool,
    /// How often something had turned it on, and it was turned off again.
    pub corrected: u32,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its name, as in the settings.
    pub name: String,
    /// Whether a monitor is there.
    pub connected: bool,
    /// The picture's size in pixels, if it shows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<(u16, u16)>,
}

/// How often something was started again since the machine was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restarts {
    /// The X server.
    pub x: u32,
    /// The window, by this X server.
    pub window: u32,
    /// The window manager, by this X server.
    pub manager: u32,
}
