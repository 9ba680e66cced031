//! Lengths of time as people write them: `90s`, `30m`, `1h30m`, `14d`, `0`, `never`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A length of time, or for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Period {
    /// This long, in whole seconds.
    Of(Duration),
    /// For ever.
    Never,
}

impl Period {
    /// This many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self::Of(Duration::from_secs(seconds))
    }

    /// The duration; none for ever.
    pub const fn duration(self) -> Option<Duration> {
        match self {
            Self::Of(duration) => Some(duration),
            Self::Never => None,
        }
    }
}

/// The text is no length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a length of time with its unit, as in \"90s\", \"30m\", \"12h\", \"14d\", or \"0\" or \"never\""
)]
pub struct PeriodError;

/// Units, largest first, and their seconds.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];
/// Longest, in seconds: a century. What is longer is a mistake or means never.
const MAX: u64 = 100 * 366 * 86_400;

impl FromStr for Period {
    type Err = PeriodError;
    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let text = text.trim();
        match text {
            "never" => return Ok(Self::Never),
            "0" => return Ok(Self::seconds(0)),
            "" => return Err(PeriodError),
            _ => {}
        }
        let (mut total, mut rest, mut units) = (0_u64, text, UNITS.iter());
        while !rest.is_empty() {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit())
                .ok_or(PeriodError)?;
            let (number, tail) = rest.split_at(digits);
            let number: u64 = number.parse().map_err(|_| PeriodError)?;
            let mut letters = tail.chars();
            let unit = letters.next().ok_or(PeriodError)?;
            // Each unit at most once and the larger first, so that there is one way to read it.
            let (_, seconds) = units
                .find(|(letter, _)| *letter == unit)
                .ok_or(PeriodError)?;
            total = number
                .checked_mul(*seconds)
                .and_then(|part| part.checked_add(total))
                .filter(|total| *total <= MAX)
                .ok_or(PeriodError)?;
            rest = letters.as_str();
        }
        Ok(Self::seconds(total))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Of(duration) = self else {
            return f.write_str("never");
        };
        let mut left = duration.as_secs();
        if left == 0 {
            return f.write_str("0");
        }
        for (letter, seconds) in UNITS {
            if left >= seconds {
                write!(f, "{}{letter}", left / seconds)?;
                left %= seconds;
            }
        }
        Ok(())
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;
    fn try_from(text: String) -> Result<Self, PeriodError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them_and_printed_the_same() {
        for (text, seconds) in [
            ("0", 0),
            ("90s", 90),
            ("30m", 1800),
            ("1h30m", 5400),
            ("14d", 1_209_600),
        ] {
            assert_eq!(text.parse(), Ok(Period::seconds(seconds)), "{text}");
        }
        assert_eq!("never".parse(), Ok(Period::Never));
        assert_eq!(Period::seconds(5400).to_string(), "1h30m");
        assert_eq!("36600d".parse(), Ok(Period::seconds(MAX)));
        for bad in [
            "",
            "30",
            "1.5h",
            "-1s",
            "5 m",
            "30m1h",
            "5m5m",
            "1w",
            "s",
            "36601d",
            "99999999999999999999d",
        ] {
            assert_eq!(bad.parse::<Period>(), Err(PeriodError), "{bad:?}");
        }
    }
}
