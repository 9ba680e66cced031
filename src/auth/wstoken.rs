//! One-time tokens that another web application gives its users: `wstoken` and 32 hexadecimal digits,
//! good for 20 seconds and for one look, whatever comes of it. In memory, or in a Redis that both
//! sides reach, as `{"user": NAME, "time": "DD:MM:YYYY:HH:MM:SS"}` (UTC).

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::{AsyncCommands as _, ExistenceCheck, IntoConnectionInfo as _, SetExpiry, SetOptions};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::base::UserName;

use super::{Fingerprint, random_secret};

/// How old a token may be, in seconds; this old exactly is still good.
const LIFE: i64 = 20;
/// How far ahead of ours the clock of whoever made it may be, in seconds.
const AHEAD: i64 = 5;
/// How long Redis keeps one that nobody used, in seconds.
const KEEP: u64 = 30;
/// Most tokens in memory, 150 bytes each.
const MAX_TOKENS: usize = 10_000;
/// How long Redis may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// What every token begins with.
const PREFIX: &str = "wstoken";

/// A token of the right form: the only text that goes to Redis as a key.
#[derive(Clone, PartialEq, Eq)]
pub struct WebToken(String);

impl WebToken {
    /// The token, for whoever may know it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WebToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<token>")
    }
}

/// The text is no token. Says nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token: wstoken and 32 hexadecimal digits")]
pub struct WebTokenError;

impl FromStr for WebToken {
    type Err = WebTokenError;
    fn from_str(text: &str) -> Result<Self, WebTokenError> {
        let digits = text.strip_prefix(PREFIX).ok_or(WebTokenError)?;
        let good = digits.len() == 32
            && digits
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        good.then(|| Self(text.to_owned())).ok_or(WebTokenError)
    }
}

/// What stands behind a token.
#[derive(Debug, Serialize, Deserialize)]
struct Behind {
    user: UserName,
    time: String,
}

/// Why a token can't be made or looked up. Not why one isn't good: nobody is told.
#[derive(Debug, thiserror::Error)]
pub enum TokenStoreError {
    /// [`MAX_TOKENS`] wait to be used.
    #[error("{MAX_TOKENS} tokens wait to be used; try again in 20 seconds")]
    TooMany,
    /// The operating system gave no random bytes.
    #[error("no random bytes from the operating system")]
    Random,
    /// Redis.
    #[error("Redis (auth.tokens.redis): {0}")]
    Redis(String),
    /// Its password.
    #[error("auth.tokens.redis_password: {0}")]
    Password(String),
}

/// Where tokens wait.
#[derive(Debug)]
pub(super) enum TokenStore {
    Memory(Mutex<HashMap<Fingerprint, (UserName, i64)>>),
    Redis(redis::Client),
}

impl TokenStore {
    /// In memory, or in the Redis at this address with this password.
    pub(super) fn open(
        redis: Option<&str>,
        password: Option<&str>,
    ) -> Result<Self, TokenStoreError> {
        let Some(url) = redis else {
            return Ok(Self::Memory(Mutex::default()));
        };
        let wrong = |error: redis::RedisError| TokenStoreError::Redis(error.category().to_owned());
        let mut place = url.into_connection_info().map_err(wrong)?;
        if let Some(password) = password {
            let with = place.redis_settings().clone().set_password(password);
            place = place.set_redis_settings(with);
        }
        redis::Client::open(place).map(Self::Redis).map_err(wrong)
    }

    /// Makes a token for a user at this time (seconds since 1970).
    pub(super) async fn create(
        &self,
        user: UserName,
        now: i64,
    ) -> Result<WebToken, TokenStoreError> {
        let random = random_secret().map_err(|_| TokenStoreError::Random)?;
        let digits: String = random.expose_hex().chars().take(32).collect();
        let token = WebToken(format!("{PREFIX}{digits}"));
        match self {
            Self::Memory(table) => {
                let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
                if table.len() >= MAX_TOKENS {
                    table.retain(|_, (_, made)| now - *made <= LIFE);
                }
                if table.len() >= MAX_TOKENS {
                    return Err(TokenStoreError::TooMany);
                }
                table.insert(fingerprint(&token), (user, now));
            }
            Self::Redis(client) => {
                let time = write_time(now);
                let value = serde_json::to_string(&Behind { user, time })
                    .map_err(|error| TokenStoreError::Redis(error.to_string()))?;
                let options = SetOptions::default()
                    .conditional_set(ExistenceCheck::NX)
                    .with_expiration(SetExpiry::EX(KEEP));
                in_time(async {
                    let mut redis = client.get_multiplexed_async_connection().await?;
                    let () = redis.set_options(token.expose(), value, options).await?;
                    Ok(())
                })
                .await?;
            }
        }
        Ok(token)
    }

    /// Looks a token up, which uses it up: whose it is, if it is good at this time.
    pub(super) async fn burn(
        &self,
        token: &WebToken,
        now: i64,
    ) -> Result<Option<UserName>, TokenStoreError> {
        let found = match self {
            Self::Memory(table) => table
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&fingerprint(token)),
            Self::Redis(client) => {
                let value: Option<String> = in_time(async {
                    let mut redis = client.get_multiplexed_async_connection().await?;
                    // One command, so that of two who ask at once one gets nothing.
                    redis.get_del(token.expose()).await
                })
                .await?;
                value.and_then(|value| {
                    let behind: Behind = serde_json::from_str(&value).ok()?;
                    Some((behind.user, read_time(&behind.time)?))
                })
            }
        };
        Ok(found
            .filter(|(_, made)| (-AHEAD..=LIFE).contains(&now.saturating_sub(*made)))
            .map(|(user, _)| user))
    }

    /// Forgets what is old.
    pub(super) fn sweep(&self, now: i64) {
        if let Self::Memory(table) = self {
            let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
            table.retain(|_, (_, made)| now - *made <= LIFE);
        }
    }
}

