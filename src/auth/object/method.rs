//! How an auth object is signed.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

/// The hash in the HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Method {
    /// Bytes of a signature.
    pub(super) const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The signature of these bytes; none if the secret can't be one.
    pub(super) fn sign(self, secret: &[u8], signed: &[u8]) -> Option<Vec<u8>> {
        macro_rules! sign {
            ($hash:ty) => {
                Hmac::<$hash>::new_from_slice(secret)
                    .ok()?
                    .chain_update(signed)
                    .finalize()
                    .into_bytes()
                    .to_vec()
            };
        }
        Some(match self {
            Self::Sha1 => sign!(Sha1),
            Self::Sha256 => sign!(Sha256),
            Self::Sha384 => sign!(Sha384),
            Self::Sha512 => sign!(Sha512),
        })
    }

    /// Compares in constant time.
    pub(super) fn verify(self, secret: &[u8], signed: &[u8], signature: &[u8]) -> bool {
        macro_rules! verify {
            ($hash:ty) => {
                Hmac::<$hash>::new_from_slice(secret)
                    .is_ok_and(|mac| mac.chain_update(signed).verify_slice(signature).is_ok())
            };
        }
        match self {
            Self::Sha1 => verify!(Sha1),
            Self::Sha256 => verify!(Sha256),
            Self::Sha384 => verify!(Sha384),
            Self::Sha512 => verify!(Sha512),
        }
    }
}
