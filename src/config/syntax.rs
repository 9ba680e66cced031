//! The ways a file may be written, and what they have in common.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::policy::Problem;
use crate::policy::tree::{Origin, Value};

use super::{json, toml, yaml};

/// Largest file, in bytes: far more than anybody writes, little enough to read on a Pi in no time.
pub const MAX_FILE: usize = 1 << 20;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// TOML 1.0.
    Toml,
    /// JSON with `//` and `/* */` comments and trailing commas.
    Json,
    /// YAML, as far as cloud-init's files need it. Never a file of settings: only provisioning reads it.
    Yaml,
}

impl Syntax {
    /// By the ending of a file's name: `.conf` and `.json` are JSON.
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("conf" | "json") => Self::Json,
            _ => Self::Toml,
        }
    }
}

/// Reads a text as a table of scopes. `path` is for the messages.
pub fn parse(syntax: Syntax, text: &str, path: &Path) -> Result<Value, Vec<Problem>> {
    let place = Places::new(text, path);
    if text.len() > MAX_FILE {
        return Err(vec![Problem::error(
            &place.at(0),
            "",
            format!(
                "the file has {} bytes; at most {MAX_FILE} are read",
                text.len()
            ),
        )]);
    }
    match syntax {
        Syntax::Toml => toml::parse(text, &place),
        Syntax::Json => json::parse(text, &place).map_err(|problem| vec![problem]),
        Syntax::Yaml => yaml::parse(text, &place).map_err(|problem| vec![problem]),
    }
}

/// Where each text value of a TOML or YAML file stands, quotes included: its place as [`parse`] gives it,
/// and its bytes. For taking a value out of a file that is otherwise left as it is.
pub fn texts(syntax: Syntax, text: &str, path: &Path) -> Vec<(Origin, Range<usize>)> {
    let place = Places::new(text, path);
    let spans = match syntax {
        Syntax::Toml => toml::texts(text),
        Syntax::Yaml => yaml::texts(text),
        Syntax::Json => Vec::new(),
    };
    let placed = spans.into_iter().map(|span| (place.at(span.start), span));
    placed.collect()
}

/// Turns positions in a text into lines and columns.
#[derive(Debug)]
pub(super) struct Places<'a> {
    text: &'a str,
    file: Arc<Path>,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str, path: &Path) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1));
        Self {
            text,
            file: path.into(),
            lines: lines.collect(),
        }
    }

    /// The place of the byte at this offset.
    pub(super) fn at(&self, offset: usize) -> Origin {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Origin::File {
            file: self.file.clone(),
            line: count(line),
            column: count(before.chars().count() + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "a\näöü = 1\n";
        let places = Places::new(text, Path::new("x.toml"));
        assert_eq!(places.at(0).to_string(), "x.toml:1:1");
        assert_eq!(places.at(2).to_string(), "x.toml:2:1");
        assert_eq!(places.at(text.find('=').unwrap()).to_string(), "x.toml:2:5");
        assert_eq!(places.at(text.len()).to_string(), "x.toml:3:1");
    }
}
