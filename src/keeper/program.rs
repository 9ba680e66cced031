//! The program on the terminal: started, read, ended, started again.

use std::io;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitStatus};

use super::KeeperError;
use super::adopted::Holder;
use super::child::{self, Executable};
use super::environment::Plan;
use super::hangup::Hangup;
use super::pty::{Found, Pty};
use crate::base::Size;
use crate::wire::holder::ToKeeper;
use crate::wire::message::Exit;

/// After the program's end, how long its last output may take to come out of the kernel.
const LAST_OUTPUT_WITHIN: Duration = Duration::from_millis(200);
/// How often a terminal that nobody has open, though its program runs, is looked at.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// A program that ends sooner than this after its start ended quickly.
const QUICK: Duration = Duration::from_secs(1);
/// So many quick ends in a row delay the next start.
const QUICK_ENDS: u32 = 2;
/// By this.
pub(super) const PAUSE: Duration = Duration::from_secs(5);

/// The program on the terminal.
#[derive(Debug)]
pub(super) struct Program {
    source: Source,
    /// Program and arguments, as shown to people.
    command: Vec<String>,
    pty: Option<Pty>,
    pid: Option<Pid>,
    started: Instant,
    /// How and when it was reaped; its last output may still be on the way.
    reaped: Option<(Exit, Instant)>,
    /// Nobody had the terminal open; look again then.
    closed_until: Option<Instant>,
    quick_ends: u32,
    pause_until: Option<Instant>,
    start_at: Option<Instant>,
}

/// Where the program comes from.
#[derive(Debug)]
enum Source {
    /// The keeper starts it, as often as wanted.
    Own(Executable),
    /// It was started for the keeper, once.
    Adopted(Holder),
}

impl Program {
    pub(super) fn new(plan: Plan, now: Instant) -> Self {
        Self::from(Source::Own(plan.executable), plan.command, None, now)
    }

    /// One that runs already, as somebody else.
    pub(super) fn adopt(holder: Holder, pty: Pty, command: Vec<String>, now: Instant) -> Self {
        Self::from(Source::Adopted(holder), command, Some(pty), now)
    }

    fn from(source: Source, command: Vec<String>, pty: Option<Pty>, now: Instant) -> Self {
        Self {
            source,
            command,
            pty,
            pid: None,
            started: now,
            reaped: None,
            closed_until: None,
            quick_ends: 0,
            pause_until: None,
            start_at: None,
        }
    }

    /// Starts it on a new pseudo-terminal.
    pub(super) fn start(&mut self, size: Size, now: Instant) -> Result<(), KeeperError> {
        self.start_at = None;
        let Source::Own(executable) = &self.source else {
            return Err(KeeperError::Adopted);
        };
        let (pty, slave) = Pty::open(size).map_err(KeeperError::NoPty)?;
        let pid = child::spawn(executable, slave).map_err(|source| KeeperError::Program {
            program: self.command.first().cloned().unwrap_or_default(),
            source,
        })?;
        self.pty = Some(pty);
        self.pid = Some(pid);
        self.started = now;
        self.reaped = None;
        self.closed_until = None;
        Ok(())
    }

    /// Its terminal, while it has one.
    pub(super) fn pty(&mut self) -> Option<&mut Pty> {
        self.pty.as_mut()
    }

    /// Its terminal, if there is something to wait for on it.
    pub(super) fn polled_pty(&self) -> Option<&Pty> {
        self.pty.as_ref().filter(|_| self.closed_until.is_none())
    }

    /// Its process id.
    pub(super) fn pid(&self) -> Option<Pid> {
        self.pid
    }

    pub(super) fn command(&self) -> &[String] {
        &self.command
    }

    /// The connection to who holds it, while there is one.
    pub(super) fn holder(&self) -> Option<&Holder> {
        match &self.source {
            Source::Adopted(holder) => Some(holder).filter(|holder| !holder.is_gone()),
            Source::Own(_) => None,
        }
    }

    /// Whether it is somebody else's, so that it can't be started again.
    pub(super) fn is_adopted(&self) -> bool {
        matches!(self.source, Source::Adopted(_))
    }

    /// Hears what the holder has to say; whether that changed anything.
    pub(super) fn hear(&mut self, now: Instant) -> bool {
        let Source::Adopted(holder) = &mut self.source else {
            return false;
        };
        let mut news = false;
        while let Some(message) = holder.hear() {
            news = true;
            let number = |value: u32| value.cast_signed();
            match message {
                ToKeeper::Started(pid) => self.pid = Pid::from_raw(number(pid)),
                ToKeeper::Exited(status) => {
                    self.reaped = Some((Exit::Status(number(status)), now));
                }
                ToKeeper::Killed(signal) => {
                    self.reaped = Some((Exit::Signal(number(signal)), now));
                }
            }
        }
        // A holder that is gone without a word was killed, and the program is nobody's any more.
        if holder.is_gone() && self.pty.is_some() && self.reaped.is_none() {
            self.reaped = Some((Exit::Signal(Signal::KILL.as_raw()), now));
            news = true;
        }
        news
    }

