//! Telling systemd how we are. Without systemd all of it does nothing.

use std::time::Duration;

use sd_notify::NotifyState;

/// We accept connections.
pub fn ready(status: &str) {
    send(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// We are going.
pub fn stopping() {
    send(&[NotifyState::Stopping]);
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// systemd's watchdog, if it watches us.
#[derive(Debug, Clone, Copy)]
pub struct Watchdog {
    /// How often to call [`Watchdog::alive`].
    pub every: Duration,
}

impl Watchdog {
    /// The watchdog asked for in our environment.
    pub fn from_environment() -> Option<Self> {
        // Half the time systemd grants, as its manual recommends.
        sd_notify::watchdog_enabled().map(|granted| Self { every: granted / 2 })
    }

    /// Says that the main loop still turns.
    pub fn alive(self) {
        send(&[NotifyState::Watchdog]);
    }
}
