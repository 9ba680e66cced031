//! Updates: a bundle goes into the system slot nobody runs from, and starts next.
//!
//! The server fetches bundles and may not touch the disk; behind a socket waits a writer ([`answer`]) of another user, who
//! may, and believes nothing that isn't signed.

mod disk;
mod install;
mod keys;
mod source;
mod writer;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use crate::base::BundleSource;
use crate::base::slots::Slots;
use crate::wire::update::{MAX_LINE, UpdateCall, UpdateEnd, encode};

pub use disk::Disk;
pub use install::{InstallError, Running, install};
pub use keys::Keys;
pub use writer::{Places, answer, perform};

/// How long the writer may take to answer when the whole bundle is there: it reads everything back.
const ANSWER: Duration = Duration::from_secs(600);
/// How long nothing may come from where the bundle is, or go to the card.
const SILENCE: Duration = Duration::from_secs(60);
/// How much is passed on at a time, in bytes.
const PIECE: usize = 256 << 10;

/// Who may write to the other slot.
#[derive(Debug, Clone, Default)]
pub enum Updates {
    /// Nobody: this machine has no slots.
    #[default]
    Absent,
    /// Whoever listens there.
    Socket(PathBuf),
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// No slots.
    #[error(
        "this machine has no system slots: only Gatepost's own image is updated this way, a Debian package by apt"
    )]
    Absent,
    /// The writer can't be reached.
    #[error("updates are written behind {socket}, which doesn't answer ({source}); is gatepost-update.socket active?", socket = socket.display())]
    Writer {
        /// Where it should be.
        socket: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The bundle isn't there.
    #[error("{from} can't be read: {reason}")]
    Source {
        /// Where it should be.
        from: BundleSource,
        /// Why not.
        reason: String,
    },
    /// The writer said no.
    #[error("{0}")]
    Refused(String),
}

impl Updates {
    /// Asks the writer. The bundle, if the call is about one, comes from there.
    pub async fn ask(
        &self,
        call: &UpdateCall,
        from: Option<&BundleSource>,
    ) -> Result<Slots, UpdateError> {
        let Self::Socket(socket) = self else {
            return Err(UpdateError::Absent);
        };
        let writer = |source| UpdateError::Writer {
            socket: socket.clone(),
            source,
        };
        // Looked for first: then a name typed wrong costs nothing.
        let mut bundle = match from {
            Some(from) => Some(source::open(from).await?),
            None => None,
        };
        let mut stream = UnixStream::connect(socket).await.map_err(writer)?;
        let line = encode(call).map_err(|error| writer(error.into()))?;
        stream.write_all(&line).await.map_err(writer)?;
        let mut broken = None;
        if let (Some(bundle), Some(from)) = (&mut bundle, from) {
            broken = pass(bundle, &mut stream)
                .await
                .err()
                .map(|reason| UpdateError::Source {
                    from: from.clone(),
                    reason,
                });
        }
        let _ended = stream.shutdown().await;
        let answer = tokio::time::timeout(ANSWER, read(&mut stream)).await;
        let answer = answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        match (answer.map_err(writer)?, broken) {
            // The writer missed the rest; this is why.
            (UpdateEnd::Refused { .. }, Some(broken)) => Err(broken),
            (UpdateEnd::Refused { message }, None) => Err(UpdateError::Refused(message)),
            (UpdateEnd::Done { slots }, _) => Ok(slots),
        }
    }
}

/// Passes a bundle on. A writer that wants no more is no error: its answer says why.
async fn pass(bundle: &mut source::Source, to: &mut UnixStream) -> Result<(), String> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = tokio::time::timeout(SILENCE, bundle.read(&mut piece)).await;
        let read = read.map_err(|_| format!("nothing came for {} s", SILENCE.as_secs()))?;
        let read = read.map_err(|error| error.to_string())?;
        let Some(piece) = piece.get(..read).filter(|piece| !piece.is_empty()) else {
            return bundle.end().await;
        };
        match tokio::time::timeout(SILENCE, to.write_all(piece)).await {
            Ok(Ok(())) => {}
            Ok(Err(_gone)) => return Ok(()),
            Err(_elapsed) => {
                return Err(format!("the card took nothing for {} s", SILENCE.as_secs()));
            }
        }
    }
}

async fn read(stream: &mut UnixStream) -> io::Result<UpdateEnd> {
    let mut line = Vec::new();
    let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
    let mut reader = BufReader::new(stream).take(most);
    reader.read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_slice(&line).map_err(io::Error::other)
}
