//! Ending everything a terminal started, politely at first. Pure but for the signals it sends.

use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::tree;

/// After the hang-up, programs have this long before they are asked to end …
const TERMINATE_AFTER: Duration = Duration::from_secs(1);
/// … this long in all before they are ended …
const KILL_AFTER: Duration = Duration::from_secs(3);
/// … and after this long what is left (other users' processes, or ones stuck in the kernel) is left.
const GIVE_UP_AFTER: Duration = Duration::from_secs(5);
/// How often the killing is repeated.
const KILL_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// The login helper does it.
    Elsewhere,
    HungUp,
    Terminated,
    Killing,
}

/// A terminal that is being closed.
#[derive(Debug)]
pub(super) struct Hangup {
    began: Instant,
    stage: Stage,
    next: Instant,
    /// Who is to be told when it is done: viewer and request.
    pub(super) askers: Vec<(u32, u32)>,
}

impl Hangup {
    /// Hangs up.
    pub(super) fn begin(program: Option<Pid>, now: Instant) -> Self {
        if let Some(program) = program {
            tree::hang_up(program);
        }
        Self {
            began: now,
            stage: Stage::HungUp,
            next: now + TERMINATE_AFTER,
            askers: Vec::new(),
        }
    }

    /// Somebody else hangs up, and takes as long as we would.
    pub(super) fn elsewhere(now: Instant) -> Self {
        Self {
            began: now,
            stage: Stage::Elsewhere,
            next: now + GIVE_UP_AFTER,
            askers: Vec::new(),
        }
    }

    /// Does what is due; `true` when nothing more is to be done.
    pub(super) fn go_on(&mut self, now: Instant) -> bool {
        if now >= self.began + GIVE_UP_AFTER {
            return true;
        }
        if now >= self.next {
            match self.stage {
                Stage::Elsewhere => {}
                Stage::HungUp => {
                    tree::terminate();
                    self.stage = Stage::Terminated;
                    self.next = self.began + KILL_AFTER;
                }
                Stage::Terminated | Stage::Killing => {
                    tree::kill();
                    self.stage = Stage::Killing;
                    self.next = now + KILL_EVERY;
                }
            }
        }
        false
    }

    /// When [`Hangup::go_on`] has to be called next.
    pub(super) fn deadline(&self) -> Instant {
        self.next.min(self.began + GIVE_UP_AFTER)
    }
}
