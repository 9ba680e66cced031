//! Messages from people to those who watch: who was told, who has read them.

use std::collections::VecDeque;

use serde_json::json;

use super::frames::label;
use super::requests::Part;
use super::run::{Keeper, unix_seconds};
use super::serve::send;
use crate::base::{Level, MessageText};
use crate::screen::Model;
use crate::wire::message::{Acknowledged, FailureKind, MessageHead, Mode, Notice, ViewerInfo};

/// Most messages that wait to be acknowledged; the oldest is given up for a new one. More than a person
/// reads on a screen.
const MAX_UNREAD: usize = 8;
/// Acknowledgements remembered for those who ask later.
const MAX_READ: usize = 64;

/// The messages of one terminal.
#[derive(Debug, Default)]
pub(super) struct Messages {
    unread: VecDeque<Notice>,
    read: VecDeque<(u32, Acknowledged)>,
}

impl Messages {
    fn keep(&mut self, notice: Notice) {
        if self.unread.len() >= MAX_UNREAD {
            self.unread.pop_front();
        }
        self.unread.push_back(notice);
    }

    /// Notes the first acknowledgement; `false` when nobody waits for one.
    fn acknowledge(&mut self, message: u32, by: Acknowledged) -> bool {
        let known = |notice: &Notice| notice.message.as_ref().map(|head| head.id) == Some(message);
        let Some(at) = self.unread.iter().position(known) else {
            return false;
        };
        self.unread.remove(at);
        if self.read.len() >= MAX_READ {
            self.read.pop_front();
        }
        self.read.push_back((message, by));
        true
    }

    fn is_unread(&self, message: u32) -> bool {
        let mut heads = self
            .unread
            .iter()
            .filter_map(|notice| notice.message.as_ref());
        heads.any(|head| head.id == message)
    }

    fn who_read(&self, message: u32) -> Option<&Acknowledged> {
        let mut read = self.read.iter();
        read.find(|(id, _)| *id == message).map(|(_, by)| by)
    }

    /// What a newcomer has to see.
    pub(super) fn unread(&self) -> impl Iterator<Item = &Notice> {
        self.unread.iter()
    }
}

impl<M: Model> Keeper<M> {
    /// Shows a message to everybody who watches.
    pub(super) fn notify(
        &mut self,
        id: u32,
        level: Level,
        text: MessageText,
        head: &MessageHead,
    ) -> Part {
        let head = MessageHead {
            from: label(&head.from),
            ..*head
        };
        let notice = Notice {
            level,
            text: text.into(),
            message: Some(head),
        };
        let mut viewers = 0;
        for viewer in self.viewers.iter_mut().filter(|viewer| viewer.watches()) {
            viewer.message(&notice);
            viewers += 1;
        }
        if notice.message.as_ref().is_some_and(|head| head.require_ack) {
            self.messages.keep(notice);
        }
        Part::whole(id, &json!({ "ok": { "viewers": viewers } }))
    }

    /// Notes that a viewer's person has read a message, and tells whoever waits for that.
    pub(super) fn acknowledge(&mut self, id: u32, info: &ViewerInfo, message: u32) -> Part {
        if info.mode == Mode::Manage {
            let why = "only who is shown a message can acknowledge it";
            return Part::failed(id, FailureKind::Denied, why);
        }
        let by = Acknowledged {
            by: info.label.clone(),
            kiosk: info.kiosk,
            at: unix_seconds(),
        };
        // The second of two people who both press the button has done nothing wrong.
        if self.messages.acknowledge(message, by.clone()) {
            for viewer in &mut self.viewers {
                let requests = viewer.attached.as_mut().map(|a| &mut a.requests);
                let answers = requests.map(|requests| requests.acknowledged(message, &by));
                for part in answers.unwrap_or_default() {
                    send(viewer, &part);
                }
            }
        }
        Part::whole(id, &json!({ "ok": {} }))
    }

    /// The answer to somebody who wants to wait for an acknowledgement, when there is one at once.
    pub(super) fn acknowledged_already(&self, id: u32, message: u32) -> Option<Part> {
        if let Some(by) = self.messages.who_read(message) {
            Some(Part::whole(id, &json!({ "ok": by })))
        } else if self.messages.is_unread(message) {
            None
        } else {
            let why = "no message of this number waits to be acknowledged";
            Some(Part::failed(id, FailureKind::Invalid, why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(id: u32) -> Notice {
        Notice {
            level: Level::Info,
            text: "x".to_owned(),
            message: Some(MessageHead {
                id,
                from: String::new(),
                require_ack: true,
            }),
        }
    }

    fn by(who: &str) -> Acknowledged {
        Acknowledged {
            by: who.to_owned(),
            kiosk: false,
            at: 0,
        }
    }

    #[test]
    fn the_first_who_acknowledges_counts_and_later_viewers_are_not_told_any_more() {
        let mut messages = Messages::default();
        messages.keep(notice(7));
        assert_eq!(messages.unread().count(), 1);
        assert!(messages.acknowledge(7, by("ada")));
        assert!(!messages.acknowledge(7, by("eve")));
        assert_eq!(messages.who_read(7), Some(&by("ada")));
        assert_eq!(messages.unread().count(), 0);
    }

    #[test]
    fn eight_messages_wait_and_a_ninth_takes_the_place_of_the_oldest() {
        let mut messages = Messages::default();
        (0..9).for_each(|id| messages.keep(notice(id)));
        assert!(!messages.is_unread(0) && messages.is_unread(1) && messages.is_unread(8));
        for id in 100..300 {
            messages.keep(notice(id));
            messages.acknowledge(id, by("ada"));
        }
        assert_eq!(messages.read.len(), MAX_READ);
    }
}
