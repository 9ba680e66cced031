//! Pages that may show Gatepost in a frame.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::PublicUrl;

use super::ServerError;

/// Who may show Gatepost in a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum FrameAncestor {
    /// Pages of this server.
    Own,
    /// Pages of this origin, as `https://host[:port]`.
    Origin(String),
}

impl FromStr for FrameAncestor {
    type Err = ServerError;
    fn from_str(text: &str) -> Result<Self, ServerError> {
        if text == "self" {
            return Ok(Self::Own);
        }
        // What stands here goes into a header, so nothing but a plain origin will do.
        match text.parse::<PublicUrl>() {
            Ok(url) if url.as_str().len() == url.origin().len() + 1 && is_plain(url.origin()) => {
                Ok(Self::Origin(url.origin().to_owned()))
            }
            _ => Err(ServerError::Ancestor(text.to_owned())),
        }
    }
}

impl fmt::Display for FrameAncestor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "self",
            Self::Origin(origin) => origin,
        })
    }
}

fn is_plain(origin: &str) -> bool {
    origin
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._:/[]".contains(&byte))
}

as_text!(FrameAncestor);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ancestors_are_read_strictly() {
        for bad in [
            "*",
            "'none'",
            "none",
            "https://a/path",
            "https://a; script-src *",
            "a.example",
            "data:",
            "https://*.example",
        ] {
            assert!(bad.parse::<FrameAncestor>().is_err(), "{bad}");
        }
    }
}
