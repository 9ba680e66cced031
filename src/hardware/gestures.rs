//! All buttons of a machine together: contacts, fingers, and chords of several. Pure; the clock is the
//! caller's, who hands in edges in the order of their times and says what time it is.

use std::time::Duration;

use super::contact::Contact;
use super::finger::{Finger, Knows};
use crate::base::Gesture;

/// A button with a contact of its own.
#[derive(Debug, Clone, Copy)]
pub struct Single {
    /// How long its level has to stay.
    pub debounce: Duration,
    /// What it knows; [`Knows::chord`] is found out.
    pub knows: Knows,
}

/// A button made of others.
#[derive(Debug, Clone)]
pub struct Chord {
    /// Which, by their places among the single ones.
    pub members: Vec<usize>,
    /// How far apart they may be pressed.
    pub within: Duration,
    /// What it knows.
    pub knows: Knows,
}

/// Something was done with a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Which: its place among the single ones, then the chords.
    pub button: usize,
    /// What.
    pub gesture: Gesture,
    /// When that was known, at the earliest.
    pub at: Duration,
}

#[derive(Debug)]
struct Together {
    members: Vec<usize>,
    within: Duration,
    finger: Finger,
    down: bool,
}

/// Every button of a machine.
#[derive(Debug)]
pub struct Gestures {
    singles: Vec<(Contact, Finger)>,
    chords: Vec<Together>,
}

impl Gestures {
    /// These buttons, none of them pressed.
    pub fn new(singles: &[Single], chords: Vec<Chord>) -> Self {
        let within = |at: usize| {
            let mine = chords.iter().filter(|chord| chord.members.contains(&at));
            mine.map(|chord| chord.within).max()
        };
        let finger = |(at, single): (usize, &Single)| {
            let chord = within(at);
            let knows = Knows {
                chord,
                ..single.knows
            };
            (Contact::new(single.debounce), Finger::new(knows))
        };
        let singles = singles.iter().enumerate().map(finger).collect();
        let chords = chords.into_iter().map(|chord| Together {
            members: chord.members,
            within: chord.within,
            finger: Finger::new(chord.knows),
            down: false,
        });
        Self {
            singles,
            chords: chords.collect(),
        }
    }

    /// A line was seen at this level. What that settles is appended.
    pub fn edge(&mut self, button: usize, at: Duration, pressed: bool, out: &mut Vec<Done>) {
        if let Some((contact, _)) = self.singles.get_mut(button) {
            contact.trust();
        }
        // Whatever was to happen before this edge has happened.
        self.tick(at, out);
        if let Some((contact, _)) = self.singles.get_mut(button) {
            contact.edge(at, pressed);
        }
    }

    /// Whether a line's level is to be read at `now`.
    pub fn looks(&self, button: usize, now: Duration) -> bool {
        let look = self
            .singles
            .get(button)
            .and_then(|(contact, _)| contact.look());
        look.is_some_and(|look| look <= now)
    }

    /// A line was read; none: it can't be.
    pub fn read(&mut self, button: usize, now: Duration, level: Option<bool>) {
        if let Some((contact, _)) = self.singles.get_mut(button) {
            contact.read(now, level);
        }
    }

    /// It is `now`. What has come of it is appended.
    pub fn tick(&mut self, now: Duration, out: &mut Vec<Done>) {
        // In the order of their times, so that a late look gives what looks in time would have given.
        while let Some(due) = self.due().filter(|due| *due <= now) {
            self.at(due, out);
        }
    }

    fn at(&mut self, now: Duration, out: &mut Vec<Done>) {
        let count = self.singles.len();
        let mut moved = Vec::new();
        for (at, (contact, finger)) in self.singles.iter_mut().enumerate() {
            let mut say = |gesture| {
                out.push(Done {
                    button: at,
                    gesture,
                    at: now,
                });
            };
            if let Some(settled) = contact.settle(now) {
                moved.push((at, settled.pressed));
                if settled.pressed {
                    finger.down(settled.since, &mut say);
                } else {
                    finger.up(settled.since, &mut say);
                }
            }
        }
        for (at, chord) in self.chords.iter_mut().enumerate() {
            let button = count + at;
            let mut say = |gesture| {
                out.push(Done {
                    button,
                    gesture,
                    at: now,
                });
            };
            let mine = |(at, _): &&(usize, bool)| chord.members.contains(at);
            let Some((_, pressed)) = moved.iter().find(mine) else {
                continue;
            };
            if chord.down && !pressed {
                chord.down = false;
                chord.finger.up(now, &mut say);
            } else if !chord.down {
                let since = chord.members.iter().map(|at| {
                    let (_, finger) = self.singles.get(*at)?;
                    finger.open_since()
                });
                let Some(since) = since.collect::<Option<Vec<_>>>() else {
                    continue;
                };
                let first = since.iter().min().copied().unwrap_or_default();
                let last = since.iter().max().copied().unwrap_or_default();
                if last.saturating_sub(first) <= chord.within {
                    chord.down = true;
                    for at in &chord.members {
                        if let Some((_, finger)) = self.singles.get_mut(*at) {
                            finger.take();
                        }
                    }
                    chord.finger.down(last, &mut say);
                }
            }
        }
        let fingers = self.singles.iter_mut().map(|(_, finger)| finger);
        let fingers = fingers.chain(self.chords.iter_mut().map(|chord| &mut chord.finger));
        for (button, finger) in fingers.enumerate() {
            finger.tick(now, &mut |gesture| {
                out.push(Done {
                    button,
                    gesture,
                    at: now,
                });
            });
        }
    }

