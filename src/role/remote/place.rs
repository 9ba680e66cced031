//! The address of a Gatepost on another machine.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;

/// `https://HOST[:PORT][/PREFIX/]`. Without TLS only where nobody can listen in: loopback, as through
/// `ssh -L`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlaceParts {
    secure: bool,
    host: String,
    port: u16,
    prefix: String,
}

/// See [`PlaceParts`]; parsed once, valid for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::role) struct Place(PlaceParts);

impl Place {
    /// Whether it is spoken to over TLS.
    pub(super) const fn is_secure(&self) -> bool {
        self.0.secure
    }

    /// The host without the brackets of an IPv6 address.
    pub(super) fn host(&self) -> &str {
        self.0.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port.
    pub(super) const fn port(&self) -> u16 {
        self.0.port
    }

    /// What goes into `Host`.
    pub(super) fn authority(&self) -> String {
        let usual = if self.0.secure { 443 } else { 80 };
        if self.0.port == usual {
            self.0.host.clone()
        } else {
            format!("{}:{}", self.0.host, self.0.port)
        }
    }

    /// What goes into `Origin`.
    pub(super) fn origin(&self) -> String {
        let scheme = if self.0.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.authority())
    }

    /// The path of an address of the server's.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.0.prefix)
    }

    /// A file name for what is remembered of it.
    pub(super) fn file_name(&self) -> String {
        let text = format!("{}_{}{}", self.0.host, self.0.port, self.0.prefix);
        let safe = |c: char| {
            if c.is_ascii_alphanumeric() || ".-_".contains(c) {
                c
            } else {
                '_'
            }
        };
        format!("{}.json", text.chars().map(safe).collect::<String>())
    }
}

impl FromStr for Place {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not an address like https://HOST:8722");
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let host = authority.host().to_ascii_lowercase();
        if host.is_empty() || authority.as_str().contains('@') || uri.query().is_some() {
            return Err(wrong());
        }
        let place = PlaceParts {
            secure,
            port: authority
                .port_u16()
                .unwrap_or(if secure { 443 } else { 80 }),
            prefix: format!("{}/", uri.path().trim_end_matches('/')),
            host,
        };
        let place = Self(place);
        let local = place.host() == "localhost"
            || place
                .host()
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        if secure || local {
            Ok(place)
        } else {
            Err(format!(
                "{text} would send your login over the network in the clear: say https://, or go through ssh -L and http://localhost:PORT"
            ))
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.0.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_understood_and_never_spoken_to_in_the_clear() {
        let place: Place = "https://kiosk.example:8722".parse().unwrap();
        assert_eq!((place.host(), place.port()), ("kiosk.example", 8722));
        assert_eq!(place.origin(), "https://kiosk.example:8722");
        assert_eq!(place.path("api/login"), "/api/login");
        let place: Place = "https://[2001:db8::1]/term/".parse().unwrap();
        assert_eq!((place.host(), place.port()), ("2001:db8::1", 443));
        assert_eq!(
            (place.authority().as_str(), place.path("x").as_str()),
            ("[2001:db8::1]", "/term/x")
        );
        assert_eq!(place.file_name(), "_2001_db8__1__443_term_.json");
        assert!("http://127.0.0.1:8722".parse::<Place>().is_ok());
        assert!("http://localhost:8722".parse::<Place>().is_ok());
        for bad in [
            "http://kiosk.example",
            "http://127.0.0.1.evil.example",
            "kiosk.example",
            "ftp://x",
            "https://",
            "https://user:password@host",
            "https://host/?token=x",
        ] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
