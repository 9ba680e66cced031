//! The path everything is under.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ServerError;

/// A path that starts and ends in `/`; `/` alone means none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct UrlPrefix(String);

impl UrlPrefix {
    /// Longest prefix, in bytes: it stands in every request and every cookie.
    pub const MAX: usize = 200;

    /// The prefix, with both slashes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether everything is at the root.
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }
}

impl Default for UrlPrefix {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl FromStr for UrlPrefix {
    type Err = ServerError;
    fn from_str(text: &str) -> Result<Self, ServerError> {
        let inner = text.strip_prefix('/').unwrap_or(text);
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        if inner.is_empty() {
            return Ok(Self::default());
        }
        let good = |part: &str| {
            !part.is_empty()
                && !part.bytes().all(|byte| byte == b'.')
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        if inner.len() + 2 > Self::MAX || !inner.split('/').all(good) {
            return Err(ServerError::Prefix(text.to_owned()));
        }
        Ok(Self(format!("/{inner}/")))
    }
}

impl fmt::Display for UrlPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(UrlPrefix);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_read_strictly() {
        for bad in ["/a//b", "/../x", "/a b/", "/a;b/", "/a%2f/", "/ä/"] {
            assert!(bad.parse::<UrlPrefix>().is_err(), "{bad}");
        }
        assert!("a".repeat(198).parse::<UrlPrefix>().is_ok());
        assert!("a".repeat(199).parse::<UrlPrefix>().is_err());
    }
}
