//! The server's side of terminals: opening, finding, listing, closing and attaching to keepers.
//!
//! One task owns the list ([`owner`]); one task per keeper holds a manage connection to it
//! ([`link`]); everybody else sends messages. A viewer's frames never pass through here: attaching
//! connects to the keeper's socket directly.

mod handed;
mod held;
mod holder;
mod last_words;
mod launch;
mod link;
mod owner;
mod stream;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch as latest};
use tokio_util::sync::CancellationToken;

use crate::action::TerminalInfo;
use crate::base::{Labels, Size, TerminalId, TerminalName, UserName};
use crate::wire::care::Care;
use crate::wire::login::Admitted;
use crate::wire::message::{Attach, Failure, Request};

pub use handed::{Attached, Browser, KeeperLine};
use held::Held;
pub use launch::find_keeper;
pub use stream::{KeeperReader, KeeperStream, KeeperWriter};

/// Limits of this room, changeable so that tests need not wait.
#[derive(Debug, Clone, Copy)]
pub struct TerminalLimits {
    /// Most terminals at a time. Each is a process of half a megabyte and up.
    pub max_terminals: usize,
    /// How long a keeper may take to open its terminal.
    pub launch: Duration,
    /// How long a keeper may take to answer a connection or a short request.
    pub answer: Duration,
    /// How long a terminal may take to end after it was told to.
    pub close: Duration,
    /// How long the login helper may take to open one: PAM modules that mount a home may be slow.
    pub helper: Duration,
    /// How long a socket nobody listens on is tried before it is removed.
    pub stale: Duration,
}

impl Default for TerminalLimits {
    fn default() -> Self {
        Self {
            max_terminals: 256,
            launch: Duration::from_secs(10),
            answer: Duration::from_secs(5),
            close: Duration::from_secs(10),
            helper: Duration::from_secs(30),
            stale: Duration::from_secs(1),
        }
    }
}

/// What a caller can act on.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// There is none of this id.
    #[error("there is no terminal {0}; gatepost terminal list shows those there are")]
    NotFound(TerminalId),
    /// [`TerminalLimits::max_terminals`] are open.
    #[error("{0} terminals are open, which is the limit; close one first")]
    Limit(usize),
    /// Its owner's login helper isn't connected any more, as after a restart of the server.
    #[error("opening another terminal needs the password again: log in again")]
    LogIn,
    /// It couldn't be opened.
    #[error("the terminal can't be opened: {0}")]
    Launch(String),
    /// Its keeper refused.
    #[error("{}", .0.message)]
    Refused(Failure),
    /// Its keeper is there and doesn't answer.
    #[error("terminal {0} doesn't answer; its keeper may be stopped or overloaded")]
    Silent(TerminalId),
    /// Its keeper speaks a way we don't.
    #[error("terminal {terminal} can't be understood: {reason}")]
    Protocol {
        /// Which.
        terminal: TerminalId,
        /// Why.
        reason: String,
    },
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
}

/// What to open.
#[derive(Debug, Clone, Default)]
pub struct Open {
    /// A name, if wanted.
    pub name: Option<TerminalName>,
    /// The user it belongs to; none: whoever started Gatepost.
    pub owner: Option<UserName>,
    /// Program and arguments; empty means the login shell.
    pub command: Vec<String>,
    /// Environment variables over the usual ones.
    pub environment: Vec<(String, String)>,
    /// First size.
    pub size: Size,
    /// Lines of scrollback; none: as many as usual.
    pub scrollback: Option<u32>,
    /// Seconds after which it is closed when nobody types into it; 0: never.
    pub idle: u64,
    /// How it is kept; none: as it is left.
    pub care: Option<Care>,
    /// Where the program starts.
    pub directory: Option<PathBuf>,
    /// What it is for, in the words of whoever opens it.
    pub labels: Labels,
    /// Who starts the program.
    pub starter: Starter,
}

/// Who starts a terminal's program, and so as whom it runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Starter {
    /// The keeper, as whoever runs the server.
    #[default]
    Keeper,
    /// The login helper its owner logged in through, as their account. See [`Terminals::hold`].
    Helper,
}

/// Asks the owner task.
#[derive(Debug, Clone)]
pub struct Terminals {
    owner: mpsc::Sender<owner::Message>,
    changes: latest::Receiver<u64>,
    folder: Arc<Path>,
    limits: TerminalLimits,
}

impl Terminals {
    /// Finds the terminals whose sockets are in `folder`, which is private to us, and keeps watch.
    /// Terminals are opened with the `keeper` executable. Returns when every terminal that was
    /// there has answered or had [`TerminalLimits::answer`] to do so.
    pub async fn start(folder: &Path, keeper: PathBuf, limits: TerminalLimits) -> Self {
        let folder: Arc<Path> = folder.into();
        let (owner, changes) = owner::start(folder.clone(), keeper, limits);
        let terminals = Self {
            owner,
            changes,
            folder,
            limits,
        };
        let _stopping = terminals.ask(owner::Message::Settled).await;
        terminals
    }

    /// All terminals, oldest first.
    pub async fn list(&self) -> Result<Vec<TerminalInfo>, TerminalError> {
        self.ask(owner::Message::List).await
    }

