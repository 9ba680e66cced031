//! How long tokens and logins last and how many there may be, and what is said past that.

use std::time::Duration;

/// A day.
const DAY: Duration = Duration::from_secs(86_400);

/// Limits of this room, changeable so that tests need not wait.
#[derive(Debug, Clone, Copy)]
pub struct AuthLimits {
    /// How long a one-time token is good: long enough for a slow page load, short enough to be
    /// worthless in a log.
    pub token_life: Duration,
    /// Most one-time tokens of each kind at a time (100 bytes each).
    pub max_tokens: usize,
    /// A login nobody used for this long is over.
    pub login_idle: Duration,
    /// A login is over after this long in any case.
    pub login_absolute: Duration,
    /// Most logins at a time; past it the one unused for longest is ended.
    pub max_logins: usize,
}

impl Default for AuthLimits {
    fn default() -> Self {
        Self {
            token_life: Duration::from_secs(20),
            max_tokens: 10_000,
            login_idle: DAY.saturating_mul(7),
            login_absolute: DAY.saturating_mul(90),
            max_logins: 1000,
        }
    }
}

/// What a caller can act on.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Wrong, used, or too old: never says which.
    #[error("this token is not valid (any more); ask for a new one with: gatepost url")]
    Token,
    /// [`AuthLimits::max_tokens`] are out.
    #[error("too many one-time tokens are waiting to be used; try again in 20 seconds")]
    TooMany,
    /// The operating system gave no random bytes.
    #[error("no random bytes from the operating system: {0}")]
    Random(getrandom::Error),
}
