//! How a name that another server vouches for becomes a name here: a template like `{sub}@google`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::UserName;

/// Longest template, in bytes.
const MAX_TEMPLATE: usize = 200;

/// A text with placeholders for what was verified: `{email}`, `{sub}@google`. The name it makes
/// always holds an `@`, so that nobody elsewhere can come by the name of an account of this machine,
/// or of somebody who logs in another way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct NameTemplate {
    text: String,
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameTemplateError {
    /// Braces that don't pair, or nothing (or nonsense) between them.
    #[error(
        "{0:?} is not a name template: write placeholders like {{sub}}, as in \"{{sub}}@google\""
    )]
    Form(String),
    /// No placeholder: everybody would be the same user.
    #[error(
        "{0:?} has no placeholder, so that everybody would be the same user; write \"{{sub}}@google\""
    )]
    Same(String),
    /// Nothing in it makes sure that there is an `@`.
    #[error(
        "{0:?} could make the name of an account of this machine; put an @ into it, as in \"{{sub}}@google\" (only {{email}} and {{principal}} bring their own)"
    )]
    At(String),
}

/// Why nobody's name could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamingError {
    /// What the template asks for wasn't said, or wasn't verified.
    #[error("nothing verified is known as {0:?}, which the setting `upn` asks for")]
    Missing(String),
    /// The result is no name.
    #[error("what `upn` makes of it can't be a user's name: {0}")]
    Name(#[from] crate::base::UserNameError),
    /// The result has no `@`.
    #[error("what `upn` makes of it has no @, so that it could be an account of this machine")]
    At,
}

enum Part<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

fn parts(text: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (literal, after) = rest.split_once('{').unwrap_or((rest, ""));
        if literal.contains('}') {
            return None;
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        if literal.len() == rest.len() {
            break;
        }
        let (name, after) = after.split_once('}')?;
        let known = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
        if name.is_empty() || !name.chars().all(known) {
            return None;
        }
        parts.push(Part::Placeholder(name));
        rest = after;
    }
    Some(parts)
}

impl NameTemplate {
    /// One of ours, which a test has read.
    pub(super) fn known(text: &'static str) -> Self {
        Self {
            text: text.to_owned(),
        }
    }

    /// The name this makes of what was verified.
    pub fn fill<'a>(
        &self,
        verified: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<UserName, NamingError> {
        let mut name = String::new();
        for part in parts(&self.text).unwrap_or_default() {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Placeholder(wanted) => name.push_str(
                    verified(wanted)
                        .filter(|value| !value.is_empty())
                        .ok_or_else(|| NamingError::Missing(wanted.to_owned()))?,
                ),
            }
        }
        if !name.contains('@') {
            return Err(NamingError::At);
        }
        Ok(name.parse()?)
    }
}

impl FromStr for NameTemplate {
    type Err = NameTemplateError;
    fn from_str(text: &str) -> Result<Self, NameTemplateError> {
        let form = || NameTemplateError::Form(text.chars().take(MAX_TEMPLATE).collect());
        if text.len() > MAX_TEMPLATE {
            return Err(form());
        }
        let parts = parts(text).ok_or_else(form)?;
        let mut placeholders = parts.iter().filter_map(|part| match part {
            Part::Placeholder(name) => Some(*name),
            Part::Text(_) => None,
        });
        let brings_its_own = |name| matches!(name, "email" | "principal");
        let at = parts
            .iter()
            .any(|part| matches!(part, Part::Text(text) if text.contains('@')))
            || placeholders.clone().any(brings_its_own);
        if placeholders.next().is_none() {
            return Err(NameTemplateError::Same(text.to_owned()));
        }
        if !at {
            return Err(NameTemplateError::At(text.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
        })
    }
}

impl TryFrom<String> for NameTemplate {
    type Error = NameTemplateError;
    fn try_from(text: String) -> Result<Self, NameTemplateError> {
        text.parse()
    }
}

impl From<NameTemplate> for String {
    fn from(template: NameTemplate) -> Self {
        template.text
    }
}

impl fmt::Display for NameTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str) -> Result<String, NamingError> {
        let template: NameTemplate = template.parse().unwrap();
        template
            .fill(|name| match name {
                "sub" => Some("1042"),
                "email" => Some("alice@ops.example"),
                "principal" => Some("nobody"),
                "evil" => Some("../root"),
                "empty" => Some(""),
                _ => None,
            })
            .map(|name| name.to_string())
    }

    #[test]
    fn templates_make_names() {
        assert_eq!(fill("{sub}@google").unwrap(), "1042@google");
        assert_eq!(fill("{email}").unwrap(), "alice@ops.example");
        assert_eq!(fill("x-{sub}-{sub}@y").unwrap(), "x-1042-1042@y");
    }

    #[test]
    fn what_was_not_verified_and_what_is_no_name_makes_nobody() {
        assert_eq!(
            fill("{nick}@x"),
            Err(NamingError::Missing("nick".to_owned()))
        );
        assert!(matches!(fill("{empty}@x"), Err(NamingError::Missing(_))));
        assert!(matches!(fill("{evil}@x"), Err(NamingError::Name(_))));
        assert_eq!(fill("{principal}"), Err(NamingError::At));
    }

    #[test]
    fn templates_that_could_make_a_local_name_are_refused() {
        let read = |text: &str| text.parse::<NameTemplate>();
        for bad in [
            "{sub",
            "sub}",
            "{}@x",
            "{a b}@x",
            "{{sub}}@x",
            &"x".repeat(201),
        ] {
            assert!(
                matches!(read(bad), Err(NameTemplateError::Form(_))),
                "{bad}"
            );
        }
        assert!(matches!(read("root@x"), Err(NameTemplateError::Same(_))));
        assert!(matches!(read(""), Err(NameTemplateError::Same(_))));
        assert!(matches!(read("{sub}"), Err(NameTemplateError::At(_))));
        for ours in ["{principal}", "{email}", "{user}@cas", "{sub}@x"] {
            assert!(read(ours).is_ok());
        }
    }
}
