//! Everything known about the terminal besides its screen, and which of it a viewer hasn't been told.

use std::time::Instant;

use super::guest::left_ms;
use crate::base::{Labels, Size, TerminalName, UserName};
use crate::wire::message::{Exit, Meta, ViewerInfo};

/// Facts that changed since a viewer was last told: coalesced here, so that a viewer that doesn't
/// read costs nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Changes(u16);

impl Changes {
    pub(super) const NAME: Self = Self(1);
    pub(super) const TITLE: Self = Self(1 << 1);
    pub(super) const SIZE: Self = Self(1 << 2);
    pub(super) const VIEWERS: Self = Self(1 << 3);
    pub(super) const EXIT: Self = Self(1 << 4);
    pub(super) const STOPPED: Self = Self(1 << 5);
    pub(super) const BELLS: Self = Self(1 << 6);
    pub(super) const LAST_OUTPUT: Self = Self(1 << 7);
    pub(super) const BEHIND: Self = Self(1 << 8);
    /// What never changes while the program runs.
    pub(super) const PROGRAM: Self = Self(1 << 9);
    pub(super) const GUEST: Self = Self(1 << 10);
    pub(super) const ALL: Self = Self(u16::MAX);

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn any(self) -> bool {
        self.0 != 0
    }
}

/// Everything known.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) name: Option<TerminalName>,
    pub(super) title: Option<String>,
    pub(super) size: Size,
    pub(super) size_owner: Option<u32>,
    pub(super) viewers: Vec<ViewerInfo>,
    pub(super) exit: Option<Exit>,
    pub(super) stopped: bool,
    pub(super) bells: u64,
    pub(super) command: Vec<String>,
    pub(super) pid: Option<u32>,
    pub(super) owner: Option<UserName>,
    pub(super) labels: Labels,
    /// Milliseconds since the Unix epoch.
    pub(super) opened_ms: u64,
    /// Seconds since the Unix epoch.
    pub(super) last_output: Option<u64>,
    pub(super) scrollback: u64,
    /// Somebody has been there since the program was started.
    pub(super) used: bool,
    /// The program is started again by itself.
    pub(super) restarts: bool,
    /// When the terminal is reset, once that was announced.
    pub(super) reset_at: Option<Instant>,
}

impl Facts {
    /// All facts, for a viewer that is let see the command line or not.
    pub(super) fn all(&self, hides_command: bool) -> Meta {
        self.meta(Changes::ALL, false, hides_command)
    }

    /// The facts in `changes`, for a viewer that is or isn't behind.
    pub(super) fn meta(&self, changes: Changes, behind: bool, hides_command: bool) -> Meta {
        let if_changed = |change| changes.has(change);
        Meta {
            name: if_changed(Changes::NAME).then(|| self.name.clone()),
            title: if_changed(Changes::TITLE).then(|| self.title.clone()),
            size: if_changed(Changes::SIZE).then_some(self.size),
            size_owner: if_changed(Changes::SIZE).then_some(self.size_owner),
            viewers: if_changed(Changes::VIEWERS).then(|| self.viewers.clone()),
            exit: if_changed(Changes::EXIT).then_some(self.exit),
            stopped: if_changed(Changes::STOPPED).then_some(self.stopped),
            bells: if_changed(Changes::BELLS).then_some(self.bells),
            command: (if_changed(Changes::PROGRAM) && !hides_command).then(|| self.command.clone()),
            pid: self.pid.filter(|_| if_changed(Changes::PROGRAM)),
            owner: self.owner.clone().filter(|_| if_changed(Changes::PROGRAM)),
            labels: (if_changed(Changes::PROGRAM) && !self.labels.is_empty())
                .then(|| self.labels.clone()),
            opened: if_changed(Changes::PROGRAM).then_some(self.opened_ms / 1000),
            opened_ms: if_changed(Changes::PROGRAM).then_some(self.opened_ms),
            // These two change all the time and go along with whatever else is told.
            last_output: self.last_output,
            scrollback: Some(self.scrollback),
            used: if_changed(Changes::GUEST).then_some(self.used),
            restarts: if_changed(Changes::GUEST).then_some(self.restarts),
            reset_in_ms: if_changed(Changes::GUEST).then(|| self.reset_at.map(left_ms)),
            behind: if_changed(Changes::BEHIND).then_some(behind),
        }
    }
}
