//! Flow control of one viewer: how much it may be sent, and what it gets instead of what it couldn't
//! take. Pure.
//!
//! A viewer acknowledges what it has *parsed*. What was sent and not acknowledged is never more than
//! its window plus one repaint; past the window nothing is queued for it.

use std::time::{Duration, Instant};

use crate::screen::{Painted, RepaintKind};

/// Most bytes of scrolled lines in a catch-up while output keeps coming: every byte of it stands in
/// front of the answer to ^C.
const FLOOD_HISTORY: usize = 12 << 10;
/// The same when the output has paused: it is then worth bringing every line.
const CALM_HISTORY: usize = 40 << 10;
/// Most bytes of scrollback in a full repaint.
const FULL_HISTORY: usize = 3 << 20;

/// A program that never falls silent (a clock, a progress bar) must not keep lines from a viewer that
/// keeps up with it: after this long they are brought between two writes.
const GAPS_AT_MOST: Duration = Duration::from_secs(2);

/// What a viewer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// Nothing: it has every byte there was.
    Nothing,
    /// A full repaint, with this many lines of scrollback.
    Full(usize),
    /// It fell behind within what is being fed; [`Flow::mark`] follows.
    Cut,
    /// A catch-up from this count of scrolled lines on.
    CatchUp(u64),
}

/// How busy the output is, for choosing a repaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pace {
    /// More output is coming.
    Flood,
    /// Nothing is waiting to be read.
    Calm,
    /// Nothing was written for a while.
    Quiet,
}

/// A viewer acknowledged more than it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("acknowledged {acked} of {sent} bytes sent")]
pub(super) struct AckError {
    acked: u64,
    sent: u64,
}

/// Flow control of one viewer.
#[derive(Debug)]
pub(super) struct Flow {
    window: u64,
    history: usize,
    sent: u64,
    acked: u64,
    due: Due,
    /// Since when lines are missing that a catch-up left out; a full repaint brings them once there
    /// is time.
    gaps: Option<Instant>,
}

impl Flow {
    /// A viewer that has nothing yet and is owed a full repaint.
    pub(super) fn new(window: u32, history: u32) -> Self {
        let history = usize::try_from(history).unwrap_or(usize::MAX);
        Self {
            window: u64::from(window),
            history,
            sent: 0,
            acked: 0,
            due: Due::Full(history),
            gaps: None,
        }
    }

    fn outstanding(&self) -> u64 {
        self.sent - self.acked
    }

    /// Counts bytes as sent and returns the `seq` of the frame that carries them.
    pub(super) fn send(&mut self, bytes: usize) -> u64 {
        self.sent += u64::try_from(bytes).unwrap_or(u64::MAX);
        self.sent
    }

    /// How many of `available` output bytes it gets now. If fewer than all, it has fallen behind, and
    /// [`Flow::mark`] has to be called once the model has been fed that many.
    pub(super) fn offer(&mut self, available: usize) -> usize {
        if self.due != Due::Nothing {
            return 0;
        }
        let credit = self.window.saturating_sub(self.outstanding());
        let taken = usize::try_from(credit).map_or(available, |credit| credit.min(available));
        if taken < available {
            self.due = Due::Cut;
        }
        taken
    }

    /// Whether it waits for [`Flow::mark`].
    pub(super) fn is_cut(&self) -> bool {
        self.due == Due::Cut
    }

    /// Remembers from where on it lacks output.
    pub(super) fn mark(&mut self, scrolled: u64) {
        if self.due == Due::Cut {
            self.due = Due::CatchUp(scrolled);
        }
    }

    /// It has parsed everything up to `seq`.
    pub(super) fn ack(&mut self, seq: u64) -> Result<(), AckError> {
        if seq > self.sent {
            return Err(AckError {
                acked: seq,
                sent: self.sent,
            });
        }
        self.acked = self.acked.max(seq);
        Ok(())
    }

    /// Everything it has is out of date, as after a change of size: it gets a full repaint.
    pub(super) fn start_over(&mut self) {
        self.want_full(self.history);
    }

    /// It wants a full repaint with this many lines.
    pub(super) fn want_full(&mut self, history: usize) {
        self.due = Due::Full(history);
    }

    /// Whether it lacks output or lines.
    pub(super) fn is_behind(&self) -> bool {
        self.due != Due::Nothing || self.gaps.is_some()
    }

    /// Whether a repaint may come due by time alone.
    pub(super) fn waits_for_quiet(&self) -> bool {
        self.gaps.is_some() && self.due == Due::Nothing
    }

    /// The repaint to send now, if one is due and enough has been acknowledged. The caller makes sure
    /// that nothing is queued for the viewer's socket.
    pub(super) fn repaint(&self, pace: Pace, now: Instant) -> Option<RepaintKind> {
        let room = self.outstanding() <= self.window / 4;
        let fill_gaps = self.gaps.is_some_and(|since| {
            pace == Pace::Quiet || pace == Pace::Calm && now >= since + GAPS_AT_MOST
        });
        match self.due {
            Due::Full(history) if room => Some(full(history)),
            // The lines it lacks are still there to be had, all at once.
            Due::CatchUp(_) if room && fill_gaps => Some(full(self.history)),
            Due::CatchUp(since) if room => Some(RepaintKind::CatchUp {
                since,
                max_history_bytes: if pace == Pace::Flood {
                    FLOOD_HISTORY
                } else {
                    CALM_HISTORY
                },
            }),
            Due::Nothing if fill_gaps && self.outstanding() == 0 => Some(full(self.history)),
            _ => None,
        }
    }

