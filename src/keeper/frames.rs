//! What a viewer's frames do.

use std::time::{Duration, Instant};

use serde_json::json;

use super::KeeperError;
use super::facts::Changes;
use super::flow::Flow;
use super::pty::MAX_INPUT_QUEUE;
use super::requests::{Moment, Part};
use super::run::Keeper;
use super::viewer::{Attached, Viewer};
use crate::screen::Model;
use crate::wire::frame::{self, End, FrameError, FromViewer, MAX_INPUT, ToViewer};
use crate::wire::message::{
    Attach, FailureKind, Hello, Level, MAX_LABEL, MAX_WINDOW, MIN_WINDOW, Mode, Request,
    ViewerInfo, WaitFor,
};

/// Most viewers at once.
pub(super) const MAX_VIEWERS: usize = 64;
/// Most managers at once, which are no viewers: the server, and each question (a text, a search, a
/// wait) that is being answered.
pub(super) const MAX_MANAGERS: usize = 64;
impl<M: Model> Keeper<M> {
    /// Handles the whole frames a viewer has sent, as long as there is room for what they ask for.
    pub(super) fn handle_frames(&mut self, index: usize, now: Instant) {
        let Some(viewer) = self.viewers.get_mut(index) else {
            return;
        };
        let mut deframer = viewer.take_deframer();
        loop {
            if self.is_blocked(index) {
                break;
            }
            let fault = match deframer.next_frame() {
                Ok(Some(frame)) => self.handle(index, frame, now).err(),
                Ok(None) => {
                    if let Some(viewer) = self.viewers.get_mut(index) {
                        viewer.unread = false;
                    }
                    break;
                }
                Err(error) => Some(error.to_string()),
            };
            if let (Some(fault), Some(viewer)) = (fault, self.viewers.get_mut(index)) {
                viewer.refuse(&format!("protocol error: {fault}"));
                break;
            }
        }
        if let Some(viewer) = self.viewers.get_mut(index) {
            viewer.give_deframer(deframer);
            viewer.leave();
        }
    }

    /// Whether a viewer's frames have to wait: for the program to take its input, or for the viewer
    /// to read its answers.
    pub(super) fn is_blocked(&self, index: usize) -> bool {
        let full = self.is_full();
        let viewer = self.viewers.get(index);
        viewer.is_none_or(|viewer| viewer.gone || viewer.is_choked() || full && viewer.may_type())
    }

    /// Whether no more input can wait for the program.
    pub(super) fn is_full(&self) -> bool {
        self.program.input_waiting() >= MAX_INPUT_QUEUE
    }

    fn handle(&mut self, index: usize, frame: &[u8], now: Instant) -> Result<(), String> {
        let decoded = match FromViewer::decode(frame) {
            Ok(decoded) => decoded,
            Err(error) => return self.handle_unknown(index, frame, &error),
        };
        let attached = self
            .viewers
            .get(index)
            .and_then(|viewer| viewer.attached.as_ref())
            .map(|attached| attached.info.clone());
        match (decoded, attached) {
            (FromViewer::Attach(attach), None) => self.attach(index, &attach, now),
            (FromViewer::Handover { handover, read }, None) => {
                if let Some(viewer) = self.viewers.get_mut(index) {
                    viewer.take_over(&handover, read, now)?;
                }
                self.attach(index, &handover.attach, now);
            }
            (_, None) => return Err("the first frame has to be Attach".to_owned()),
            (FromViewer::Attach(_) | FromViewer::Handover { .. }, Some(_)) => {
                return Err("a second Attach".to_owned());
            }
            (FromViewer::Input(bytes), Some(info)) => {
                if info.mode != Mode::Type {
                    return Err("this attachment can't type".to_owned());
                }
                if !self.guest.leaves() {
                    self.program.type_in(bytes);
                    self.typed(now);
                }
            }
            (FromViewer::Resize(size), Some(info)) => {
                self.size_owner.report(info.viewer, size);
                self.size_changed(now);
            }
            (FromViewer::Ack(seq), Some(_)) => {
                let viewer = self.viewers.get_mut(index);
                if let Some(flow) = viewer.and_then(|viewer| viewer.flow()) {
                    flow.ack(seq).map_err(|error| error.to_string())?;
                }
            }
            (FromViewer::TakeSize, Some(info)) => {
                if self.size_owner.take(info.viewer) {
                    self.size_changed(now);
                }
            }
            (FromViewer::Restart, Some(info)) => {
                if info.mode == Mode::View {
                    return Err("this attachment can't restart the program".to_owned());
                }
                if self.program.is_adopted() {
                    if let Some(viewer) = self.viewers.get_mut(index) {
                        viewer.notice(Level::Warning, &KeeperError::Adopted.to_string());
                    }
                } else if self.hangup.is_none() && !self.guest.leaves() {
                    self.typed(now);
                    self.program.restart(now);
                }
            }
            (FromViewer::Request { id, request }, Some(info)) => {
                let browser = self.viewers.get(index).is_some_and(Viewer::is_browser);
                let answer = match request {
                    request if browser && !request.only_looks() => Some(Part::as_action(id)),
                    Request::Present {} | Request::Care(_) => {
                        Some(self.guest_request(info.mode, id, &request, now))
                    }
                    request => self.request(index, &info, id, request, now),
                };
                self.reply(index, answer);
            }
            (FromViewer::Ping(value), Some(_)) => {
                if let Some(viewer) = self.viewers.get_mut(index) {
                    viewer.control(&ToViewer::Pong(value));
                }
            }
        }
        Ok(())
    }

