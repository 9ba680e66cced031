//! What `gatepost logins`, `admin`, `api-key`, `auth` and `token` ask the server, and its answers: parts
//! of the control socket's calls.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{Principal, UserName};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LoginsCall {
    /// All browser logins.
    List {},
    /// End one of them.
    Revoke {
        /// Its id.
        id: String,
    },
    /// End all of a user.
    RevokeUser {
        /// Their name.
        user: UserName,
    },
    /// Who has to wait after failed attempts.
    Locked {},
    /// Let a user name or an address try again at once.
    Unlock {
        /// The name or the address.
        who: String,
    },
    /// Make a new password for the local administrator.
    ResetPassword {},
    /// Make an API key.
    NewKey {
        /// What it is for.
        name: String,
    },
    /// All API keys.
    Keys {},
    /// Take an API key away.
    RevokeKey {
        /// Which.
        key: String,
    },
    /// What is wrong with an auth object.
    Check {
        /// The object, as JSON in a text.
        object: String,
    },
    /// Make a one-time token for a user.
    NewToken {
        /// For whom.
        user: UserName,
    },
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LoginsReply {
    /// To [`LoginsCall::List`].
    Logins {
        /// The one used last first.
        logins: Vec<LoginInfo>,
    },
    /// So many were ended, freed or taken away.
    Done {
        /// How many.
        count: u32,
    },
    /// To [`LoginsCall::Locked`].
    Locked {
        /// The longest wait first.
        locked: Vec<Locked>,
    },
    /// To [`LoginsCall::ResetPassword`].
    Password {
        /// The administrator's user name.
        user: UserName,
        /// Their new password.
        password: Hidden,
    },
    /// To [`LoginsCall::NewKey`].
    Key {
        /// The key.
        key: String,
        /// Its secret.
        secret: Hidden,
    },
    /// To [`LoginsCall::Keys`].
    Keys {
        /// Oldest first.
        keys: Vec<KeyInfo>,
    },
    /// To [`LoginsCall::Check`].
    Checked {
        /// Whom the object vouches for, if it is good.
        user: Option<UserName>,
        /// What is wrong with it otherwise.
        problem: Option<String>,
    },
    /// To [`LoginsCall::NewToken`].
    Token {
        /// The token.
        token: Hidden,
    },
}

/// One login in a list. Holds nothing to log in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginInfo {
    /// Names it, for ending it.
    pub id: String,
    /// Who.
    pub principal: Principal,
    /// The address it was made from.
    pub address: Option<std::net::IpAddr>,
    /// The browser it was made with, in its own words.
    pub browser: String,
    /// When it was made, in seconds since the Unix epoch.
    pub made: u64,
    /// When it was last used, in seconds since the Unix epoch.
    pub used: u64,
}

/// Somebody who has to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locked {
    /// A user name or an address.
    pub who: String,
    /// Failures counted.
    pub failures: u32,
    /// For how many more seconds.
    pub seconds: u64,
}

/// One API key in a list. Without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyInfo {
    /// The key.
    pub key: String,
    /// What it is for, in its owner's words.
    pub name: String,
    /// When it was made, in seconds since the Unix epoch.
    pub made: u64,
}

/// A secret on its way to the one file or screen it is meant for. `Debug` doesn't show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// The secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Hidden {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}
