//! What a login is known by: to us its secret's fingerprint, to people an id in lists.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::base::Secret;

/// What a secret is known by here: its SHA-256. Who reads our memory dump or our file can't log in
/// with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Fingerprint(pub(super) [u8; 32]);

impl From<Fingerprint> for [u8; 32] {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.0
    }
}

impl From<[u8; 32]> for Fingerprint {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl Fingerprint {
    pub(super) fn of(secret: &Secret) -> Self {
        Self(Sha256::digest(secret.expose_bytes()).into())
    }
}

/// Names a login in lists. Made from the fingerprint, so it outlives restarts and tells nothing of
/// the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoginId(u64);

impl LoginId {
    pub(super) fn of(fingerprint: Fingerprint) -> Self {
        let first = fingerprint.0.first_chunk();
        Self(first.copied().map_or(0, u64::from_be_bytes))
    }
}

impl fmt::Display for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for LoginId {
    type Err = ParseLoginIdError;
    fn from_str(text: &str) -> Result<Self, ParseLoginIdError> {
        let digits = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if text.len() == 16 && text.chars().all(digits) {
            u64::from_str_radix(text, 16)
                .map(Self)
                .map_err(|_| ParseLoginIdError)
        } else {
            Err(ParseLoginIdError)
        }
    }
}

/// The text is not the id of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a login's id has 16 hexadecimal digits; gatepost logins list shows them")]
pub struct ParseLoginIdError;
