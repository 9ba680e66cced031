//! How a line of a GPIO chip is named: by its number there, or by the name the board gives it.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A line: `17` or `"GPIO17"`, and `"CHIP:17"` where the machine has several chips. A chip is named by its
/// label or its device's name; a Pi's numbers are BCM's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub struct LineName {
    chip: Option<String>,
    line: String,
}

/// The text names no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a line is its number (BCM's on a Pi), its name as in \"GPIO17\", or either behind its chip's label, as in \"pinctrl-bcm2835:17\""
)]
pub struct LineNameError;

/// Longest name of a chip or line, in bytes (the kernel's `GPIO_MAX_NAME_SIZE` without its NUL).
const MAX: usize = 31;

impl LineName {
    /// The chip, if it is named.
    pub fn chip(&self) -> Option<&str> {
        self.chip.as_deref()
    }

    /// The line's name or number.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<u32> {
        self.line.parse().ok()
    }

    /// BCM's number of a Pi's line, however it is written.
    pub fn bcm(&self) -> Option<u8> {
        let digits = self.line.strip_prefix("GPIO").unwrap_or(&self.line);
        digits.parse().ok()
    }
}

impl FromStr for LineName {
    type Err = LineNameError;
    fn from_str(text: &str) -> Result<Self, LineNameError> {
        let good = |name: &str| {
            (1..=MAX).contains(&name.len())
                && name.chars().all(|c| c.is_ascii_graphic() || c == ' ')
        };
        let (chip, line) = match text.split_once(':') {
            Some((chip, line)) => (Some(chip), line),
            None => (None, text),
        };
        if chip.is_some_and(|chip| !good(chip)) || !good(line) {
            return Err(LineNameError);
        }
        Ok(Self {
            chip: chip.map(str::to_owned),
            line: line.to_owned(),
        })
    }
}

impl fmt::Display for LineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(chip) = &self.chip {
            write!(f, "{chip}:")?;
        }
        f.write_str(&self.line)
    }
}

impl From<LineName> for String {
    fn from(name: LineName) -> Self {
        name.to_string()
    }
}

impl<'de> Deserialize<'de> for LineName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Line;
        impl Visitor<'_> for Line {
            type Value = LineName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number or the name of a line")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<LineName, E> {
                let number = u32::try_from(number).map_err(|_| E::custom(LineNameError))?;
                self.visit_str(&number.to_string())
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<LineName, E> {
                let number = u64::try_from(number).map_err(|_| E::custom(LineNameError))?;
                self.visit_u64(number)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<LineName, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_named_by_number_name_and_chip() {
        let line = |text: &str| text.parse::<LineName>().unwrap();
        assert_eq!(line("17").number(), Some(17));
        assert_eq!(line("GPIO17").bcm(), Some(17));
        assert_eq!(line("GPIO17").number(), None);
        let far = line("pinctrl-bcm2835:GPIO4");
        assert_eq!((far.chip(), far.line()), (Some("pinctrl-bcm2835"), "GPIO4"));
        assert_eq!(far.to_string(), "pinctrl-bcm2835:GPIO4");
        for bad in ["", ":", "a:", ":1", "a\n", &"x".repeat(MAX + 1)] {
            assert!(bad.parse::<LineName>().is_err(), "{bad:?}");
        }
        assert!("x".repeat(MAX).parse::<LineName>().is_ok());
    }
}