    /// When something happens by itself.
    fn due(&self) -> Option<Duration> {
        let contacts = self.singles.iter().filter_map(|(contact, _)| contact.due());
        let fingers = self.singles.iter().filter_map(|(_, finger)| finger.due());
        let chords = self.chords.iter().filter_map(|chord| chord.finger.due());
        contacts.chain(fingers).chain(chords).min()
    }

    /// When to read a line or look again.
    pub fn wake(&self) -> Option<Duration> {
        let looks = self
            .singles
            .iter()
            .filter_map(|(contact, _)| contact.look());
        looks.chain(self.due()).min()
    }

    /// Whether a button or chord is pressed.
    pub fn is_down(&self, button: usize) -> bool {
        match self.singles.get(button) {
            Some((_, finger)) => finger.is_down(),
            None => {
                let chord = self.chords.get(button - self.singles.len());
                chord.is_some_and(|chord| chord.down)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Gesture::{Double, Hold, Press, Release};
    use proptest::prelude::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn single(knows: Knows) -> Single {
        Single {
            debounce: ms(30),
            knows,
        }
    }

    fn hold(after: u64, every: Option<u64>) -> Knows {
        Knows {
            hold: Some((ms(after), every.map(ms))),
            ..Knows::default()
        }
    }

    fn double() -> Knows {
        Knows {
            double: Some(ms(400)),
            ..Knows::default()
        }
    }

    /// Edges (button, time, pressed) looked at in time: what was done, with its time.
    fn run(
        mut gestures: Gestures,
        edges: &[(usize, u64, bool)],
        end: u64,
    ) -> Vec<(usize, Gesture, u64)> {
        let mut all = Vec::new();
        let mut edges = edges.iter().peekable();
        for now in 0..=end {
            let mut out = Vec::new();
            while let Some((button, at, pressed)) = edges.next_if(|(_, at, _)| *at <= now) {
                gestures.edge(*button, ms(*at), *pressed, &mut out);
            }
            gestures.tick(ms(now), &mut out);
            all.extend(out.iter().map(|done| (done.button, done.gesture, now)));
        }
        all
    }

    #[test]
    fn gestures_are_what_the_table_says() {
        type Case<'a> = (&'a str, Knows, &'a [(u64, bool)], &'a [(Gesture, u64)]);
        let both = Knows {
            hold: Some((ms(1000), None)),
            ..double()
        };
        let cases: &[Case] = &[
            (
                "a press fires when its level has settled",
                Knows::default(),
                &[(100, true), (300, false)],
                &[(Press, 130), (Release, 330)],
            ),
            (
                "with a hold, a short press fires when it ends",
                hold(1000, None),
                &[(100, true), (300, false)],
                &[(Press, 330), (Release, 330)],
            ),
            (
                "a hold counts from the first edge and is no press",
                hold(1000, None),
                &[(100, true), (105, false), (110, true), (1500, false)],
                &[(Hold, 1110), (Release, 1530)],
            ),
            (
                "a hold is repeated",
                hold(1000, Some(200)),
                &[(100, true), (1450, false)],
                &[(Hold, 1100), (Hold, 1300), (Release, 1480)],
            ),
            (
                "two presses are a double and nothing else",
                double(),
                &[(100, true), (150, false), (250, true), (300, false)],
                &[(Release, 180), (Double, 280), (Release, 330)],
            ),
            (
                "one press with a double waits for the second",
                double(),
                &[(100, true), (150, false)],
                &[(Release, 180), (Press, 500)],
            ),
            (
                "a second press too late is another press",
                double(),
                &[(100, true), (150, false), (600, true), (650, false)],
                &[(Release, 180), (Press, 500), (Release, 680), (Press, 1000)],
            ),
            (
                "a long press can't become a double",
                double(),
                &[(100, true), (900, false)],
                &[(Press, 500), (Release, 930)],
            ),
            (
                "hold and double on one button",
                both,
                &[
                    (100, true),
                    (150, false),
                    (250, true),
                    (300, false),
                    (2000, true),
                    (3500, false),
                ],
                &[
                    (Release, 180),
                    (Double, 280),
                    (Release, 330),
                    (Hold, 3000),
                    (Release, 3530),
                ],
            ),
        ];
        for (name, knows, edges, wanted) in cases {
            let edges: Vec<_> = edges.iter().map(|(at, down)| (0, *at, *down)).collect();
            let done = run(Gestures::new(&[single(*knows)], vec![]), &edges, 4000);
            let wanted: Vec<_> = wanted.iter().map(|(what, at)| (0, *what, *at)).collect();
            assert_eq!(done, wanted, "{name}");
        }
    }

    fn chord(knows: Knows) -> Gestures {
        let chord = Chord {
            members: vec![0, 1],
            within: ms(150),
            knows,
        };
        Gestures::new(&[single(Knows::default()); 3], vec![chord])
    }

    #[test]
    fn a_chord_takes_its_buttons_presses_and_late_or_single_ones_stay_themselves() {
        let together = [
            (0, 100, true),
            (1, 180, true),
            (0, 400, false),
            (1, 420, false),
        ];
        let done = run(chord(Knows::default()), &together, 1000);
        assert_eq!(done, [(3, Press, 210), (3, Release, 430)]);
        let held = [
            (0, 100, true),
            (1, 180, true),
            (0, 2400, false),
            (1, 2420, false),
        ];
        let done = run(chord(hold(1000, None)), &held, 3000);
        assert_eq!(done, [(3, Hold, 1180), (3, Release, 2430)]);
        let apart = [
            (0, 100, true),
            (1, 400, true),
            (0, 600, false),
            (1, 700, false),
        ];
        let done = run(chord(Knows::default()), &apart, 1000);
        assert_eq!(
            done,
            [
                (0, Press, 250),
                (1, Press, 550),
                (0, Release, 630),
                (1, Release, 730)
            ]
        );
        let short = [(0, 100, true), (0, 150, false), (2, 200, true)];
        let done = run(chord(Knows::default()), &short, 1000);
        assert_eq!(done, [(0, Press, 180), (0, Release, 180), (2, Press, 230)]);
    }

    #[test]
    fn a_late_look_gives_what_looks_in_time_would_have_given() {
        let mut gestures = Gestures::new(&[single(hold(1000, None))], vec![]);
        let mut out = Vec::new();
        // Everything is read after a pause of five seconds: it was no hold.
        for (at, pressed) in [(100, true), (300, false), (400, true), (600, false)] {
            gestures.edge(0, ms(at), pressed, &mut out);
        }
        gestures.tick(ms(5000), &mut out);
        let done: Vec<_> = out.iter().map(|done| done.gesture).collect();
        assert_eq!(done, [Press, Release, Press, Release]);
    }

    #[test]
    fn a_line_that_contradicts_its_edges_is_believed_only_if_no_edge_explains_it() {
        let mut gestures = Gestures::new(&[single(Knows::default())], vec![]);
        let mut out = Vec::new();
        // Looked at late, just as the finger leaves: the edge that says so is still on its way.
        gestures.edge(0, ms(100), true, &mut out);
        gestures.read(0, ms(200), Some(false));
        gestures.tick(ms(200), &mut out);
        assert!(out.is_empty());
        gestures.edge(0, ms(199), false, &mut out);
        gestures.tick(ms(300), &mut out);
        let done: Vec<_> = out.drain(..).map(|done| done.gesture).collect();
        assert_eq!(done, [Press, Release]);
        gestures.read(0, ms(300), Some(false));
        // An edge that wasn't: the line stays as it was.
        gestures.edge(0, ms(400), true, &mut out);
        for now in [430, 440, 470] {
            assert!(gestures.looks(0, ms(now)), "{now}");
            gestures.read(0, ms(now), Some(false));
            gestures.tick(ms(now), &mut out);
        }
        assert!(out.is_empty() && gestures.wake().is_none(), "{out:?}");
        // The last edge of a bounce is lost: the line is read once it rests, and is right.
        gestures.edge(0, ms(500), true, &mut out);
        gestures.edge(0, ms(505), false, &mut out);
        for now in [535, 545, 575] {
            assert_eq!(gestures.wake(), Some(ms(now)));
            gestures.read(0, ms(now), Some(true));
            gestures.tick(ms(now), &mut out);
        }
        assert_eq!(out.last().map(|done| done.gesture), Some(Press));
        assert!(gestures.wake().is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]

        #[test]
        fn of_ten_thousand_bouncy_presses_none_is_missed_and_none_is_doubled(
            seed in any::<u64>(), count in Just(500_u64),
        ) {
            let mut random = seed | 1;
            let mut next = |below: u64| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                random % below
            };
            let mut gestures = Gestures::new(&[single(Knows::default())], vec![]);
            let (mut at, mut out) = (1_000_000_u64, Vec::new());
            let micros = Duration::from_micros;
            for _ in 0..count {
                for pressed in [true, false] {
                    // Up to 20 ms of bounces, some of their edges lost or repeated.
                    for _ in 0..next(12) {
                        at += next(1700);
                        gestures.edge(0, micros(at), next(2) == 0, &mut out);
                    }
                    at += next(1700);
                    gestures.edge(0, micros(at), pressed, &mut out);
                    at += 31_000 + next(200_000);
                    if next(2) == 0 {
                        gestures.tick(micros(at), &mut out);
                    }
                }
            }
            gestures.tick(micros(at + 100_000), &mut out);
            let done: Vec<_> = out.iter().map(|done| done.gesture).collect();
            let wanted: Vec<_> = (0..count).flat_map(|_| [Press, Release]).collect();
            prop_assert_eq!(done, wanted);
        }
    }
}
