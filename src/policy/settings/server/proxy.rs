//! Proxies whose word about clients is taken, and the header they say it in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::Network;

use super::ServerError;

/// The header in which a trusted proxy names the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, with `X-Forwarded-Proto` for the scheme.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Whose word about clients is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum TrustedProxy {
    /// Whoever may connect to the Unix socket.
    Unix,
    /// Proxies with an address in this block.
    Network(Network),
}

impl FromStr for TrustedProxy {
    type Err = ServerError;
    fn from_str(text: &str) -> Result<Self, ServerError> {
        match text {
            "unix" => Ok(Self::Unix),
            other => match other.parse() {
                Ok(network) => Ok(Self::Network(network)),
                Err(_) => Err(ServerError::Proxy(text.to_owned())),
            },
        }
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix => f.write_str("unix"),
            Self::Network(network) => network.fmt(f),
        }
    }
}

as_text!(TrustedProxy);
