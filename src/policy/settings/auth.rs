//! Section `auth`: how long logins last, how often somebody may guess, and what each way in needs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::SecretSource;

/// A day, in seconds.
const DAY: u64 = 86_400;

/// Everything about logging in but the list of ways itself, which is `server.auth`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthSettings {
    /// Browser logins.
    pub logins: LoginSettings,
    /// Failed attempts.
    pub throttle: ThrottleSettings,
    /// Conversations: a name, a password, and whatever else is asked.
    pub pam: PamSettings,
    /// The local administrator.
    pub local: LocalSettings,
    /// Signed auth objects.
    pub api: ApiSettings,
    /// One-time tokens of another web application.
    pub tokens: TokenSettings,
    /// `none`: everybody may come in.
    pub none: NoneSettings,
}

/// `auth.logins`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoginSettings {
    /// A login nobody used for this many seconds is over.
    pub idle: u64,
    /// A login is over after this many seconds in any case.
    pub absolute: u64,
    /// Most logins at a time; past it the one unused for longest ends.
    pub most: usize,
}

impl Default for LoginSettings {
    fn default() -> Self {
        Self {
            idle: 7 * DAY,
            absolute: 90 * DAY,
            most: 1000,
        }
    }
}

/// `auth.throttle`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThrottleSettings {
    /// Failures of one user name before it has to wait.
    pub user_failures: u32,
    /// Failures from one address (one IPv6 /64) before it has to wait.
    pub address_failures: u32,
    /// The first wait, in seconds; it doubles with each further failure.
    pub wait: u64,
    /// The longest wait, in seconds.
    pub longest_wait: u64,
    /// Failures older than this many seconds are forgotten.
    pub forget: u64,
    /// Every failure is answered after a multiple of this many milliseconds, so that the time it
    /// takes tells nothing.
    pub failure_milliseconds: u64,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        Self {
            user_failures: 5,
            address_failures: 20,
            wait: 15,
            longest_wait: 900,
            forget: 3600,
            failure_milliseconds: 2000,
        }
    }
}

/// `auth.pam`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PamSettings {
    /// Where the login helper listens.
    pub socket: PathBuf,
    /// Conversations at a time, of everybody.
    pub conversations: usize,
    /// Conversations at a time from one address.
    pub conversations_per_address: usize,
    /// A conversation nobody answered for this many seconds is over.
    pub abandoned: u64,
    /// Where an X2Go authentication service listens, which is asked instead of the helper.
    pub x2go: Option<PathBuf>,
    /// The PAM rules it is asked to use.
    pub x2go_service: String,
}

impl Default for PamSettings {
    fn default() -> Self {
        Self {
            socket: "/run/gatepost-login/login.sock".into(),
            conversations: 16,
            conversations_per_address: 4,
            abandoned: 120,
            x2go: None,
            x2go_service: "x2gobroker".to_owned(),
        }
    }
}

/// `auth.local`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LocalSettings {
    /// The administrator's user name.
    pub user: String,
}

impl Default for LocalSettings {
    fn default() -> Self {
        Self {
            user: "admin".to_owned(),
        }
    }
}

/// `auth.api`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiSettings {
    /// Accept HMAC-SHA1 signatures, as Gate One's own examples make them.
    pub sha1: bool,
}

/// `auth.tokens`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenSettings {
    /// A Redis that the other application writes tokens to, as in `redis://127.0.0.1:6379/0`.
    pub redis: Option<String>,
    /// Its password, if it wants one.
    pub redis_password: Option<SecretSource>,
}

/// `auth.none`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoneSettings {
    /// Let in whoever reaches this server from anywhere, not only from this machine: each of them
    /// gets a shell.
    pub i_know_that_anybody_gets_a_shell: bool,
    /// Although the server has a name beyond this machine, no proxy on this machine passes others'
    /// requests on.
    pub i_know_that_no_proxy_is_in_front: bool,
}
