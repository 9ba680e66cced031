//! A terminal nobody types into: when those who watch are warned, and when it is closed. Pure.

use std::time::{Duration, Instant};

/// How long before the end the warning comes: time enough to reach for a key. With less than twice
/// this in all, half of it.
const WARNING: Duration = Duration::from_secs(60);

/// Since when nobody has typed.
#[derive(Debug)]
pub(super) struct Idle {
    /// How long that may last; none: for ever.
    limit: Option<Duration>,
    /// How long before the end the warning comes.
    warns: Duration,
    typed: Instant,
    warned: bool,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Tell whoever watches.
    Warn,
    /// Close the terminal.
    Close,
}

impl Idle {
    /// A terminal that may be left alone for this many seconds; for ever with 0.
    pub(super) fn new(seconds: u64, now: Instant) -> Self {
        let limit = Duration::from_secs(seconds);
        Self::announced(limit, WARNING.min(limit / 2), now)
    }

    /// One whose end is announced this long before; for ever with a limit of nothing.
    pub(super) fn announced(limit: Duration, warns: Duration, now: Instant) -> Self {
        // A time that no clock reaches is for ever, too.
        let limit =
            Some(limit).filter(|limit| !limit.is_zero() && now.checked_add(*limit).is_some());
        Self {
            limit,
            warns,
            typed: now,
            warned: false,
        }
    }

    /// Somebody types. Says whether they had been warned.
    pub(super) fn typed(&mut self, now: Instant) -> bool {
        self.typed = now;
        std::mem::take(&mut self.warned)
    }

    /// What has come due; each thing once, until somebody types.
    pub(super) fn step(&mut self, now: Instant) -> Option<Due> {
        if self.limit? <= now.saturating_duration_since(self.typed) {
            self.limit = None;
            return Some(Due::Close);
        }
        if !self.warned && self.warning().is_some_and(|warning| warning <= now) {
            self.warned = true;
            return Some(Due::Warn);
        }
        None
    }

    /// When [`Idle::step`] has to be called next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.warned {
            self.typed.checked_add(self.limit?)
        } else {
            self.warning()
        }
    }

    /// What to tell somebody who watches, or comes to, shortly before the end.
    pub(super) fn warning_text(&self, now: Instant) -> Option<String> {
        let limit = self.limit.filter(|_| self.warned)?;
        let left = limit.saturating_sub(now.saturating_duration_since(self.typed));
        // Not "0 seconds" in the last one.
        let seconds = left.as_millis().div_ceil(1000).max(1);
        Some(format!(
            "Nobody has typed here for a while: this terminal is closed in {seconds} seconds, unless somebody does."
        ))
    }

    /// When it ends, once that was announced.
    pub(super) fn ends(&self) -> Option<Instant> {
        let limit = self.limit.filter(|_| self.warned)?;
        self.typed.checked_add(limit)
    }

    fn warning(&self) -> Option<Instant> {
        let limit = self.limit?;
        self.typed.checked_add(limit.saturating_sub(self.warns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_warning_comes_a_minute_before_the_end_and_each_comes_once() {
        let start = Instant::now();
        let mut idle = Idle::new(600, start);
        assert_eq!(idle.deadline(), Some(start + SECOND * 540));
        assert_eq!(idle.step(start + SECOND * 539), None);
        assert_eq!(idle.step(start + SECOND * 540), Some(Due::Warn));
        assert_eq!(idle.step(start + SECOND * 541), None);
        let text = idle.warning_text(start + SECOND * 541).unwrap();
        assert!(text.contains("59 seconds"), "{text}");
        assert_eq!(idle.deadline(), Some(start + SECOND * 600));
        assert_eq!(idle.step(start + SECOND * 600), Some(Due::Close));
        assert_eq!(idle.step(start + SECOND * 601), None);
        assert_eq!(idle.deadline(), None);
    }

    #[test]
    fn whoever_types_has_all_the_time_again() {
        let start = Instant::now();
        let mut idle = Idle::new(600, start);
        assert!(!idle.typed(start + SECOND));
        assert_eq!(idle.step(start + SECOND * 541), Some(Due::Warn));
        assert!(idle.typed(start + SECOND * 550));
        assert_eq!(idle.warning_text(start + SECOND * 551), None);
        assert_eq!(idle.step(start + SECOND * 1089), None);
        assert_eq!(idle.step(start + SECOND * 1090), Some(Due::Warn));
    }

    #[test]
    fn a_short_time_is_halved_and_none_is_for_ever() {
        let start = Instant::now();
        assert_eq!(Idle::new(10, start).deadline(), Some(start + SECOND * 5));
        for never in [0, u64::MAX] {
            let mut idle = Idle::new(never, start);
            assert_eq!((idle.deadline(), idle.step(start + SECOND)), (None, None));
        }
    }
}
