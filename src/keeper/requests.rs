//! Questions that can't be answered at once: long texts, sent in parts, and waiting for something to come true.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::searches::Searching;
use crate::screen::{Model, Search};
use crate::wire::message::{Acknowledged, Failure, FailureKind, MUST_BE_AN_ACTION, WaitFor};

/// Most questions of one viewer that are being answered.
pub(super) const MAX_PENDING: usize = 16;
/// Size of one part of a text, in bytes.
const TEXT_PART: usize = 16 << 10;
/// Most text looked through for one waiting question at a time, in bytes: a flood must not stop the
/// keeper from moving bytes.
const LOOK_AT: usize = 256 << 10;

/// A text on its way.
#[derive(Debug)]
struct Text {
    id: u32,
    ansi: bool,
    /// The next line, by absolute number.
    next: u64,
}

/// Somebody waits.
#[derive(Debug)]
struct Wait {
    id: u32,
    what: Until,
    give_up: Option<Instant>,
}

#[derive(Debug)]
enum Until {
    /// A line from this one on matches.
    Line {
        search: Search,
        next: u64,
        /// The output that has been looked at.
        seen: Option<Instant>,
    },
    Exit,
    /// Told when it happens, by [`Requests::acknowledged`].
    Acknowledged(u32),
    /// No output for so long since the question or the last output, whichever is later.
    Silence {
        lasts: Duration,
        asked: Instant,
    },
}

/// What a viewer has asked and not been answered.
#[derive(Debug, Default)]
pub(super) struct Requests {
    texts: Vec<Text>,
    searches: Vec<Searching>,
    waits: Vec<Wait>,
}

/// What is true now, for those who wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Instant,
    pub(super) ended: bool,
    pub(super) last_output: Instant,
}

/// One part of an answer.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) id: u32,
    pub(super) last: bool,
    pub(super) body: Vec<u8>,
}

impl Part {
    /// The only part of an answer that is JSON.
    pub(super) fn whole(id: u32, answer: &Value) -> Self {
        Self {
            id,
            last: true,
            body: answer.to_string().into_bytes(),
        }
    }

    /// The answer to a request of a browser's that would change something.
    pub(super) fn as_action(id: u32) -> Self {
        Self::failed(id, FailureKind::Denied, MUST_BE_AN_ACTION)
    }

    /// The answer to a question that failed.
    pub(super) fn failed(id: u32, kind: FailureKind, message: impl Into<String>) -> Self {
        let failure = Failure {
            kind,
            message: message.into(),
        };
        Self::whole(id, &json!({ "error": failure }))
    }
}

impl Requests {
    fn has_room(&self) -> bool {
        self.texts.len() + self.searches.len() + self.waits.len() < MAX_PENDING
    }

    fn busy(id: u32) -> Part {
        let message = format!("{MAX_PENDING} questions are being answered; wait for one");
        Part::failed(id, FailureKind::Busy, message)
    }

    /// Begins to send the text.
    pub(super) fn text(
        &mut self,
        id: u32,
        scrollback: bool,
        ansi: bool,
        model: &impl Model,
    ) -> Option<Part> {
        if !self.has_room() {
            return Some(Self::busy(id));
        }
        let next = if scrollback {
            model.first_line()
        } else {
            first_line_of_screen(model)
        };
        self.texts.push(Text { id, ansi, next });
        None
    }

    /// Begins to wait.
    pub(super) fn wait(
        &mut self,
        id: u32,
        what: &WaitFor,
        timeout: Option<Duration>,
        moment: Moment,
        model: &impl Model,
    ) -> Option<Part> {
        if !self.has_room() {
            return Some(Self::busy(id));
        }
        let what = match what {
            WaitFor::Regex(regex) => match Search::regex(regex) {
                Ok(search) => Until::Line {
                    search,
                    next: first_line_of_screen(model),
                    seen: None,
                },
                Err(error) => {
                    return Some(Part::failed(id, FailureKind::Invalid, error.to_string()));
                }
            },
            WaitFor::Exit {} => Until::Exit,
            WaitFor::Acknowledged(message) => Until::Acknowledged(*message),
            WaitFor::Silence(milliseconds) => Until::Silence {
                lasts: Duration::from_millis(*milliseconds),
                asked: moment.now,
            },
        };
        self.waits.push(Wait {
            id,
            what,
            give_up: timeout.and_then(|timeout| moment.now.checked_add(timeout)),
        });
        None
    }

