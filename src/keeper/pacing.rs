//! How fast a program may flood: at full speed for a while, then with rests. Pure.
//!
//! What is counted is time in which output keeps coming. In it the program and the keeper may each
//! use up to a core; with the keeper resting half the time, and the program blocked meanwhile, both
//! together stay below one. `docs/decisions/0007-a-flood-gets-one-core.md` has the figures.

use std::time::{Duration, Instant};

/// What a terminal has saved up when it begins. A flood lasts twice as long at full speed.
const BURST: Duration = Duration::from_secs(5);
/// After that, the share of the time in which output is read: one part in `SHARE`.
const SHARE: u32 = 2;
/// One rest: short against what a person notices, long against the cost of waking up, and short
/// enough for the kernel's buffer to hold what a program writes that isn't flooding.
const REST: Duration = Duration::from_millis(10);
/// Output that comes after a shorter gap than this keeps coming.
const GAP: Duration = Duration::from_millis(1);
/// Put back when somebody types, so that the answer isn't waited for.
const FOR_TYPING: Duration = Duration::from_millis(20);

/// A bucket of time.
#[derive(Debug)]
pub(super) struct Pacing {
    left: Duration,
    /// When the last output had been dealt with.
    counted: Instant,
    rest_until: Option<Instant>,
}

impl Pacing {
    /// A full bucket.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            counted: now,
            rest_until: None,
        }
    }

    /// Output was read and dealt with in this time.
    pub(super) fn worked(&mut self, from: Instant, to: Instant) {
        let gap = from.saturating_duration_since(self.counted);
        let mut busy = to.saturating_duration_since(from);
        if gap < GAP {
            busy += gap;
        }
        let filled = to.saturating_duration_since(self.counted) / SHARE;
        self.left = (self.left + filled).min(BURST).saturating_sub(busy);
        self.counted = to;
        if self.left.is_zero() {
            self.rest_until = Some(to + REST);
        }
    }

    /// Somebody typed.
    pub(super) fn typed(&mut self) {
        self.left = self.left.max(FOR_TYPING);
        self.rest_until = None;
    }

    /// Whether no output is to be read now.
    pub(super) fn rests(&mut self, now: Instant) -> bool {
        self.rest_until = self.rest_until.filter(|until| *until > now);
        self.rest_until.is_some()
    }

    /// The end of the rest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.rest_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: Duration = Duration::from_micros(500);

    /// Floods for so long and returns how much of it was work.
    fn flood(pacing: &mut Pacing, start: Instant, lasts: Duration) -> Duration {
        let (mut now, mut work) = (start, Duration::ZERO);
        while now < start + lasts {
            if pacing.rests(now) {
                now = pacing.deadline().unwrap();
                continue;
            }
            pacing.worked(now, now + TURN);
            now += TURN;
            work += TURN;
        }
        work
    }

    #[test]
    fn a_flood_runs_at_full_speed_at_first_and_half_the_time_for_hours() {
        let start = Instant::now();
        let mut pacing = Pacing::new(start);
        let first = (2 * BURST).saturating_sub(TURN);
        assert_eq!(flood(&mut pacing, start, first), first);
        let hour = Duration::from_secs(3600);
        let later = flood(&mut pacing, start + first, hour);
        let share = later.as_secs_f64() / hour.as_secs_f64();
        assert!((0.45..=0.51).contains(&share), "{share}");
    }

    #[test]
    fn a_program_that_writes_now_and_then_never_rests() {
        let start = Instant::now();
        let mut pacing = Pacing::new(start);
        let mut now = start;
        for _ in 0..100_000 {
            now += 2 * GAP;
            assert!(!pacing.rests(now));
            pacing.worked(now, now + GAP);
            now += GAP;
        }
    }

    #[test]
    fn a_pause_fills_the_bucket_again_and_never_more_than_full() {
        let start = Instant::now();
        let mut pacing = Pacing::new(start);
        flood(&mut pacing, start, Duration::from_secs(60));
        let later = start + Duration::from_secs(3600);
        pacing.worked(later, later);
        assert_eq!(pacing.left, BURST);
        assert!(!pacing.rests(later));
    }

    #[test]
    fn typing_ends_a_rest() {
        let start = Instant::now();
        let mut pacing = Pacing::new(start);
        flood(&mut pacing, start, Duration::from_secs(20));
        let now = start + Duration::from_secs(20);
        pacing.worked(now, now + 2 * REST);
        assert!(pacing.rests(now + 2 * REST));
        pacing.typed();
        assert!(!pacing.rests(now + 2 * REST));
        pacing.worked(now + 2 * REST, now + 2 * REST + GAP);
        assert!(!pacing.rests(now + 2 * REST + GAP));
    }
}
