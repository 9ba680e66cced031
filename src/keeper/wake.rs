//! Waiting: what the loop is woken by, and when it wakes by itself.

use std::io;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::flow::Flow;
use super::hangup::Hangup;
use super::run::Keeper;
use super::serve::{QUIET_AFTER, RESIZE_EVERY};
use super::viewer::Viewer;
use crate::screen::Model;

/// What woke the loop.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one for each thing polled")]
pub(super) struct Woken {
    pub(super) children: bool,
    pub(super) ends: bool,
    pub(super) holder: bool,
    pub(super) connection: bool,
    pub(super) output: bool,
    pub(super) input: bool,
    /// By index.
    pub(super) viewers: Vec<Stirred>,
}

/// What happened on a viewer's connection.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stirred {
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// The server wants a browser's connection back, or is gone.
    pub(super) wanted: bool,
}

impl<M: Model> Keeper<M> {
    /// Waits for something to happen or to come due.
    pub(super) fn wait(&mut self) -> io::Result<Woken> {
        let now = Instant::now();
        let timeout = self.deadline(now).map(|deadline| {
            let left = deadline.saturating_duration_since(now);
            Timespec {
                tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            }
        });
        let mut fds = vec![
            PollFd::new(&self.signals.children, PollFlags::IN),
            PollFd::new(&self.signals.ends, PollFlags::IN),
            PollFd::new(&self.listener, PollFlags::IN),
        ];
        for (index, viewer) in self.viewers.iter().enumerate() {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, !self.is_blocked(index));
            flags.set(PollFlags::OUT, viewer.wants_write());
            fds.push(if flags.is_empty() {
                // Even so its hanging up would wake us again and again, until what it left is read.
                PollFd::new(&self.listener, flags)
            } else {
                PollFd::new(viewer, flags)
            });
            let server = viewer.server();
            fds.extend(server.map(|server| PollFd::new(server, PollFlags::IN)));
        }
        let holder = self.program.holder();
        fds.extend(holder.map(|holder| PollFd::new(holder, PollFlags::IN)));
        let held = holder.is_some();
        let resting = self.pacing.deadline().is_some();
        if let Some(pty) = self.program.polled_pty().filter(|_| !resting) {
            let mut flags = PollFlags::IN;
            flags.set(PollFlags::OUT, pty.waiting() > 0);
            fds.push(PollFd::new(pty, flags));
        }
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let failed = PollFlags::HUP | PollFlags::ERR;
        let mut events = fds.iter().map(PollFd::revents);
        let mut next = || events.next().unwrap_or(PollFlags::empty());
        let mut woken = Woken {
            children: next().intersects(PollFlags::IN),
            ends: next().intersects(PollFlags::IN),
            connection: next().intersects(PollFlags::IN),
            ..Woken::default()
        };
        for viewer in &self.viewers {
            let events = next();
            woken.viewers.push(Stirred {
                readable: events.intersects(PollFlags::IN | failed),
                writable: events.intersects(PollFlags::OUT),
                wanted: viewer.server().is_some() && next().intersects(PollFlags::IN | failed),
            });
        }
        woken.holder = held && next().intersects(PollFlags::IN | failed);
        let pty = next();
        woken.output = pty.intersects(PollFlags::IN | failed);
        woken.input = pty.intersects(PollFlags::OUT);
        Ok(woken)
    }

    /// When something has to be done although nothing happens.
    fn deadline(&self, now: Instant) -> Option<Instant> {
        let viewers = self.viewers.iter().filter_map(Viewer::deadline);
        let quiet = self
            .viewers
            .iter()
            .filter_map(|viewer| viewer.attached.as_ref()?.flow.as_ref())
            .any(Flow::waits_for_quiet)
            .then(|| self.last_output + QUIET_AFTER)
            .filter(|quiet| *quiet > now);
        let tidy = self.untidy.then(|| self.last_output + QUIET_AFTER);
        let readable = self
            .viewers
            .iter()
            .enumerate()
            .any(|(index, viewer)| {
                viewer.gone || viewer.searches() || viewer.unread && !self.is_blocked(index)
            })
            .then_some(now);
        let gone = self.unwatched.filter(|_| self.facts.exit.is_some());
        let gone = gone.and_then(|since| since.checked_add(self.linger));
        let resize = self.resize_due.then(|| self.resized + RESIZE_EVERY);
        [
            quiet,
            tidy,
            readable,
            gone,
            resize,
            self.model.synchronized_update_deadline(),
            self.hangup.as_ref().map(Hangup::deadline),
            self.program.deadline(),
            self.pacing.deadline(),
            self.idle.deadline(),
            self.guest.deadline(),
        ]
        .into_iter()
        .flatten()
        .chain(viewers)
        .min()
    }
}
