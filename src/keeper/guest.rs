//! Strangers who follow one another at a terminal: when one is taken to have gone, what is cleared
//! for the next, and how the program is started again by itself.
//!
//! The clock is here because the keeper is what outlives everything else: a page that hangs, a window
//! that is killed, a server that is replaced.

use std::time::{Duration, Instant};

use serde_json::json;

use super::facts::Changes;
use super::hangup::Hangup;
use super::idle::{Due, Idle};
use super::messages::Messages;
use super::program::PAUSE;
use super::requests::Part;
use super::run::{Keeper, has_no_children};
use crate::screen::Model;
use crate::wire::care::Care;
use crate::wire::message::{FailureKind, Level, Mode, Request};

/// Clears screen and scrollback, and every mode with them.
const WIPE: &[u8] = b"\x1bc\x1b[3J";

/// Who is in front of the terminal, as far as that can be known.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) care: Care,
    clock: Idle,
    /// Somebody has been there since the program was started.
    used: bool,
    /// What the last one has started is being ended; then the program is started again.
    leaving: Option<Hangup>,
    /// The terminal is closed then: its program ended as soon as it was started.
    close_at: Option<Instant>,
    /// Why, for whoever comes meanwhile.
    pub(super) why: Option<String>,
}

impl Guest {
    pub(super) fn new(care: Option<Care>, now: Instant) -> Self {
        let care = care.unwrap_or_default();
        Self {
            care,
            clock: clock(&care, now),
            used: false,
            leaving: None,
            close_at: None,
            why: None,
        }
    }

    /// It is to be kept otherwise from now on. What the home is was settled when it was opened.
    fn care(&mut self, care: Care, now: Instant) {
        let care = Care {
            fresh_home: self.care.fresh_home,
            ..care
        };
        if care == self.care {
            return;
        }
        // Whoever is there has all the new time.
        self.clock = clock(&care, now);
        self.care = care;
    }

    /// Somebody is there. Says whether that is news.
    fn present(&mut self, now: Instant) -> bool {
        let warned = self.clock.typed(now);
        !std::mem::replace(&mut self.used, true) || warned
    }

    /// Nobody has been there since now.
    fn gone(&mut self, now: Instant) {
        self.used = false;
        self.clock = clock(&self.care, now);
    }

    /// What has come due. Where nobody has been, there is nothing to clear.
    fn step(&mut self, now: Instant) -> Option<Due> {
        if self.used {
            self.clock.step(now)
        } else {
            None
        }
    }

    /// Whether what was is being ended: nobody can type into it any more.
    pub(super) fn leaves(&self) -> bool {
        self.leaving.is_some()
    }

    /// Whether the next start is on a clean screen.
    fn cleans(&self) -> bool {
        self.care.restart || self.goes_along()
    }

    /// Whether the terminal goes with its program.
    fn goes_along(&self) -> bool {
        self.care.fresh_home || self.care.ends
    }

    /// When something has to be done although nothing happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let idle = self.clock.deadline().filter(|_| self.used);
        let leaving = self.leaving.as_ref().map(Hangup::deadline);
        [idle, leaving, self.close_at].into_iter().flatten().min()
    }
}

fn clock(care: &Care, now: Instant) -> Idle {
    Idle::announced(care.idle().unwrap_or_default(), care.warning(), now)
}

impl<M: Model> Keeper<M> {
    /// Somebody is there.
    pub(super) fn present(&mut self, now: Instant) {
        if self.guest.present(now) {
            self.tell_guest();
        }
    }

    /// Somebody is there, or it is to be kept otherwise from now on.
    pub(super) fn guest_request(
        &mut self,
        mode: Mode,
        id: u32,
        request: &Request,
        now: Instant,
    ) -> Part {
        match request {
            Request::Care(_) if mode != Mode::Manage => {
                let message = "how a terminal is kept is the server's to say";
                return Part::failed(id, FailureKind::Denied, message);
            }
            Request::Care(care) => {
                self.guest.care(*care, now);
                self.tell_guest();
            }
            _ => self.present(now),
        }
        Part::whole(id, &json!({ "ok": {} }))
    }

    /// Does what has come due for whoever is, or was, there.
    pub(super) fn guest_step(&mut self, now: Instant) {
        match self.guest.step(now) {
            None => {}
            Some(Due::Warn) => {
                self.tell_guest();
                let text = self.reset_text().unwrap_or_default();
                for viewer in &mut self.viewers {
                    if viewer.wants_notice() {
                        viewer.notice(Level::Warning, &text);
                    }
                }
            }
            Some(Due::Close) => self.reset_for_the_next(now),
        }
        if self.guest.close_at.is_some_and(|at| now >= at) {
            self.guest.close_at = None;
            self.close(now);
        }
        if let Some(leaving) = &mut self.guest.leaving
            && (leaving.go_on(now) || has_no_children())
        {
            self.guest.leaving = None;
            self.start_fresh(now);
        }
    }

    /// Nobody has been there for as long as may be.
    fn reset_for_the_next(&mut self, now: Instant) {
        if self.hangup.is_some() || self.guest.leaves() {
            return;
        }
        self.wipe();
        let care = self.guest.care;
        if care.close || self.guest.goes_along() || self.program.is_adopted() {
            self.guest.gone(now);
            self.tell_guest();
            self.close(now);
        } else {
            self.guest.leaving = Some(self.program.hang_up(now));
        }
    }

