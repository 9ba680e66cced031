//! Having the image's system writable for a while, by asking whoever may mount something over it.
//!
//! The server may not; it says one word to a socket that only it and root can reach, and hears one line.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::action::ImageState;

/// What is there while the system can be written to, below the root.
pub const UNLOCKED: &str = "run/gatepost-image/unlocked";
/// How long it may take: a few mounts, on a machine that may be busy.
const LIMIT: Duration = Duration::from_secs(30);
/// Longest answer, in bytes.
const MAX_ANSWER: u64 = 400;

/// Who may make the system writable.
#[derive(Debug, Clone, Default)]
pub enum Maintenance {
    /// Nobody: this machine's system is no image.
    #[default]
    Absent,
    /// Whoever listens there.
    Socket(PathBuf),
}

/// Why it stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// No image.
    #[error(
        "this machine doesn't run Gatepost's image: its system can be written to as that of any Debian, by root"
    )]
    Absent,
    /// Nobody answers.
    #[error("the system is unlocked behind {socket}, which doesn't answer ({source}); is gatepost-maintenance.socket active?", socket = socket.display())]
    Silent {
        /// Where it should be.
        socket: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It was tried.
    #[error("the system is as it was: {0}")]
    Refused(String),
}

/// Whether the running system can be written to now.
pub fn is_unlocked() -> bool {
    Path::new("/").join(UNLOCKED).exists()
}

impl Maintenance {
    /// Has it made so; returns when it is.
    pub async fn order(&self, state: ImageState) -> Result<(), MaintenanceError> {
        let Self::Socket(socket) = self else {
            return Err(MaintenanceError::Absent);
        };
        let silent = |source| MaintenanceError::Silent {
            socket: socket.clone(),
            source,
        };
        let word = match state {
            ImageState::Unlocked => "unlock\n",
            ImageState::Locked => "lock\n",
        };
        let asking = async {
            let mut stream = UnixStream::connect(socket).await?;
            stream.write_all(word.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
            Ok(String::from_utf8_lossy(&answer).into_owned())
        };
        let answer = tokio::time::timeout(LIMIT, asking).await;
        let answer = answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let answer = answer.map_err(silent)?;
        match answer.trim() {
            "done" => Ok(()),
            "" => Err(silent(io::ErrorKind::UnexpectedEof.into())),
            words => Err(MaintenanceError::Refused(
                words.replace(char::is_control, " "),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    use tokio::net::UnixListener;

    /// What comes of it, and what was heard, where this is answered.
    async fn ask(answer: &'static str) -> (Result<(), MaintenanceError>, String) {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let served = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let mut heard = String::new();
            stream.read_line(&mut heard).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            heard
        });
        let result = Maintenance::Socket(path).order(ImageState::Unlocked).await;
        (result, served.await.unwrap())
    }

    #[tokio::test]
    async fn one_word_is_said_and_only_done_means_that_it_was() {
        let (result, heard) = ask("done\n").await;
        assert!(result.is_ok(), "{result:?}");
        assert_eq!(heard, "unlock\n");
        let (result, _) = ask("no memory\u{7} left\n").await;
        let error = result.unwrap_err().to_string();
        assert_eq!(error, "the system is as it was: no memory  left");
        let (result, _) = ask("").await;
        assert!(result.unwrap_err().to_string().contains("doesn't answer"));
    }

    #[tokio::test]
    async fn a_machine_that_is_no_image_says_so() {
        let error = Maintenance::Absent.order(ImageState::Locked).await;
        assert!(error.unwrap_err().to_string().contains("Gatepost's image"));
        let missing = Maintenance::Socket("/nowhere/s".into());
        let error = missing.order(ImageState::Locked).await.unwrap_err();
        assert!(error.to_string().contains("gatepost-maintenance.socket"));
    }
}
