//! What viewers get: repaints, news, answers; and what their coming, going and resizing changes.

use std::time::{Duration, Instant};

use super::child;
use super::facts::Changes;
use super::flow::Pace;
use super::requests::Part;
use super::run::Keeper;
use super::viewer::Viewer;
use super::wake::Woken;
use crate::screen::Model;
use crate::wire::frame::ToViewer;
use crate::wire::message::Level;

/// Without output for this long, the output is quiet: there is time for repaints that bring what
/// was skipped.
pub(super) const QUIET_AFTER: Duration = Duration::from_millis(50);
/// Changes of size are passed on at most this often; a window being dragged sends hundreds.
pub(super) const RESIZE_EVERY: Duration = Duration::from_millis(40);
/// How often viewers are told the time of the last output when nothing else changes.
const TELL_OUTPUT_EVERY: Duration = Duration::from_secs(10);
impl<M: Model> Keeper<M> {
    /// Somebody's screen changed, or who decides.
    pub(super) fn size_changed(&mut self, now: Instant) {
        let owner = self.size_owner.current();
        let number = owner.map(|(viewer, _)| viewer);
        if number != self.facts.size_owner {
            self.facts.size_owner = number;
            self.tell_all(Changes::SIZE);
        }
        self.resize_due = owner.is_some_and(|(_, size)| size != self.model.size());
        self.resize_if_due(now);
    }

    pub(super) fn resize_if_due(&mut self, now: Instant) {
        if !self.resize_due || now < self.resized + RESIZE_EVERY {
            return;
        }
        self.resize_due = false;
        self.resized = now;
        let Some((_, size)) = self.size_owner.current() else {
            return;
        };
        if size == self.model.size() {
            return;
        }
        self.model.resize(size);
        if let Some(pty) = self.program.pty() {
            pty.resize(size);
        }
        self.facts.size = size;
        self.tell_all(Changes::SIZE);
        self.start_over();
    }

    /// Every viewer gets a full repaint.
    pub(super) fn start_over(&mut self) {
        for viewer in &mut self.viewers {
            if let Some(flow) = viewer.flow() {
                flow.start_over();
            }
        }
    }

    pub(super) fn viewers_changed(&mut self) {
        self.facts.viewers = self
            .viewers
            .iter()
            .filter(|viewer| viewer.watches())
            .filter_map(|viewer| Some(viewer.attached.as_ref()?.info.clone()))
            .collect();
        self.tell_all(Changes::VIEWERS);
    }

    pub(super) fn tell_all(&mut self, change: Changes) {
        for viewer in &mut self.viewers {
            if let Some(attached) = &mut viewer.attached {
                attached.changes.add(change);
            }
        }
    }

    pub(super) fn notice_all(&mut self, level: Level, text: &str) {
        for viewer in &mut self.viewers {
            if viewer.attached.is_some() {
                viewer.notice(level, text);
            }
        }
    }

    /// Sends every viewer what it is owed, and forgets those who are gone.
    pub(super) fn serve_viewers(&mut self, woken: &Woken, now: Instant) {
        self.forget_gone(now);
        if self
            .model
            .synchronized_update_deadline()
            .is_some_and(|deadline| now >= deadline)
        {
            self.model.end_synchronized_update();
            self.take_events();
        }
        let pace = if woken.output || self.pacing.deadline().is_some() {
            Pace::Flood
        } else if now >= self.last_output + QUIET_AFTER {
            Pace::Quiet
        } else {
            Pace::Calm
        };
        if pace == Pace::Quiet && self.untidy {
            let more = self.model.tidy();
            if !more && self.tidied {
                child::give_back_memory();
            }
            self.tidied = more;
            self.untidy = more;
        }
        if now >= self.told_output + TELL_OUTPUT_EVERY && self.last_output > self.told_output {
            self.told_output = now;
            self.tell_all(Changes::LAST_OUTPUT);
        }
        self.facts.scrollback = self.model.scrollback();
        let moment = self.moment(now);
        let full = self.is_full();
        for viewer in &mut self.viewers {
            viewer.beat(now, !(full && viewer.may_type() || viewer.is_choked()));
            viewer.repaint(&mut self.model, pace, now);
            viewer.note_behind(now);
            viewer.tell(&self.facts);
            while viewer.has_room_for_reply() && !viewer.gone {
                let requests = viewer.attached.as_mut().map(|a| &mut a.requests);
                let Some(part) = requests.and_then(|r| r.next_text(&self.model)) else {
                    break;
                };
                send(viewer, &part);
            }
            if viewer.has_room_for_reply() {
                let requests = viewer.attached.as_mut().map(|a| &mut a.requests);
                if let Some(part) = requests.and_then(|r| r.search_on(&self.model)) {
                    send(viewer, &part);
                }
            }
            let requests = viewer.attached.as_mut().map(|a| &mut a.requests);
            let answers = requests.map(|r| r.check(moment, &self.model));
            for part in answers.unwrap_or_default() {
                send(viewer, &part);
            }
            if viewer.is_late(now) {
                viewer.refuse("no Attach within 5 seconds");
            }
        }
    }

    fn forget_gone(&mut self, now: Instant) {
        let mut watcher_left = false;
        self.viewers.retain(|viewer| {
            if viewer.gone
                && let Some(attached) = &viewer.attached
            {
                self.size_owner.leave(attached.info.viewer);
                watcher_left = true;
            }
            !viewer.gone
        });
        if watcher_left {
            self.viewers_changed();
            self.size_changed(now);
        }
        if self.viewers.iter().any(Viewer::watches) {
            self.unwatched = None;
        } else {
            self.unwatched.get_or_insert(now);
        }
    }
}

/// Sends one part of an answer.
pub(super) fn send(viewer: &mut Viewer, part: &Part) {
    viewer.control(&ToViewer::Reply {
        request: part.id,
        last: part.last,
        body: &part.body,
    });
}
