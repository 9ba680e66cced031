//! What the terminal has to say: answers to queries, changes of title, bells. Bounded, whoever asks
//! how often.

use crate::screen::ScreenEvent;

/// Most bytes of answers to one feed: hundreds of queries. A program that asks more at once isn't
/// reading the answers.
pub(super) const MAX_REPLIES: usize = 4096;
/// Most bells of one feed.
const MAX_BELLS: u32 = 16;

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    replies: Vec<u8>,
    bells: u32,
    /// Whether the title is another than when it was last taken.
    pub(super) title_changed: bool,
}

impl Outbox {
    /// Queues an answer, whole or not at all.
    pub(super) fn reply(&mut self, answer: &str) {
        if self.replies.len() + answer.len() <= MAX_REPLIES {
            self.replies.extend_from_slice(answer.as_bytes());
        }
    }

    pub(super) fn bell(&mut self) {
        self.bells = (self.bells + 1).min(MAX_BELLS);
    }

    /// The next event.
    pub(super) fn next(&mut self, title: Option<&str>) -> Option<ScreenEvent> {
        if !self.replies.is_empty() {
            return Some(ScreenEvent::Reply(std::mem::take(&mut self.replies)));
        }
        if std::mem::take(&mut self.title_changed) {
            return Some(ScreenEvent::Title(title.map(str::to_owned)));
        }
        self.bells = self.bells.checked_sub(1)?;
        Some(ScreenEvent::Bell)
    }
}
