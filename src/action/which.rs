//! How a person names a terminal before it is looked up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::{NameError, TerminalId, TerminalName};

/// A terminal's id, its name, or an unambiguous beginning of its id: what [`super::find`] understands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Which(String);

impl Which {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Which {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        // Ids and their beginnings are names, too.
        TerminalName::from_str(text).map(|name| Self(name.into()))
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<TerminalId> for Which {
    fn from(id: TerminalId) -> Self {
        Self(id.to_string())
    }
}

impl From<Which> for String {
    fn from(which: Which) -> Self {
        which.0
    }
}

impl TryFrom<String> for Which {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}