    /// Begins to end it and everything it started.
    pub(super) fn hang_up(&mut self, now: Instant) -> Hangup {
        match &mut self.source {
            Source::Own(_) => Hangup::begin(self.pid, now),
            Source::Adopted(holder) => {
                holder.close();
                Hangup::elsewhere(now)
            }
        }
    }

    /// Bytes of input it hasn't taken.
    pub(super) fn input_waiting(&self) -> usize {
        self.pty.as_ref().map_or(0, Pty::waiting)
    }

    /// Whether Ctrl-S has stopped the output.
    pub(super) fn stopped(&self) -> bool {
        self.pty.as_ref().is_some_and(Pty::stopped)
    }

    /// Types something; dropped once the program has ended.
    pub(super) fn type_in(&mut self, bytes: &[u8]) {
        if let Some(pty) = &mut self.pty {
            pty.type_in(bytes);
        }
    }

    /// Reads a piece of its output.
    pub(super) fn read(&mut self, piece: &mut Vec<u8>, now: Instant) -> Found {
        let Some(pty) = &mut self.pty else {
            piece.clear();
            return Found::Drained;
        };
        let found = pty.read(piece);
        self.closed_until = (found == Found::HungUp).then(|| now + LOOK_AGAIN_AFTER);
        found
    }

    /// Takes note of a process that has ended, if it is this one.
    pub(super) fn reaped(&mut self, pid: Pid, status: WaitStatus, now: Instant) {
        if self.pid == Some(pid) {
            let exit = match (status.exit_status(), status.terminating_signal()) {
                (Some(status), _) => Exit::Status(status),
                (None, signal) => Exit::Signal(signal.unwrap_or_default()),
            };
            self.reaped = Some((exit, now));
        }
    }

    /// How it ended, once, when all its output has been read.
    pub(super) fn ended(&mut self, now: Instant) -> Option<Exit> {
        let (exit, reaped) = self.reaped?;
        let silent = self.closed_until.is_some() || now >= reaped + LAST_OUTPUT_WITHIN;
        if !silent {
            return None;
        }
        self.reaped = None;
        self.pid = None;
        self.pty = None;
        self.closed_until = None;
        if reaped.saturating_duration_since(self.started) < QUICK {
            self.quick_ends += 1;
        } else {
            self.quick_ends = 0;
        }
        self.pause_until = (self.quick_ends >= QUICK_ENDS).then(|| now + PAUSE);
        Some(exit)
    }

    /// Whether the next start has to wait because of quick ends.
    pub(super) fn pauses(&self) -> bool {
        self.pause_until.is_some()
    }

    /// Asks for another start: at once, or after the pause. Ignored while it runs.
    pub(super) fn restart(&mut self, now: Instant) {
        if self.pty.is_none() && self.start_at.is_none() && !self.is_adopted() {
            self.start_at = Some(self.pause_until.unwrap_or(now).max(now));
        }
    }

    /// Asks for another start after the pause, since the last one failed.
    pub(super) fn restart_after_pause(&mut self, now: Instant) {
        self.start_at = Some(now + PAUSE);
    }

    /// Whether it ended as soon as it was started.
    pub(super) fn ended_quickly(&self) -> bool {
        self.quick_ends > 0
    }

    /// It isn't to be started any more.
    pub(super) fn forget_start(&mut self) {
        self.start_at = None;
    }

    /// Whether it is to be started now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.start_at.is_some_and(|at| now >= at)
    }

    /// When something has to be done without anything happening.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let last_output = self.reaped.map(|(_, at)| at + LAST_OUTPUT_WITHIN);
        [last_output, self.closed_until, self.start_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether a terminal nobody had open is to be looked at again.
    pub(super) fn looks_again(&self, now: Instant) -> bool {
        self.closed_until.is_some_and(|at| now >= at)
    }
}

/// The sentence for a program that couldn't be started.
pub(super) fn explain(program: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!(
            "there is no program {program:?} (or the interpreter in its first line is missing)"
        ),
        io::ErrorKind::PermissionDenied => format!("{program:?} can't be executed: no permission"),
        _ => format!("{program:?} can't be executed: {error}"),
    }
}