    /// Opens a terminal; it is in the list when this returns.
    pub async fn open(&self, open: Open) -> Result<TerminalId, TerminalError> {
        let limit = self.limits.launch.max(self.limits.helper) + self.limits.answer;
        let opened = self.ask(|reply| owner::Message::Open(open, reply));
        match tokio::time::timeout(limit, opened).await {
            Ok(opened) => opened?,
            Err(_elapsed) => Err(TerminalError::Launch(
                "its keeper was started and doesn't answer".to_owned(),
            )),
        }
    }

    /// Keeps the connection to the helper that let `owner` in, so that terminals can be opened with
    /// [`Starter::Helper`], until `ended` or until the helper hangs up. Several logins of one user
    /// may each hold one. Terminals that are open go on without it.
    pub async fn hold(
        &self,
        owner: UserName,
        who: &Admitted,
        line: UnixStream,
        ended: CancellationToken,
    ) -> Result<(), TerminalError> {
        let held = Held::new(line, who.shell.clone(), self.limits.helper, ended);
        self.ask(|reply| owner::Message::Hold(owner, held, reply))
            .await
    }

    /// Whether a terminal of this user can be opened with [`Starter::Helper`] at this moment.
    pub async fn holds(&self, owner: UserName) -> Result<bool, TerminalError> {
        self.ask(|reply| owner::Message::Holds(owner, reply)).await
    }

    /// Asks a terminal's keeper something short and returns what is under `ok` in its answer.
    pub async fn request(
        &self,
        terminal: TerminalId,
        request: Request,
    ) -> Result<serde_json::Value, TerminalError> {
        let answer = self.ask(|reply| owner::Message::Request(terminal, request, reply));
        match tokio::time::timeout(self.limits.answer, answer).await {
            Ok(answer) => answer?,
            Err(_elapsed) => Err(TerminalError::Silent(terminal)),
        }
    }

    /// Ends a terminal and its processes; returns when it is gone.
    pub async fn close(&self, terminal: TerminalId) -> Result<(), TerminalError> {
        let gone = self.ask(|reply| owner::Message::Close(terminal, reply));
        match tokio::time::timeout(self.limits.close, gone).await {
            Ok(gone) => gone?,
            Err(_elapsed) => Err(TerminalError::Silent(terminal)),
        }
    }

    /// Connects to a terminal as a viewer.
    pub async fn attach(
        &self,
        terminal: TerminalId,
        attach: &Attach,
    ) -> Result<KeeperStream, TerminalError> {
        let path = socket_path(&self.folder, terminal);
        let connect = KeeperStream::connect(&path, attach);
        self.connected(terminal, connect).await
    }

    /// Connects a browser to a terminal, by handing its connection over where the keeper can take it.
    pub async fn attach_browser(
        &self,
        terminal: TerminalId,
        attach: &Attach,
        browser: Option<Browser>,
    ) -> Result<Attached, TerminalError> {
        if let Some(browser) = browser {
            let path = socket_path(&self.folder, terminal);
            let handing = KeeperLine::connect(&path, attach, &browser);
            if let Some(line) = self.connected(terminal, handing).await? {
                return Ok(Attached::Handed(line));
            }
        }
        self.attach(terminal, attach).await.map(Attached::Relayed)
    }

    async fn connected<T>(
        &self,
        terminal: TerminalId,
        connect: impl Future<Output = std::io::Result<T>>,
    ) -> Result<T, TerminalError> {
        match tokio::time::timeout(self.limits.answer, connect).await {
            Ok(Ok(connected)) => Ok(connected),
            Ok(Err(error)) if stream::nobody_there(&error) => {
                Err(TerminalError::NotFound(terminal))
            }
            Ok(Err(error)) => Err(TerminalError::Protocol {
                terminal,
                reason: error.to_string(),
            }),
            Err(_elapsed) => Err(TerminalError::Silent(terminal)),
        }
    }

    /// Whether a keeper answers for this terminal. Being able to connect says little: one that is
    /// ending still has its socket while it says farewell.
    pub async fn is_there(&self, terminal: TerminalId) -> bool {
        let path = socket_path(&self.folder, terminal);
        let hello = async {
            let stream = KeeperStream::connect(&path, &Attach::manage()).await.ok()?;
            let (mut from_keeper, _to_keeper) = stream.split();
            from_keeper.next_frame().await.ok().flatten()
        };
        // One that is merely slow is there.
        !matches!(
            tokio::time::timeout(self.limits.answer, hello).await,
            Ok(None)
        )
    }

    /// Which of these terminals are gone because their keepers were killed or broke. Only the latest
    /// are remembered.
    pub async fn lost(&self, terminals: Vec<TerminalId>) -> Vec<TerminalId> {
        let lost = self.ask(|reply| owner::Message::Lost(terminals, reply));
        lost.await.unwrap_or_default()
    }

    /// A number that changes whenever the list does.
    pub fn changes(&self) -> latest::Receiver<u64> {
        self.changes.clone()
    }

    async fn ask<T>(
        &self,
        message: impl FnOnce(oneshot::Sender<T>) -> owner::Message,
    ) -> Result<T, TerminalError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.owner.send(message(reply)).await;
        sent.map_err(|_| TerminalError::Stopping)?;
        answer.await.map_err(|_| TerminalError::Stopping)
    }
}

/// Where a terminal's keeper listens.
fn socket_path(folder: &Path, terminal: TerminalId) -> PathBuf {
    folder.join(format!("{terminal}.sock"))
}
