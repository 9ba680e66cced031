//! Conversations on their way to a login: a browser answers one prompt after the other over short
//! requests, and whoever judges (PAM, the local administrator's password) waits in between.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::base::{Secret, User, UserName};
use crate::policy::settings::auth::PamSettings;

use super::Fingerprint;
use super::pam::Entry;
use super::throttle::Who;

/// Most answers at once, and most prompts of one step: PAM's own `PAM_MAX_NUM_MSG`.
pub const MAX_PROMPTS: usize = 32;
/// Longest answer, in bytes: PAM's own `PAM_MAX_RESP_SIZE`, less its closing NUL.
pub const MAX_ANSWER: usize = 511;

/// A question to the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Its words.
    pub text: String,
    /// Whether what is typed may be seen.
    pub echo: bool,
}

/// Something said on the way, like "your password expires in 3 days".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its words.
    pub text: String,
    /// Whether it is about a fault.
    pub error: bool,
}

/// What a person typed. Never shown, and wiped from memory when it is done with.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Typed(Zeroizing<String>);

impl Typed {
    /// What was typed, for whoever judges it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The same, given away.
    pub fn into_exposed(self) -> Zeroizing<String> {
        self.0
    }

    /// Whether whoever judges may be given this at all.
    pub fn is_fit(&self) -> bool {
        self.0.len() <= MAX_ANSWER && !self.0.contains('\0')
    }
}

impl From<String> for Typed {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<typed>")
    }
}

/// Where a conversation stands.
#[derive(Debug)]
pub enum Step {
    /// It goes on with answers to these, in their order.
    Ask {
        /// To show first.
        notes: Vec<Note>,
        /// At least one.
        prompts: Vec<Prompt>,
    },
    /// The person is who they say.
    In {
        /// Who.
        user: User,
        /// How terminals of their own account can be opened, if they can.
        entry: Option<Entry>,
    },
    /// They are not, or may not. Never says why: that is for the log.
    Out {},
}

/// Whoever judges can't be reached, or broke off.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct DialogueError(pub String);

/// What a step will come to.
pub type Stepping<'a> = Pin<Box<dyn Future<Output = Result<Step, DialogueError>> + Send + 'a>>;

/// One conversation, from whoever judges. Dropping it breaks it off.
pub trait Dialogue: fmt::Debug + Send {
    /// Gives the answers (none at first) and waits for what comes of them. Not called again after
    /// anything but [`Step::Ask`].
    fn step(&mut self, answers: Vec<Typed>) -> Stepping<'_>;
}

/// Somebody who can judge by conversation.
pub trait Judge: fmt::Debug + Send + Sync {
    /// Begins a conversation about this user, who is at this address.
    fn begin(&self, user: &UserName, from: IpAddr) -> Box<dyn Dialogue>;
}

/// Names a conversation to the browser that began it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct ConversationId(Fingerprint);

impl ConversationId {
    pub(super) fn of(secret: &Secret) -> Self {
        Self(Fingerprint::of(secret))
    }
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<conversation>")
    }
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// The conversations under way.
#[derive(Debug)]
pub(super) struct Conversations {
    settings: PamSettings,
    table: HashMap<ConversationId, Slot>,
}

#[derive(Debug)]
struct Slot {
    browser: Fingerprint,
    from: Who,
    user: UserName,
    heard: Instant,
    /// How many prompts are to be answered.
    asked: usize,
    /// Not here while it takes a step.
    dialogue: Option<Box<dyn Dialogue>>,
}

impl Conversations {
    pub(super) fn new(settings: PamSettings) -> Self {
        Self {
            settings,
            table: HashMap::new(),
        }
    }

    /// Makes room for a conversation of this browser, whose dialogue is on its way.
    pub(super) fn open(
        &mut self,
        id: ConversationId,
        browser: Fingerprint,
        from: &Who,
        user: UserName,
        now: Instant,
    ) -> Result<(), Full> {
        self.sweep(now);
        let same = |slot: &Slot| slot.from == *from;
        let from_there = self.table.values().filter(|slot| same(slot)).count();
        if from_there >= self.settings.conversations_per_address
            || self.table.len() >= self.settings.conversations
        {
            // A page that was reloaded began anew: its own older ones wait for nobody.
            let own = self
                .table
                .iter()
                .filter(|(_, slot)| slot.browser == browser && slot.dialogue.is_some())
                .min_by_key(|(_, slot)| slot.heard)
                .map(|(id, _)| id.clone());
            self.table.remove(&own.ok_or(Full)?);
        }
        let slot = Slot {
            browser,
            from: from.clone(),
            user,
            heard: now,
            asked: 0,
            dialogue: None,
        };
        self.table.insert(id, slot);
        Ok(())
    }

