//! Secrets: 256 random bits that are compared without telling how much of them was right, and never printed.

use std::fmt;
use std::str::FromStr;

use subtle::ConstantTimeEq as _;

/// A random secret: a login's token or a one-time token. Its text form is 64 hexadecimal digits.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// A secret from random bytes, which the caller takes from the operating system.
    pub fn from_random(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// The bytes, for hashing.
    pub fn expose_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The text to hand to whoever may know it. Never log it.
    pub fn expose_hex(&self) -> String {
        use fmt::Write as _;
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut out, byte| {
                // Writing to a String can't fail.
                let _infallible = write!(out, "{byte:02x}");
                out
            })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

/// The text is not a secret's form. Says nothing of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a token has 64 hexadecimal digits")]
pub struct ParseSecretError;

impl FromStr for Secret {
    type Err = ParseSecretError;
    fn from_str(text: &str) -> Result<Self, ParseSecretError> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(ParseSecretError);
        }
        let mut out = [0; 32];
        for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else {
                return Err(ParseSecretError);
            };
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(out))
    }
}

fn digit(byte: u8) -> Result<u8, ParseSecretError> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(ParseSecretError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_a_round_trip_and_never_shows_itself() {
        let secret = Secret::from_random([0xa5; 32]);
        assert_eq!(secret.expose_hex().parse::<Secret>(), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "<secret>");
        assert!("A5".repeat(32).parse::<Secret>().is_err(), "one form only");
    }
}
