//! One button's gestures: from pressed and released to what was meant. Pure; the clock is the caller's.
//!
//! A gesture that could still become another waits: `press` fires at once on a button that knows nothing
//! longer, and otherwise as soon as it can't be a hold, a double press or a part of a chord any more.

use std::time::Duration;

use crate::base::Gesture;

/// What a button knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Knows {
    /// How long a hold takes, and how often it is repeated.
    pub hold: Option<(Duration, Option<Duration>)>,
    /// How soon a second press has to come.
    pub double: Option<Duration>,
    /// How long it may become a part of a chord.
    pub chord: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Up,
    /// Down, and it is open what it will be.
    Open {
        since: Duration,
    },
    /// Down, and it was something; `again`: when the hold is repeated.
    Said {
        again: Option<Duration>,
    },
    /// Down as a part of a chord: none of its own gestures.
    Taken,
    /// Up again, but perhaps not for long.
    Perhaps {
        until: Duration,
    },
}

/// A button and what is done with it.
#[derive(Debug, Clone)]
pub(super) struct Finger {
    knows: Knows,
    state: State,
}

impl Finger {
    /// A button that is up.
    pub(super) fn new(knows: Knows) -> Self {
        Self {
            knows,
            state: State::Up,
        }
    }

    /// When a press is decided although the button stays down; with a hold, that is what decides.
    fn decided(&self, since: Duration) -> Option<Duration> {
        let Knows {
            hold,
            double,
            chord,
        } = self.knows;
        match hold {
            Some((after, _)) => Some(since + after),
            None => double.max(chord).map(|wait| since + wait),
        }
    }

    /// Pressed.
    pub(super) fn down(&mut self, at: Duration, say: &mut impl FnMut(Gesture)) {
        if matches!(self.state, State::Perhaps { .. }) {
            say(Gesture::Double);
            self.state = State::Said { again: None };
        } else if self.decided(at).is_some() {
            self.state = State::Open { since: at };
        } else {
            say(Gesture::Press);
            self.state = State::Said { again: None };
        }
    }

    /// Let go.
    pub(super) fn up(&mut self, at: Duration, say: &mut impl FnMut(Gesture)) {
        let was = std::mem::replace(&mut self.state, State::Up);
        match was {
            State::Open { since } => match self.knows.double {
                Some(within) if at < since + within => {
                    self.state = State::Perhaps {
                        until: since + within,
                    };
                }
                _ => say(Gesture::Press),
            },
            State::Taken | State::Up => return,
            State::Said { .. } => {}
            State::Perhaps { .. } => {
                self.state = was;
                return;
            }
        }
        say(Gesture::Release);
    }

    /// Time passes.
    pub(super) fn tick(&mut self, now: Duration, say: &mut impl FnMut(Gesture)) {
        while let Some(due) = self.due().filter(|due| *due <= now) {
            match (self.state, self.knows.hold) {
                (State::Open { .. }, Some((_, every))) => {
                    say(Gesture::Hold);
                    let again = every.map(|every| due + every);
                    self.state = State::Said { again };
                }
                (State::Said { .. }, Some((_, Some(every)))) => {
                    say(Gesture::Hold);
                    // After a pause of ours once, not as often as it would have been.
                    let again = Some(due.max(now) + every);
                    self.state = State::Said { again };
                }
                (State::Perhaps { .. }, _) => {
                    say(Gesture::Press);
                    self.state = State::Up;
                }
                (State::Open { .. } | State::Said { .. } | State::Up | State::Taken, _) => {
                    say(Gesture::Press);
                    self.state = State::Said { again: None };
                }
            }
        }
    }

    /// When to look again.
    pub(super) fn due(&self) -> Option<Duration> {
        match self.state {
            State::Up | State::Taken => None,
            State::Open { since } => self.decided(since),
            State::Said { again } => again,
            State::Perhaps { until } => Some(until),
        }
    }

    /// Since when it is down with everything still open, so that a chord may take it.
    pub(super) fn open_since(&self) -> Option<Duration> {
        match self.state {
            State::Open { since } => Some(since),
            _ => None,
        }
    }

    /// It is a part of a chord, this time.
    pub(super) fn take(&mut self) {
        self.state = State::Taken;
    }

    /// Whether it is down.
    pub(super) fn is_down(&self) -> bool {
        !matches!(self.state, State::Up | State::Perhaps { .. })
    }
}