async fn in_time<T>(
    work: impl Future<Output = redis::RedisResult<T>>,
) -> Result<T, TokenStoreError> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(TokenStoreError::Redis(error.to_string())),
        Err(_elapsed) => Err(TokenStoreError::Redis("no answer in 3 seconds".to_owned())),
    }
}

fn fingerprint(token: &WebToken) -> Fingerprint {
    Fingerprint(Sha256::digest(token.0.as_bytes()).into())
}

/// Seconds since 1970 in a text like `24:12:2026:18:30:00`; `None` when it is no time.
fn read_time(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(|part| {
        let digits =
            (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<i64>().ok()).flatten()
    });
    let mut next = || parts.next().flatten();
    let (day, month, year) = (next()?, next()?, next()?);
    let (hour, minute, second) = (next()?, next()?, next()?);
    let good = parts.next().is_none()
        && (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(month, year)).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        // strptime takes leap seconds.
        && (0..=61).contains(&second);
    let days = days_before(year, month) + day - 1;
    good.then(|| ((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn write_time(now: i64) -> String {
    let (mut days, second) = (now.div_euclid(86_400), now.rem_euclid(86_400));
    let mut year = 1970;
    while days >= days_before(year + 1, 1) - days_before(year, 1) {
        days -= days_before(year + 1, 1) - days_before(year, 1);
        year += 1;
    }
    let mut month = 1;
    while days >= days_in(month, year) {
        days -= days_in(month, year);
        month += 1;
    }
    let (hour, minute) = (second / 3600, second / 60 % 60);
    let (day, second) = (days + 1, second % 60);
    format!("{day:02}:{month:02}:{year}:{hour:02}:{minute:02}:{second:02}")
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970 to the first of this month.
fn days_before(year: i64, month: i64) -> i64 {
    let leap_days = |year: i64| (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let years = (year - 1970) * 365 + leap_days(year) - leap_days(1970);
    years + (1..month).map(|month| days_in(month, year)).sum::<i64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn store() -> TokenStore {
        TokenStore::open(None, None).unwrap()
    }

    async fn at(age: i64) -> Option<UserName> {
        let store = store();
        let token = store.create("alice".parse().unwrap(), NOW).await.unwrap();
        store.burn(&token, NOW + age).await.unwrap()
    }

    #[tokio::test]
    async fn token_expired_21s_and_token_future_are_refused_and_the_edges_are_good() {
        for good in [-5, 0, 20] {
            assert_eq!(at(good).await.unwrap().as_str(), "alice", "{good} s");
        }
        for bad in [-6, 21, 1000] {
            assert_eq!(at(bad).await, None, "{bad} s");
        }
    }

    #[tokio::test]
    async fn token_reuse_is_refused_also_after_a_look_that_came_too_late() {
        let store = store();
        let token = store.create("alice".parse().unwrap(), NOW).await.unwrap();
        assert_eq!(store.burn(&token, NOW + 21).await.unwrap(), None);
        assert_eq!(store.burn(&token, NOW).await.unwrap(), None, "burnt");
    }

    #[tokio::test]
    async fn ten_thousand_wait_in_memory_and_one_more_is_refused_until_some_are_old() {
        let store = store();
        let alice: UserName = "alice".parse().unwrap();
        for _ in 0..MAX_TOKENS {
            store.create(alice.clone(), NOW).await.unwrap();
        }
        let refused = store.create(alice.clone(), NOW + 20).await;
        assert!(matches!(refused, Err(TokenStoreError::TooMany)));
        store.create(alice, NOW + 21).await.unwrap();
    }

    #[test]
    fn token_key_injection_never_gets_as_far_as_a_key() {
        let good = format!("wstoken{}", "0a".repeat(16));
        assert!(good.parse::<WebToken>().is_ok());
        for bad in [
            "",
            "wstoken",
            &good.to_uppercase(),
            &good.replace("wstoken", "session"),
            &format!("{good}0"),
            &good[..38],
            &format!("{}\r\nFLUSHALL", &good[..28]),
            &format!("{good}\n"),
            &format!(" {good}"),
            "wstoken*",
        ] {
            assert_eq!(bad.parse::<WebToken>(), Err(WebTokenError), "{bad:?}");
        }
    }

    #[test]
    fn times_are_read_as_python_writes_them() {
        // datetime.fromtimestamp(n, UTC).strftime("%d:%m:%Y:%H:%M:%S")
        for (text, seconds) in [
            ("01:01:1970:00:00:00", 0),
            ("15:01:2027:08:00:00", 1_800_000_000),
            ("29:02:2028:23:59:59", 1_835_481_599),
            ("31:12:2026:23:59:59", 1_798_761_599),
            ("01:03:2100:00:00:00", 4_107_542_400),
        ] {
            assert_eq!(read_time(text), Some(seconds), "{text}");
            assert_eq!(write_time(seconds), text);
        }
        for bad in [
            "",
            "15:01:2027:08:00",
            "15:01:2027:08:00:00:00",
            "29:02:2027:00:00:00",
            "00:01:2027:00:00:00",
            "15:13:2027:00:00:00",
            "15:01:2027:24:00:00",
            "+5:01:2027:08:00:00",
            "15:01:27:08:00:00",
            "15:01:99999:08:00:00",
            "a:b:c:d:e:f",
        ] {
            assert_eq!(read_time(bad), None, "{bad}");
        }
    }
}
