//! The server's side of the login helper: a PAM conversation as a value to step through.
//!
//! [`Helper::begin`] asks; each [`Step::Ask`] goes to the person and comes back through
//! [`Conversation::answer`], until the verdict. A conversation that is dropped ends. The helper sets
//! the time limits (30 s an answer, 120 s in all) and makes every failure take the same time; how
//! often somebody may try is decided above.
//!
//! ```no_run
//! # use gatepost::auth::pam::{Helper, HelperLimits, Step};
//! # use gatepost::wire::login::Purpose;
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! let helper = Helper::new("/run/gatepost-login/login.sock".into(), HelperLimits::default());
//! let mut step = helper.begin(&"ada".parse()?, "192.0.2.7", Purpose::Terminals).await?;
//! loop {
//!     step = match step {
//!         Step::Ask(conversation) => {
//!             let asked = conversation.questions();
//!             // … show conversation.messages(), ask `asked` questions …
//!             conversation.answer(vec![String::from("secret").into(); asked]).await?
//!         }
//!         Step::Failed => break,
//!         Step::Admitted(entry) => {
//!             println!("{} may open terminals", entry.who.account);
//!             break;
//!         }
//!     };
//! }
//! # Ok(()) }
//! ```

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use crate::base::{UserName, Way};
use crate::wire::frame::prefixed;
use crate::wire::login::{
    Admitted, FromHelper, MAX_ANSWER, MAX_FROM_HELPER, MAX_TO_HELPER, Message, Purpose, ToHelper,
};

/// Most messages shown together.
const MAX_KEPT: usize = 128;

/// Limits of talking to the helper, changeable so that tests need not wait.
#[derive(Debug, Clone, Copy)]
pub struct HelperLimits {
    /// Most conversations at a time: each is a root process that calls PAM.
    pub parallel: usize,
    /// How long the helper may take for a step: its own limit for a whole conversation (120 s) and
    /// a little more.
    pub step: Duration,
}

impl Default for HelperLimits {
    fn default() -> Self {
        Self {
            parallel: 16,
            step: Duration::from_secs(125),
        }
    }
}

/// Why there is no conversation. None of these says anything about a user or a password.
#[derive(Debug, thiserror::Error)]
pub enum PamError {
    /// No helper listens.
    #[error("no login helper answers at {}: is gatepost-login.socket running? ({source})", path.display())]
    NoHelper {
        /// Where it should be.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// [`HelperLimits::parallel`] conversations are going on.
    #[error("too many people are logging in at this moment; try again in a minute")]
    Busy,
    /// It says something we don't understand, or nothing in time.
    #[error("the login helper can't be understood: {0}")]
    Protocol(String),
    /// Not as many answers as questions, or one that is too long.
    #[error("{0}")]
    Answers(&'static str),
}

/// Where the helper listens.
#[derive(Debug, Clone)]
pub struct Helper {
    socket: Arc<Path>,
    limits: HelperLimits,
    slots: Arc<Semaphore>,
}

/// What comes next.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// Questions for the person.
    Ask(Conversation),
    /// No: wrong name, wrong password, locked, expired, too slow. Never says which.
    Failed,
    /// Yes.
    Admitted(Entry),
}

/// One dialogue from name to verdict. Dropping it ends it.
#[derive(Debug)]
pub struct Conversation {
    line: UnixStream,
    limits: HelperLimits,
    messages: Vec<Message>,
    _slot: OwnedSemaphorePermit,
}

/// Somebody who was let in, and the connection on which their terminals can be opened: hand it to
/// [`Terminals::hold`](crate::terminals::Terminals::hold). The helper holds the PAM session as long
/// as this is open or a terminal is left.
#[derive(Debug)]
pub struct Entry {
    /// Whose account.
    pub who: Admitted,
    /// The connection.
    pub line: UnixStream,
}

impl Helper {
    /// The helper that listens on this socket.
    pub fn new(socket: PathBuf, limits: HelperLimits) -> Self {
        Self {
            socket: socket.into(),
            limits,
            slots: Arc::new(Semaphore::new(limits.parallel)),
        }
    }

    /// Begins a conversation with PAM. `remote` is the address of the person, as PAM modules and
    /// logs are told.
    pub async fn begin(
        &self,
        user: &UserName,
        remote: &str,
        purpose: Purpose,
    ) -> Result<Step, PamError> {
        let user = user.as_str();
        self.start(&ToHelper::Begin {
            user,
            remote,
            purpose,
        })
        .await
    }

