//! The manage connection to one keeper: keeps what is known about its terminal up to date and
//! carries short requests.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::action::TerminalInfo;
use crate::base::{Labels, Size, TerminalId};
use crate::wire::frame::{FromViewer, ToViewer};
use crate::wire::message::{Attach, Exit, Failure, FailureKind, Hello, Meta, Request};

use super::owner::Message;
use super::stream::{KeeperStream, KeeperWriter, nobody_there};
use super::{TerminalError, TerminalLimits};

/// Requests to one keeper that may wait for their answers at a time.
pub(super) const MAX_PENDING: usize = 32;
/// Pause before a connection is tried again; doubled each time.
const RETRY: Duration = Duration::from_millis(2);
/// Longest pause while a socket may just be on its way in or out.
const SOON: Duration = Duration::from_millis(50);
/// A connection that lasted this long was a good one.
const STEADY: Duration = Duration::from_secs(1);
/// Longest pause between attempts, for a keeper that is stopped or hopelessly slow.
const MAX_RETRY: Duration = Duration::from_secs(5);

/// How a keeper went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Its terminal was closed, or its program ended: it took its socket with it.
    Orderly,
    /// It left its socket behind: it was killed or broke, and its program had to go with it.
    Lost,
}

/// Where an answer goes.
pub(super) type Reply = oneshot::Sender<Result<serde_json::Value, TerminalError>>;

pub(super) struct Link {
    pub(super) terminal: TerminalId,
    pub(super) socket: PathBuf,
    pub(super) limits: TerminalLimits,
    pub(super) owner: mpsc::Sender<Message>,
    pub(super) requests: mpsc::Receiver<(Request, Reply)>,
}

impl Link {
    /// Runs until the terminal is gone.
    pub(super) async fn run(self) {
        let (terminal, owner) = (self.terminal, self.owner.clone());
        let end = self.follow().await;
        let _stopping = owner.send(Message::Gone(terminal, end)).await;
    }

