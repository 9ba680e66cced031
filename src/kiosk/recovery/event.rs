//! What can happen to the page, and what can be done about it.

use std::time::Duration;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The window is there.
    Opened,
    /// The server gave an address.
    Address,
    /// The server isn't there, or says no.
    NoServer,
    /// The page runs and paints.
    Beat,
    /// There is something to see on it.
    Painted,
    /// The page's login is gone.
    LoginGone,
    /// An address could not be loaded.
    LoadFailed,
    /// The page's process ended.
    ProcessEnded,
    /// WebKit's own opinion: its process answers, or doesn't.
    Responsive(bool),
    /// Of so much time since this was last said, for so much somebody waited for a processor.
    Pressed {
        /// The time that passed.
        passed: Duration,
        /// The part of it in which there was a processor too few.
        waited: Duration,
    },
    /// Time passed.
    Tick,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Ask the server for an address.
    Ask,
    /// Load the address it gave.
    Load,
    /// End the page's process.
    EndProcess,
    /// Cover the page with this.
    Cover(Cover),
    /// End the window with [`RESTART`](super::RESTART).
    GiveUp,
}

/// What is seen instead of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// Nothing: the page itself is seen.
    Off,
    /// Black.
    Black,
    /// The machine or its server is starting.
    Starting,
    /// The server isn't there.
    Offline,
    /// The page was lost and is coming back.
    Recovering,
}
