//! How a terminal is kept in which strangers follow one another: part of a keeper's launch message, and
//! a request later.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How it is kept. The default is as any other terminal: nothing happens by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each happens or doesn't, whatever the others say"
)]
pub struct Care {
    /// Its program is started again when it ends, on a clean screen.
    pub restart: bool,
    /// Milliseconds after which it is reset when nobody is there; 0: never.
    pub idle_ms: u64,
    /// Milliseconds before that in which it is announced.
    pub warning_ms: u64,
    /// A reset closes it; else its program is started again.
    pub close: bool,
    /// Its program gets a home folder of its own, which is gone with the terminal; and the terminal
    /// goes with the program. Counts when the terminal is opened.
    pub fresh_home: bool,
    /// The terminal goes with its program.
    pub ends: bool,
}

impl Care {
    /// After how long it is reset; none: never.
    pub fn idle(&self) -> Option<Duration> {
        Some(Duration::from_millis(self.idle_ms)).filter(|idle| !idle.is_zero())
    }

    /// How long before that it is announced.
    pub fn warning(&self) -> Duration {
        Duration::from_millis(self.warning_ms)
    }
}