    /// A question of a newer version gets an answer; anything else that isn't a frame is a fault.
    fn handle_unknown(
        &mut self,
        index: usize,
        frame: &[u8],
        error: &FrameError,
    ) -> Result<(), String> {
        match (frame::request_id(frame), error) {
            (Some(_), FrameError::Json { .. })
                if self.viewers.get(index).is_some_and(Viewer::is_browser)
                    && !frame::is_json_request(frame) =>
            {
                if let Some(viewer) = self.viewers.get_mut(index) {
                    viewer.end(End::Protocol);
                }
                Ok(())
            }
            (Some(id), FrameError::Json { .. }) => {
                let part = Part::failed(id, FailureKind::Invalid, error.to_string());
                self.reply(index, Some(part));
                Ok(())
            }
            _ => Err(error.to_string()),
        }
    }

    fn reply(&mut self, index: usize, answer: Option<Part>) {
        if let (Some(part), Some(viewer)) = (answer, self.viewers.get_mut(index)) {
            viewer.control(&ToViewer::Reply {
                request: part.id,
                last: part.last,
                body: &part.body,
            });
        }
    }

    fn attach(&mut self, index: usize, attach: &Attach, now: Instant) {
        let manages = attach.mode == Mode::Manage;
        let alike = self.viewers.iter().filter(|viewer| {
            let mode = viewer.attached.as_ref().map(|attached| attached.info.mode);
            !viewer.gone && mode.is_some_and(|mode| (mode == Mode::Manage) == manages)
        });
        let (most, kind) = if manages {
            (MAX_MANAGERS, "managers")
        } else {
            (MAX_VIEWERS, "viewers")
        };
        if alike.count() >= most {
            if let Some(viewer) = self.viewers.get_mut(index) {
                viewer.refuse(&format!("busy: {most} {kind} are attached already"));
            }
            return;
        }
        self.next_viewer += 1;
        let info = ViewerInfo {
            viewer: self.next_viewer,
            label: label(&attach.label),
            mode: attach.mode,
            kiosk: attach.kiosk,
        };
        let window = attach.window.clamp(MIN_WINDOW, MAX_WINDOW);
        let flow = (attach.mode != Mode::Manage).then(|| Flow::new(window, attach.history));
        self.size_owner
            .join(info.viewer, attach.mode, attach.size, attach.kiosk);
        // First the size, so that a newcomer's first repaint is the right one.
        self.size_changed(now);
        self.facts.scrollback = self.model.scrollback();
        let number = info.viewer;
        let mode = info.mode;
        if let Some(viewer) = self.viewers.get_mut(index) {
            let mut attached = Attached::new(info, flow);
            attached.counts_down = attach.counts_down;
            attached.hides_command = attach.hides_command;
            viewer.attached = Some(attached);
        }
        self.viewers_changed();
        let Some(viewer) = self.viewers.get_mut(index) else {
            return;
        };
        viewer.control(&ToViewer::Hello(Hello {
            terminal: self.id,
            viewer: number,
            mode,
            window,
            keeper: env!("CARGO_PKG_VERSION").to_owned(),
            meta: self.facts.all(attach.hides_command),
        }));
        if let Some(attached) = &mut viewer.attached {
            attached.changes = Changes::default();
        }
        if mode == Mode::Type
            && let Some(warning) = self.warning.take()
        {
            viewer.notice(Level::Warning, &warning);
        }
        let (reset, why) = (self.reset_text(), self.guest.why.clone());
        let Some(viewer) = self.viewers.get_mut(index) else {
            return;
        };
        if let Some(text) = reset.filter(|_| viewer.wants_notice()) {
            viewer.notice(Level::Warning, &text);
        }
        if let Some(why) = why.filter(|_| viewer.watches()) {
            viewer.notice(Level::Warning, &why);
        }
        if mode != Mode::Manage {
            if let Some(text) = self.idle.warning_text(now) {
                viewer.notice(Level::Warning, &text);
            }
            for notice in self.messages.unread() {
                viewer.message(notice);
            }
        }
    }

