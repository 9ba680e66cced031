//! Where the bundle of an update is.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest text, in bytes.
const MAX: usize = 1024;

/// A file of the machine, an address, or a USB stick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum BundleSource {
    /// A file, by its whole path.
    File(PathBuf),
    /// An address: https, or http on this very machine.
    Url(String),
    /// The newest one on a USB stick.
    Usb,
}

/// Why a text names none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a bundle is named by its whole path, by an https:// address, or as usb")]
pub struct BundleSourceError;

impl FromStr for BundleSource {
    type Err = BundleSourceError;
    fn from_str(text: &str) -> Result<Self, BundleSourceError> {
        if text.len() > MAX || text.contains(char::is_control) {
            return Err(BundleSourceError);
        }
        if text == "usb" {
            return Ok(Self::Usb);
        }
        if text.starts_with('/') {
            return Ok(Self::File(text.into()));
        }
        let plain = |rest: &str| {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
            let bare = name.trim_start_matches('[').trim_end_matches(']');
            !host.contains('@')
                && (name == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
        };
        let good = match text.split_once("://") {
            Some(("https", rest)) => !rest.is_empty() && !rest.contains(char::is_whitespace),
            Some(("http", rest)) => plain(rest) && !rest.contains(char::is_whitespace),
            _ => false,
        };
        good.then(|| Self::Url(text.to_owned()))
            .ok_or(BundleSourceError)
    }
}

impl fmt::Display for BundleSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(url) => f.write_str(url),
            Self::Usb => f.write_str("usb"),
        }
    }
}

impl TryFrom<String> for BundleSource {
    type Error = BundleSourceError;
    fn try_from(text: String) -> Result<Self, BundleSourceError> {
        text.parse()
    }
}

impl From<BundleSource> for String {
    fn from(source: BundleSource) -> Self {
        source.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_are_named_by_path_address_or_stick_and_nothing_else() {
        for good in [
            "/srv/a b.bundle",
            "https://example.org/x?y=1",
            "http://127.0.0.1:8000/x",
            "http://[::1]:80/x",
            "usb",
        ] {
            assert_eq!(good.parse::<BundleSource>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "relative",
            "-o/etc/passwd",
            "http://example.org/x",
            "http://127.0.0.1@example.org/x",
            "http://127.0.0.1.example.org/x",
            "file:///etc/passwd",
            "https://",
            "https://a b",
            "/a\nb",
        ] {
            assert!(bad.parse::<BundleSource>().is_err(), "{bad}");
        }
        assert!(
            format!("/{}", "a".repeat(MAX))
                .parse::<BundleSource>()
                .is_err()
        );
    }
}
