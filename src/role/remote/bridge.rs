//! From calls of the control socket to HTTP and back: the caller gets a Unix socket that carries what
//! the control socket would.

use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, header};
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream as Pipe;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::role::exit::{Code, Failure};
use crate::wire::control::{Answer, Call};
use crate::wire::frame::{self, MAX_TO_VIEWER, ToViewer};
use crate::wire::message::Attach;

use super::Remote;
use super::http::{connect, head, send, whole};

/// How often the server is asked for a sign of life, so that a connection lost in silence is noticed.
const PING: Duration = Duration::from_secs(15);
/// How long it may give none.
const DEAD: Duration = Duration::from_secs(45);

/// Says a call to the server; the socket carries the frames that follow, as the control socket would.
pub(super) fn call(
    remote: &'static Remote,
    cookie: String,
    call: Call,
) -> Result<(Answer, UnixStream), Failure> {
    let (near, far) = UnixStream::pair().map_err(Failure::failed)?;
    let (tell, told) = mpsc::channel();
    // The commands block; what goes on in the network does so beside them, as long as the process does.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(converse(remote, &cookie, call, far, &tell)),
            Err(error) => drop(tell.send(Err(Failure::failed(error)))),
        }
    });
    let answer = told
        .recv()
        .map_err(|_| Failure::failed("the connection ended"))??;
    Ok((answer, near))
}

type Tell = mpsc::Sender<Result<Answer, Failure>>;

async fn converse(remote: &Remote, cookie: &str, call: Call, far: UnixStream, tell: &Tell) {
    let result = async {
        far.set_nonblocking(true).map_err(Failure::failed)?;
        let far = Pipe::from_std(far).map_err(Failure::failed)?;
        match call {
            Call::Url { .. }
            | Call::Buttons { .. }
            | Call::Logins { .. }
            | Call::Display {}
            | Call::Painted {} => Err(Failure::failed(
                "this is said on the machine itself, not over the network",
            )),
            // For whoever is on that machine to know.
            Call::Configuration {} => {
                drop(tell.send(Ok(Answer::Configuration {
                    refused: Vec::new(),
                    warnings: Vec::new(),
                })));
                Ok(())
            }
            Call::Act { action } => {
                let body = serde_json::to_value(action).map_err(Failure::failed)?;
                let answer = send(remote, "api/actions", Some(cookie), &body).await?;
                let outcome = serde_json::from_slice(&whole(answer).await?);
                let outcome = outcome.map_err(|_| crate::role::client::unexpected())?;
                drop(tell.send(Ok(Answer::Done { outcome })));
                Ok(())
            }
            Call::Ask { terminal, request } => {
                let path = format!("api/terminals/{}/ask", escaped(&terminal));
                let body = serde_json::to_value(request).map_err(Failure::failed)?;
                let answer = send(remote, &path, Some(cookie), &body).await?;
                drop(tell.send(Ok(Answer::Attached {})));
                reply(answer.into_body(), far).await
            }
            Call::Attach { terminal, attach } => {
                view(remote, cookie, &terminal, &attach, far, tell).await
            }
        }
    };
    if let Err(failure) = result.await {
        // After the answer nobody listens here: the end of the stream says it.
        drop(tell.send(Err(failure)));
    }
}

