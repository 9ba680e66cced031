//! The loop: waits for anything to happen and does what follows from it.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::WaitOptions;

use super::facts::{Changes, Facts};
use super::frames::{MAX_MANAGERS, MAX_VIEWERS};
use super::guest::Guest;
use super::hangup::Hangup;
use super::home::FreshHome;
use super::idle::{Due, Idle};
use super::messages::Messages;
use super::pacing::Pacing;
use super::program::{PAUSE, Program};
use super::requests::Part;
use super::serve::{RESIZE_EVERY, send};
use super::size_owner::SizeOwner;
use super::socket::Listener;
use super::viewer::Viewer;
use super::wake::Woken;
use crate::base::TerminalId;
use crate::screen::Model;
use crate::wire::frame::End;
use crate::wire::launch::Launch;
use crate::wire::message::{Exit, Level};
use serde_json::json;

/// Connections that haven't attached yet, besides [`MAX_VIEWERS`] and [`MAX_MANAGERS`].
const MAX_STRANGERS: usize = 16;
/// How long the last frames may take to reach viewers before the keeper goes.
const FAREWELL: Duration = Duration::from_millis(500);

/// Signals, as readable sockets.
#[derive(Debug)]
pub(super) struct Signals {
    /// A child ended.
    pub(super) children: UnixStream,
    /// Somebody wants the keeper to end.
    pub(super) ends: UnixStream,
}

/// One terminal and everybody who watches it.
#[derive(Debug)]
pub(super) struct Keeper<M> {
    pub(super) id: TerminalId,
    pub(super) model: M,
    pub(super) facts: Facts,
    pub(super) program: Program,
    pub(super) viewers: Vec<Viewer>,
    pub(super) next_viewer: u32,
    pub(super) size_owner: SizeOwner,
    pub(super) hangup: Option<Hangup>,
    pub(super) messages: Messages,
    /// For the first person who types.
    pub(super) warning: Option<String>,
    pub(super) last_output: Instant,
    /// The model may have put off work since then.
    pub(super) untidy: bool,
    /// Some of that work is done, and some isn't.
    pub(super) tidied: bool,
    pub(super) pacing: Pacing,
    pub(super) idle: Idle,
    pub(super) guest: Guest,
    home: Option<FreshHome>,
    pub(super) listener: Listener,
    pub(super) signals: Signals,
    pub(super) linger: Duration,
    /// Since when nobody has watched.
    pub(super) unwatched: Option<Instant>,
    pub(super) resized: Instant,
    pub(super) resize_due: bool,
    pub(super) told_output: Instant,
    pub(super) piece: Vec<u8>,
    scratch: Vec<u8>,
}

