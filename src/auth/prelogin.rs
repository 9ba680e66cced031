//! What ties the answer of another server to the browser that was sent there.
//!
//! A browser that is sent to a provider gets a cookie with a secret, and the provider a *state*: when
//! it was sent, signed over that secret. Whoever comes back needs both, within ten minutes, once. The other
//! secrets of a login (nonce, PKCE verifier) are made of the same secret when they are needed, so
//! that nothing is kept here for browsers that never come back, however many there are.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::base::Secret;

use super::{AuthError, random_secret};

/// How long somebody may take at the provider.
const LIFE: Duration = Duration::from_secs(600);
/// Most states remembered as used (100 bytes each); past it the oldest is forgotten, which only
/// matters to who holds that browser's cookie.
const MAX_USED: usize = 4096;

/// Signs and checks states.
#[derive(Debug)]
pub(super) struct Prelogins {
    key: hmac::Key,
    began: Instant,
    used: Mutex<HashMap<[u8; 32], Instant>>,
}

/// A login under way: the cookie's secret and where it leads.
#[derive(Debug)]
pub(super) struct Prelogin<'a> {
    table: &'a Prelogins,
    way: String,
    /// For the cookie.
    pub(super) browser: Secret,
    /// For the provider.
    pub(super) state: String,
    second: u64,
}

impl Prelogins {
    pub(super) fn new() -> Result<Self, AuthError> {
        let key = random_secret()?;
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key.expose_bytes()),
            began: Instant::now(),
            used: Mutex::default(),
        })
    }

    /// Begins a login by this way (`oidc/google`, `cas`).
    pub(super) fn begin(&self, way: &str, now: Instant) -> Result<Prelogin<'_>, AuthError> {
        let second = now.saturating_duration_since(self.began).as_secs();
        Ok(self.make(way, random_secret()?, second))
    }

    fn make(&self, way: &str, browser: Secret, second: u64) -> Prelogin<'_> {
        let mut prelogin = Prelogin {
            table: self,
            way: way.to_owned(),
            browser,
            state: String::new(),
            second,
        };
        prelogin.state = format!("{second:x}.{}", prelogin.derive("state"));
        prelogin
    }

    /// The login this state belongs to: begun by the browser with this cookie, for this way, not long
    /// ago, and not finished yet. Finishes it.
    pub(super) fn finish(
        &self,
        way: &str,
        state: &str,
        browser: &Secret,
        now: Instant,
    ) -> Option<Prelogin<'_>> {
        let (second, _) = state.split_once('.')?;
        let second = u64::from_str_radix(second, 16).ok()?;
        let age = now
            .saturating_duration_since(self.began)
            .as_secs()
            .checked_sub(second)?;
        let prelogin = self.make(way, browser.clone(), second);
        let same: bool =
            subtle::ConstantTimeEq::ct_eq(state.as_bytes(), prelogin.state.as_bytes()).into();
        (same && age <= LIFE.as_secs() && self.first_use(&prelogin, now)).then_some(prelogin)
    }

    fn first_use(&self, prelogin: &Prelogin<'_>, now: Instant) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, at| now.saturating_duration_since(*at) <= LIFE);
        while used.len() >= MAX_USED {
            let oldest = used.iter().min_by_key(|(_, at)| **at);
            let Some(oldest) = oldest.map(|(mark, _)| *mark) else {
                break;
            };
            used.remove(&oldest);
        }
        used.insert(prelogin.mark("used"), now).is_none()
    }
}

impl Prelogin<'_> {
    fn mark(&self, purpose: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.table.key);
        // Fixed lengths and a separator no name has: nothing can be read in two ways.
        context.update(self.browser.expose_bytes());
        context.update(&self.second.to_be_bytes());
        context.update(self.way.as_bytes());
        context.update(b"\0");
        context.update(purpose.as_bytes());
        let mut mark = [0; 32];
        mark.copy_from_slice(context.sign().as_ref());
        mark
    }

    /// A secret of this login for one purpose: 43 characters that are safe in addresses.
    pub(super) fn derive(&self, purpose: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mark(purpose))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_good_once_for_its_browser_and_its_way() {
        let table = Prelogins::new().unwrap();
        let now = Instant::now();
        let begun = table.begin("oidc/a", now).unwrap();
        let (state, browser) = (begun.state.clone(), begun.browser.clone());
        let stranger = random_secret().unwrap();
        assert!(table.finish("oidc/a", &state, &stranger, now).is_none());
        assert!(
            table.finish("oidc/b", &state, &browser, now).is_none(),
            "mixup"
        );
        for tampered in [
            "",
            ".",
            "0.",
            "zz",
            &format!("1{state}"),
            &format!("{state}x"),
        ] {
            assert!(table.finish("oidc/a", tampered, &browser, now).is_none());
        }
        let good = table.finish("oidc/a", &state, &browser, now).unwrap();
        assert_eq!(good.derive("nonce"), begun.derive("nonce"));
        assert_ne!(good.derive("nonce"), good.derive("verifier"));
        assert!(
            table.finish("oidc/a", &state, &browser, now).is_none(),
            "used"
        );
    }

    #[test]
    fn a_state_lives_ten_minutes() {
        let table = Prelogins::new().unwrap();
        let now = table.began + Duration::from_secs(5);
        for (late, good) in [(0, true), (600, true), (601, false)] {
            let begun = table.begin("cas", now).unwrap();
            let then = now + Duration::from_secs(late);
            let finished = table.finish("cas", &begun.state, &begun.browser, then);
            assert_eq!(finished.is_some(), good, "{late}");
        }
    }

    #[test]
    fn memory_of_used_states_is_bounded() {
        let table = Prelogins::new().unwrap();
        let now = Instant::now();
        for _ in 0..=MAX_USED {
            let begun = table.begin("cas", now).unwrap();
            table
                .finish("cas", &begun.state, &begun.browser, now)
                .unwrap();
        }
        assert_eq!(table.used.lock().unwrap().len(), MAX_USED);
    }
}
