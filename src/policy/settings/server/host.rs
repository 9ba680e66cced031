//! Host names the server answers to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ServerError;

/// A name in a `Host` header: a DNS name or an address, in small letters, brackets around IPv6.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct HostName(String);

impl HostName {
    /// The name as it stands in a `Host` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostName {
    type Err = ServerError;
    fn from_str(text: &str) -> Result<Self, ServerError> {
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        if let Ok(ip) = bare.parse::<std::net::Ipv6Addr>() {
            return Ok(Self(format!("[{ip}]")));
        }
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if text.len() <= 253 && text.split('.').all(label) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(ServerError::Host(text.to_owned()))
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(HostName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_read_strictly() {
        for bad in [
            "",
            "*",
            "a..b",
            "-a",
            "a b",
            "https://a",
            "a:80",
            "[a]",
            "a/",
        ] {
            assert!(bad.parse::<HostName>().is_err(), "{bad}");
        }
    }
}
