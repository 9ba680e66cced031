//! What a page lives through, as stories with a clock of their own.

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
