//! One-time tokens: good once, for a short while. Pure: the clock is passed in.

use std::collections::HashMap;
use std::time::Instant;

use super::{AuthError, AuthLimits, Fingerprint};

/// Tokens that stand for a `T` each.
#[derive(Debug)]
pub(super) struct Tokens<T> {
    limits: AuthLimits,
    table: HashMap<Fingerprint, (Instant, T)>,
}

impl<T> Tokens<T> {
    pub(super) fn new(limits: AuthLimits) -> Self {
        Self {
            limits,
            table: HashMap::new(),
        }
    }

    /// Makes a token known.
    pub(super) fn insert(
        &mut self,
        token: Fingerprint,
        value: T,
        now: Instant,
    ) -> Result<(), AuthError> {
        if self.table.len() >= self.limits.max_tokens {
            self.sweep(now);
        }
        if self.table.len() >= self.limits.max_tokens {
            return Err(AuthError::TooMany);
        }
        self.table.insert(token, (now, value));
        Ok(())
    }

    /// Uses a token up.
    pub(super) fn take(&mut self, token: &Fingerprint, now: Instant) -> Option<T> {
        let (made, value) = self.table.remove(token)?;
        (now.saturating_duration_since(made) <= self.limits.token_life).then_some(value)
    }

    /// Forgets tokens past their time.
    pub(super) fn sweep(&mut self, now: Instant) {
        let life = self.limits.token_life;
        self.table
            .retain(|_, (made, _)| now.saturating_duration_since(*made) <= life);
        if self.table.is_empty() {
            self.table = HashMap::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn token(number: u64) -> Fingerprint {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Fingerprint(bytes)
    }

    #[test]
    fn token_reuse_is_refused() {
        let now = Instant::now();
        let mut tokens = Tokens::new(AuthLimits::default());
        tokens.insert(token(1), "x", now).unwrap();
        assert_eq!(tokens.take(&token(1), now), Some("x"));
        assert_eq!(tokens.take(&token(1), now), None);
    }

    #[test]
    fn token_expired_21s_is_refused_and_at_20s_it_is_good() {
        let now = Instant::now();
        let mut tokens = Tokens::new(AuthLimits::default());
        tokens.insert(token(1), (), now).unwrap();
        tokens.insert(token(2), (), now).unwrap();
        assert!(
            tokens
                .take(&token(1), now + Duration::from_secs(20))
                .is_some()
        );
        assert!(
            tokens
                .take(&token(2), now + Duration::from_secs(21))
                .is_none()
        );
    }

    #[test]
    fn the_table_holds_10_000_tokens_and_one_more_is_refused_until_some_expire() {
        let now = Instant::now();
        let mut tokens = Tokens::new(AuthLimits::default());
        for number in 0..10_000 {
            tokens.insert(token(number), (), now).unwrap();
        }
        assert!(matches!(
            tokens.insert(token(10_000), (), now),
            Err(AuthError::TooMany)
        ));
        tokens
            .insert(token(10_000), (), now + Duration::from_secs(21))
            .unwrap();
        assert_eq!(tokens.table.len(), 1);
    }
}