/// A terminal's name as one segment of a path (RFC 3986, section 2.1).
fn escaped(text: &str) -> String {
    let byte = |byte: u8| {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-_~".contains(c) {
            c.to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(byte).collect()
}

/// Passes the parts of an answer on as the frames they were.
async fn reply(mut body: hyper::body::Incoming, mut far: Pipe) -> Result<(), Failure> {
    let mut write = async |last: bool, body: &[u8]| {
        let mut out = Vec::with_capacity(body.len() + 16);
        frame::prefixed(&mut out, |out| {
            ToViewer::Reply {
                request: 1,
                last,
                body,
            }
            .encode(out);
        });
        far.write_all(&out).await.map_err(Failure::failed)
    };
    while let Some(part) = body.frame().await {
        if let Some(part) = part.map_err(Failure::failed)?.data_ref() {
            write(false, part).await?;
        }
    }
    write(true, &[]).await
}

/// Becomes a viewer over a WebSocket.
async fn view(
    remote: &Remote,
    cookie: &str,
    terminal: &str,
    attach: &Attach,
    far: Pipe,
    tell: &Tell,
) -> Result<(), Failure> {
    let id = meant(remote, cookie, terminal).await?;
    let token = send(remote, "api/token", Some(cookie), &json!({})).await?;
    let token: serde_json::Value =
        serde_json::from_slice(&whole(token).await?).map_err(Failure::failed)?;
    let request = head(remote, Method::GET, "ws/terminal", Some(cookie))
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, generate_key())
        .header(header::SEC_WEBSOCKET_PROTOCOL, "gatepost.v1");
    // tungstenite wants to be told the whole address.
    let place = remote.address();
    let scheme = if place.is_secure() { "wss" } else { "ws" };
    let uri = format!(
        "{scheme}://{}{}",
        place.authority(),
        place.path("ws/terminal")
    );
    let request = request.uri(uri).body(()).map_err(Failure::failed)?;
    let stream = connect(remote).await?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_TO_VIEWER))
        .max_frame_size(Some(MAX_TO_VIEWER))
        .write_buffer_size(0);
    let (mut socket, _) = client_async_with_config(request, stream, Some(config))
        .await
        .map_err(|error| Failure::failed(format!("the WebSocket is refused: {error}")))?;
    let token = token.get("token").cloned().unwrap_or_default();
    let first = json!({ "token": token, "terminal": id, "attach": attach });
    socket
        .send(Message::text(first.to_string()))
        .await
        .map_err(Failure::failed)?;
    // The first frame, or why there is none.
    let hello = loop {
        match socket.next().await {
            Some(Ok(Message::Binary(frame))) => break frame,
            Some(Ok(Message::Close(frame))) => {
                let code = frame.map_or(1006, |frame| frame.code.into());
                return Err(closed(code));
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(Failure::failed(error)),
            None => return Err(closed(1006)),
        }
    };
    drop(tell.send(Ok(Answer::Attached {})));
    let (mut to_server, mut from_server) = socket.split();
    let (mut from_near, mut to_near) = far.into_split();
    to_near
        .write_all(&prefixed(&hello))
        .await
        .map_err(Failure::failed)?;
    let down = async {
        loop {
            let next = tokio::time::timeout(DEAD, from_server.next()).await;
            match next {
                Ok(Some(Ok(Message::Binary(frame)))) => {
                    let Ok(()) = to_near.write_all(&prefixed(&frame)).await else {
                        return;
                    };
                }
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => return,
                Ok(Some(Ok(_))) => {}
            }
        }
    };
    let up = async {
        let mut ticks = tokio::time::interval(PING);
        let mut buffer = Vec::new();
        loop {
            let message = tokio::select! {
                read = from_near.read_buf(&mut buffer) => match read {
                    Ok(count) if count > 0 => None,
                    _ => return,
                },
                _ = ticks.tick() => Some(Message::Ping(bytes::Bytes::new())),
            };
            if let Some(ping) = message
                && to_server.send(ping).await.is_err()
            {
                return;
            }
            while let Ok(Some(length)) = frame::length(&buffer, frame::MAX_FROM_VIEWER)
                && buffer.len() >= 4 + length
            {
                let whole: Vec<u8> = buffer.drain(..4 + length).skip(4).collect();
                let Ok::<(), Error>(()) = to_server.send(Message::binary(whole)).await else {
                    return;
                };
            }
        }
    };
    tokio::select! {
        () = down => {}
        () = up => {}
    }
    Ok(())
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 4);
    frame::prefixed(&mut out, |out| out.extend_from_slice(bytes));
    out
}

/// The id of the terminal that is meant: the WebSocket takes nothing else.
async fn meant(remote: &Remote, cookie: &str, terminal: &str) -> Result<String, Failure> {
    let body = json!({ "action": "list-terminals" });
    let answer = send(remote, "api/actions", Some(cookie), &body).await?;
    let outcome = serde_json::from_slice(&whole(answer).await?).map_err(Failure::failed)?;
    let crate::action::Outcome::Terminals { terminals } = outcome else {
        return Err(crate::role::client::unexpected());
    };
    crate::action::find(&terminals, terminal)
        .map(|id| id.to_string())
        .map_err(|error| Failure::new(Code::NotFound, error.to_string()))
}

/// What a close code means before anything was shown (`docs/http-api.md`).
fn closed(code: u16) -> Failure {
    let (code, message) = match code {
        4401 => (Code::Denied, "the login has ended; log in again"),
        4404 => (Code::NotFound, "that terminal is gone"),
        4429 => (Code::Limit, "too many watch that terminal already"),
        1008 | 4403 => (Code::Denied, "the server doesn't allow it"),
        _ => (Code::NoServer, "the server closed the connection"),
    };
    Failure::new(code, message)
}
