//! A process per terminal, between the helper and the user's program: parent and reaper of everything
//! the program starts. It tells the keeper how the program ended, and ends the whole tree when the
//! keeper says so or is gone. Still root: nobody else may signal all of the user's processes.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::process::WaitOptions;

use super::line::{Line, timespec};
use super::unix::{self, Identity, Presence, Shell};
use super::{best_effort, log, tree};
use crate::wire::holder::{LENGTH, ToHolder, ToKeeper};

/// After the hang-up, programs have this long before they are asked to end …
const TERMINATE_AFTER: Duration = Duration::from_secs(1);
/// … this long in all before they are ended …
const KILL_AFTER: Duration = Duration::from_secs(3);
/// … and after this long what is left (stuck in the kernel) is left.
const GIVE_UP_AFTER: Duration = Duration::from_secs(5);
/// How often the killing is repeated.
const KILL_EVERY: Duration = Duration::from_millis(100);

/// What to start, and where.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) slave: OwnedFd,
    /// To the keeper.
    pub(super) keeper: OwnedFd,
    /// Where to say `ok` or why not, once.
    pub(super) report: OwnedFd,
    pub(super) program: OsString,
    pub(super) argv0: OsString,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(OsString, OsString)>,
    pub(super) who: Identity,
    pub(super) umask: u32,
    /// Where to start; the later ones if it can't be entered.
    pub(super) folders: Vec<PathBuf>,
    /// For utmp, if it exists.
    pub(super) utmp: PathBuf,
    pub(super) line: String,
    pub(super) user: String,
    pub(super) host: String,
}

/// Runs in a forked child; never returns.
pub(super) fn run(job: Job) -> ! {
    unix::default_signals();
    let kept = [&job.slave, &job.keeper, &job.report].map(AsRawFd::as_raw_fd);
    unix::close_all_but(&kept);
    // A terminal's hang-up or a signal to the helper's group must not reach it. Can't fail in a
    // process that was just forked.
    best_effort(rustix::process::setsid());
    let mut report = job.report.try_clone().map(File::from);
    let mut say = |line: &str| {
        if let Ok(report) = &mut report {
            // The helper waits for it, unless it has died.
            best_effort(writeln!(report, "{line}"));
        }
    };
    match Holder::start(job) {
        Ok(holder) => {
            say("ok");
            drop(report);
            holder.run();
            unix::exit_now(0)
        }
        Err(reason) => {
            say(&reason);
            unix::exit_now(1)
        }
    }
}

struct Holder {
    keeper: Option<Line>,
    signals: OwnedFd,
    shell: i32,
    utmp: PathBuf,
    line: String,
    /// When the ending began and what comes next.
    ending: Option<(Instant, Instant)>,
}

