//! The clock on the wall, in the machine's own time zone.

use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use crate::base::Moment;

/// How long a reading is used: schedules are written in minutes.
const KEEP: Duration = Duration::from_secs(15);
/// Before this no clock can be right: 2026-01-01, in seconds since the Unix epoch.
const PAST: Duration = Duration::from_secs(1_767_225_600);

/// Reads it now and then.
#[derive(Debug, Default)]
pub(super) struct Clock {
    last: Option<(Option<Moment>, Instant)>,
}

impl Clock {
    /// Weekday and time; none while the clock can't be right.
    pub(super) fn moment(&mut self) -> Option<Moment> {
        match self.last {
            Some((moment, at)) if at.elapsed() < KEEP => moment,
            _ => {
                let moment = read();
                self.last = Some((moment, Instant::now()));
                moment
            }
        }
    }
}

/// date(1) knows the time zone, summer time and when either is changed. A library would be as large as
/// the rest of this process.
fn read() -> Option<Moment> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.ok().filter(|since| *since >= PAST)?;
    let output = Command::new("date").arg("+%u %H %M").output().ok()?;
    parse(std::str::from_utf8(&output.stdout).ok()?)
}

fn parse(text: &str) -> Option<Moment> {
    let mut numbers = text.split_whitespace().map(|word| word.parse().ok());
    Moment::new(numbers.next()??, numbers.next()??, numbers.next()??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_words_are_a_moment() {
        assert_eq!(parse("7 08 59\n"), Moment::new(7, 8, 59));
        for bad in ["", "7 08", "0 08 59", "7 24 00", "a b c"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert!(read().is_some(), "this machine's clock is right");
    }
}
