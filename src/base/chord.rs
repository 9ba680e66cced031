//! `Chord`: keys pressed together, as a person writes them: `Ctrl-Alt-Shift-A`, `Alt-F4`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Keys with a name of more than one letter, besides `F1` to `F24`.
const NAMED: &[&str] = &[
    "Backspace",
    "Delete",
    "Down",
    "End",
    "Enter",
    "Escape",
    "Home",
    "Insert",
    "Left",
    "Menu",
    "Minus",
    "PageDown",
    "PageUp",
    "Pause",
    "Plus",
    "Print",
    "Right",
    "Space",
    "Super",
    "Tab",
    "Up",
];
/// In the order in which they are written.
const MODIFIERS: [&str; 4] = ["Ctrl", "Alt", "Shift", "Super"];
/// Highest function key.
const LAST_F: u8 = 24;

/// A key and the modifiers held with it. Letters mean the key, not the case: `Shift-A`, never `a`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Chord {
    /// Ctrl, Alt, Shift, Super.
    held: [bool; 4],
    key: String,
}

/// Why a text is no chord.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChordError {
    /// What comes before the last `-` has to be a modifier.
    #[error("\"{0}\" is no modifier; these are Ctrl, Alt, Shift and Super, as in Ctrl-Alt-Shift-A")]
    Modifier(String),
    /// The same modifier twice.
    #[error("{0} stands there twice")]
    Twice(&'static str),
    /// There is no key of that name.
    #[error(
        "\"{0}\" is no key; write a letter, a digit, a sign, F1 to F24, or one of {names}",
        names = NAMED.join(", ")
    )]
    Key(String),
}

impl Chord {
    /// Longest text of one, in bytes.
    pub const MAX_TEXT: usize = 40;

    /// The modifiers (Ctrl, Alt, Shift, Super) and the key's name as in [`Chord`]'s text.
    ///
    /// # Errors
    /// There is no such key.
    pub fn new(held: [bool; 4], key: &str) -> Result<Self, ChordError> {
        Ok(Self {
            held,
            key: known_key(key).ok_or_else(|| ChordError::Key(shown(key)))?,
        })
    }
}

/// A key's name as we write it.
fn known_key(key: &str) -> Option<String> {
    let mut letters = key.chars();
    if let (Some(one), None) = (letters.next(), letters.next()) {
        // Signs stand for themselves; '-' would be hard to tell from what joins, '+' likewise.
        return match one {
            '-' => Some("Minus".to_owned()),
            '+' => Some("Plus".to_owned()),
            one if one.is_ascii_graphic() => Some(one.to_ascii_uppercase().to_string()),
            _ => None,
        };
    }
    let function = key.strip_prefix(['F', 'f']).filter(|digits| {
        let canonical = !digits.starts_with(['0', '+']);
        canonical && digits.parse::<u8>().is_ok_and(|number| number <= LAST_F)
    });
    if let Some(digits) = function {
        return Some(format!("F{digits}"));
    }
    let named = NAMED.iter().find(|name| name.eq_ignore_ascii_case(key));
    named.map(|name| (*name).to_owned())
}

/// Enough of a wrong text to find it again.
fn shown(text: &str) -> String {
    text.chars().take(Chord::MAX_TEXT).collect()
}

impl FromStr for Chord {
    type Err = ChordError;

    fn from_str(text: &str) -> Result<Self, ChordError> {
        let (before, key) = match text.strip_suffix("--") {
            // "Ctrl--" is the key '-' itself.
            Some(before) => (before, "-"),
            None => match text.rsplit_once('-') {
                Some(split) if text != "-" => split,
                _ => ("", text),
            },
        };
        let mut held = [false; 4];
        for word in before.split('-').filter(|_| !before.is_empty()) {
            let found = MODIFIERS
                .iter()
                .zip(&mut held)
                .find(|(name, _)| name.eq_ignore_ascii_case(word));
            match found {
                Some((name, true)) => return Err(ChordError::Twice(name)),
                Some((_, held)) => *held = true,
                None => return Err(ChordError::Modifier(shown(word))),
            }
        }
        Self::new(held, key)
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in self.held.iter().zip(MODIFIERS) {
            if *held {
                write!(out, "{name}-")?;
            }
        }
        out.write_str(&self.key)
    }
}

impl From<Chord> for String {
    fn from(chord: Chord) -> Self {
        chord.to_string()
    }
}

impl TryFrom<String> for Chord {
    type Error = ChordError;

    fn try_from(text: String) -> Result<Self, ChordError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for (text, canonical) in [
            ("Ctrl-Alt-Shift-A", "Ctrl-Alt-Shift-A"),
            ("shift-ctrl-a", "Ctrl-Shift-A"),
            ("alt-f4", "Alt-F4"),
            ("F24", "F24"),
            ("menu", "Menu"),
            ("Super-L", "Super-L"),
            ("Ctrl-.", "Ctrl-."),
            ("Ctrl--", "Ctrl-Minus"),
            ("Ctrl-Plus", "Ctrl-Plus"),
            ("Ctrl-+", "Ctrl-Plus"),
            ("-", "Minus"),
            ("7", "7"),
        ] {
            let chord: Chord = text.parse().unwrap();
            assert_eq!(chord.to_string(), canonical, "{text}");
            assert_eq!(canonical.parse::<Chord>().unwrap(), chord);
        }
    }

    #[test]
    fn what_is_no_chord_is_refused_with_a_reason() {
        for (text, reason) in [
            ("", "no key"),
            ("Ctrl-", "no key"),
            ("Ctrl-Ctrl-A", "twice"),
            ("Strg-A", "no modifier"),
            ("Ctrl-Ä", "no key"),
            ("F25", "no key"),
            ("F0", "no key"),
            ("F01", "no key"),
            ("Ctrl-Alt", "no key"),
            ("Ctrl Alt A", "no key"),
        ] {
            let error = text.parse::<Chord>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
