//! From HTTP to WebSocket (RFC 6455, section 4.2), by hand: so the connection underneath is ours, with
//! its limits and its socket options.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tracing::Instrument as _;

use crate::auth::Login;
use crate::wire::control::RefusalKind;
use crate::wire::frame::MAX_FROM_VIEWER;

use super::Web;
use super::listen::Place;
use super::login::logged_in;
use super::problem::Problem;
use super::socket::Socket;
use super::stream::{Stream, Taped};

/// The only subprotocol spoken.
pub(super) const PROTOCOL: &str = "gatepost.v1";
/// Bytes the kernel may hold that are not on the wire yet: small, so that ^C overtakes little.
const NOT_SENT: u32 = 16 << 10;
/// Read buffer, in bytes: keys and acknowledgements are tiny.
const READ_BUFFER: usize = 2 << 10;

/// Answers 101 and runs `handler` with the WebSocket and its login. Host and Origin were judged
/// before; the login is judged here.
pub(super) fn accept<F, H>(web: &Web, request: Request, handler: H) -> Result<Response, Problem>
where
    H: FnOnce(Web, Login, Socket) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let login = logged_in(web, request.headers())?;
    accept_as(web, login, request, handler)
}

/// The same for a login that was found already.
pub(super) fn accept_as<F, H>(
    web: &Web,
    login: Login,
    mut request: Request,
    handler: H,
) -> Result<Response, Problem>
where
    H: FnOnce(Web, Login, Socket) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let key = handshake(request.method(), request.headers())?;
    let Ok(one) = web.sockets.clone().try_acquire_owned() else {
        return Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            RefusalKind::Limit,
            "too many WebSockets are open; close some pages",
        ));
    };
    let place = request.extensions_mut().remove::<Arc<Place>>();
    let upgrade = hyper::upgrade::on(&mut request);
    let web = web.clone();
    let (tasks, span) = (web.tasks.clone(), tracing::Span::current());
    let task = async move {
        let stream = match upgrade.await.map(hyper::upgrade::Upgraded::downcast) {
            Ok(Ok(parts)) => {
                let io: TokioIo<Stream> = parts.io;
                if let Some(tcp) = io.inner().tcp() {
                    prepare(tcp);
                }
                let (io, read) = (io.into_inner(), parts.read_buf.to_vec());
                let io = Taped::new(io, read.clone());
                WebSocketStream::from_partially_read(io, read, Role::Server, Some(config())).await
            }
            Ok(Err(_)) => return,
            Err(error) => {
                tracing::debug!(%error, "upgrade failed");
                return;
            }
        };
        handler(web, login, Socket::new(stream)).await;
        drop((place, one));
    };
    tasks.spawn(task.instrument(span));
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
        .map_err(|_| Problem::unavailable())?;
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_ACCEPT, accept),
        (
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(PROTOCOL),
        ),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
}

/// Checks the handshake and returns its key.
fn handshake(method: &Method, headers: &HeaderMap) -> Result<String, Problem> {
    let upgrades = *method == Method::GET
        && has_token(headers, &header::CONNECTION, "upgrade")
        && has_token(headers, &header::UPGRADE, "websocket");
    if !upgrades {
        return Err(Problem::new(
            StatusCode::UPGRADE_REQUIRED,
            RefusalKind::Invalid,
            "this address speaks WebSocket only",
        ));
    }
    if headers
        .get(header::SEC_WEBSOCKET_VERSION)
        .map(HeaderValue::as_bytes)
        != Some(b"13")
    {
        return Err(Problem::invalid("WebSocket version 13 is the one spoken"));
    }
    if !has_token(headers, &header::SEC_WEBSOCKET_PROTOCOL, PROTOCOL) {
        return Err(Problem::invalid(format!(
            "the WebSocket subprotocol {PROTOCOL} is the one spoken"
        )));
    }
    // 16 bytes in base64.
    headers
        .get(header::SEC_WEBSOCKET_KEY)
        .and_then(|key| key.to_str().ok())
        .filter(|key| key.len() == 24 && key.ends_with("=="))
        .map(str::to_owned)
        .ok_or_else(|| Problem::invalid("the WebSocket key is missing or not one"))
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(token))
}

pub(super) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        // Each message goes out at once.
        .write_buffer_size(0)
        .max_message_size(Some(MAX_FROM_VIEWER))
        .max_frame_size(Some(MAX_FROM_VIEWER))
}

fn prepare(stream: &TcpStream) {
    let socket = socket2::SockRef::from(stream);
    if let Err(error) = socket.set_tcp_notsent_lowat(NOT_SENT) {
        tracing::debug!(%error, "TCP_NOTSENT_LOWAT");
    }
}