    async fn follow(mut self) -> End {
        let attach = Attach::manage();
        let mut pause = RETRY;
        let mut refused_since: Option<Instant> = None;
        loop {
            let connect = KeeperStream::connect(&self.socket, &attach);
            match tokio::time::timeout(self.limits.answer, connect).await {
                Ok(Ok(stream)) => {
                    refused_since = None;
                    let connected = Instant::now();
                    match self.serve(stream).await {
                        // One that hangs up at once is not asked again at once, time after time.
                        Ok(true) if connected.elapsed() > STEADY => pause = RETRY,
                        Ok(_) => {}
                        Err(error) => {
                            tracing::warn!(terminal = %self.terminal, %error, "connection to the keeper failed; trying again");
                        }
                    }
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => return End::Orderly,
                Ok(Err(error)) if nobody_there(&error) => {
                    // Also true for an instant in which a new keeper has bound and not yet listened.
                    let since = *refused_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= self.limits.stale {
                        tracing::warn!(terminal = %self.terminal, "the terminal is lost: its keeper was killed (too little memory?) or broke");
                        if let Err(error) = std::fs::remove_file(&self.socket) {
                            tracing::debug!(%error, "the socket is gone already");
                        }
                        return End::Lost;
                    }
                    pause = pause.min(SOON);
                }
                Ok(Err(error)) => {
                    tracing::warn!(terminal = %self.terminal, %error, "no connection to the keeper");
                }
                Err(_elapsed) => {
                    tracing::warn!(terminal = %self.terminal, "the keeper doesn't answer");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_RETRY);
        }
    }

    /// One connection, until it ends; whether the keeper said hello.
    async fn serve(&mut self, stream: KeeperStream) -> io::Result<bool> {
        let holder = stream.holder();
        let (mut reader, mut writer) = stream.split();
        let mut pending: HashMap<u32, Reply> = HashMap::new();
        let mut next_id = 1;
        let mut known: Option<TerminalInfo> = None;
        loop {
            tokio::select! {
                frame = reader.next_frame() => {
                    let Some(frame) = frame? else { break };
                    match ToViewer::decode(&frame) {
                        Ok(ToViewer::Hello(mut hello)) => {
                            holder.restrain(&mut hello.meta);
                            let info = self.hello(hello);
                            known = Some(info.clone());
                            self.publish(info).await;
                        }
                        Ok(ToViewer::Meta(mut meta)) => if let Some(known) = &mut known {
                            holder.restrain(&mut meta);
                            apply(known, meta);
                            self.publish(known.clone()).await;
                        },
                        Ok(ToViewer::Reply { request, last: true, body }) => {
                            if let Some(reply) = pending.remove(&request) {
                                let _gave_up = reply.send(self.answer(body));
                            }
                        }
                        Ok(_) => {}
                        // A newer keeper may say things we don't know; they don't concern us.
                        Err(error) => tracing::debug!(terminal = %self.terminal, %error, "frame not understood"),
                    }
                }
                request = self.requests.recv(), if known.is_some() => {
                    let Some((request, reply)) = request else { break };
                    pending.retain(|_, reply| !reply.is_closed());
                    if pending.len() >= MAX_PENDING {
                        let _gave_up = reply.send(Err(busy()));
                        continue;
                    }
                    send(&mut writer, next_id, request).await?;
                    pending.insert(next_id, reply);
                    next_id = next_id.wrapping_add(1);
                }
            }
        }
        Ok(known.is_some())
    }

    fn hello(&self, hello: Hello) -> TerminalInfo {
        let mut info = TerminalInfo {
            id: self.terminal,
            name: None,
            title: None,
            command: Vec::new(),
            size: Size::DEFAULT,
            pid: None,
            opened: 0,
            opened_ms: 0,
            last_output: None,
            viewers: 0,
            exit_status: None,
            exit_signal: None,
            bells: 0,
            owner: None,
            shared_with: Vec::new(),
            labels: Labels::default(),
            keeper: hello.keeper,
        };
        apply(&mut info, hello.meta);
        info
    }

    async fn publish(&self, info: TerminalInfo) {
        let _stopping = self.owner.send(Message::Known(Box::new(info))).await;
    }

    fn answer(&self, body: &[u8]) -> Result<serde_json::Value, TerminalError> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum Body {
            Ok(serde_json::Value),
            Error(Failure),
        }
        match serde_json::from_slice(body) {
            Ok(Body::Ok(value)) => Ok(value),
            Ok(Body::Error(failure)) => Err(TerminalError::Refused(failure)),
            Err(error) => Err(TerminalError::Protocol {
                terminal: self.terminal,
                reason: error.to_string(),
            }),
        }
    }
}

async fn send(writer: &mut KeeperWriter, id: u32, request: Request) -> io::Result<()> {
    writer.send(&FromViewer::Request { id, request }).await
}

/// The answer when too many requests wait.
pub(super) fn busy() -> TerminalError {
    TerminalError::Refused(Failure {
        kind: FailureKind::Busy,
        message: "too many requests to this terminal wait for their answers; try again".to_owned(),
    })
}

/// Takes over what a `Meta` says has changed.
fn apply(info: &mut TerminalInfo, meta: Meta) {
    if let Some(name) = meta.name {
        info.name = name;
    }
    if let Some(title) = meta.title {
        info.title = title;
    }
    if let Some(size) = meta.size {
        info.size = size;
    }
    if let Some(viewers) = meta.viewers {
        info.viewers = u32::try_from(viewers.len()).unwrap_or(u32::MAX);
    }
    if let Some(exit) = meta.exit {
        (info.exit_status, info.exit_signal) = match exit {
            None => (None, None),
            Some(Exit::Status(status)) => (Some(status), None),
            Some(Exit::Signal(signal)) => (None, Some(signal)),
        };
    }
    if let Some(bells) = meta.bells {
        info.bells = bells;
    }
    if let Some(command) = meta.command {
        info.command = command;
    }
    if let Some(pid) = meta.pid {
        info.pid = Some(pid);
    }
    if let Some(owner) = meta.owner {
        info.owner = Some(owner);
    }
    if let Some(labels) = meta.labels {
        info.labels = labels;
    }
    if let Some(opened) = meta.opened {
        info.opened = opened;
        // All an older keeper says; it ranks before those of the same second that say more.
        info.opened_ms = meta.opened_ms.unwrap_or(opened.saturating_mul(1000));
    }
    if let Some(last_output) = meta.last_output {
        info.last_output = Some(last_output);
    }
}
