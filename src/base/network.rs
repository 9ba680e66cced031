//! Networks written as `10.0.0.0/8`, and the `http`/`https` addresses this server is known by.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A block of addresses: `192.0.2.0/24`, `2001:db8::/32`, or one address without a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Network {
    first: IpAddr,
    length: u8,
}

/// Why a text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Neither an address nor an address with a length.
    #[error("{0:?} is not a network like 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7")]
    Form(String),
    /// `10.1.2.3/8`: one of the two is not what was meant.
    #[error("{0}: the address has bits set behind the length; did you mean {1}?")]
    Loose(String, Network),
}

impl Network {
    /// Whether the address is in the block. IPv4 addresses written as IPv6 (`::ffff:…`) count as
    /// what they are.
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::cut(address.to_canonical(), self.length) == Some(self.first)
            && address.to_canonical().is_ipv4() == self.first.is_ipv4()
    }

    /// The first address of the block of this length that holds `address`.
    fn cut(address: IpAddr, length: u8) -> Option<IpAddr> {
        match address {
            IpAddr::V4(ip) => {
                let rest = 32_u32.checked_sub(length.into())?;
                let mask = u32::MAX.checked_shl(rest).unwrap_or(0);
                Some(Ipv4Addr::from_bits(ip.to_bits() & mask).into())
            }
            IpAddr::V6(ip) => {
                let rest = 128_u32.checked_sub(length.into())?;
                let mask = u128::MAX.checked_shl(rest).unwrap_or(0);
                Some(Ipv6Addr::from_bits(ip.to_bits() & mask).into())
            }
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError::Form(text.to_owned());
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => whole,
            // `+8` and `08` are numbers for Rust.
            Some(digits) if digits.starts_with(['+', '0']) && digits != "0" => return Err(wrong()),
            Some(digits) => digits.parse().map_err(|_| wrong())?,
        };
        let first = Self::cut(address, length).ok_or_else(wrong)?;
        let network = Self { first, length };
        if first == address {
            Ok(network)
        } else {
            Err(NetworkError::Loose(text.to_owned(), network))
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.length)
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;
    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

/// Where others see this server: `https://host[:port]/[path]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PublicUrl {
    /// Scheme, host and port, as a browser's `Origin` says it.
    origin: String,
    host: String,
    /// The whole, ending in `/`.
    url: String,
}

/// Why a text is no public URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a URL like https://host/ or http://host:port/path/, without query, fragment or user"
)]
pub struct PublicUrlError(String);

impl PublicUrl {
    /// The URL, ending in `/`.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Scheme, host and port, as a browser's `Origin` header says it.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The host, in small letters, brackets of an IPv6 address included.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;
    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let wrong = || PublicUrlError(text.to_owned());
        let uri: http::Uri = text.parse().map_err(|_| wrong())?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) =
            (uri.scheme_str(), uri.authority())
        else {
            return Err(wrong());
        };
        if authority.as_str().contains('@') || uri.query().is_some() || text.contains('#') {
            return Err(wrong());
        }
        let host = authority.host().to_ascii_lowercase();
        // A browser leaves the scheme's usual port out of an Origin.
        let port = match (scheme, authority.port_u16()) {
            (_, None) | ("http", Some(80)) | ("https", Some(443)) => String::new(),
            (_, Some(port)) => format!(":{port}"),
        };
        let origin = format!("{scheme}://{host}{port}");
        let path = uri.path().trim_end_matches('/');
        let url = format!("{origin}{path}/");
        Ok(Self { origin, host, url })
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        url.url
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = PublicUrlError;
    fn try_from(text: String) -> Result<Self, PublicUrlError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_what_is_in_them_and_nothing_beside() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "203.0.113.1", "::1"),
            ("::/0", "2001:db8::1", "127.0.0.1"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
            ("127.0.0.0/8", "::ffff:127.0.0.9", "::1"),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert!(parsed.contains(inside.parse().unwrap()), "{network}");
            assert!(!parsed.contains(outside.parse().unwrap()), "{network}");
            assert_eq!(parsed.to_string().parse(), Ok(parsed));
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bad in [
            "",
            "10",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            "10.1.0.0/8",
            " 10.0.0.0/8",
            "*",
            "localhost",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn public_urls_are_read_strictly() {
        let read = |text: &str| text.parse::<PublicUrl>().map(|url| url.url);
        assert_eq!(read("https://a.b").unwrap(), "https://a.b/");
        assert_eq!(read("http://a.b:81/x/").unwrap(), "http://a.b:81/x/");
        for bad in [
            "a.b",
            "ftp://a.b/",
            "https://u@a.b/",
            "https://a.b/?q",
            "https://a.b/#f",
            "",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