impl Holder {
    fn start(job: Job) -> Result<Self, String> {
        let failed = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
            .map_err(|errno| failed("becoming the reaper")(errno.into()))?;
        let signals = unix::watch_signals().map_err(failed("watching for signals"))?;
        let complaint = job.folders.first().map(|folder| {
            let folder = folder.display();
            format!("{folder} can't be entered, so this starts elsewhere.\r\n").into_bytes()
        });
        let folders = job.folders.iter();
        let folders = folders.filter_map(|path| CString::new(path.as_os_str().as_bytes()).ok());
        let shell = Shell {
            who: job.who,
            umask: job.umask,
            folders: folders.collect(),
            complaint: complaint.unwrap_or_default(),
        };
        let clone = || job.slave.as_fd().try_clone_to_owned();
        let (input, output) = (clone(), clone());
        let mut command = Command::new(&job.program);
        command
            .arg0(&job.argv0)
            .args(&job.arguments)
            .env_clear()
            .envs(job.environment)
            .stdin(Stdio::from(input.map_err(failed("the terminal"))?))
            .stdout(Stdio::from(output.map_err(failed("the terminal"))?))
            .stderr(Stdio::from(job.slave));
        unix::prepare_shell(&mut command, shell);
        let child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("there is no program {}", job.program.display()),
            _ => format!("{} can't be executed: {error}", job.program.display()),
        })?;
        let pid = child.id();
        let mut keeper = Line::new(job.keeper);
        let mut holder = Self {
            signals,
            shell: pid.cast_signed(),
            utmp: job.utmp,
            line: job.line,
            ending: None,
            keeper: None,
        };
        holder.note(&job.user, &job.host);
        if keeper.write(&ToKeeper::Started(pid).encode()).is_ok() {
            holder.keeper = Some(keeper);
        } else {
            holder.end(Instant::now());
        }
        Ok(holder)
    }

    /// Notes in utmp who is there; nobody: gone. Only where there is a utmp.
    fn note(&self, user: &str, host: &str) {
        if !self.utmp.exists() {
            return;
        }
        let written = unix::write_utmp(&Presence {
            file: &self.utmp,
            line: &self.line,
            user,
            host,
            pid: self.shell,
        });
        if let Err(error) = written {
            log(&format!("{}: {error}", self.utmp.display()));
        }
    }

    fn run(mut self) {
        while self.reap() {
            let now = Instant::now();
            if self.go_on_ending(now) {
                break;
            }
            let timeout = self
                .ending
                .map(|(_, next)| next.saturating_duration_since(now));
            let timeout = timeout.map(timespec);
            let mut fds = vec![PollFd::new(&self.signals, PollFlags::IN)];
            if let Some(keeper) = &self.keeper {
                fds.push(PollFd::new(keeper, PollFlags::IN));
            }
            if rustix::event::poll(&mut fds, timeout.as_ref())
                .is_err_and(|errno| errno != rustix::io::Errno::INTR)
            {
                break;
            }
            let spoken = fds.get(1).is_some_and(|fd| !fd.revents().is_empty());
            drop(fds);
            if unix::asked_to_end(&self.signals) || spoken && self.keeper_wants_end() {
                self.end(Instant::now());
            }
        }
    }

    /// Reads what the keeper says: only ever that it should end, by word or by being gone.
    fn keeper_wants_end(&mut self) -> bool {
        let Some(keeper) = &mut self.keeper else {
            return false;
        };
        let mut message = [0; LENGTH];
        match keeper.read(&mut message, Instant::now()) {
            Ok(LENGTH) => ToHolder::decode(message).is_some(),
            Ok(1..) => false,
            Ok(0) | Err(_) => {
                self.keeper = None;
                true
            }
        }
    }

    fn end(&mut self, now: Instant) {
        if self.ending.is_none() {
            tree::hang_up(self.shell);
            self.ending = Some((now, now + TERMINATE_AFTER));
        }
    }

    /// Does what is due; `true` when nothing more is to be done.
    fn go_on_ending(&mut self, now: Instant) -> bool {
        let Some((began, next)) = self.ending else {
            return false;
        };
        if now >= began + GIVE_UP_AFTER {
            log("processes that can't be ended are left");
            return true;
        }
        if now >= next {
            let next = if now < began + KILL_AFTER {
                tree::terminate();
                began + KILL_AFTER
            } else {
                tree::kill();
                now + KILL_EVERY
            };
            self.ending = Some((began, next));
        }
        false
    }

    /// Collects what has ended; whether anything is left.
    fn reap(&mut self) -> bool {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid.as_raw_nonzero().get() == self.shell => {
                    let number = |status: Option<i32>| status.map(i32::cast_unsigned);
                    let message = match number(status.exit_status()) {
                        Some(status) => ToKeeper::Exited(status),
                        None => ToKeeper::Killed(
                            number(status.terminating_signal()).unwrap_or_default(),
                        ),
                    };
                    self.note("", "");
                    if let Some(keeper) = &mut self.keeper {
                        // One that is gone is noticed by reading.
                        best_effort(keeper.write(&message.encode()));
                    }
                }
                Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }
}
