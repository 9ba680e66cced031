//! Logging in with an API key: we vouch for ourselves as another application would for its user
//! (`docs/logins.md`, signed objects).

use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::auth::sign;
use crate::base::UserName;
use crate::role::exit::{Code, Failure};

use super::Remote;
use super::http::{cookies, send};
use super::login::login_cookie;

/// Longest file read, in bytes: a key and a secret have 90.
const MAX_FILE: u64 = 4096;

/// A key and its secret.
struct ApiKey {
    key: String,
    secret: String,
}

impl ApiKey {
    /// Two words, as `gatepost api-key new --key-file` writes them: the key, then its secret.
    fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |what: &dyn std::fmt::Display| {
            Failure::new(Code::Usage, format!("{}: {what}", path.display()))
        };
        let read = || -> io::Result<(u32, String)> {
            let file = std::fs::File::open(path)?;
            let mode = file.metadata()?.mode();
            let mut text = String::new();
            file.take(MAX_FILE).read_to_string(&mut text)?;
            Ok((mode, text))
        };
        let (mode, text) = read().map_err(|error| wrong(&error))?;
        if mode & 0o077 != 0 {
            return Err(wrong(
                &"others can read this key, so it is none any more: revoke it, make another, and keep the file to yourself (chmod 600)",
            ));
        }
        let mut words = text.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(key), Some(secret), None) => Ok(Self {
                key: key.to_owned(),
                secret: secret.to_owned(),
            }),
            _ => Err(wrong(
                &"this is no key file: gatepost api-key new --key-file FILE makes one, with the key and its secret",
            )),
        }
    }
}

/// Logs in as this user with the key in this file; the login's cookie.
pub(super) async fn with_key(remote: &Remote, user: &str, file: &Path) -> Result<String, Failure> {
    let key = ApiKey::read(file)?;
    let user: UserName = user
        .parse()
        .map_err(|error| Failure::new(Code::Usage, format!("{user:?}: {error}")))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
    let object = sign(&key.key, &key.secret, &user, now).map_err(Failure::failed)?;
    let object: Value = serde_json::from_str(&object).map_err(Failure::failed)?;
    let answer = send(remote, "api/login/api", None, &object).await?;
    login_cookie(cookies(answer.headers()))
}
