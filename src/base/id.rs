//! Ids: short, random, safe as a file name and in a URL.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Letters an id is made of: RFC 4648 base32 in lower case, so that none is mistaken for another.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Names one terminal for as long as it exists, through restarts of everything but its keeper.
///
/// Ten letters (50 random bits): unguessable enough not to be enumerated, short enough to type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TerminalId([u8; Self::LENGTH]);

impl TerminalId {
    /// Letters in an id.
    pub const LENGTH: usize = 10;

    /// An id from random bytes, which the caller takes from the operating system.
    pub fn from_random(random: [u8; Self::LENGTH]) -> Self {
        Self(random.map(|byte| {
            ALPHABET
                .get(usize::from(byte & 31))
                .copied()
                .unwrap_or(b'a')
        }))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // The constructor lets nothing but ASCII in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for TerminalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TerminalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a terminal id: expected {} letters a-z or digits 2-7",
    TerminalId::LENGTH
)]
pub struct ParseIdError;

impl FromStr for TerminalId {
    type Err = ParseIdError;
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let bytes: [u8; Self::LENGTH] = text.as_bytes().try_into().map_err(|_| ParseIdError)?;
        if bytes.iter().all(|byte| ALPHABET.contains(byte)) {
            Ok(Self(bytes))
        } else {
            Err(ParseIdError)
        }
    }
}

impl From<TerminalId> for String {
    fn from(id: TerminalId) -> Self {
        id.as_str().to_owned()
    }
}

impl TryFrom<String> for TerminalId {
    type Error = ParseIdError;
    fn try_from(text: String) -> Result<Self, ParseIdError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_a_round_trip_through_text() {
        let id = TerminalId::from_random([0, 1, 2, 3, 31, 32, 255, 7, 8, 9]);
        assert_eq!(id.to_string().parse::<TerminalId>(), Ok(id));
    }

    #[test]
    fn what_could_be_a_path_or_an_option_is_not_an_id() {
        for bad in [
            "",
            "../../etc",
            "-aaaaaaaaa",
            "aaaaaaaaa",
            "aaaaaaaaaaa",
            "AAAAAAAAAA",
            "a/aaaaaaaa",
        ] {
            assert_eq!(bad.parse::<TerminalId>(), Err(ParseIdError), "{bad}");
        }
    }
}