    /// The program has ended by itself.
    pub(super) fn guest_ended(&mut self, now: Instant) {
        let care = self.guest.care;
        if !(care.restart || care.ends) || self.hangup.is_some() {
            return;
        }
        if !self.guest.goes_along() && !self.program.is_adopted() {
            self.program.restart(now);
        } else if self.program.ended_quickly() {
            // Whoever opens the next one would do so without end.
            let notice = format!(
                "{} ended as soon as it was started; it is started again in {} seconds.",
                self.program.command().join(" "),
                PAUSE.as_secs()
            );
            self.notice_all(Level::Warning, &notice);
            self.guest.why = Some(notice);
            self.guest.close_at = Some(now + PAUSE);
        } else {
            self.close(now);
        }
    }

    /// The program is to be started again. Says whether that is done here, for whoever comes next.
    pub(super) fn starts_clean(&mut self, now: Instant) -> bool {
        if !self.guest.cleans() {
            return false;
        }
        if self.guest.goes_along() {
            self.close(now);
        } else if !self.guest.leaves() {
            // What the last run has left in the background must not meet the next guest.
            self.guest.leaving = Some(Hangup::begin(None, now));
        }
        true
    }

    fn start_fresh(&mut self, now: Instant) {
        self.wipe();
        self.guest.gone(now);
        match self.program.start(self.model.size(), now) {
            Ok(()) => self.started(),
            Err(error) => {
                let notice = format!("{error}; tried again in {} seconds.", PAUSE.as_secs());
                self.notice_all(Level::Error, &notice);
                self.program.restart_after_pause(now);
            }
        }
        self.tell_guest();
    }

    fn close(&mut self, now: Instant) {
        if self.hangup.is_none() {
            self.hangup = Some(self.program.hang_up(now));
        }
    }

    /// Screen, scrollback and title are gone, for everybody who watches, too.
    fn wipe(&mut self) {
        // First: an unfinished sequence would swallow what follows.
        self.model.rescue();
        self.model.feed(WIPE);
        self.take_events();
        self.facts.title = None;
        self.messages = Messages::default();
        self.tell_all(Changes::TITLE);
        self.start_over();
    }

    /// What to tell somebody who watches from elsewhere shortly before a reset.
    pub(super) fn reset_text(&self) -> Option<String> {
        // Not "0 seconds" in the last one.
        let seconds = left_ms(self.facts.reset_at?).div_ceil(1000).max(1);
        Some(format!(
            "Nobody is there: this terminal is reset in {seconds} seconds. Typing into it calls that off."
        ))
    }

    fn tell_guest(&mut self) {
        self.facts.used = self.guest.used;
        self.facts.restarts = self.guest.care.restart;
        self.facts.reset_at = self.guest.clock.ends().filter(|_| self.guest.used);
        self.tell_all(Changes::GUEST);
    }
}

/// How long is left until `at`, in milliseconds.
pub(super) fn left_ms(at: Instant) -> u64 {
    let left: Duration = at.saturating_duration_since(Instant::now());
    u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn guest(now: Instant) -> Guest {
        let care = Care {
            idle_ms: 60_000,
            warning_ms: 10_000,
            ..Care::default()
        };
        Guest::new(Some(care), now)
    }

    #[test]
    fn where_nobody_has_been_nothing_comes_due() {
        let start = Instant::now();
        let mut guest = guest(start);
        assert_eq!(
            (guest.deadline(), guest.step(start + SECOND * 600)),
            (None, None)
        );
        assert!(guest.present(start + SECOND * 600));
        assert!(!guest.present(start + SECOND * 601));
        assert_eq!(guest.step(start + SECOND * 650), None);
        assert_eq!(guest.step(start + SECOND * 651), Some(Due::Warn));
        assert_eq!(guest.step(start + SECOND * 661), Some(Due::Close));
        guest.gone(start + SECOND * 661);
        assert_eq!(guest.step(start + SECOND * 6000), None);
    }

    #[test]
    fn whoever_answers_the_warning_stays_as_long_as_before() {
        let start = Instant::now();
        let mut guest = guest(start);
        guest.present(start);
        assert_eq!(guest.step(start + SECOND * 50), Some(Due::Warn));
        assert!(guest.present(start + SECOND * 59));
        assert_eq!(guest.clock.ends(), None);
        assert_eq!(guest.step(start + SECOND * 108), None);
        assert_eq!(guest.step(start + SECOND * 109), Some(Due::Warn));
        assert_eq!(guest.clock.ends(), Some(start + SECOND * 119));
    }

    #[test]
    fn changed_settings_count_at_once_and_take_nobody_by_surprise() {
        let start = Instant::now();
        let mut guest = guest(start);
        guest.present(start);
        let care = Care {
            idle_ms: 20_000,
            ..guest.care
        };
        guest.care(care, start + SECOND * 40);
        assert_eq!(guest.step(start + SECOND * 49), None);
        assert_eq!(guest.step(start + SECOND * 50), Some(Due::Warn));
        guest.care(Care::default(), start + SECOND * 51);
        assert_eq!(guest.step(start + SECOND * 6000), None);
    }
}
