//! Connections to login helpers: on each, terminals of one login can be opened as its account for as
//! long as it is held.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::wire::frame::prefixed;
use crate::wire::launch::Launch;
use crate::wire::login::{FromHelper, MAX_FROM_HELPER, MAX_LAUNCH, MAX_TO_HELPER, Open, ToHelper};

/// Terminals of one login that may wait to be opened; the next one is refused.
const QUEUE: usize = 4;

/// A terminal to open.
#[derive(Debug)]
struct Order {
    /// What the keeper is told.
    launch: Launch,
    /// What is started; empty: the login shell.
    command: Vec<String>,
    /// Variables for it, which the keeper has no use for.
    environment: Vec<(String, String)>,
    opened: oneshot::Sender<Result<(), String>>,
}

/// One held connection. Its task ends with the login, or when the helper hangs up.
#[derive(Debug, Clone)]
pub(super) struct Held {
    opens: mpsc::Sender<Order>,
    /// What is shown as command of a terminal without one.
    shell: String,
}

impl Held {
    /// Holds a connection until `ended`.
    pub(super) fn new(
        line: UnixStream,
        shell: String,
        limit: Duration,
        ended: CancellationToken,
    ) -> Self {
        let (opens, queue) = mpsc::channel(QUEUE);
        tokio::spawn(hold(line, queue, limit, ended));
        Self { opens, shell }
    }

    /// Whether terminals can still be opened.
    pub(super) fn is_alive(&self) -> bool {
        !self.opens.is_closed()
    }

    /// Opens a terminal. The error is a sentence for a person.
    pub(super) async fn open(&self, mut launch: Launch) -> Result<(), String> {
        let command = launch.command.clone();
        if command.is_empty() {
            launch.command.push(self.shell.clone());
        }
        let (opened, answer) = oneshot::channel();
        let order = Order {
            environment: std::mem::take(&mut launch.environment),
            launch,
            command,
            opened,
        };
        let sent = self.opens.try_send(order);
        sent.map_err(|_| "too many terminals of this login are being opened".to_owned())?;
        let gone = |_| "the login helper has ended; log in again".to_owned();
        answer.await.map_err(gone)?
    }
}

async fn hold(
    mut line: UnixStream,
    mut queue: mpsc::Receiver<Order>,
    limit: Duration,
    ended: CancellationToken,
) {
    loop {
        let order = tokio::select! {
            () = ended.cancelled() => return,
            () = hung_up(&line) => return,
            next = queue.recv() => match next {
                Some(next) => next,
                None => return,
            },
        };
        let result = match tokio::time::timeout(limit, open(&mut line, &order)).await {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => {
                tracing::warn!(%error, "connection to the login helper failed");
                return;
            }
            Err(_elapsed) => {
                tracing::warn!("the login helper doesn't answer");
                return;
            }
        };
        let _gave_up = order.opened.send(result);
    }
}

/// Waits until the helper hangs up. Between terminals it has nothing to say.
async fn hung_up(line: &UnixStream) {
    while line.readable().await.is_ok() {
        // Readiness may be left over from the last answer.
        match line.try_read(&mut [0]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            _ => return,
        }
    }
}

async fn open(line: &mut UnixStream, order: &Order) -> io::Result<Result<(), String>> {
    let Order {
        launch,
        command,
        environment,
        ..
    } = order;
    let variables = environment.iter();
    let message = serde_json::to_vec(launch)?;
    if message.len() > MAX_LAUNCH {
        return Ok(Err(format!("its description is over {MAX_LAUNCH} bytes")));
    }
    let directory = launch.directory.as_deref();
    let frame = ToHelper::Open(Open {
        terminal: launch.id,
        size: launch.size,
        command: command.iter().map(String::as_str).collect(),
        // One that isn't UTF-8 can't have come through any door.
        directory: directory.and_then(std::path::Path::to_str),
        environment: variables
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect(),
        launch: &message,
    });
    let mut bytes = Vec::new();
    prefixed(&mut bytes, |out| frame.encode(out));
    if bytes.len() > MAX_TO_HELPER {
        return Ok(Err(format!("its command is over {MAX_TO_HELPER} bytes")));
    }
    line.write_all(&bytes).await?;
    let length = usize::try_from(line.read_u32().await?).unwrap_or(usize::MAX);
    if length == 0 || length > MAX_FROM_HELPER {
        return Err(io::Error::other("a frame over its limit"));
    }
    let mut frame = vec![0; length];
    line.read_exact(&mut frame).await?;
    match FromHelper::decode(&frame).map_err(io::Error::other)? {
        FromHelper::Opened(terminal) if terminal == launch.id => Ok(Ok(())),
        FromHelper::Refused { terminal, reason } if terminal == launch.id => Ok(Err(reason)),
        _ => Err(io::Error::other("an answer to something else")),
    }
}