    /// That repaint was made; its bytes are counted with [`Flow::send`].
    pub(super) fn repainted(&mut self, kind: RepaintKind, painted: &Painted, now: Instant) {
        self.due = Due::Nothing;
        self.gaps = match kind {
            // What doesn't fit a full repaint can't be brought by another.
            RepaintKind::Full { .. } => None,
            RepaintKind::CatchUp { .. } => {
                let new = (painted.skipped > 0).then_some(now);
                self.gaps.or(new)
            }
        };
    }
}

fn full(history: usize) -> RepaintKind {
    RepaintKind::Full {
        history,
        max_history_bytes: FULL_HISTORY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(bytes: usize, skipped: u64) -> Painted {
        Painted {
            bytes: vec![b'x'; bytes],
            skipped,
        }
    }

    fn live(window: u32) -> Flow {
        let mut flow = Flow::new(window, 100);
        let now = Instant::now();
        flow.repainted(flow.repaint(Pace::Calm, now).unwrap(), &painted(0, 0), now);
        flow
    }

    #[test]
    fn a_new_viewer_gets_a_full_repaint_before_any_output() {
        let now = Instant::now();
        let mut flow = Flow::new(1000, 7);
        assert_eq!(flow.offer(10), 0);
        let kind = flow.repaint(Pace::Flood, now).unwrap();
        assert!(matches!(kind, RepaintKind::Full { history: 7, .. }));
        flow.repainted(kind, &painted(5, 0), now);
        assert_eq!(flow.offer(10), 10);
    }

    #[test]
    fn the_window_is_used_to_its_last_byte_and_not_one_further() {
        let mut flow = live(1000);
        assert_eq!(flow.offer(1000), 1000);
        flow.send(1000);
        assert!(!flow.is_behind());
        assert_eq!(flow.offer(1), 0);
        assert!(flow.is_behind() && flow.is_cut());
    }

    #[test]
    fn a_viewer_behind_gets_nothing_until_a_quarter_of_the_window_is_left_unread() {
        let now = Instant::now();
        let mut flow = live(1000);
        let taken = flow.offer(1500);
        assert_eq!(taken, 1000);
        flow.send(taken);
        flow.mark(42);
        flow.ack(749).unwrap();
        assert_eq!(flow.repaint(Pace::Flood, now), None);
        flow.ack(750).unwrap();
        assert!(matches!(
            flow.repaint(Pace::Flood, now),
            Some(RepaintKind::CatchUp { since: 42, .. })
        ));
    }

    #[test]
    fn skipped_lines_are_brought_when_it_is_quiet_and_all_is_acknowledged() {
        let now = Instant::now();
        let mut flow = live(1000);
        let taken = flow.offer(2000);
        flow.send(taken);
        flow.mark(1);
        flow.ack(1000).unwrap();
        let kind = flow.repaint(Pace::Flood, now).unwrap();
        flow.repainted(kind, &painted(100, 3), now);
        flow.send(100);
        assert!(flow.waits_for_quiet());
        assert_eq!(flow.repaint(Pace::Calm, now), None);
        assert_eq!(
            flow.repaint(Pace::Quiet, now),
            None,
            "100 bytes are on the way"
        );
        flow.ack(1100).unwrap();
        let kind = flow.repaint(Pace::Quiet, now).unwrap();
        assert!(matches!(kind, RepaintKind::Full { history: 100, .. }));
        flow.repainted(kind, &painted(100, 5), now);
        assert!(!flow.is_behind());
    }

    #[test]
    fn acknowledging_more_than_was_sent_is_an_error_and_old_acks_change_nothing() {
        let mut flow = live(1000);
        flow.send(10);
        assert_eq!(
            flow.ack(11),
            Err(AckError {
                acked: 11,
                sent: 10
            })
        );
        flow.ack(10).unwrap();
        flow.ack(3).unwrap();
        assert_eq!(flow.outstanding(), 0);
    }

    #[test]
    fn a_program_that_never_falls_silent_does_not_keep_lines_away_for_ever() {
        let now = Instant::now();
        let mut flow = live(1000);
        let taken = flow.offer(2000);
        flow.send(taken);
        flow.mark(1);
        flow.ack(1000).unwrap();
        let kind = flow.repaint(Pace::Flood, now).unwrap();
        flow.repainted(kind, &painted(0, 3), now);
        assert_eq!(flow.repaint(Pace::Calm, now + GAPS_AT_MOST / 2), None);
        let later = now + GAPS_AT_MOST;
        assert_eq!(flow.repaint(Pace::Flood, later), None);
        assert!(flow.repaint(Pace::Calm, later).is_some());
    }
}
