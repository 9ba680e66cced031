//! What to do when the page is lost, hangs or never comes: a state machine without a clock or a screen.
//!
//! Events in, effects out; `window` feeds and performs them. A page is replaced at most
//! [`RELOADS`] times within [`WITHIN`]; after that the window gives up on itself and ends with
//! [`RESTART`], so that whoever keeps it running makes everything anew. Nothing but time makes a
//! failure forgotten: a page that comes back only to die again must not look like a good one.

mod event;
#[cfg(test)]
mod stories;

use std::time::{Duration, Instant};

use crate::kiosk::silence::{self, Silence};

pub use event::{Cover, Effect, Event};

/// Exit code: the page can't be kept alive from in here; start the window again.
pub const RESTART: u8 = 10;
/// Failures within [`WITHIN`] after which the page is loaded anew. One more is too many.
pub const RELOADS: usize = 3;
/// See [`RELOADS`].
pub const WITHIN: Duration = Duration::from_secs(60);
/// Pauses before a page is loaded anew, after the first, second and third failure. The first is
/// mostly the only one, and somebody is looking at black.
pub const PAUSES: [Duration; RELOADS] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(4),
];
/// WebKit waits three seconds for its process before it says that it doesn't respond. Given this
/// long after that, it hangs.
pub const UNRESPONSIVE: Duration = Duration::from_secs(4);
/// From the address to the first beat. A Pi's first page takes a few seconds of this. WebKit's opinion
/// doesn't count meanwhile: a process that loads a page from a slow card is silent for long.
pub const LOADING: Duration = Duration::from_secs(20);
/// How many times [`LOADING`] the first page may take: the whole machine is starting, and everything else with it.
pub const FIRST: u32 = 3;
/// Each page that never came makes the next ones have twice the time, up to so many times [`LOADING`]: on
/// a machine that is slower than thought, one comes in the end.
pub const MOST_PATIENCE: u32 = 8;
/// From ending a process to hearing that it ended; then it is taken for ended.
pub const ENDING: Duration = Duration::from_secs(2);
/// Black for less than this needs no words.
pub const QUIET: Duration = Duration::from_millis(1500);
/// A server that isn't there for less than this, before any page came, is one that is starting.
pub const STARTING: Duration = Duration::from_secs(15);

/// Where the page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// An address was asked for.
    Asking,
    /// Something failed; it is tried again then.
    Pausing { until: Instant },
    /// An address is being loaded.
    Loading { since: Instant },
    /// The page beats.
    Alive(Silence),
    /// Its process was told to end.
    Ending { since: Instant },
    /// The window is about to end.
    Over,
}

/// The machine's state.
#[derive(Debug, Clone)]
pub struct Recovery {
    stage: Stage,
    /// Recent failures, oldest first; `true` if it was an address that could not be loaded.
    failures: Vec<(Instant, bool)>,
    /// Since when WebKit's process hasn't answered.
    unresponsive: Option<Instant>,
    /// How many times [`LOADING`] a page may take.
    patience: u32,
    /// Since when the server hasn't been there.
    no_server: Option<Instant>,
    /// Since when the page has been covered.
    covered: Option<Instant>,
    cover: Cover,
    /// Whether there has ever been something to see.
    painted_before: bool,
}

impl Recovery {
    /// A window that opened just now.
    pub fn new(now: Instant) -> Self {
        Self {
            stage: Stage::Asking,
            failures: Vec::new(),
            unresponsive: None,
            patience: FIRST,
            no_server: None,
            covered: Some(now),
            cover: Cover::Black,
            painted_before: false,
        }
    }

    /// When [`Event::Tick`] is wanted, if nothing else comes before.
    pub fn deadline(&self) -> Option<Instant> {
        let stage = match self.stage {
            Stage::Pausing { until } => Some(until),
            Stage::Loading { since } => Some(since + LOADING * self.patience),
            Stage::Alive(silence) => Some(silence.due()),
            Stage::Ending { since } => Some(since + ENDING),
            Stage::Asking | Stage::Over => None,
        };
        let hung = self.hangs_at();
        let words = self.covered.map(|since| since + QUIET);
        let words = words.filter(|_| self.cover == Cover::Black);
        let offline = self.no_server.map(|since| since + STARTING);
        let offline = offline.filter(|_| self.cover == Cover::Starting);
        [stage, hung, words, offline].into_iter().flatten().min()
    }

    /// When a page hangs that WebKit can't reach.
    fn hangs_at(&self) -> Option<Instant> {
        let Stage::Alive(silence) = self.stage else {
            return None;
        };
        self.unresponsive
            .map(|since| since + UNRESPONSIVE + silence.stalled())
    }