impl<M: Model> Keeper<M> {
    pub(super) fn new(
        launch: &Launch,
        model: M,
        program: Program,
        listener: Listener,
        signals: Signals,
        warning: Option<String>,
    ) -> Self {
        let now = Instant::now();
        let facts = Facts {
            name: launch.name.clone(),
            title: None,
            size: launch.size,
            size_owner: None,
            viewers: Vec::new(),
            exit: None,
            stopped: false,
            bells: 0,
            command: program.command().to_vec(),
            pid: program
                .pid()
                .map(|pid| pid.as_raw_nonzero().get().unsigned_abs()),
            owner: launch.owner.clone(),
            labels: launch.labels.clone(),
            opened_ms: unix_milliseconds(),
            last_output: None,
            scrollback: 0,
            used: false,
            restarts: launch.care.is_some_and(|care| care.restart),
            reset_at: None,
        };
        Self {
            id: launch.id,
            model,
            facts,
            program,
            viewers: Vec::new(),
            next_viewer: 0,
            size_owner: SizeOwner::default(),
            hangup: None,
            messages: Messages::default(),
            warning,
            last_output: now,
            untidy: false,
            tidied: false,
            pacing: Pacing::new(now),
            idle: Idle::new(launch.idle, now),
            guest: Guest::new(launch.care, now),
            home: None,
            listener,
            signals,
            linger: Duration::from_secs(launch.linger),
            unwatched: Some(now),
            resized: now.checked_sub(RESIZE_EVERY).unwrap_or(now),
            resize_due: false,
            told_output: now,
            piece: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// With a home folder that goes when the terminal does.
    pub(super) fn with_home(mut self, home: Option<FreshHome>) -> Self {
        self.home = home;
        self
    }

    /// Runs until the terminal is gone.
    pub(super) fn run(mut self) {
        while let Ok(woken) = self.wait() {
            let now = Instant::now();
            if woken.ends && self.hangup.is_none() {
                self.hangup = Some(self.program.hang_up(now));
            }
            if woken.connection {
                self.accept(now);
            }
            self.read_viewers(&woken, now);
            if woken.input
                && let Some(pty) = self.program.pty()
            {
                pty.flush();
            }
            let rests = self.pacing.rests(now);
            if (woken.output || self.program.looks_again(now)) && !rests {
                self.read_output(now);
            }
            if woken.children {
                self.reap(now);
            }
            if woken.holder {
                self.hear(now);
            }
            self.after_exit(now);
            self.close_if_idle(now);
            self.guest_step(now);
            self.resize_if_due(now);
            self.serve_viewers(&woken, now);
            if self.is_over(now) {
                break;
            }
        }
        // Before anybody is told that it is over: the next one may be opened at once.
        self.home = None;
        self.say_farewell();
    }

    fn accept(&mut self, now: Instant) {
        while let Some(socket) = self.listener.accept() {
            let mut viewer = Viewer::new(socket, now);
            if self.viewers.len() < MAX_VIEWERS + MAX_MANAGERS + MAX_STRANGERS {
                self.viewers.push(viewer);
            } else {
                viewer.refuse("busy: too many connections");
            }
        }
    }

    fn read_viewers(&mut self, woken: &Woken, now: Instant) {
        self.scratch.resize(16 << 10, 0);
        for index in 0..self.viewers.len() {
            let stirred = woken.viewers.get(index).copied().unwrap_or_default();
            let Some(viewer) = self.viewers.get_mut(index) else {
                break;
            };
            if stirred.writable {
                viewer.flush();
            }
            if stirred.wanted {
                viewer.end(End::Over);
                continue;
            }
            if stirred.readable
                && !self.is_blocked(index)
                && let Some(viewer) = self.viewers.get_mut(index)
            {
                viewer.read(&mut self.scratch);
            }
            if self.viewers.get(index).is_some_and(|viewer| viewer.unread) {
                self.handle_frames(index, now);
            }
        }
    }

    fn reap(&mut self, now: Instant) {
        let mut drain = [0; 64];
        while self
            .signals
            .children
            .read(&mut drain)
            .is_ok_and(|read| read > 0)
        {}
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => self.program.reaped(pid, status, now),
                Err(rustix::io::Errno::INTR) => {}
                Ok(None) | Err(_) => break,
            }
        }
    }

    /// Hears what the holder of an adopted program says.
    fn hear(&mut self, now: Instant) {
        if self.program.hear(now)
            && self.facts.exit.is_none()
            && let Some(pid) = self.program.pid()
        {
            self.facts.pid = Some(pid.as_raw_nonzero().get().unsigned_abs());
            self.tell_all(Changes::PROGRAM);
        }
    }

    /// Notes that the program has ended, or starts it again.
    fn after_exit(&mut self, now: Instant) {
        if let Some(exit) = self.program.ended(now)
            && !self.guest.leaves()
        {
            self.facts.exit = Some(exit);
            self.facts.stopped = false;
            self.facts.pid = None;
            self.tell_all(Changes::EXIT);
            if self.program.pauses() {
                let notice = format!(
                    "{} {} twice within a second of its start; the next start waits {} seconds.",
                    self.program.command().join(" "),
                    how(exit),
                    PAUSE.as_secs()
                );
                self.notice_all(Level::Warning, &notice);
            }
            self.guest_ended(now);
        }
        if self.program.is_due(now) {
            if self.hangup.is_some() || self.starts_clean(now) {
                self.program.forget_start();
            } else {
                self.start_again(now);
            }
        }
    }

