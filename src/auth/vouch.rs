//! Ways in where somebody else vouches: another application with a signed object or a one-time token,
//! or nobody at all.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use crate::base::{User, UserName, Way};
use crate::policy::settings::auth::{ApiSettings, AuthSettings};
use crate::wire::logins::KeyInfo;

use super::api_keys::{Keys, KeysError, NewKey};
use super::object::{AuthObject, ObjectError, Vouched};
use super::replay::Ledger;
use super::small_file;
use super::throttle::Who;
use super::ways::{WayError, Ways, WaysError};
use super::wstoken::{TokenStore, TokenStoreError, WebToken};

/// Keys, the ledger and tokens of one server.
#[derive(Debug)]
pub(super) struct Vouching {
    // Plain locks, never held across an await. Where both are held, the keys are taken first.
    keys: Mutex<Keys>,
    // Held while it writes, in a thread that may block.
    ledger: Mutex<Ledger>,
    tokens: TokenStore,
    api: ApiSettings,
}

impl Vouching {
    /// Reads keys and ledger from the folder `state`. Blocks.
    pub(super) fn open(
        state: &Path,
        settings: &AuthSettings,
        credentials: Option<&Path>,
    ) -> Result<Arc<Self>, WaysError> {
        let tokens = &settings.tokens;
        let password = tokens.redis_password.as_ref();
        let password = password.map(|source| small_file::from_source(source, credentials));
        let password = password.transpose().map_err(TokenStoreError::Password)?;
        let used = state.join("used-objects");
        let ledger = Ledger::open(used.clone())
            .map_err(|source| WaysError::Ledger { path: used, source })?;
        Ok(Arc::new(Self {
            keys: Mutex::new(Keys::open(state.join("api-keys.json"))?),
            ledger: Mutex::new(ledger),
            tokens: TokenStore::open(tokens.redis.as_deref(), password.as_deref())?,
            api: settings.api,
        }))
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges an object, and uses it up unless this is only a look. Blocks on the disk.
    fn judge(&self, object: &AuthObject, look: bool) -> Result<Vouched, ObjectError> {
        let now = milliseconds();
        let vouched = {
            let keys = self.keys();
            let secret = keys.secret(object.key()).ok_or(ObjectError::Key)?;
            object.verify(secret, self.api.sha1, now)?
        };
        let mut ledger = self.ledger();
        if !look {
            ledger.enter(object, vouched.until, now)?;
        } else if ledger.knows(object) {
            return Err(ObjectError::Replay);
        }
        Ok(vouched)
    }

    pub(super) fn sweep(&self) {
        self.tokens.sweep(seconds());
    }
}

impl Ways {
    /// Whom a signed object (`api`) vouches for; uses it up.
    pub async fn object(&self, json: &str, from: IpAddr) -> Result<User, WayError> {
        self.is_open(Way::Api)?;
        let vouched = self.judged(json, from, Way::Api).await?;
        let mut user = User::new(vouched.upn, Way::Api);
        user.attributes = vouched.attributes;
        Ok(user)
    }

    /// For whom a signed object asks for a one-time token; uses the object up.
    pub async fn token_is_for(&self, json: &str, from: IpAddr) -> Result<UserName, WayError> {
        self.is_open(Way::Token)?;
        Ok(self.judged(json, from, Way::Token).await?.upn)
    }

    /// The token; what went wrong otherwise is in the log.
    pub async fn make_token(&self, user: UserName) -> Result<WebToken, WayError> {
        self.token_for(user).await.map_err(|error| {
            tracing::warn!(%error, "no token can be made");
            match error {
                TokenStoreError::TooMany => WayError::Busy,
                TokenStoreError::Random
                | TokenStoreError::Redis(_)
                | TokenStoreError::Password(_) => WayError::Unavailable,
            }
        })
    }

    async fn judged(&self, json: &str, from: IpAddr, way: Way) -> Result<Vouched, WayError> {
        let began = Instant::now();
        let judged = match AuthObject::parse(json) {
            Ok(object) => {
                let vouching = self.vouching().clone();
                tokio::task::spawn_blocking(move || vouching.judge(&object, false))
                    .await
                    .map_err(|_| WayError::Unavailable)?
            }
            Err(error) => Err(error),
        };
        match judged {
            Ok(vouched) => Ok(vouched),
            Err(error @ ObjectError::TooMany) => {
                tracing::warn!(%error, "auth object refused");
                Err(WayError::Busy)
            }
            Err(error @ ObjectError::Ledger(_)) => {
                tracing::error!(%error, "auth object refused");
                Err(WayError::Unavailable)
            }
            Err(error) => {
                // Names what is wrong, never what would have been right.
                tracing::info!(%error, "auth object refused; gatepost auth check explains one");
                Err(self.failed(way, None, Who::address(from), began).await)
            }
        }
    }

    /// What is wrong with an object, for whoever makes them; doesn't use it up. Blocks.
    pub fn check_object(&self, json: &str) -> Result<Vouched, ObjectError> {
        self.vouching().judge(&AuthObject::parse(json)?, true)
    }

    /// Makes a one-time token for a user.
    pub async fn token_for(&self, user: UserName) -> Result<WebToken, TokenStoreError> {
        self.vouching().tokens.create(user, seconds()).await
    }

    /// Whose one-time token this is; uses it up whatever the outcome.
    pub async fn token(&self, text: &str, from: IpAddr) -> Result<User, WayError> {
        self.is_open(Way::Token)?;
        let began = Instant::now();
        let found = match text.parse::<WebToken>() {
            Ok(token) => self.vouching().tokens.burn(&token, seconds()).await,
            Err(_) => Ok(None),
        };
        match found {
            Ok(Some(user)) => Ok(User::new(user, Way::Token)),
            Ok(None) => Err(self
                .failed(Way::Token, None, Who::address(from), began)
                .await),
            Err(error) => {
                tracing::warn!(%error, "a token can't be looked up");
                Err(WayError::Unavailable)
            }
        }
    }

    /// Lets in whoever comes from this machine, or from anywhere where the owner knows what that
    /// means.
    pub fn nobody_asked(&self, from: IpAddr) -> Result<User, WayError> {
        self.is_open(Way::None)?;
        let anywhere = self.settings().none.i_know_that_anybody_gets_a_shell;
        if !(anywhere || from.to_canonical().is_loopback()) {
            return Err(WayError::Closed(Way::None));
        }
        let name = "anonymous".parse().map_err(|_| WayError::Unavailable)?;
        Ok(User::new(name, Way::None))
    }

    /// The API keys, without their secrets.
    pub fn api_keys(&self) -> Vec<KeyInfo> {
        self.vouching().keys().list()
    }

    /// Makes an API key. Blocks.
    pub fn create_api_key(&self, name: &str) -> Result<NewKey, KeysError> {
        let now = seconds().unsigned_abs();
        self.vouching().keys().create(name, now)
    }

    /// Takes an API key away. Says whether it was there. Blocks.
    pub fn revoke_api_key(&self, key: &str) -> Result<bool, KeysError> {
        self.vouching().keys().revoke(key)
    }
}

fn milliseconds() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

fn seconds() -> i64 {
    i64::try_from(milliseconds() / 1000).unwrap_or(i64::MAX)
}