    /// Takes an event; the effects are to be performed in their order.
    #[must_use = "the effects have to be performed"]
    pub fn step(&mut self, now: Instant, event: Event) -> Vec<Effect> {
        let mut out = Vec::new();
        if self.stage == Stage::Over {
            return out;
        }
        match event {
            Event::Opened => out.push(Effect::Ask),
            Event::Address => self.address(now, &mut out),
            Event::NoServer => {
                self.no_server.get_or_insert(now);
                // It was the server that had gone, and no fault of the page.
                self.failures.retain(|(_, unloaded)| !unloaded);
            }
            Event::Beat => self.beat(now),
            Event::Painted => {
                self.beat(now);
                self.painted_before = true;
                self.uncover(&mut out);
            }
            Event::LoginGone => {
                // What is on the screen stays there until there is an address.
                if matches!(self.stage, Stage::Loading { .. } | Stage::Alive(_)) {
                    self.unresponsive = None;
                    self.stage = Stage::Asking;
                    out.push(Effect::Ask);
                }
            }
            Event::LoadFailed => {
                if matches!(self.stage, Stage::Loading { .. } | Stage::Alive(_)) {
                    self.failed(now, true, &mut out);
                }
            }
            Event::ProcessEnded => match self.stage {
                // An empty page that died before it was needed is none that anybody misses.
                Stage::Asking if self.covered.is_some() => {}
                Stage::Pausing { .. } => {}
                _ => self.failed(now, false, &mut out),
            },
            Event::Responsive(true) => self.unresponsive = None,
            Event::Responsive(false) => {
                if matches!(self.stage, Stage::Loading { .. } | Stage::Alive(_)) {
                    self.unresponsive.get_or_insert(now);
                }
            }
            Event::Pressed { passed, waited } => {
                if let Stage::Alive(silence) = &mut self.stage {
                    silence.forgive(silence::forgiven(passed, waited));
                }
            }
            Event::Tick => self.tick(now, &mut out),
        }
        self.words(now, &mut out);
        out
    }

    fn address(&mut self, now: Instant, out: &mut Vec<Effect>) {
        self.no_server = None;
        if self.stage == Stage::Asking {
            self.stage = Stage::Loading { since: now };
            self.hide(now, out);
            out.push(Effect::Load);
        }
    }

    fn beat(&mut self, now: Instant) {
        match &mut self.stage {
            Stage::Alive(silence) => *silence = Silence::since(now),
            Stage::Loading { .. } => {
                self.unresponsive = None;
                self.stage = Stage::Alive(Silence::since(now));
                // Where no page was ever late, later ones have no reason to be.
                if self.patience == FIRST {
                    self.patience = 1;
                }
            }
            // The last words of a page that is given up.
            _ => {}
        }
    }

    fn tick(&mut self, now: Instant, out: &mut Vec<Effect>) {
        let passed = |since: Instant, limit| now.saturating_duration_since(since) >= limit;
        // Looked for in any case, so that what is late counts.
        let silent = match &mut self.stage {
            Stage::Alive(silence) => silence.look(now),
            _ => false,
        };
        let hung = self.hangs_at().is_some_and(|at| now >= at);
        match self.stage {
            Stage::Pausing { until } if now >= until => {
                self.stage = Stage::Asking;
                out.push(Effect::Ask);
            }
            Stage::Loading { since } if passed(since, LOADING * self.patience) => {
                self.patience = (self.patience * 2).min(MOST_PATIENCE);
                self.end(now, out);
            }
            Stage::Alive(_) if hung || silent => self.end(now, out),
            Stage::Ending { since } if passed(since, ENDING) => self.failed(now, false, out),
            _ => {}
        }
    }

    /// Ends a process that hangs.
    fn end(&mut self, now: Instant, out: &mut Vec<Effect>) {
        self.unresponsive = None;
        self.stage = Stage::Ending { since: now };
        self.hide(now, out);
        out.push(Effect::EndProcess);
    }

    fn failed(&mut self, now: Instant, unloaded: bool, out: &mut Vec<Effect>) {
        self.unresponsive = None;
        self.failures
            .retain(|(at, _)| now.saturating_duration_since(*at) < WITHIN);
        self.failures.push((now, unloaded));
        self.hide(now, out);
        match PAUSES.get(self.failures.len() - 1) {
            Some(&Duration::ZERO) => {
                self.stage = Stage::Asking;
                out.push(Effect::Ask);
            }
            Some(&pause) => self.stage = Stage::Pausing { until: now + pause },
            None => {
                self.stage = Stage::Over;
                out.push(Effect::GiveUp);
            }
        }
    }

    /// Covers the page, at first with nothing but black.
    fn hide(&mut self, now: Instant, out: &mut Vec<Effect>) {
        if self.covered.is_none() {
            self.covered = Some(now);
            self.cover = Cover::Black;
            out.push(Effect::Cover(Cover::Black));
        }
    }

    fn uncover(&mut self, out: &mut Vec<Effect>) {
        let there = matches!(self.stage, Stage::Alive(_));
        if there && self.covered.take().is_some() {
            self.cover = Cover::Off;
            out.push(Effect::Cover(Cover::Off));
        }
    }

    /// Finds words for black that lasts.
    fn words(&mut self, now: Instant, out: &mut Vec<Effect>) {
        let Some(since) = self.covered else { return };
        if now.saturating_duration_since(since) < QUIET {
            return;
        }
        let away = self
            .no_server
            .map(|since| now.saturating_duration_since(since));
        let wanted = match away {
            Some(away) if self.painted_before || away >= STARTING => Cover::Offline,
            None if self.painted_before => Cover::Recovering,
            _ => Cover::Starting,
        };
        if wanted != self.cover {
            self.cover = wanted;
            out.push(Effect::Cover(wanted));
        }
    }
}
