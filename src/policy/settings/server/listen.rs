//! Addresses to listen on, and who may connect to the Unix socket.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ServerError;

/// An address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Listen {
    /// The address.
    pub address: SocketAddr,
    /// Written with `http://`: never TLS.
    pub plain: bool,
}

impl Listen {
    /// An address without a scheme: HTTPS when TLS is on.
    pub const fn bare(address: SocketAddr) -> Self {
        Self {
            address,
            plain: false,
        }
    }
}

impl FromStr for Listen {
    type Err = ServerError;
    fn from_str(text: &str) -> Result<Self, ServerError> {
        let (plain, address) = match text.strip_prefix("http://") {
            Some(rest) => (true, rest.strip_suffix('/').unwrap_or(rest)),
            None => (false, text),
        };
        let address = address
            .parse()
            .map_err(|_| ServerError::Listen(text.to_owned()))?;
        Ok(Self { address, plain })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.plain { "http://" } else { "" };
        write!(f, "{scheme}{}", self.address)
    }
}

as_text!(Listen);

/// Permissions of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct FileMode(pub(super) u32);

impl FileMode {
    /// The bits, as chmod takes them.
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl FromStr for FileMode {
    type Err = ServerError;
    fn from_str(text: &str) -> Result<Self, ServerError> {
        let wrong = || ServerError::Mode(text.to_owned());
        let octal = text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        if !octal || !(3..=4).contains(&text.len()) {
            return Err(wrong());
        }
        match u32::from_str_radix(text, 8) {
            Ok(mode) if mode <= 0o777 => Ok(Self(mode)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

as_text!(FileMode);
