//! Hooks: executables of the administrator's, run on somebody's behalf by a user who may do nothing else.
//!
//! The installed server can't start programs outside of its sandbox, so it asks over a socket, behind
//! which systemd starts a runner ([`answer`]) as another user. On a developer's machine hooks run as
//! whoever started the server.

mod check;
mod run;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use crate::wire::hook::{HookCall, HookEnd, HookLineError, MAX_LINE, encode};

pub use check::{HookFault, Trust, find};
pub use run::execute;

/// How much longer than the hook itself its runner may take to answer: to start, and to end the hook.
const ANSWER: Duration = Duration::from_secs(10);
/// How long the server may take to say what it wants.
const FIRST_LINE: Duration = Duration::from_secs(5);

/// Who runs hooks.
#[derive(Debug, Clone, Default)]
pub enum Hooks {
    /// Nobody.
    #[default]
    Absent,
    /// We do, those in this folder.
    Folder(PathBuf),
    /// Whoever listens there.
    Socket(PathBuf),
}

/// Why a hook did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// Nobody runs hooks.
    #[error("this server runs no hooks")]
    Absent,
    /// It makes no sense.
    #[error(transparent)]
    Call(#[from] HookLineError),
    /// The runner can't be reached.
    #[error("hooks are run behind {socket}, which doesn't answer ({source}); is gatepost-hook.socket active?", socket = socket.display())]
    Runner {
        /// Where it should be.
        socket: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It was not run.
    #[error("{0}")]
    Refused(String),
    /// It is running.
    #[error("this hook is still running")]
    Running,
    /// Enough are running.
    #[error("{0} hooks are running, which is the limit; wait for one to end")]
    TooMany(usize),
    /// It said no.
    #[error("the hook failed with exit code {0}; the log has what it said")]
    Exit(i32),
    /// It crashed.
    #[error("the hook was ended by signal {0}; the log has what it said")]
    Signal(i32),
    /// It took too long.
    #[error("the hook took over {0} seconds and was ended")]
    Timeout(u32),
}

impl Hooks {
    /// Hooks behind this socket, or in this folder.
    pub fn at(path: PathBuf) -> Self {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = std::fs::metadata(&path).map(|metadata| metadata.file_type());
        // A socket that is not there yet is one, too.
        let called = path.extension().is_some_and(|kind| kind == "sock");
        if called || kind.is_ok_and(|kind| kind.is_socket()) {
            Self::Socket(path)
        } else {
            Self::Folder(path)
        }
    }

    /// Runs a hook to its end.
    pub async fn run(&self, call: &HookCall) -> Result<(), HookError> {
        call.check()?;
        let end = match self {
            Self::Absent => return Err(HookError::Absent),
            Self::Folder(folder) => execute(folder, call, Trust::OurselvesToo).await,
            Self::Socket(socket) => {
                let limit = call.limit() + ANSWER;
                let asking = tokio::time::timeout(limit, ask(socket, call));
                let answer = asking
                    .await
                    .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
                answer.map_err(|source| HookError::Runner {
                    socket: socket.clone(),
                    source,
                })?
            }
        };
        match end {
            HookEnd::Exit { code: 0 } => Ok(()),
            HookEnd::Exit { code } => Err(HookError::Exit(code)),
            HookEnd::Signal { signal } => Err(HookError::Signal(signal)),
            HookEnd::Timeout {} => Err(HookError::Timeout(call.seconds)),
            HookEnd::Refused { message } => Err(HookError::Refused(message)),
        }
    }
}

async fn ask(socket: &std::path::Path, call: &HookCall) -> io::Result<HookEnd> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(&encode(call)?).await?;
    let line = line(&mut stream).await?;
    HookEnd::decode(&line).map_err(io::Error::other)
}

/// One line, without looking past the longest.
async fn line(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
    let mut reader = BufReader::new(stream).take(most + 1);
    reader.read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line)
}

/// The runner's side of one connection. Only hooks that are root's are run. Who asks goes away: so does
/// the hook.
pub async fn answer(mut stream: UnixStream, folder: &std::path::Path) -> io::Result<()> {
    let line = tokio::time::timeout(FIRST_LINE, line(&mut stream)).await??;
    let end = match HookCall::decode(&line) {
        Err(error) => HookEnd::Refused {
            message: error.to_string(),
        },
        Ok(call) => {
            let mut nothing = [0];
            tokio::select! {
                end = execute(folder, &call, Trust::RootOnly) => end,
                _gone = stream.read(&mut nothing) => return Ok(()),
            }
        }
    };
    stream.write_all(&encode(&end)?).await
}
