//! What to do when the page is lost, hangs or never comes: a state machine without a clock or a screen.
//!
//! Events in, effects out; `window` feeds and performs them. A page is replaced at most
//! [`RELOADS`] times within [`WITHIN`]; after that the window gives up on itself and ends with
//! [`RESTART`], so that whoever keeps it running makes everything anew. Nothing but time makes a
//! failure forgotten: a page that comes back only to die again must not look like a good one.

use std::time::{Duration, Instant};

use crate::kiosk::silence::{self, Silence};

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

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The window is there.
    Opened,
    /// The server gave an address.
    Address,
    /// The server isn't there, or says no.
    NoServer,
    /// The page runs and paints.
    Beat,
    /// There is something to see on it.
    Painted,
    /// The page's login is gone.
    LoginGone,
    /// An address could not be loaded.
    LoadFailed,
    /// The page's process ended.
    ProcessEnded,
    /// WebKit's own opinion: its process answers, or doesn't.
    Responsive(bool),
    /// Of so much time since this was last said, for so much somebody waited for a processor.
    Pressed {
        /// The time that passed.
        passed: Duration,
        /// The part of it in which there was a processor too few.
        waited: Duration,
    },
    /// Time passed.
    Tick,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Ask the server for an address.
    Ask,
    /// Load the address it gave.
    Load,
    /// End the page's process.
    EndProcess,
    /// Cover the page with this.
    Cover(Cover),
    /// End the window with [`RESTART`].
    GiveUp,
}

/// What is seen instead of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// Nothing: the page itself is seen.
    Off,
    /// Black.
    Black,
    /// The machine or its server is starting.
    Starting,
    /// The server isn't there.
    Offline,
    /// The page was lost and is coming back.
    Recovering,
}

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

#[cfg(test)]
mod tests {
    use super::Cover::{Black, Off, Offline, Recovering, Starting};
    use super::Effect::{Ask, Cover, EndProcess, GiveUp, Load};
    use super::Event::{
        Address, Beat, LoadFailed, LoginGone, NoServer, Opened, Painted, Pressed, ProcessEnded,
        Responsive, Tick,
    };
    use super::*;

    /// A machine and its clock: feeds events at seconds and compares what is to be done.
    struct Story {
        start: Instant,
        machine: Recovery,
    }

    impl Story {
        fn new() -> Self {
            let start = Instant::now();
            let mut story = Self {
                start,
                machine: Recovery::new(start),
            };
            story.at(0.0, Opened, &[Ask]);
            story
        }

        /// One with a page on the screen since second 1.
        fn with_page() -> Self {
            let mut story = Self::new();
            story.at(0.5, Address, &[Load]);
            story.at(1.0, Painted, &[]);
            story.at(1.0, Beat, &[]);
            story
        }

        /// On a machine that is well a silent page is looked after whenever that is due.
        fn look_until(&mut self, seconds: f64) {
            let now = self.start + Duration::from_secs_f64(seconds);
            while let Stage::Alive(silence) = self.machine.stage {
                let due = silence.due();
                if due >= now || due >= silence.limit() {
                    break;
                }
                assert_eq!(self.machine.step(due, Tick), []);
            }
        }

        fn at(&mut self, seconds: f64, event: Event, expected: &[Effect]) {
            self.look_until(seconds);
            let now = self.start + Duration::from_secs_f64(seconds);
            let done = self.machine.step(now, event);
            let done: Vec<Effect> = done.into_iter().filter(|e| *e != Cover(Off)).collect();
            assert_eq!(done, expected, "{event:?} at {seconds} s");
        }

        /// An event whose effects are another test's.
        fn feed(&mut self, seconds: f64, event: Event) {
            let now = self.start + Duration::from_secs_f64(seconds);
            drop(self.machine.step(now, event));
        }

        /// When something has to be done, looks aside.
        fn due(&self) -> Option<f64> {
            let deadline = match self.machine.stage {
                Stage::Alive(silence) => Some(silence.limit()),
                _ => self.machine.deadline(),
            };
            deadline.map(|at| (at - self.start).as_secs_f64())
        }
    }

