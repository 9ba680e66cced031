//! How long a page may be silent: longer while the machine itself stands still or is busy elsewhere.
//!
//! A page that beats every second and was not heard for [`SILENCE`] hangs, if the machine is well. Where it
//! isn't, a living page is late like everything else, and replacing it only makes more to do. So while a
//! page is silent the window looks once a second: a look that comes late itself, and time in which
//! others waited for a processor, don't count as the page's silence, up to [`MOST_STALLED`].

use std::time::{Duration, Instant};

/// A page that was silent for this long hangs. It beats every second; a busy Pi may miss a few.
pub const SILENCE: Duration = Duration::from_secs(8);
/// The most that is forgiven between two beats, whatever the machine is doing: then nobody waits any longer.
pub const MOST_STALLED: Duration = Duration::from_secs(24);
/// A page that wasn't heard for this long is looked after.
const LATE: Duration = Duration::from_secs(2);
/// From one look to the next.
const LOOK: Duration = Duration::from_secs(1);
/// And at least so much, however near the limit is.
const SHORTEST: Duration = Duration::from_millis(200);

/// A page's silence since its last beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Silence {
    beat: Instant,
    /// When the next look is due.
    look: Instant,
    stalled: Duration,
}

impl Silence {
    /// A page that beats now.
    pub(super) fn since(beat: Instant) -> Self {
        Self {
            beat,
            look: beat + LATE,
            stalled: Duration::ZERO,
        }
    }

    /// What is forgiven so far.
    pub(super) fn stalled(&self) -> Duration {
        self.stalled
    }

    /// From when on the page hangs, as things stand.
    pub(super) fn limit(&self) -> Instant {
        self.beat + SILENCE + self.stalled
    }

    /// When to look.
    pub(super) fn due(&self) -> Instant {
        self.look
    }

    /// Looks; whether the page hangs. A look that is early does no harm.
    pub(super) fn look(&mut self, now: Instant) -> bool {
        self.forgive(now.saturating_duration_since(self.look));
        if now >= self.look {
            self.look = (now + LOOK).min(self.limit().max(now + SHORTEST));
        }
        now >= self.limit()
    }

    /// So much of the time since the last look was not the page's own.
    pub(super) fn forgive(&mut self, time: Duration) {
        self.stalled = (self.stalled + time).min(MOST_STALLED);
    }
}

/// What is forgiven of `passed` when for `waited` of it somebody waited for a processor. A machine with a
/// little too much to do gives everybody a part; one where somebody always waits is at its end.
pub(super) fn forgiven(passed: Duration, waited: Duration) -> Duration {
    (waited.min(passed) * 2).saturating_sub(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: f64) -> Duration {
        Duration::from_secs_f64(count)
    }

    /// Looks whenever one is due, each so late, and says after how many seconds the page hangs.
    fn hangs_after(late: f64, share: f64) -> f64 {
        let start = Instant::now();
        let mut silence = Silence::since(start);
        let mut last = start;
        loop {
            let now = silence.due() + seconds(late);
            let passed = now - last;
            silence.forgive(forgiven(passed, passed.mul_f64(share)));
            if silence.look(now) {
                return (now - start).as_secs_f64();
            }
            last = now;
        }
    }

    #[test]
    fn on_a_machine_that_is_well_a_page_hangs_after_eight_seconds() {
        assert!((hangs_after(0.0, 0.0) - 8.0).abs() < 0.01);
        assert!((hangs_after(0.0, 0.5) - 8.0).abs() < 0.01, "half busy");
        assert!(hangs_after(0.01, 0.2) < 8.5);
    }

    #[test]
    fn on_a_machine_that_is_busy_elsewhere_it_has_longer_but_not_for_ever() {
        let busy = hangs_after(0.0, 0.75);
        assert!((14.0..=18.0).contains(&busy), "{busy}");
        assert!((hangs_after(0.0, 1.0) - 32.0).abs() < 1.01);
        assert!(hangs_after(5.0, 1.0) < 40.0);
    }

    #[test]
    fn a_machine_that_stood_still_gives_the_page_its_time_back() {
        let start = Instant::now();
        let mut silence = Silence::since(start);
        assert!(!silence.look(start + seconds(20.0)), "18 s late itself");
        assert_eq!(silence.limit(), start + seconds(26.0));
        assert!(!silence.look(start + seconds(21.0)));
        assert_eq!(
            silence,
            Silence {
                look: start + seconds(22.0),
                ..silence
            }
        );
    }
}
