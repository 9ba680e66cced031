//! One connection: its socket, what it has sent and not yet been told, and its flow control.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::facts::{Changes, Facts};
use super::flow::{Flow, Pace};
use super::line::{Beat, Heard, Line};
use super::outbox::Outbox;
use super::requests::Requests;
use crate::screen::{Model, RepaintKind};
use crate::wire::frame::{Deframer, End, Framing, MAX_FROM_VIEWER, ToViewer};
use crate::wire::message::{Handover, Level, Mode, Notice, ViewerInfo};
use crate::wire::websocket;

/// A connection that hasn't said `Attach` by then is closed.
pub(super) const ATTACH_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of control frames waiting past which a viewer's own frames aren't read any more: whoever
/// asks has to read the answers.
pub(super) const MAX_CONTROL: usize = 64 << 10;
/// A viewer is called behind when it has been so for this long …
const SHOW_BEHIND_AFTER: Duration = Duration::from_millis(100);
/// … and until it hasn't been for this long: in a flood it catches up many times a second.
const HIDE_BEHIND_AFTER: Duration = Duration::from_millis(250);

/// What a viewer is after its `Attach`.
#[derive(Debug)]
pub(super) struct Attached {
    /// As the others see it.
    pub(super) info: ViewerInfo,
    /// `None` for one that sees no output.
    pub(super) flow: Option<Flow>,
    /// What it hasn't been told.
    pub(super) changes: Changes,
    /// Its questions.
    pub(super) requests: Requests,
    /// It shows the countdown to a reset itself.
    pub(super) counts_down: bool,
    /// The command line is kept from it.
    pub(super) hides_command: bool,
    behind: Behind,
}

#[derive(Debug, Default)]
struct Behind {
    shown: bool,
    since: Option<Instant>,
    until: Option<Instant>,
}