    /// Begins to search.
    pub(super) fn search(
        &mut self,
        id: u32,
        text: &str,
        regex: bool,
        before: Option<u64>,
        limit: u32,
    ) -> Option<Part> {
        if !self.has_room() {
            return Some(Self::busy(id));
        }
        match Searching::begin(id, text, regex, before, limit) {
            Ok(search) => {
                self.searches.push(search);
                None
            }
            Err(answer) => Some(answer),
        }
    }

    /// Whether there is searching to be done.
    pub(super) fn is_searching(&self) -> bool {
        !self.searches.is_empty()
    }

    /// Searches on for a moment; the answer if one is complete.
    pub(super) fn search_on(&mut self, model: &impl Model) -> Option<Part> {
        let answer = self.searches.first_mut()?.go_on(model)?;
        self.searches.remove(0);
        Some(answer)
    }

    /// The next part of a text, if one is being sent.
    pub(super) fn next_text(&mut self, model: &impl Model) -> Option<Part> {
        let text = self.texts.first_mut()?;
        let (body, next) = model.text(text.next, text.ansi, TEXT_PART);
        let part = Part {
            id: text.id,
            // A model that doesn't get on must not keep us here for ever.
            last: next.is_none_or(|next| next <= text.next),
            body: body.into_bytes(),
        };
        match next {
            Some(next) if !part.last => text.next = next,
            _ => drop(self.texts.remove(0)),
        }
        Some(part)
    }

    /// Answers to the waits that are over.
    pub(super) fn check(&mut self, moment: Moment, model: &impl Model) -> Vec<Part> {
        let mut answers = Vec::new();
        self.waits.retain_mut(|wait| {
            if wait.what.is_true(moment, model) {
                answers.push(Part::whole(wait.id, &json!({ "ok": {} })));
            } else if wait.what.is_hopeless(moment) {
                answers.push(Part::failed(
                    wait.id,
                    FailureKind::Ended,
                    "the program has ended and will write nothing more",
                ));
            } else if wait.give_up.is_some_and(|give_up| moment.now >= give_up) {
                answers.push(Part::failed(
                    wait.id,
                    FailureKind::Timeout,
                    "it did not come true in the time given",
                ));
            } else {
                return true;
            }
            false
        });
        answers
    }

    /// Answers to those who wait for this message to be acknowledged.
    pub(super) fn acknowledged(&mut self, message: u32, by: &Acknowledged) -> Vec<Part> {
        let mut answers = Vec::new();
        self.waits.retain(|wait| {
            let waited = matches!(wait.what, Until::Acknowledged(id) if id == message);
            if waited {
                answers.push(Part::whole(wait.id, &json!({ "ok": by })));
            }
            !waited
        });
        answers
    }

    /// When something has to be checked although nothing happened.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let give_up = self.waits.iter().filter_map(|wait| wait.give_up);
        let silence = self.waits.iter().filter_map(|wait| match wait.what {
            Until::Silence { lasts, asked } => asked.checked_add(lasts),
            _ => None,
        });
        give_up.chain(silence).min()
    }
}

impl Until {
    fn is_true(&mut self, moment: Moment, model: &impl Model) -> bool {
        match self {
            Self::Exit => moment.ended,
            Self::Acknowledged(_) => false,
            Self::Silence { lasts, asked } => {
                *asked = moment.last_output.max(*asked);
                moment.now.saturating_duration_since(*asked) >= *lasts
            }
            Self::Line { search, next, seen } => {
                if *seen == Some(moment.last_output) {
                    return false;
                }
                *seen = Some(moment.last_output);
                let (text, _) = model.text((*next).max(model.first_line()), false, LOOK_AT);
                // The screen's lines may still change, so they are looked at again.
                *next = first_line_of_screen(model);
                text.lines().any(|line| search.is_in(line))
            }
        }
    }

    fn is_hopeless(&self, moment: Moment) -> bool {
        moment.ended && matches!(self, Self::Line { .. })
    }
}

fn first_line_of_screen(model: &impl Model) -> u64 {
    model.first_line() + model.scrollback()
}
