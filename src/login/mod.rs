//! What runs in `gatepost-login`: the root side of logins. One process per connection, one thread, no
//! network, and nothing of what it does can be chosen by who connects: that is in its arguments.
//!
//! `docs/login-helper.md` says what it may and may not do. In order of a login: [`dialogue`] relays
//! PAM's questions and gives a verdict; [`run`] opens terminals ([`terminal`]), each with a process of
//! its own in between ([`holder`]), and closes the session at the end. [`unix`] and [`users`] hold
//! the calls no crate offers safely; [`pam`] is PAM as a trait, which the executable brings.

mod account;
mod arguments;
mod dialogue;
mod environment;
mod holder;
pub mod identities;
mod line;
mod pam;
mod run;
mod terminal;
mod tree;
mod unix;
mod users;
mod x2go;

use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::process::{DumpableBehavior, Resource, Rlimit};

pub use pam::{Answer, Call, Item, Library, Pam, PamFailure, Start, Talk};

use account::Account;
use arguments::Arguments;
use dialogue::Shared;
use line::Line;
use run::Login;
use terminal::Keepers;
use unix::Identity;

use crate::wire::login::{FromHelper, Purpose};

/// Why a helper can't do its work. For the log; who connects is never told.
#[derive(Debug, thiserror::Error)]
enum LoginError {
    /// Its command line.
    #[error("{0}")]
    Arguments(String),
    /// Standard input is no connection.
    #[error("standard input is not a connection; this is started by gatepost-login.socket ({0})")]
    NoConnection(io::Error),
    /// An account on its command line isn't there.
    #[error("there is no account {0}")]
    NoAccount(String),
    /// Somebody else connected.
    #[error("uid {0} may not connect")]
    Peer(u32),
    /// The folder of sockets.
    #[error("{}: {source}", path.display())]
    Folder {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The operating system refused something.
    #[error("{what}: {source}")]
    System {
        /// What.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl LoginError {
    fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}

/// A call whose failure leaves nothing to be done; the line before it says why.
fn best_effort<T, E>(_outcome: Result<T, E>) {}

/// One line for the journal. Never a password, and no name that isn't an account's: it may be one
/// typed into the wrong field.
fn log(line: &str) {
    // Nobody to read it is no reason to stop.
    best_effort(writeln!(io::stderr(), "gatepost-login: {line}"));
}

/// Runs a helper for the connection on standard input.
pub fn main(library: &dyn Library) -> ExitCode {
    match serve(library) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn serve(library: &dyn Library) -> Result<(), LoginError> {
    let arguments = Arguments::parse(std::env::args_os().skip(1)).map_err(LoginError::Arguments)?;
    let Some(arguments) = arguments else {
        best_effort(write!(io::stdout(), "{}", arguments::HELP));
        return Ok(());
    };
    let _held = unix::reserve_descriptors().map_err(LoginError::system("descriptors"))?;
    unix::default_signals();
    close_up()?;
    let limits = unix::limits();
    let line = take_connection()?;
    if arguments.x2go {
        return x2go::serve(line, library, &arguments);
    }
    let server = arguments::uid(&arguments.server_user)
        .ok_or_else(|| LoginError::NoAccount(arguments.server_user.clone()))?;
    let peer = line.peer().map_err(LoginError::NoConnection)?;
    if peer != 0 && peer != server {
        return Err(LoginError::Peer(peer));
    }
    let shared = Shared::new(line, arguments.answer);
    let Some(admission) = dialogue::let_in(&shared, library, &arguments) else {
        return Ok(());
    };
    let yes = FromHelper::Admitted(admission.announcement());
    let purpose = admission.purpose;
    if purpose == Purpose::Terminals {
        let keepers = Keepers {
            executable: arguments.keeper(),
            who: keeper_identity(&arguments, server),
            limits,
        };
        let login = Login::new(shared.clone(), &arguments, admission, keepers, server)?;
        if shared.line.borrow_mut().send(&yes).is_ok() {
            login.run();
        }
    } else {
        // Without a terminal there is no session to close.
        best_effort(shared.line.borrow_mut().send(&yes));
    }
    Ok(())
}

/// Nothing of this process is left in a core file or can be read by a debugger of the same uid.
fn close_up() -> Result<(), LoginError> {
    let limit = Rlimit {
        current: Some(0),
        // Users may raise it in their shells.
        maximum: rustix::process::getrlimit(Resource::Core).maximum,
    };
    rustix::process::setrlimit(Resource::Core, limit)
        .map_err(|errno| LoginError::system("the core limit")(errno.into()))?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|errno| LoginError::system("hiding from debuggers")(errno.into()))?;
    unix::umask(0o077);
    Ok(())
}

/// Takes the connection from standard input, so that no program PAM modules start has it.
fn take_connection() -> Result<Line, LoginError> {
    let connection: OwnedFd = io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map_err(LoginError::NoConnection)?;
    let null = rustix::fs::open(
        "/dev/null",
        rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    );
    let null = null.map_err(|errno| LoginError::NoConnection(errno.into()))?;
    let replaced =
        rustix::stdio::dup2_stdin(&null).and_then(|()| rustix::stdio::dup2_stdout(&null));
    replaced.map_err(|errno| LoginError::NoConnection(errno.into()))?;
    Ok(Line::new(connection))
}

/// Who keepers run as: their own account, else the server's, never root unless the server is.
fn keeper_identity(arguments: &Arguments, server: u32) -> Identity {
    let account = Account::named(&arguments.keeper_user).filter(|_| is_root());
    match account {
        Some(account) => Identity {
            uid: account.uid,
            gid: account.gid,
            groups: vec![account.gid],
        },
        None => {
            let gid = Account::named(&arguments.server_user).map_or(server, |account| account.gid);
            let groups = vec![gid];
            Identity {
                uid: server,
                gid,
                groups,
            }
        }
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
