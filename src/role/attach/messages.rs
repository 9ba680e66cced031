//! What people say to whoever is attached: over the screen until Enter is pressed, when the screen
//! comes back. Meanwhile nothing is typed into the terminal.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::wire::message::Notice;

/// Keys pressed this soon were meant for what was there before.
const TOO_SOON: Duration = Duration::from_millis(700);
/// Most messages that wait to be read.
const MOST: usize = 16;

/// Messages that are shown one after another.
#[derive(Debug, Default)]
pub(super) struct Messages {
    waiting: VecDeque<Notice>,
    since: Option<Instant>,
}

/// What a key did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pressed {
    /// Nothing.
    Nothing,
    /// A message was read; its number if somebody wants to know.
    Read(Option<u32>),
}

impl Messages {
    /// Takes a message; whether it is to be shown now.
    pub(super) fn take(&mut self, notice: Notice, now: Instant) -> bool {
        let id = |notice: &Notice| notice.message.as_ref().map(|head| head.id);
        // After a reconnection the unread ones come again.
        if self.waiting.len() >= MOST || self.waiting.iter().any(|known| id(known) == id(&notice)) {
            return false;
        }
        self.waiting.push_back(notice);
        if self.waiting.len() == 1 {
            self.since = Some(now);
        }
        self.waiting.len() == 1
    }

    /// The lines of the message that is shown.
    pub(super) fn shown(&self) -> Option<Vec<String>> {
        let notice = self.waiting.front()?;
        let head = notice.message.as_ref()?;
        let mut lines = vec![format!(" Message from {}:", head.from)];
        lines.extend(notice.text.lines().map(|line| format!("   {line}")));
        lines.push(if head.require_ack {
            " Press Enter to say that you have read it.".to_owned()
        } else {
            " Press Enter to go on.".to_owned()
        });
        Some(lines)
    }

    /// Keys while a message is shown.
    pub(super) fn pressed(&mut self, keys: &[u8], now: Instant) -> Pressed {
        let soon = self.since.is_some_and(|since| now < since + TOO_SOON);
        if soon || !keys.iter().any(|key| matches!(key, b'\r' | b'\n')) {
            return Pressed::Nothing;
        }
        let read = self.waiting.pop_front();
        self.since = Some(now);
        let head = read.and_then(|notice| notice.message);
        Pressed::Read(head.filter(|head| head.require_ack).map(|head| head.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Level;
    use crate::wire::message::MessageHead;

    fn notice(id: u32, require_ack: bool) -> Notice {
        Notice {
            level: Level::Info,
            text: "one\ntwo".to_owned(),
            message: Some(MessageHead {
                id,
                from: "ada".to_owned(),
                require_ack,
            }),
        }
    }

    #[test]
    fn messages_are_read_one_after_another_and_not_by_a_key_that_was_meant_for_the_program() {
        let (mut messages, now) = (Messages::default(), Instant::now());
        assert!(messages.take(notice(1, true), now));
        assert!(!messages.take(notice(1, true), now), "the same again");
        assert!(!messages.take(notice(2, false), now));
        assert_eq!(messages.shown().unwrap().len(), 4);
        assert_eq!(messages.pressed(b"\r", now), Pressed::Nothing);
        let later = now + TOO_SOON;
        assert_eq!(messages.pressed(b"x", later), Pressed::Nothing);
        assert_eq!(messages.pressed(b"\r", later), Pressed::Read(Some(1)));
        assert_eq!(messages.pressed(b"\r", later), Pressed::Nothing);
        let later = later + TOO_SOON;
        assert_eq!(messages.pressed(b"\r", later), Pressed::Read(None));
        assert!(messages.shown().is_none());
    }
}