    #[test]
    fn a_page_is_seen_once_it_has_painted() {
        let mut machine = Recovery::new(Instant::now());
        let now = Instant::now();
        assert_eq!(machine.step(now, Opened), [Ask]);
        assert_eq!(machine.step(now, Address), [Load]);
        assert_eq!(machine.step(now, Beat), []);
        assert_eq!(machine.step(now, Painted), [Cover(Off)]);
        assert_eq!(machine.step(now, Painted), []);
    }

    #[test]
    fn a_process_that_ends_is_replaced_at_once() {
        let mut story = Story::with_page();
        story.at(5.0, ProcessEnded, &[Cover(Black), Ask]);
        story.at(5.1, Address, &[Load]);
        story.at(5.8, Painted, &[]);
        assert_eq!(story.due(), Some(5.8 + 8.0));
    }

    #[test]
    fn a_silent_page_is_ended_within_ten_seconds_and_replaced() {
        let mut story = Story::with_page();
        story.at(2.0, Beat, &[]);
        assert_eq!(story.due(), Some(10.0));
        story.at(9.9, Tick, &[]);
        story.at(10.0, Tick, &[Cover(Black), EndProcess]);
        story.at(10.1, ProcessEnded, &[Ask]);
        story.at(10.2, Address, &[Load]);
        story.at(11.0, Painted, &[]);
    }

    #[test]
    fn a_page_has_longer_on_a_machine_that_is_busy_or_stood_still() {
        let mut story = Story::with_page();
        let (passed, waited) = (Duration::from_secs(6), Duration::from_secs(5));
        story.at(7.0, Pressed { passed, waited }, &[]);
        story.at(9.5, Tick, &[]);
        assert_eq!(story.due(), Some(13.0));
        // WebKit's own doubt waits as long.
        story.at(9.6, Responsive(false), &[]);
        story.at(12.9, Tick, &[]);
        story.at(12.95, Beat, &[]);
        assert_eq!(story.due(), Some(20.95));

        let mut story = Story::with_page();
        let asleep = story.start + Duration::from_secs(25);
        assert_eq!(story.machine.step(asleep, Tick), [], "it slept as well");
        story.at(26.0, Beat, &[]);
        assert_eq!(story.due(), Some(34.0));
    }

    #[test]
    fn an_unresponsive_process_is_ended_earlier_unless_it_answers_again() {
        let mut story = Story::with_page();
        story.at(4.0, Responsive(false), &[]);
        story.at(4.0, Responsive(true), &[]);
        story.at(5.0, Responsive(false), &[]);
        story.at(6.0, Beat, &[]);
        story.at(8.9, Tick, &[]);
        story.at(9.0, Tick, &[Cover(Black), EndProcess]);
    }

    #[test]
    fn a_process_that_does_not_even_end_is_taken_for_ended() {
        let mut story = Story::with_page();
        story.at(9.0, Tick, &[Cover(Black), EndProcess]);
        assert_eq!(story.due(), Some(9.0 + 1.5));
        story.at(11.0, Tick, &[Ask, Cover(Recovering)]);
    }

    #[test]
    fn a_page_that_never_beats_is_replaced() {
        let mut story = Story::new();
        story.at(0.5, Address, &[Load]);
        story.at(20.0, Tick, &[Cover(Starting)]);
        story.at(60.4, Tick, &[]);
        story.at(60.5, Tick, &[EndProcess]);
        story.at(60.6, ProcessEnded, &[Ask]);
    }

    #[test]
    fn after_the_first_page_others_have_less_time() {
        let mut story = Story::with_page();
        story.at(70.0, ProcessEnded, &[Cover(Black), Ask]);
        story.at(70.5, Address, &[Load]);
        story.at(90.4, Tick, &[Cover(Recovering)]);
        story.at(90.5, Tick, &[EndProcess]);
    }

    #[test]
    fn a_slow_machine_gets_more_time_with_each_page_that_never_came() {
        let mut story = Story::new();
        let mut at = 0.5;
        for time in [60.0, 120.0, 160.0, 160.0, 160.0] {
            story.feed(at, Address);
            story.feed(at + 2.0, Tick);
            story.at(at + 3.0, Responsive(false), &[]);
            story.at(at + time - 0.1, Tick, &[]);
            assert_eq!(story.due(), Some(at + time), "WebKit's doubt doesn't count");
            story.at(at + time, Tick, &[EndProcess]);
            story.feed(at + time, ProcessEnded);
            story.feed(at + time + 1.0, Tick);
            at += time + 1.0;
        }
        story.at(at, Address, &[Load]);
        story.at(at + 1.0, Responsive(false), &[]);
        story.at(at + 100.0, Painted, &[]);
        assert_eq!(story.due(), Some(at + 108.0));
    }

