//! X2Go's authentication service, its holes closed: one line, one worker process, one answer.
//!
//! A worker that hangs is killed; every failure takes the same time; a service that isn't on the list
//! never reaches PAM, which would fold its case and strip its path.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::process::{PidfdFlags, Signal, WaitOptions};
use zeroize::{Zeroize as _, Zeroizing};

use super::account::Account;
use super::arguments::{self, Arguments};
use super::line::{Line, timespec};
use super::pam::{Answer, Call, Library, PamFailure, Start, Talk};
use super::unix::{self, Fork};
use super::{LoginError, best_effort, log};
use crate::base::UserName;
use crate::wire::login::{Message, Style};
use crate::wire::x2go::{BAD, FAIL, MAX_LINE, OK, Request};

/// How long a connection may be silent before, within and between requests.
const IDLE: Duration = Duration::from_secs(10);
/// How long PAM may take for a request.
const WORK: Duration = Duration::from_secs(30);

/// Answers the requests of one connection.
pub(super) fn serve(
    mut line: Line,
    library: &dyn Library,
    arguments: &Arguments,
) -> Result<(), LoginError> {
    let peer = line.peer().map_err(LoginError::NoConnection)?;
    let mut allowed = std::iter::once(&arguments.server_user).chain(&arguments.x2go_users);
    if peer != 0 && !allowed.any(|name| arguments::uid(name) == Some(peer)) {
        return Err(LoginError::Peer(peer));
    }
    let limit = arguments.total.min(WORK);
    let mut requests = Requests::default();
    while let Some(request) = requests.next(&mut line) {
        let earliest = Instant::now() + arguments.failure;
        let answer = match Request::decode(&request) {
            Ok(request) if is_right(request, library, arguments, limit) => OK,
            Ok(_) => {
                line.idle_until(earliest);
                FAIL
            }
            Err(error) => {
                log(&format!("x2go: {error}"));
                BAD
            }
        };
        if line.write(answer).is_err() || answer == BAD {
            break;
        }
    }
    Ok(())
}

/// Takes lines out of what comes.
#[derive(Debug)]
struct Requests {
    buffer: Zeroizing<[u8; MAX_LINE]>,
    filled: usize,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            buffer: Zeroizing::new([0; MAX_LINE]),
            filled: 0,
        }
    }
}

impl Requests {
    /// The next line, without its end, however it was cut on its way; none when there is none. One
    /// that is too long comes as far as it goes, and is refused for its length.
    fn next(&mut self, line: &mut Line) -> Option<Zeroizing<Vec<u8>>> {
        let deadline = Instant::now() + IDLE;
        loop {
            let filled = self.buffer.get(..self.filled)?;
            if let Some(end) = filled.iter().position(|byte| *byte == b'\n') {
                let request = Zeroizing::new(filled.get(..end)?.to_vec());
                self.buffer.copy_within(end + 1..self.filled, 0);
                self.filled -= end + 1;
                self.buffer.get_mut(self.filled..)?.zeroize();
                return Some(request);
            }
            let room = self.buffer.get_mut(self.filled..)?;
            if room.is_empty() {
                return Some(Zeroizing::new(self.buffer.to_vec()));
            }
            match line.read(room, deadline) {
                Ok(read @ 1..) => self.filled += read,
                Ok(0) | Err(_) => return None,
            }
        }
    }
}

/// Whether PAM says yes, asked by a process of its own that has so long for it.
fn is_right(
    request: Request<'_>,
    library: &dyn Library,
    arguments: &Arguments,
    limit: Duration,
) -> bool {
    let services = &arguments.x2go_services;
    if !services.iter().any(|known| known == request.service) {
        log("x2go: a service that is not on the list");
        return false;
    }
    match unix::fork() {
        Ok(Fork::Child) => {
            // So that what a module has started can be killed with it.
            best_effort(rustix::process::setsid());
            match check(request, library, arguments) {
                Ok(()) => unix::exit_now(0),
                Err(reason) => {
                    log(&format!("x2go: {reason}"));
                    unix::exit_now(1)
                }
            }
        }
        Ok(Fork::Parent(worker)) => finish(worker, limit),
        Err(error) => {
            log(&format!("x2go: fork: {error}"));
            false
        }
    }
}

/// Waits for a worker, kills it when it takes too long, and says whether it said yes.
fn finish(worker: rustix::process::Pid, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    let ended: Result<OwnedFd, _> = rustix::process::pidfd_open(worker, PidfdFlags::empty());
    if let Ok(ended) = ended {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut fds = [PollFd::new(&ended, PollFlags::IN)];
            match rustix::event::poll(&mut fds, Some(&timespec(left))) {
                Ok(0) if left.is_zero() => {
                    log("x2go: PAM took too long");
                    best_effort(rustix::process::kill_process(worker, Signal::KILL));
                    break;
                }
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) | Err(_) => break,
            }
        }
    }
    let status = loop {
        match rustix::process::waitpid(Some(worker), WaitOptions::empty()) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other.ok().flatten(),
        }
    };
    // What is left of its modules' programs.
    best_effort(rustix::process::kill_process_group(worker, Signal::KILL));
    status.is_some_and(|(_, status)| status.exit_status() == Some(0))
}

/// The steps of the original (`python-pam`): authenticate, account, credentials.
fn check(request: Request<'_>, library: &dyn Library, arguments: &Arguments) -> Result<(), String> {
    let user: UserName = request
        .user
        .parse()
        .map_err(|_| "a name that can't be one".to_owned())?;
    let start = Start {
        service: request.service,
        user: user.as_str(),
        folder: arguments.pam_dir.as_deref(),
    };
    let talk = Box::new(OnePassword(Zeroizing::new(
        request.password.as_bytes().to_vec(),
    )));
    let words = |failure| match failure {
        PamFailure::NewPasswordWanted => "the password has expired".to_owned(),
        PamFailure::No(words) => words,
    };
    let mut pam = library.start(start, talk).map_err(words)?;
    pam.call(Call::Authenticate).map_err(words)?;
    let name = pam.user().map_err(words)?;
    if !arguments.root_login && Account::named(&name).is_none_or(|account| account.uid == 0) {
        return Err("root, or nobody this machine knows".to_owned());
    }
    pam.call(Call::Account).map_err(words)?;
    pam.call(Call::Reinitialize).map_err(words)
}

/// Answers a step that asks for one hidden thing with the password, and gives up at any other
/// question, as the original's missing answers do.
struct OnePassword(Answer);

impl Talk for OnePassword {
    fn ask(&mut self, messages: Vec<Message>) -> Option<Vec<Answer>> {
        let mut questions = messages.iter().filter(|m| m.style.is_question());
        match (
            questions.next().map(|message| message.style),
            questions.next(),
        ) {
            (None, _) => Some(Vec::new()),
            (Some(Style::Hidden), None) => Some(vec![self.0.clone()]),
            _ => None,
        }
    }
}