    /// Asks for the account and fixed command of somebody who proved in another way who they are;
    /// the root-owned file of identities decides.
    pub async fn identity(
        &self,
        way: Way,
        name: &UserName,
        remote: &str,
    ) -> Result<Step, PamError> {
        let name = name.as_str();
        self.start(&ToHelper::Identity { way, name, remote }).await
    }

    async fn start(&self, first: &ToHelper<'_>) -> Result<Step, PamError> {
        let slot = self
            .slots
            .clone()
            .try_acquire_owned()
            .map_err(|_| PamError::Busy)?;
        let connect = UnixStream::connect(&self.socket).await;
        let line = connect.map_err(|source| PamError::NoHelper {
            path: self.socket.to_path_buf(),
            source,
        })?;
        let limits = self.limits;
        let messages = Vec::new();
        let conversation = Conversation {
            line,
            limits,
            messages,
            _slot: slot,
        };
        conversation.go_on(first).await
    }
}

impl Conversation {
    /// What to show and ask, in order.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// How many answers are wanted.
    pub fn questions(&self) -> usize {
        let questions = self.messages.iter();
        questions
            .filter(|message| message.style.is_question())
            .count()
    }

    /// Answers every question, in order.
    pub async fn answer(self, answers: Vec<Zeroizing<String>>) -> Result<Step, PamError> {
        if answers.len() != self.questions() {
            return Err(PamError::Answers("as many answers as questions are needed"));
        }
        let fits =
            |answer: &Zeroizing<String>| answer.len() <= MAX_ANSWER && !answer.contains('\0');
        if !answers.iter().all(fits) {
            return Err(PamError::Answers(
                "an answer has at most 512 bytes, and no NUL",
            ));
        }
        let answers_as_bytes = answers.iter().map(|answer| answer.as_bytes()).collect();
        self.go_on(&ToHelper::Answers(answers_as_bytes)).await
    }

    async fn go_on(mut self, frame: &ToHelper<'_>) -> Result<Step, PamError> {
        // Never grows, so that no copy of a password stays behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_TO_HELPER));
        prefixed(&mut bytes, |out| frame.encode(out));
        self.messages.clear();
        let step = self.limits.step;
        let verdict = tokio::time::timeout(step, self.verdict(&bytes)).await;
        match verdict {
            Ok(Ok(None)) => Ok(Step::Ask(self)),
            Ok(Ok(Some(FromHelper::Admitted(who)))) => Ok(Step::Admitted(Entry {
                who,
                line: self.line,
            })),
            Ok(Ok(Some(FromHelper::Failed))) => Ok(Step::Failed),
            Ok(Ok(Some(_))) => Err(PamError::Protocol("a terminal before a verdict".to_owned())),
            // It is killed when a PAM module takes too long, and says nothing then.
            Ok(Err(error)) if is_end(&error) => Ok(Step::Failed),
            Ok(Err(error)) => Err(PamError::Protocol(error.to_string())),
            Err(_elapsed) => {
                let seconds = step.as_secs();
                Err(PamError::Protocol(format!("no answer within {seconds} s")))
            }
        }
    }

    /// Sends a frame and collects messages until a question (`None`) or something else comes.
    async fn verdict(&mut self, bytes: &[u8]) -> io::Result<Option<FromHelper>> {
        self.line.write_all(bytes).await?;
        loop {
            match read(&mut self.line).await? {
                FromHelper::Ask(messages) => {
                    self.messages.extend(messages);
                    if self.messages.len() > MAX_KEPT {
                        return Err(io::Error::other("more messages than anybody reads"));
                    }
                    if self.questions() > 0 {
                        return Ok(None);
                    }
                }
                other => return Ok(Some(other)),
            }
        }
    }
}

fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    )
}

async fn read(line: &mut UnixStream) -> io::Result<FromHelper> {
    let length = usize::try_from(line.read_u32().await?).unwrap_or(usize::MAX);
    if length == 0 || length > MAX_FROM_HELPER {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            "a frame over its limit",
        ));
    }
    let mut frame = vec![0; length];
    line.read_exact(&mut frame).await?;
    FromHelper::decode(&frame).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}
