//! What a line is to the rest: something with edges and a level, or something that can be lit.

use std::fmt;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::policy::settings::line::LineName;

/// A level that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// When, as the kernel says, on the monotonic clock.
    pub at: Duration,
    /// Whether it is the pressed button's.
    pub pressed: bool,
}

/// A button's line. Edges are hints: whoever wants to know the level reads it.
pub trait Input: Send + fmt::Debug {
    /// Appends what was seen since the last time, without waiting. An error is the line's end.
    fn drain(&mut self, out: &mut Vec<Edge>) -> Result<(), LineError>;

    /// Returns when there is something to [`Self::drain`].
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()>;

    /// Whether it is pressed now, where that can be asked.
    fn level(&self) -> Option<bool>;
}

/// A lamp's line. Dark again when dropped.
pub trait Output: Send + fmt::Debug {
    /// Lights it, or makes it dark.
    fn light(&mut self, lit: bool) -> Result<(), LineError>;
}

/// The resistor inside the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bias {
    /// To high.
    Up,
    /// To low.
    Down,
    /// None.
    None,
}

/// A way to the machine's lines.
pub trait Lines: Send + Sync + fmt::Debug {
    /// Its name for people.
    fn name(&self) -> &'static str;
    /// A line with edges.
    fn input(
        &self,
        line: &LineName,
        bias: Bias,
        active_low: bool,
    ) -> Result<Box<dyn Input>, LineError>;
    /// A line that can be lit; dark at first.
    fn output(&self, line: &LineName, active_low: bool) -> Result<Box<dyn Output>, LineError>;
}

/// Why a line can't be had, or was lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The machine has none.
    #[error("this machine has no GPIO lines that can be reached ({0})")]
    NoLines(String),
    /// It isn't there.
    #[error("there is no line {line}; {there}")]
    Missing {
        /// What was looked for.
        line: String,
        /// What there is.
        there: String,
    },
    /// Somebody has it.
    #[error("line {line} is in use by {by}")]
    Busy {
        /// Which.
        line: String,
        /// Whose it is.
        by: String,
    },
    /// The operating system said no.
    #[error("{what}: {why}")]
    Refused {
        /// What was tried.
        what: String,
        /// What it said.
        why: String,
    },
    /// Nothing has this key.
    #[error("no input device has {0} now; it is looked for whenever one appears")]
    NoKey(String),
}

/// The time on the monotonic clock, which edges are stamped with.
pub fn now() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
}

/// Something that tells when it can be read. `inner` owns its descriptor, and keeps it for as long as it lives.
#[expect(
    deprecated,
    reason = "what replaces it is unsafe for what might close its descriptor; these types don't"
)]
pub(super) fn readable<T: std::os::fd::AsFd + std::os::fd::AsRawFd>(
    inner: T,
) -> std::io::Result<tokio::io::unix::AsyncFd<T>> {
    tokio::io::unix::AsyncFd::with_interest(inner, tokio::io::Interest::READABLE)
}
