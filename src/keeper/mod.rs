//! What runs in `gatepost-keeper`: one terminal, its program, its screen, and everybody who watches.
//!
//! One process, one thread, one `poll` loop ([`run`]). A keeper outlives the server that started it,
//! so it depends on nothing but its socket.

mod adopted;
mod child;
mod environment;
mod facts;
mod flow;
mod frames;
mod guest;
mod hangup;
mod home;
mod idle;
mod last_words;
mod line;
mod messages;
mod outbox;
mod output;
mod pacing;
mod program;
mod pty;
mod requests;
mod run;
mod searches;
mod serve;
mod size_owner;
mod socket;
mod start;
mod tree;
mod viewer;
mod wake;

use std::io;
use std::path::PathBuf;

pub use start::main;

use crate::wire::launch::MAX_LAUNCH;

/// Why a keeper couldn't start.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// Standard input didn't hold a launch message.
    #[error(
        "the launch message on standard input (JSON, at most {MAX_LAUNCH} bytes) is wrong: {0}; \
         gatepost-keeper is started by gatepost, not by hand"
    )]
    Launch(String),
    /// An environment variable that must not reach the program.
    #[error("the environment variable {0:?} can't be given to a terminal")]
    Environment(String),
    /// The socket couldn't be bound.
    #[error("the socket {} can't be bound: {source}", path.display())]
    Socket {
        /// Where it should be.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something else is where the socket should be.
    #[error("{} is in the way and is not a socket; move it away", .0.display())]
    NotASocket(PathBuf),
    /// Another keeper answers on the socket.
    #[error("another keeper already listens on {}", .0.display())]
    Taken(PathBuf),
    /// No pseudo-terminal.
    #[error("no pseudo-terminal could be opened (are there any left? see kernel.pty.max): {0}")]
    NoPty(#[source] io::Error),
    /// A guest's home folder couldn't be made.
    #[error("no home folder could be made for a guest: {0}")]
    Home(#[source] io::Error),
    /// The program couldn't be executed.
    #[error("{}", program::explain(program, source))]
    Program {
        /// Which one.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// A program that was started elsewhere can't be started again.
    #[error("this terminal can't start its program again; open another one")]
    Adopted,
    /// The operating system refused something a keeper can't do without.
    #[error("{what} failed: {source}")]
    System {
        /// What.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// A call whose failure leaves nothing to be done; the line before it says why.
fn best_effort<T, E>(_outcome: Result<T, E>) {}