impl Attached {
    pub(super) fn new(info: ViewerInfo, flow: Option<Flow>) -> Self {
        Self {
            info,
            flow,
            changes: Changes::default(),
            requests: Requests::default(),
            counts_down: false,
            hides_command: false,
            behind: Behind::default(),
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Viewer {
    line: Line,
    deframer: Deframer,
    outbox: Outbox,
    attach_by: Instant,
    /// Whole frames may be waiting in the deframer.
    pub(super) unread: bool,
    /// Nothing more is read from it or sent to it.
    pub(super) gone: bool,
    /// Why, if it isn't that the terminal is over.
    why: Option<End>,
    /// It has closed its side: it is gone once its last frames are handled.
    closing: bool,
    /// Set by its `Attach`.
    pub(super) attached: Option<Attached>,
}

impl Viewer {
    pub(super) fn new(socket: UnixStream, now: Instant) -> Self {
        Self {
            line: Line::new(socket),
            deframer: Deframer::new(MAX_FROM_VIEWER),
            outbox: Outbox::default(),
            attach_by: now + ATTACH_WITHIN,
            unread: false,
            gone: false,
            why: None,
            closing: false,
            attached: None,
        }
    }

    /// Reads what is waiting, at most one `scratch` full.
    pub(super) fn read(&mut self, scratch: &mut [u8]) {
        let stranger = self.attached.is_none();
        let heard = self.line.read(scratch, &mut self.deframer, stranger);
        self.hear(heard);
    }

    fn hear(&mut self, heard: Heard) {
        let news = match heard {
            Heard::Nothing => return,
            Heard::Some(news) => news,
            Heard::End(why) => return self.end(why),
        };
        self.unread = true;
        if let Some(payload) = news.ping {
            self.outbox.control_bytes(websocket::pong(&payload));
            self.flush();
        }
        if let Some(code) = news.close {
            self.outbox.control_bytes(websocket::close(code));
            self.flush();
            self.closing = true;
        }
    }

    /// Lets it go if it has closed its side and nothing of it is left to be handled.
    pub(super) fn leave(&mut self) {
        if self.closing && !self.unread {
            self.end(End::Gone);
        }
    }

    /// Takes the browser's connection that came with the frame; its WebSocket is the viewer from now on.
    pub(super) fn take_over(
        &mut self,
        handover: &Handover,
        read: &[u8],
        now: Instant,
    ) -> Result<(), String> {
        self.line.take_over(handover, read, now)?;
        self.outbox = Outbox::new(Framing::WebSocket);
        Ok(())
    }

    /// Whether it is a browser the server has handed over. What it asks that changes something has to
    /// come as an action.
    pub(super) fn is_browser(&self) -> bool {
        self.line.is_browsers()
    }

    /// The server's side of a browser's connection.
    pub(super) fn server(&self) -> Option<&UnixStream> {
        self.line.server()
    }

    /// Nothing more is read from it or sent to it, for this reason.
    pub(super) fn end(&mut self, why: End) {
        self.gone = true;
        self.why.get_or_insert(why);
    }

    /// Asks a browser that is silent for a sign of life, when it is time to. `heard`: what it sends is
    /// being read.
    pub(super) fn beat(&mut self, now: Instant, heard: bool) {
        match self.line.beat(now, heard) {
            Beat::Rest => {}
            Beat::Ping => {
                self.outbox.control_bytes(websocket::ping());
                self.flush();
            }
            Beat::Dead => self.end(End::Gone),
        }
    }

    /// The deframer, to be given back: its frames borrow from it while they are handled.
    pub(super) fn take_deframer(&mut self) -> Deframer {
        std::mem::replace(&mut self.deframer, Deframer::new(MAX_FROM_VIEWER))
    }

    pub(super) fn give_deframer(&mut self, deframer: Deframer) {
        if self.line.has_early() {
            // The one before was the server's; on that line nothing more is read.
            let heard = self.line.read_early(&mut self.deframer);
            self.hear(heard);
        } else {
            self.deframer = deframer;
        }
    }

    /// Whether its answers wait for it to read them.
    pub(super) fn is_choked(&self) -> bool {
        self.outbox.control_waiting() > MAX_CONTROL
    }

    /// Room for the next part of a long answer.
    pub(super) fn has_room_for_reply(&self) -> bool {
        self.outbox.control_waiting() < MAX_CONTROL / 2
    }

    pub(super) fn wants_write(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Queues a control frame and writes what the socket takes.
    pub(super) fn control(&mut self, frame: &ToViewer<'_>) {
        self.outbox.control(frame);
        self.flush();
    }

    pub(super) fn notice(&mut self, level: Level, text: &str) {
        let text = text.chars().take(512).collect();
        self.control(&ToViewer::Notice(Notice {
            level,
            text,
            message: None,
        }));
    }

    /// Shows what a person says. One that doesn't read what it is told isn't told more.
    pub(super) fn message(&mut self, notice: &Notice) {
        if !self.is_choked() {
            self.control(&ToViewer::Notice(notice.clone()));
        }
    }

    /// Whether it has to be told of a reset in words.
    pub(super) fn wants_notice(&self) -> bool {
        let attached = self.attached.as_ref();
        self.watches() && attached.is_some_and(|attached| !attached.counts_down)
    }

    /// Says why and ends the connection.
    pub(super) fn refuse(&mut self, reason: &str) {
        if self.is_browser() && self.attached.is_none() {
            // The server says it, by the code it closes with.
            return self.end(End::TooMany);
        }
        self.notice(Level::Error, reason);
        self.end(End::Violation);
    }

    /// Writes what the socket takes.
    pub(super) fn flush(&mut self) {
        if self.outbox.flush(&mut self.line).is_err() {
            self.end(End::Gone);
        }
    }

    /// Sends as much of `chunk` as its credit allows, or only queues it for [`Viewer::flush`]. `Some` is the place in it where the viewer fell
    /// behind; [`Viewer::mark`] has to follow.
    pub(super) fn output(&mut self, chunk: &[u8], hold: bool) -> Option<usize> {
        let flow = self.attached.as_mut()?.flow.as_mut()?;
        let bytes = chunk.get(..flow.offer(chunk.len()))?;
        let cut = flow.is_cut().then_some(bytes.len());
        if !bytes.is_empty() {
            let seq = flow.send(bytes.len());
            if hold {
                self.outbox.hold(seq, bytes);
            } else if self.outbox.output(&mut self.line, seq, bytes).is_err() {
                self.end(End::Gone);
            } else if self.outbox.is_clear() {
                self.line.alive();
            }
        }
        cut
    }

    /// The model has been fed up to where this viewer fell behind.
    pub(super) fn mark(&mut self, scrolled: u64) {
        if let Some(flow) = self.flow() {
            flow.mark(scrolled);
        }
    }

    pub(super) fn flow(&mut self) -> Option<&mut Flow> {
        self.attached.as_mut()?.flow.as_mut()
    }

    /// Sends the repaint that is due, if any.
    pub(super) fn repaint(&mut self, model: &mut impl Model, pace: Pace, now: Instant) {
        if !self.outbox.is_clear() {
            return;
        }
        let Some(flow) = self.attached.as_mut().and_then(|a| a.flow.as_mut()) else {
            return;
        };
        let Some(kind) = flow.repaint(pace, now) else {
            return;
        };
        let painted = model.repaint(kind);
        flow.repainted(kind, &painted, now);
        let seq = flow.send(painted.bytes.len());
        let keep = matches!(kind, RepaintKind::CatchUp { .. });
        self.outbox.repaint(seq, model.size(), keep, &painted.bytes);
        self.flush();
    }

    /// Tells what changed, if it reads what it is told.
    pub(super) fn tell(&mut self, facts: &Facts) {
        let room = self.outbox.control_waiting() < MAX_CONTROL / 16;
        let Some(attached) = &mut self.attached else {
            return;
        };
        if attached.changes.any() && room {
            let changes = std::mem::take(&mut attached.changes);
            let meta = facts.meta(changes, attached.behind.shown, attached.hides_command);
            self.control(&ToViewer::Meta(meta));
        }
    }

    /// Decides whether to tell the viewer that it is behind.
    pub(super) fn note_behind(&mut self, now: Instant) {
        let Some(attached) = &mut self.attached else {
            return;
        };
        let is_behind = attached.flow.as_ref().is_some_and(Flow::is_behind);
        let behind = &mut attached.behind;
        if is_behind {
            behind.until = None;
            let since = *behind.since.get_or_insert(now);
            if !behind.shown && now >= since + SHOW_BEHIND_AFTER {
                behind.shown = true;
                attached.changes.add(Changes::BEHIND);
            }
        } else if behind.since.is_some() {
            let until = *behind.until.get_or_insert(now);
            if now >= until + HIDE_BEHIND_AFTER {
                if behind.shown {
                    attached.changes.add(Changes::BEHIND);
                }
                *behind = Behind::default();
            }
        }
    }

    /// When something has to be done for this viewer without its doing.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.attached {
            None => Some(self.attach_by),
            Some(attached) => {
                let behind = &attached.behind;
                let until = behind.until.map(|until| until + HIDE_BEHIND_AFTER);
                let since = behind.since.filter(|_| !behind.shown);
                until
                    .or(since.map(|since| since + SHOW_BEHIND_AFTER))
                    .into_iter()
                    .chain(attached.requests.deadline())
                    .chain(self.line.deadline())
                    .min()
            }
        }
    }

    /// Whether it has been connected for too long without saying what it wants.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.attached.is_none() && now >= self.attach_by
    }

    /// Whether there is searching to be done for it, and room for the answer.
    pub(super) fn searches(&self) -> bool {
        let attached = self.attached.as_ref();
        attached.is_some_and(|a| a.requests.is_searching()) && self.has_room_for_reply()
    }

    /// Whether it sends input.
    pub(super) fn may_type(&self) -> bool {
        let mode = self.attached.as_ref().map(|attached| attached.info.mode);
        mode == Some(Mode::Type)
    }

    /// Whether it counts as watching.
    pub(super) fn watches(&self) -> bool {
        let mode = self.attached.as_ref().map(|attached| attached.info.mode);
        !self.gone && matches!(mode, Some(Mode::View | Mode::Type))
    }
}

impl AsFd for Viewer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.line.as_fd()
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let whole = self.outbox.is_between_frames();
        self.line.let_go(self.why.unwrap_or(End::Over), whole);
    }
}
