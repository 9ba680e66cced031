//! Asking an X2Go authentication service (`x2gobroker-authservice`, or our own) whether a password is
//! right (`auth.pam.x2go`). Only for the web login itself: a shell as the user always goes through PAM in
//! the helper.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::base::{User, UserName, Way};
use crate::wire::x2go::{OK, Request, X2goError};

use super::conversation::{Dialogue, DialogueError, Judge, Prompt, Step, Stepping, Typed};

/// Where the original listens.
pub const USUAL_SOCKET: &str = "/run/x2gobroker/x2gobroker-authservice.socket";
/// The PAM rules the original's broker names.
pub const USUAL_SERVICE: &str = "x2gobroker";
/// How long an answer may take: the service's own limit of 30 s for PAM, and a little more.
pub const TIMEOUT: Duration = Duration::from_secs(35);

/// A service that can be asked.
#[derive(Debug, Clone)]
pub struct X2goService {
    /// Its socket.
    pub socket: PathBuf,
    /// The PAM rules to name.
    pub service: String,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// Why there is no answer. To the person all of these are "no"; the log tells them apart.
#[derive(Debug, thiserror::Error)]
pub enum X2goFailure {
    /// A name or password this protocol can't carry: nothing was sent.
    #[error("this can't be asked over X2Go's protocol: {0}")]
    Unsendable(#[from] X2goError),
    /// Nobody there, or an answer that isn't one.
    #[error("the X2Go authentication service at {} is unavailable: {source}", path.display())]
    Unavailable {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Default for X2goService {
    fn default() -> Self {
        Self {
            socket: USUAL_SOCKET.into(),
            service: USUAL_SERVICE.to_owned(),
            timeout: TIMEOUT,
        }
    }
}

impl X2goService {
    /// Whether this is their password. A connection for each question, one write, and yes only for
    /// exactly `ok` and a line feed.
    pub async fn check(&self, user: &UserName, password: &str) -> Result<bool, X2goFailure> {
        let request = Request {
            user: user.as_str(),
            password,
            service: &self.service,
        };
        let line = request.encode()?;
        let answer = async {
            let mut stream = UnixStream::connect(&self.socket).await?;
            stream.write_all(&line).await?;
            let mut answer = [0; 8];
            let mut length = 0;
            loop {
                let room = answer.get_mut(length..).unwrap_or_default();
                let read = stream.read(room).await?;
                length += read;
                let said = answer.get(..length).unwrap_or_default();
                if read == 0 || said.contains(&b'\n') {
                    return Ok(said == OK);
                }
            }
        };
        let answer = match tokio::time::timeout(self.timeout, answer).await {
            Ok(answer) => answer,
            Err(elapsed) => Err(io::Error::from(elapsed)),
        };
        answer.map_err(|source| X2goFailure::Unavailable {
            path: self.socket.clone(),
            source,
        })
    }
}

impl Judge for X2goService {
    fn begin(&self, user: &UserName, _from: IpAddr) -> Box<dyn Dialogue> {
        Box::new(OnePassword {
            service: self.clone(),
            user: user.clone(),
        })
    }
}

/// The only conversation this protocol knows: a password, and yes or no.
#[derive(Debug)]
struct OnePassword {
    service: X2goService,
    user: UserName,
}

impl Dialogue for OnePassword {
    fn step(&mut self, answers: Vec<Typed>) -> Stepping<'_> {
        Box::pin(async move {
            let Some(password) = answers.first() else {
                return Ok(Step::Ask {
                    notes: Vec::new(),
                    prompts: vec![Prompt {
                        text: "Password: ".to_owned(),
                        echo: false,
                    }],
                });
            };
            // The original lets root in; here root has no way in by a password unless the helper is told so.
            let may = self.user.as_str() != "root";
            match self.service.check(&self.user, password.expose()).await {
                Ok(true) if may => Ok(Step::In {
                    // No account: what this service says opens no shell of theirs.
                    user: User::new(self.user.clone(), Way::Pam),
                    entry: None,
                }),
                Ok(_) => Ok(Step::Out {}),
                Err(error @ X2goFailure::Unsendable(_)) => {
                    tracing::info!(%error, "a login can't be asked about");
                    Ok(Step::Out {})
                }
                Err(error @ X2goFailure::Unavailable { .. }) => {
                    Err(DialogueError(error.to_string()))
                }
            }
        })
    }
}
