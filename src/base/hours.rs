//! Hours of the week as people write them: `mon-fri 07:30-19:00`, `sat,sun 10:00-02:00`, `daily 08:00-20:00`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The days, Monday first, as they are written.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Minutes in a day.
const DAY: u16 = 24 * 60;

/// Some hours of some days. Hours that end before they begin go on past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hours {
    /// On which days they begin; Monday first.
    days: [bool; 7],
    /// Minutes since midnight.
    from: u16,
    /// Minutes since midnight, not included; up to 24:00.
    to: u16,
}

/// A point in a week, by the clock on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    day: u8,
    minute: u16,
}

impl Moment {
    /// A weekday (1 is Monday, 7 Sunday, as ISO 8601 counts them), hour and minute.
    pub const fn new(weekday: u8, hour: u8, minute: u8) -> Option<Self> {
        if matches!(weekday, 1..=7) && hour < 24 && minute < 60 {
            Some(Self {
                day: weekday - 1,
                minute: hour as u16 * 60 + minute as u16,
            })
        } else {
            None
        }
    }
}

/// The text is no hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected days and hours, as in \"mon-fri 07:30-19:00\", \"sat,sun 10:00-02:00\" or \"daily 00:00-24:00\""
)]
pub struct HoursError;

impl Hours {
    /// Whether the moment is within them.
    pub fn contain(&self, moment: Moment) -> bool {
        let begins = |day: u8| self.days.get(usize::from(day)).copied().unwrap_or(false);
        let yesterday = (moment.day + 6) % 7;
        if self.from < self.to {
            begins(moment.day) && (self.from..self.to).contains(&moment.minute)
        } else {
            begins(moment.day) && moment.minute >= self.from
                || begins(yesterday) && moment.minute < self.to
        }
    }
}

impl FromStr for Hours {
    type Err = HoursError;
    fn from_str(text: &str) -> Result<Self, HoursError> {
        let (days, hours) = text.trim().split_once(' ').ok_or(HoursError)?;
        let (from, to) = hours.trim().split_once('-').ok_or(HoursError)?;
        let (from, to) = (minutes(from)?, minutes(to)?);
        if from == to || from == DAY {
            return Err(HoursError);
        }
        let days = parse_days(days)?;
        Ok(Self { days, from, to })
    }
}

fn parse_days(text: &str) -> Result<[bool; 7], HoursError> {
    if text == "daily" {
        return Ok([true; 7]);
    }
    let number = |name: &str| DAYS.iter().position(|day| *day == name).ok_or(HoursError);
    let mut out = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        // "fri-mon" goes over the weekend.
        let count = (last + 7 - first) % 7;
        for day in (first..=first + count).map(|day| day % 7) {
            if let Some(day) = out.get_mut(day) {
                *day = true;
            }
        }
    }
    Ok(out)
}

fn minutes(text: &str) -> Result<u16, HoursError> {
    let (hour, minute) = text.split_once(':').ok_or(HoursError)?;
    let number = |text: &str| match text.len() {
        2 if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().map_err(|_| HoursError),
        _ => Err(HoursError),
    };
    let (hour, minute): (u16, u16) = (number(hour)?, number(minute)?);
    let all = hour * 60 + minute;
    if minute < 60 && all <= DAY {
        Ok(all)
    } else {
        Err(HoursError)
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days == [true; 7] {
            f.write_str("daily")?;
        } else {
            let names = DAYS.iter().zip(self.days).filter(|(_, on)| *on);
            for (at, (name, _)) in names.enumerate() {
                write!(f, "{}{name}", if at == 0 { "" } else { "," })?;
            }
        }
        let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        write!(f, " {}-{}", clock(self.from), clock(self.to))
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.to_string()
    }
}

impl TryFrom<String> for Hours {
    type Error = HoursError;
    fn try_from(text: String) -> Result<Self, HoursError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(weekday: u8, hour: u8, minute: u8) -> Moment {
        Moment::new(weekday, hour, minute).unwrap()
    }

    #[test]
    fn hours_of_working_days_are_those_and_no_others() {
        let hours: Hours = "mon-fri 07:30-19:00".parse().unwrap();
        assert!(hours.contain(at(1, 7, 30)) && hours.contain(at(5, 18, 59)));
        assert!(!hours.contain(at(1, 7, 29)) && !hours.contain(at(5, 19, 0)));
        assert!(!hours.contain(at(6, 12, 0)) && !hours.contain(at(7, 12, 0)));
    }

    #[test]
    fn a_night_belongs_to_the_day_it_begins_on() {
        let hours: Hours = "sat 22:00-02:00".parse().unwrap();
        assert!(hours.contain(at(6, 22, 0)) && hours.contain(at(7, 1, 59)));
        assert!(!hours.contain(at(6, 1, 0)) && !hours.contain(at(7, 2, 0)));
        let sunday: Hours = "sun 22:00-02:00".parse().unwrap();
        assert!(sunday.contain(at(1, 0, 0)), "the week is a ring");
    }

    #[test]
    fn hours_are_printed_so_that_they_are_read_again() {
        for (text, printed) in [
            ("daily 00:00-24:00", "daily 00:00-24:00"),
            ("fri-mon 08:00-20:00", "mon,fri,sat,sun 08:00-20:00"),
            ("sat,sun 10:00-02:00", "sat,sun 10:00-02:00"),
            ("mon-sun 01:00-02:00", "daily 01:00-02:00"),
        ] {
            let hours: Hours = text.parse().unwrap();
            assert_eq!(hours.to_string(), printed);
            assert_eq!(printed.parse(), Ok(hours));
        }
    }

    #[test]
    fn what_is_no_hours_is_refused() {
        for bad in [
            "",
            "mon",
            "mon 07:00",
            "mon 7:00-8:00",
            "mon 07:00-07:00",
            "mon 24:00-07:00",
            "mon 07:60-08:00",
            "mon 07:00-24:01",
            "mon 07:00-25:00",
            "moon 07:00-08:00",
            "mon- 07:00-08:00",
            "mon,, 07:00-08:00",
            "mon +7:00-08:00",
        ] {
            assert_eq!(bad.parse::<Hours>(), Err(HoursError), "{bad:?}");
        }
        assert!(Moment::new(0, 0, 0).is_none() && Moment::new(8, 0, 0).is_none());
        assert!(Moment::new(1, 24, 0).is_none() && Moment::new(1, 0, 60).is_none());
    }
}