    #[test]
    fn reloads_are_capped_and_back_off_and_then_the_window_gives_up() {
        let mut story = Story::with_page();
        story.at(10.0, ProcessEnded, &[Cover(Black), Ask]);
        story.at(10.0, Address, &[Load]);
        story.at(10.5, ProcessEnded, &[]);
        assert_eq!(story.due(), Some(11.5), "one second of pause");
        story.at(11.5, Tick, &[Ask, Cover(Recovering)]);
        story.at(11.5, Address, &[Load]);
        story.at(12.0, ProcessEnded, &[]);
        story.at(16.0, Tick, &[Ask]);
        story.at(16.0, Address, &[Load]);
        story.at(17.0, Painted, &[]);
        story.at(69.9, ProcessEnded, &[Cover(Black), GiveUp]);
        story.at(70.0, Tick, &[]);
        story.at(70.0, ProcessEnded, &[]);
    }

    #[test]
    fn failures_are_forgotten_after_a_minute_and_by_nothing_else() {
        let mut story = Story::with_page();
        for round in 0..20_u8 {
            let at = 10.0 + 61.0 * f64::from(round);
            story.at(at, ProcessEnded, &[Cover(Black), Ask]);
            story.at(at, Address, &[Load]);
            story.at(at + 0.1, Painted, &[]);
        }
    }

    #[test]
    fn a_server_that_goes_is_waited_for_without_end_and_without_giving_up() {
        let mut story = Story::with_page();
        for round in 0..10_u8 {
            let at = 10.0 + 2.0 * f64::from(round);
            let black: &[Effect] = if round == 0 {
                &[Cover(Black), Ask]
            } else {
                &[Ask]
            };
            story.at(at, LoadFailed, black);
            let words: &[Effect] = &[Cover(Offline)];
            story.at(at + 1.5, NoServer, words);
            story.at(at + 1.9, Address, &[Load, Cover(Recovering)]);
            assert!(story.machine.failures.is_empty(), "no fault of the page");
        }
    }

    #[test]
    fn words_come_when_black_lasts_and_say_what_is_missing() {
        let mut story = Story::new();
        story.at(0.1, NoServer, &[]);
        assert_eq!(story.due(), Some(1.5));
        story.at(1.5, Tick, &[Cover(Starting)]);
        assert_eq!(story.due(), Some(15.1));
        story.at(15.1, Tick, &[Cover(Offline)]);
        assert_eq!(story.due(), None);
        story.at(300.0, Address, &[Load, Cover(Starting)]);
        story.at(301.0, Painted, &[]);

        let mut story = Story::with_page();
        story.at(5.0, LoadFailed, &[Cover(Black), Ask]);
        story.at(5.1, NoServer, &[]);
        story.at(6.5, Tick, &[Cover(Offline)]);
    }

    #[test]
    fn a_login_that_is_gone_leaves_the_picture_until_there_is_another() {
        let mut story = Story::with_page();
        story.at(5.0, LoginGone, &[Ask]);
        story.at(6.0, LoginGone, &[]);
        story.at(7.0, NoServer, &[]);
        story.at(60.0, Tick, &[]);
        story.at(61.0, Address, &[Cover(Black), Load]);
        story.at(61.5, Painted, &[]);
        assert!(story.machine.failures.is_empty());
    }

    #[test]
    fn what_comes_too_late_changes_nothing() {
        let mut story = Story::with_page();
        story.at(2.0, Address, &[]);
        story.at(5.0, ProcessEnded, &[Cover(Black), Ask]);
        story.at(5.0, Painted, &[]);
        story.at(5.0, Responsive(false), &[]);
        story.at(5.0, ProcessEnded, &[]);
        story.at(5.0, LoadFailed, &[]);
        story.at(5.1, Address, &[Load]);
        assert_eq!(story.machine.unresponsive, None);
    }
}
