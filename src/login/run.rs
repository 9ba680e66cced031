//! The helper's life after the verdict: opens terminals when told to, and closes the PAM session when
//! the last of them is gone and the server has hung up.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::process::{Signal, WaitOptions};

use super::arguments::Arguments;
use super::dialogue::{Admission, Shared};
use super::environment::Defaults;
use super::line::{FRAME, timespec};
use super::pam::{Call, Item, PamFailure};
use super::terminal::{self, Folder, Keepers, Program, Pty, Running};
use super::unix::{self, Identity};
use super::{LoginError, log, tree, users};
use crate::wire::launch::may_be_set;
use crate::wire::login::{FromHelper, MAX_TEXT, Open, ToHelper, cut};

/// Most terminals of one login.
const MAX_TERMINALS: usize = 64;
/// How long a helper that was told to end waits for its terminals.
const END_WITHIN: Duration = Duration::from_secs(7);

/// A login whose verdict was yes.
pub(super) struct Login<'a> {
    shared: Rc<Shared>,
    arguments: &'a Arguments,
    admission: Admission,
    who: Identity,
    defaults: Defaults,
    umask: u32,
    keepers: Keepers,
    folder: Folder,
    signals: OwnedFd,
    running: Vec<Running>,
    /// Whether the PAM session is open.
    in_session: bool,
    /// Whether the server is still there.
    connected: bool,
    /// Told to end everything.
    ending: bool,
}

impl<'a> Login<'a> {
    pub(super) fn new(
        shared: Rc<Shared>,
        arguments: &'a Arguments,
        admission: Admission,
        keepers: Keepers,
        server: u32,
    ) -> Result<Self, LoginError> {
        let path = &arguments.terminals;
        let folder = Folder::open(path, server).map_err(|source| LoginError::Folder {
            path: path.clone(),
            source,
        })?;
        // With what PAM's modules have added.
        let groups = users::own_groups().map_err(LoginError::system("the groups"))?;
        let who = Identity {
            uid: admission.account.uid,
            gid: admission.account.gid,
            groups,
        };
        let defaults = Defaults::read(&arguments.login_defs);
        Ok(Self {
            umask: defaults.umask,
            defaults,
            shared,
            arguments,
            admission,
            who,
            keepers,
            folder,
            signals: unix::watch_signals().map_err(LoginError::system("watching for signals"))?,
            running: Vec::new(),
            in_session: false,
            connected: true,
            ending: false,
        })
    }

    /// Runs until there is nothing left to hold.
    pub(super) fn run(mut self) {
        while self.connected || !self.running.is_empty() {
            let mut fds = vec![PollFd::new(&self.signals, PollFlags::IN)];
            let line = self.shared.line.borrow();
            if self.connected {
                fds.push(PollFd::new(&*line, PollFlags::IN));
            }
            let timeout = self.ending.then(|| timespec(END_WITHIN));
            let woken = rustix::event::poll(&mut fds, timeout.as_ref());
            let spoken = fds.get(1).is_some_and(|fd| !fd.revents().is_empty());
            drop(fds);
            drop(line);
            match woken {
                // Told to end, and nothing ended in all that time.
                Ok(0) if self.ending => break,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => break,
            }
            if unix::asked_to_end(&self.signals) {
                self.connected = false;
                self.end_all();
            }
            self.reap();
            if spoken && self.connected {
                self.serve();
            }
            let busy = self.running.iter().any(|running| running.holder.is_some());
            if !busy && !self.connected {
                self.leave();
                // While modules ran, signals went to them: what ended meanwhile was not announced.
                self.reap();
                if self.ending {
                    break;
                }
            }
        }
        self.leave();
    }