    fn request(
        &mut self,
        index: usize,
        info: &ViewerInfo,
        id: u32,
        request: Request,
        now: Instant,
    ) -> Option<Part> {
        let ok = || Some(Part::whole(id, &json!({ "ok": {} })));
        let changes = matches!(
            request,
            Request::Rename { .. }
                | Request::Send { .. }
                | Request::Reset {}
                | Request::Notify { .. }
                | Request::Close {}
        );
        if changes && info.mode == Mode::View {
            let message = "this attachment can only watch";
            return Some(Part::failed(id, FailureKind::Denied, message));
        }
        let moment = self.moment(now);
        let viewer = self.viewers.get_mut(index)?;
        match request {
            Request::Status {} => {
                self.facts.scrollback = self.model.scrollback();
                let hides = viewer.attached.as_ref()?.hides_command;
                let meta = self.facts.all(hides);
                Some(Part::whole(id, &json!({ "ok": meta })))
            }
            Request::Text { scrollback, ansi } => {
                let requests = &mut viewer.attached.as_mut()?.requests;
                requests.text(id, scrollback, ansi, &self.model)
            }
            Request::Wait { what, timeout_ms } => {
                if let WaitFor::Acknowledged(message) = what
                    && let Some(answer) = self.acknowledged_already(id, message)
                {
                    return Some(answer);
                }
                let timeout = timeout_ms.map(Duration::from_millis);
                let viewer = self.viewers.get_mut(index)?;
                let requests = &mut viewer.attached.as_mut()?.requests;
                requests.wait(id, &what, timeout, moment, &self.model)
            }
            Request::Search {
                text,
                regex,
                before,
                limit,
            } => {
                let requests = &mut viewer.attached.as_mut()?.requests;
                requests.search(id, &text, regex, before, limit)
            }
            Request::Rename { name } => {
                self.facts.name = name;
                self.tell_all(Changes::NAME);
                ok()
            }
            Request::Repaint { history } => {
                let history = usize::try_from(history).unwrap_or(usize::MAX);
                match viewer.flow() {
                    Some(flow) => {
                        flow.want_full(history);
                        ok()
                    }
                    None => {
                        let message = "this attachment gets no output";
                        Some(Part::failed(id, FailureKind::Invalid, message))
                    }
                }
            }
            Request::Send { text } => {
                if text.len() > MAX_INPUT {
                    let message = format!("a text to type has at most {MAX_INPUT} bytes");
                    Some(Part::failed(id, FailureKind::Invalid, message))
                } else if moment.ended {
                    let message = "the program has ended; nobody would read it";
                    Some(Part::failed(id, FailureKind::Ended, message))
                } else if self.is_full() {
                    let message = "the program doesn't read what was typed before";
                    Some(Part::failed(id, FailureKind::Busy, message))
                } else {
                    self.program.type_in(text.as_bytes());
                    self.typed(now);
                    ok()
                }
            }
            Request::Reset {} => {
                self.model.rescue();
                self.start_over();
                // What programs take as "paint yourself again".
                self.program.type_in(b"\x0c");
                ok()
            }
            Request::Notify {
                level,
                text,
                message,
            } => Some(self.notify(id, level, text, &message)),
            // Answered by `guest_request`.
            Request::Present {} | Request::Care(_) => None,
            Request::Acknowledge { message } => Some(self.acknowledge(id, info, message)),
            Request::Close {} => {
                let program = &mut self.program;
                let hangup = self.hangup.get_or_insert_with(|| program.hang_up(now));
                hangup.askers.push((info.viewer, id));
                None
            }
        }
    }

    /// What is true now, for those who wait.
    pub(super) fn moment(&self, now: Instant) -> Moment {
        Moment {
            now,
            ended: self.facts.exit.is_some(),
            last_output: self.last_output,
        }
    }
}

/// A label without control characters, cut to its limit.
pub(super) fn label(text: &str) -> String {
    let mut label: String = text.chars().filter(|c| !c.is_control()).collect();
    while label.len() > MAX_LABEL {
        label.pop();
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_cut_at_its_limit_between_characters() {
        assert_eq!(label(&"ä".repeat(64)).len(), 128);
        assert_eq!(label(&"ä".repeat(65)).len(), 128);
        assert_eq!(label(&format!("a{}", "ä".repeat(64))).len(), 127);
        assert_eq!(label("a\x1b[31m\nb"), "a[31mb");
    }
}