    /// Takes the dialogue out for a step with so many answers. `None` when there is no such
    /// conversation of this browser, it takes a step already, or it asked for another number: that
    /// ends it.
    pub(super) fn take(
        &mut self,
        id: &ConversationId,
        browser: Fingerprint,
        answers: usize,
        now: Instant,
    ) -> Option<(UserName, Box<dyn Dialogue>)> {
        self.sweep(now);
        let slot = self.table.get_mut(id)?;
        if slot.browser != browser {
            return None;
        }
        let dialogue = slot.dialogue.take()?;
        if slot.asked == answers {
            slot.heard = now;
            Some((slot.user.clone(), dialogue))
        } else {
            self.table.remove(id);
            None
        }
    }

    /// Puts the dialogue back, which asked so many prompts.
    pub(super) fn give_back(
        &mut self,
        id: &ConversationId,
        asked: usize,
        dialogue: Box<dyn Dialogue>,
        now: Instant,
    ) {
        if let Some(slot) = self.table.get_mut(id) {
            slot.asked = asked;
            slot.heard = now;
            slot.dialogue = Some(dialogue);
        }
    }

    /// Ends a conversation.
    pub(super) fn close(&mut self, id: &ConversationId) {
        self.table.remove(id);
    }

    /// Breaks off those nobody goes on with.
    pub(super) fn sweep(&mut self, now: Instant) {
        let abandoned = Duration::from_secs(self.settings.abandoned);
        self.table
            .retain(|_, slot| now.saturating_duration_since(slot.heard) < abandoned);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Mute;
    impl Dialogue for Mute {
        fn step(&mut self, _answers: Vec<Typed>) -> Stepping<'_> {
            Box::pin(async { Ok(Step::Out {}) })
        }
    }

    fn id(number: u8) -> ConversationId {
        ConversationId(Fingerprint([number; 32]))
    }

    fn open(table: &mut Conversations, number: u8, browser: u8, from: &str, now: Instant) -> bool {
        let from = Who::address(from.parse().unwrap());
        let browser = Fingerprint([browser; 32]);
        let opened = table.open(id(number), browser, &from, "alice".parse().unwrap(), now);
        if opened.is_ok() {
            table.give_back(&id(number), 1, Box::new(Mute), now);
        }
        opened.is_ok()
    }

    #[test]
    fn pam_parallel_limit_holds_per_address_and_in_all() {
        let now = Instant::now();
        let mut table = Conversations::new(PamSettings::default());
        for number in 0..4 {
            assert!(open(&mut table, number, number, "192.0.2.1", now));
        }
        assert!(!open(&mut table, 4, 4, "192.0.2.1", now));
        assert!(
            open(&mut table, 4, 3, "192.0.2.1", now),
            "its own older one goes"
        );
        assert_eq!(table.len(), 4);
        for number in 4..16 {
            let from = format!("192.0.2.{number}");
            assert!(open(&mut table, number + 100, number, &from, now));
        }
        assert!(!open(&mut table, 99, 99, "192.0.2.99", now));
        let later = now + Duration::from_secs(120);
        assert!(
            open(&mut table, 99, 99, "192.0.2.99", later),
            "abandoned ones are gone"
        );
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_conversation_belongs_to_one_browser_and_takes_one_step_at_a_time() {
        let now = Instant::now();
        let mut table = Conversations::new(PamSettings::default());
        assert!(open(&mut table, 1, 1, "192.0.2.1", now));
        let (own, other) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
        assert!(table.take(&id(1), other, 1, now).is_none());
        let (_, dialogue) = table.take(&id(1), own, 1, now).unwrap();
        assert!(table.take(&id(1), own, 1, now).is_none(), "under way");
        table.give_back(&id(1), 2, dialogue, now);
        assert!(table.take(&id(1), own, 1, now).is_none(), "two were asked");
        assert_eq!(table.len(), 0, "and that ended it");
    }
}