    /// Does what the server says, or notes that it has hung up.
    fn serve(&mut self) {
        let frame = self.shared.line.borrow_mut().receive(FRAME);
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => {
                if error.kind() != ErrorKind::UnexpectedEof {
                    log(&format!("the connection to the server failed: {error}"));
                }
                self.connected = false;
                return;
            }
        };
        match ToHelper::decode(&frame) {
            Ok(ToHelper::Open(open)) => {
                let terminal = open.terminal;
                let answer = match self.open(&open) {
                    Ok(running) => {
                        self.running.push(running);
                        FromHelper::Opened(terminal)
                    }
                    Err(reason) => {
                        log(&format!("terminal not opened: {reason}"));
                        let reason = cut(&reason, MAX_TEXT).to_owned();
                        FromHelper::Refused { terminal, reason }
                    }
                };
                self.reap();
                self.connected = self.shared.line.borrow_mut().send(&answer).is_ok();
            }
            Ok(ToHelper::End) => self.end_all(),
            Ok(_) => {
                log("the server begins again after a verdict; hanging up");
                self.connected = false;
            }
            Err(error) => {
                log(&format!("the server can't be understood: {error}"));
                self.connected = false;
            }
        }
    }

    fn open(&mut self, open: &Open<'_>) -> Result<Running, String> {
        if self.ending {
            return Err("this login is being ended".to_owned());
        }
        if self.running.len() >= MAX_TERMINALS {
            return Err(format!(
                "this login has {MAX_TERMINALS} terminals, which is the limit"
            ));
        }
        let account = &self.admission.account;
        let (command, argv0) = match &self.admission.command {
            Some(_) if !open.command.is_empty() => {
                return Err("only the one command of this identity can be started".to_owned());
            }
            Some(fixed) => plain(fixed),
            None if open.command.is_empty() => login_shell(&account.shell),
            None => plain(&open.command),
        };
        // The one command of an identity has the environment of its account and no other: variables can
        // make a program do something else.
        let variables = match &self.admission.command {
            Some(_) => &[][..],
            None => &open.environment,
        };
        if let Some((name, _)) = variables.iter().find(|(name, _)| !may_be_set(name)) {
            return Err(format!("the variable {name} can't be set"));
        }
        let failed = |error| format!("no pseudo-terminal could be opened: {error}");
        let pty = Pty::open(open.size, account.uid).map_err(failed)?;
        self.enter(&pty)?;
        let from_pam = self.admission.pam.environment();
        let account = &self.admission.account;
        let terminal = open.terminal;
        let environment =
            self.defaults
                .environment(account, &from_pam, variables, terminal.as_str());
        let wanted = open.directory.map(PathBuf::from);
        let wanted = wanted.filter(|path| path.is_absolute());
        let folders = wanted.into_iter().chain([account.home.clone(), "/".into()]);
        let program = Program {
            command,
            argv0,
            environment,
            who: self.who.clone(),
            umask: self.umask,
            folders: folders.collect(),
            utmp: self.arguments.utmp.clone(),
            user: account.name.clone(),
            host: self.admission.remote.clone(),
        };
        terminal::start(
            terminal,
            pty,
            program,
            &self.folder,
            &self.keepers,
            open.launch,
        )
    }

    /// Opens the PAM session before the first terminal.
    fn enter(&mut self, pty: &Pty) -> Result<(), String> {
        if !self.in_session {
            let no = |failure| match failure {
                PamFailure::NewPasswordWanted => "the password has expired".to_owned(),
                PamFailure::No(words) => words,
            };
            let pam = &mut self.admission.pam;
            pam.set(Item::Tty, &pty.path).map_err(no)?;
            unix::umask(self.defaults.umask);
            let opened = unix::with_signals(|| pam.call(Call::OpenSession));
            // A module may have changed it.
            self.umask = unix::umask(0o077);
            opened.map_err(no)?;
            self.in_session = true;
        }
        let text = self.shared.take_kept();
        if !text.is_empty() {
            pty.show(&text);
        }
        Ok(())
    }

    /// Closes the PAM session, if it is open.
    fn leave(&mut self) {
        if !self.in_session {
            return;
        }
        self.in_session = false;
        let pam = &mut self.admission.pam;
        let closed = unix::with_signals(|| {
            let closed = pam.call(Call::CloseSession);
            let deleted = pam.call(Call::Delete);
            closed.and(deleted)
        });
        if let Err(failure) = closed {
            log(&format!("the PAM session did not close well: {failure:?}"));
        }
    }

    /// Tells every holder to end its terminal.
    fn end_all(&mut self) {
        self.ending = true;
        for holder in self.running.iter().filter_map(|running| running.holder) {
            tree::signal(holder.as_raw_nonzero().get(), Signal::TERM);
        }
    }

    /// Collects holders and keepers that have ended.
    fn reap(&mut self) {
        while let Ok(Some((pid, _))) = rustix::process::wait(WaitOptions::NOHANG) {
            for running in &mut self.running {
                if running.holder == Some(pid) {
                    running.holder = None;
                }
                if running.keeper == Some(pid) {
                    running.keeper = None;
                    self.folder.remove(running.terminal);
                }
            }
        }
        self.running
            .retain(|running| running.holder.is_some() || running.keeper.is_some());
    }
}

fn plain(words: &[impl AsRef<str>]) -> (Vec<OsString>, OsString) {
    let words: Vec<OsString> = words.iter().map(|word| word.as_ref().into()).collect();
    let argv0 = words.first().cloned().unwrap_or_default();
    (words, argv0)
}

fn login_shell(shell: &Path) -> (Vec<OsString>, OsString) {
    // A leading dash is how a shell is told that it is a login shell.
    let mut argv0 = OsString::from("-");
    argv0.push(shell.file_name().unwrap_or("sh".as_ref()));
    (vec![shell.into()], argv0)
}