    /// Somebody has typed.
    pub(super) fn typed(&mut self, now: Instant) {
        self.pacing.typed();
        self.present(now);
        if self.idle.typed(now) {
            self.notice_all(Level::Info, "This terminal stays.");
        }
    }

    /// Closes a terminal nobody has typed into for as long as that may last, with a warning before.
    fn close_if_idle(&mut self, now: Instant) {
        match self.idle.step(now) {
            None => {}
            Some(Due::Warn) => {
                let text = self.idle.warning_text(now).unwrap_or_default();
                self.notice_all(Level::Warning, &text);
            }
            Some(Due::Close) => {
                self.notice_all(Level::Warning, "Closed: nobody has typed here for a while.");
                if self.hangup.is_none() {
                    self.hangup = Some(self.program.hang_up(now));
                }
            }
        }
    }

    fn start_again(&mut self, now: Instant) {
        // What the last program left behind (modes, margins, a hidden cursor) ends with it; its
        // text stays.
        self.model.rescue();
        match self.program.start(self.model.size(), now) {
            Ok(()) => {
                self.model
                    .feed("\x1b[0m\r\n\x1b[2m──── started again ────\x1b[0m\r\n".as_bytes());
                self.started();
            }
            Err(error) => self.notice_all(Level::Error, &error.to_string()),
        }
    }

    /// Everybody is told that the program runs again.
    pub(super) fn started(&mut self) {
        self.facts.exit = None;
        self.facts.pid = self
            .program
            .pid()
            .map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
        self.facts.title = None;
        self.tell_all(Changes::EXIT);
        self.tell_all(Changes::TITLE);
        self.tell_all(Changes::PROGRAM);
        self.start_over();
    }

    fn is_over(&mut self, now: Instant) -> bool {
        if let Some(hangup) = &mut self.hangup {
            let nothing_left = if self.program.is_adopted() {
                self.program.holder().is_none()
            } else {
                has_no_children()
            };
            return hangup.go_on(now) || nothing_left;
        }
        self.facts.exit.is_some()
            && self
                .unwatched
                .and_then(|since| since.checked_add(self.linger))
                .is_some_and(|gone| now >= gone)
    }

    /// Answers those who asked for the end, and gives the last frames a moment to leave.
    fn say_farewell(&mut self) {
        let askers = self.hangup.take().map(|hangup| hangup.askers);
        for (number, id) in askers.unwrap_or_default() {
            let asker = self.viewers.iter_mut().find(|viewer| {
                let info = viewer.attached.as_ref().map(|attached| &attached.info);
                info.is_some_and(|info| info.viewer == number)
            });
            if let Some(viewer) = asker {
                send(viewer, &Part::whole(id, &json!({ "ok": {} })));
            }
        }
        let end = Instant::now() + FAREWELL;
        loop {
            self.viewers
                .retain(|viewer| viewer.wants_write() && !viewer.gone);
            let left = end.saturating_duration_since(Instant::now());
            if self.viewers.is_empty() || left.is_zero() {
                break;
            }
            let mut fds: Vec<_> = self
                .viewers
                .iter()
                .map(|viewer| PollFd::new(viewer, PollFlags::OUT))
                .collect();
            let timeout = Timespec {
                tv_sec: 0,
                tv_nsec: left.subsec_nanos().into(),
            };
            if rustix::event::poll(&mut fds, Some(&timeout)).is_err() {
                break;
            }
            drop(fds);
            self.viewers.iter_mut().for_each(Viewer::flush);
        }
    }
}

/// Whether nothing the terminal started is left. Zombies are reaped on the way.
pub(super) fn has_no_children() -> bool {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
            Ok(None) => return false,
            Err(_) => return true,
        }
    }
}

fn how(exit: Exit) -> String {
    match exit {
        Exit::Status(status) => format!("ended with status {status}"),
        Exit::Signal(signal) => format!("was killed by signal {signal}"),
    }
}

pub(super) fn unix_seconds() -> u64 {
    unix_milliseconds() / 1000
}

fn unix_milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
