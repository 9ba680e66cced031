//! A button's contact: from a level that bounces to one that counts. Pure; the clock is the caller's.

use std::time::Duration;

/// How long an edge may be on its way from the kernel's interrupt to us.
const GRACE: Duration = Duration::from_millis(10);

/// A contact. Times are of one monotonic clock; edges are hints, and may be missing or repeated.
#[derive(Debug, Clone)]
pub(super) struct Contact {
    period: Duration,
    settled: bool,
    raw: bool,
    /// When the level left what counts.
    left: Duration,
    /// When it changed last.
    changed: Duration,
    /// When an edge was seen last, a change or not.
    seen: Duration,
    /// The level has not been read since.
    unread: bool,
    /// Until when an edge is waited for that explains why the line says otherwise.
    doubt: Option<Duration>,
}

/// A level that counts from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settled {
    /// Whether the button is pressed.
    pub(super) pressed: bool,
    /// When the finger moved: the first edge, not the last.
    pub(super) since: Duration,
}

impl Contact {
    /// A contact whose level has to stay for `period` before it counts. It begins open.
    pub(super) fn new(period: Duration) -> Self {
        Self {
            period,
            settled: false,
            raw: false,
            left: Duration::ZERO,
            changed: Duration::ZERO,
            seen: Duration::ZERO,
            unread: false,
            doubt: None,
        }
    }

    /// The level was seen to be this.
    pub(super) fn edge(&mut self, at: Duration, pressed: bool) {
        let at = at.max(self.changed);
        self.seen = at;
        self.unread = true;
        if pressed != self.raw {
            if self.raw == self.settled {
                self.left = at;
            }
            self.raw = pressed;
            self.changed = at;
        } else if self.raw != self.settled {
            // The same again: what was between was missed, so it still bounces.
            self.changed = at;
        }
    }

    /// What counts from now on, if anything new does.
    pub(super) fn settle(&mut self, now: Duration) -> Option<Settled> {
        if now < self.due()? {
            return None;
        }
        self.settled = self.raw;
        self.doubt = None;
        Some(Settled {
            pressed: self.settled,
            since: self.left,
        })
    }

    /// When to look again.
    pub(super) fn due(&self) -> Option<Duration> {
        let rested = self.changed + self.period;
        (self.raw != self.settled).then(|| self.doubt.map_or(rested, |until| until.max(rested)))
    }

    /// When to read the line's level: once it rests after whatever edges, because the last of them may
    /// have been lost.
    pub(super) fn look(&self) -> Option<Duration> {
        let rested = self.seen + self.period;
        self.unread
            .then(|| self.doubt.map_or(rested, |until| until.max(rested)))
    }

    /// The line was read, if it can be. Where it says otherwise than its edges, either one of them is on
    /// its way, and its time tells what was, or it was lost, and the line is right: this is waited out, once.
    pub(super) fn read(&mut self, now: Duration, level: Option<bool>) {
        match (level.filter(|level| *level != self.raw), self.doubt) {
            (None, _) => {
                self.unread = false;
                self.doubt = None;
            }
            (Some(_), None) => self.doubt = Some(now + GRACE),
            (Some(level), Some(until)) if until <= now => {
                self.doubt = None;
                self.edge(now, level);
            }
            (Some(_), Some(_)) => {}
        }
    }

    /// An edge has come, so its time decides and nothing is in doubt any more.
    pub(super) fn trust(&mut self) {
        self.doubt = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When, an edge, and what counts after it: pressed, since when. In milliseconds.
    type Step = (u64, Option<bool>, Option<(bool, u64)>);

    fn run(steps: &[Step]) {
        let ms = Duration::from_millis;
        let mut contact = Contact::new(ms(30));
        for (at, edge, wanted) in steps {
            if let Some(pressed) = edge {
                contact.edge(ms(*at), *pressed);
            }
            let wanted = wanted.map(|(pressed, since)| Settled {
                pressed,
                since: ms(since),
            });
            assert_eq!(contact.settle(ms(*at)), wanted, "at {at} ms");
        }
    }

    #[test]
    fn a_level_counts_when_it_has_stayed_and_from_its_first_edge() {
        run(&[
            (100, Some(true), None),
            (129, None, None),
            (130, None, Some((true, 100))),
            (131, None, None),
            (200, Some(false), None),
            (230, None, Some((false, 200))),
        ]);
    }

    #[test]
    fn bounces_repeated_levels_and_short_spikes_are_no_presses() {
        run(&[
            (100, Some(true), None),
            (105, Some(false), None),
            (140, None, None),
            (200, Some(true), None),
            (203, Some(false), None),
            (206, Some(true), None),
            (210, Some(true), None),
            (239, None, None),
            (240, None, Some((true, 206))),
            (250, Some(true), None),
            (400, None, None),
        ]);
    }
}
