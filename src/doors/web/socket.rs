//! A WebSocket as the routes use it: a first message in time, signs of life, and a close code that
//! says why.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::terminals::Browser;
use crate::wire::frame::End;
use crate::wire::websocket;

use super::WebLimits;
use super::stream::{Aside, Taped};
use super::upgrade;

/// Longest first message, in bytes.
const MAX_FIRST: usize = 4 << 10;
/// How long a closing handshake may take.
const CLOSE: Duration = Duration::from_secs(1);
/// What is read and thrown away after a close, in bytes, so that the peer sees the close and not a
/// reset.
const MAX_DRAIN: u64 = 1 << 20;

/// Why a WebSocket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// The server is going away.
    Away,
    /// Not a WebSocket frame, or not a frame of ours.
    Protocol,
    /// Text where binary is spoken, or the other way round.
    Kind,
    /// Text that isn't UTF-8.
    Utf8,
    /// Too slow, or against the rules.
    Violation,
    /// Too long.
    TooLong,
    /// The token is not valid, or the login ended.
    Token,
    /// Not allowed.
    Denied,
    /// There is no such terminal (any more).
    NoTerminal,
    /// Too many viewers.
    TooMany,
    /// The peer has closed, or is gone: nothing to say to it.
    Gone,
}

impl Close {
    fn frame(self) -> Option<CloseFrame> {
        let (code, reason): (u16, &'static str) = match self {
            Self::Away => (1001, "the server is going away"),
            Self::Protocol => (1002, "not a frame"),
            Self::Kind => (1003, "wrong kind of message"),
            Self::Utf8 => (1007, "not UTF-8"),
            Self::Violation => (1008, "too slow or not allowed"),
            Self::TooLong => (1009, "too long"),
            Self::Token => (4401, "token refused"),
            Self::Denied => (4403, "not allowed"),
            Self::NoTerminal => (4404, "no such terminal"),
            Self::TooMany => (4429, "too many viewers"),
            Self::Gone => return None,
        };
        Some(CloseFrame {
            code: code.into(),
            reason: Utf8Bytes::from_static(reason),
        })
    }
}

impl From<End> for Close {
    fn from(end: End) -> Self {
        match end {
            End::Over => Self::NoTerminal,
            End::Gone => Self::Gone,
            End::Protocol => Self::Protocol,
            End::Kind => Self::Kind,
            End::TooLong => Self::TooLong,
            End::Violation => Self::Violation,
            End::TooMany => Self::TooMany,
        }
    }
}

impl From<&Error> for Close {
    fn from(error: &Error) -> Self {
        match error {
            Error::Protocol(_) => Self::Protocol,
            Error::Capacity(_) => Self::TooLong,
            Error::Utf8(_) => Self::Utf8,
            _ => Self::Gone,
        }
    }
}

/// A WebSocket.
#[derive(Debug)]
pub(super) struct Socket {
    stream: WebSocketStream<Taped>,
}

impl Socket {
    pub(super) fn new(stream: WebSocketStream<Taped>) -> Self {
        Self { stream }
    }

    /// The first message: text, short, soon.
    pub(super) async fn first(&mut self, limit: Duration) -> Result<Utf8Bytes, Close> {
        let first = async {
            loop {
                return match self.stream.next().await {
                    Some(Ok(Message::Text(text))) if text.len() > MAX_FIRST => Err(Close::TooLong),
                    Some(Ok(Message::Text(text))) => Ok(text),
                    Some(Ok(Message::Binary(_))) => Err(Close::Kind),
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                    Some(Ok(Message::Close(_))) | None => Err(Close::Gone),
                    Some(Err(error)) => Err(Close::from(&error)),
                };
            }
        };
        match tokio::time::timeout(limit, first).await {
            Ok(first) => first,
            Err(_elapsed) => Err(Close::Violation),
        }
    }

    /// The connection as it can be handed over after the first message; `None` if it is encrypted.
    pub(super) fn browser(&self, limits: &WebLimits) -> Option<Browser> {
        let (socket, taped) = self.stream.get_ref().plain()?;
        let read = taped.get(websocket::after_text(taped)?..)?.to_vec();
        Some(Browser {
            socket,
            read,
            ping: limits.ping,
            dead: limits.dead,
        })
    }

    /// Leaves the connection to whoever it was handed to.
    pub(super) fn set_aside(self) -> Option<Aside> {
        let aside = self.stream.into_inner().set_aside()?;
        aside
            .inspect_err(|error| tracing::warn!(%error, "a connection can't be set aside"))
            .ok()
    }

    /// Takes up a connection again that was set aside, between two messages.
    pub(super) async fn take_up(aside: Aside) -> Option<Self> {
        let stream = aside.take_up().ok()?;
        let mut stream = Taped::new(stream, Vec::new());
        stream.forget();
        let config = Some(upgrade::config());
        let stream = WebSocketStream::from_raw_socket(stream, Role::Server, config).await;
        Some(Self { stream })
    }

    /// Both directions.
    pub(super) fn split(mut self) -> (Sender, Receiver) {
        self.stream.get_mut().forget();
        let (sink, stream) = self.stream.split();
        (Sender { sink }, Receiver { stream })
    }

    /// Says why and closes.
    pub(super) async fn close(mut self, why: Close) {
        tracing::debug!(?why, "WebSocket closes");
        let closing = async {
            // Fails when the peer has gone, which is what we want.
            let _gone = match why.frame() {
                Some(frame) => self.stream.send(Message::Close(Some(frame))).await,
                // The answer to its own close.
                None => self.stream.flush().await,
            };
            let raw = self.stream.get_mut();
            let _gone = raw.shutdown().await;
            let _gone = tokio::io::copy(&mut raw.take(MAX_DRAIN), &mut tokio::io::sink()).await;
        };
        let _slow = tokio::time::timeout(CLOSE, closing).await;
    }
}

/// The direction to the browser.
#[derive(Debug)]
pub(super) struct Sender {
    sink: SplitSink<WebSocketStream<Taped>, Message>,
}

impl Sender {
    /// Sends a message; returns when the kernel has taken all of it.
    pub(super) async fn send(&mut self, message: Message) -> Result<(), Close> {
        self.sink
            .send(message)
            .await
            .map_err(|error| Close::from(&error))
    }

    /// Puts the two directions together again.
    pub(super) fn reunite(self, receiver: Receiver) -> Option<Socket> {
        let stream = self.sink.reunite(receiver.stream).ok()?;
        Some(Socket { stream })
    }
}

/// The direction from the browser.
#[derive(Debug)]
pub(super) struct Receiver {
    stream: SplitStream<WebSocketStream<Taped>>,
}

impl Receiver {
    /// The next message; pings are answered underneath.
    pub(super) async fn next(&mut self) -> Result<Message, Close> {
        match self.stream.next().await {
            Some(Ok(Message::Close(_))) | None => Err(Close::Gone),
            Some(Ok(message)) => Ok(message),
            Some(Err(error)) => Err(Close::from(&error)),
        }
    }
}

/// Whether the peer gave a sign of life. Counts the pings since the last one.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    unanswered: AtomicU32,
}

impl Pulse {
    /// The peer did something: it sent, or it took what was sent to it.
    pub(super) fn alive(&self) {
        self.unanswered.store(0, Ordering::Relaxed);
    }

    /// A ping goes out. `false` when so many are unanswered that the peer counts as dead.
    pub(super) fn ping(&self, every: Duration, dead: Duration) -> bool {
        let unanswered = self.unanswered.fetch_add(1, Ordering::Relaxed);
        every.saturating_mul(unanswered) < dead
    }
}
