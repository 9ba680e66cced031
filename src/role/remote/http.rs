//! One HTTP connection to a Gatepost on another machine.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::role::exit::{Code, Failure};
use crate::wire::control::{MAX_MESSAGE, RefusalKind};

use super::Remote;

/// How long connecting may take, TLS included.
const CONNECT: Duration = Duration::from_secs(15);

/// A stream to the server, encrypted unless it goes to this machine.
pub(super) type Stream = Pin<Box<dyn Duplex>>;

/// What a connection can do.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

/// Connects, and makes sure that it is the right server.
pub(super) async fn connect(remote: &Remote) -> Result<Stream, Failure> {
    match tokio::time::timeout(CONNECT, open(remote)).await {
        Ok(stream) => stream,
        Err(_elapsed) => Err(away(
            remote,
            &format!("no answer within {} s", CONNECT.as_secs()),
        )),
    }
}

async fn open(remote: &Remote) -> Result<Stream, Failure> {
    let place = remote.address();
    let stream = TcpStream::connect((place.host(), place.port())).await;
    let stream = stream.map_err(|error| away(remote, &error))?;
    // A key is a small packet that must not wait for another.
    stream
        .set_nodelay(true)
        .map_err(|error| away(remote, &error))?;
    if !place.is_secure() {
        return Ok(Box::pin(stream));
    }
    let mut config = remote.trust.config()?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from(place.host().to_owned()).map_err(Failure::failed)?;
    let connected = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await;
    let connected = connected.map_err(|error| distrust(remote, &error))?;
    Ok(Box::pin(connected))
}

fn away(remote: &Remote, why: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        Code::NoServer,
        format!("no server answers at {}: {why}", remote.address()),
    )
}

/// TLS failed; when it is for the certificate, says what to do.
fn distrust(remote: &Remote, error: &std::io::Error) -> Failure {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let (Some(rustls::Error::InvalidCertificate(why)), Some(shown)) = (tls, remote.trust.shown())
    else {
        return away(remote, error);
    };
    let place = remote.address();
    let message = match remote.trust.pinned() {
        Some(pinned) => format!(
            "{place} shows another certificate than the one pinned: {shown} instead of {pinned}. Somebody may be in between; \
             if the certificate was replaced on purpose, compare it with `gatepost cert show` on that machine and give --fingerprint"
        ),
        None => format!(
            "the certificate of {place} is not trusted ({why}). Its fingerprint is {shown}: compare it with `gatepost cert show` \
             on that machine, then give it with --fingerprint; or name its authority with --ca FILE"
        ),
    };
    Failure::new(Code::Denied, message)
}

/// A request's head as the server's own page would send it.
pub(super) fn head(
    remote: &Remote,
    method: Method,
    path: &str,
    cookie: Option<&str>,
) -> http::request::Builder {
    let place = remote.address();
    let builder = Request::builder()
        .method(method)
        .uri(place.path(path))
        .header(header::HOST, place.authority())
        .header(header::ORIGIN, place.origin())
        .header(
            header::USER_AGENT,
            concat!("gatepost/", env!("CARGO_PKG_VERSION")),
        );
    match cookie {
        Some(cookie) => builder.header(header::COOKIE, cookie),
        None => builder,
    }
}

/// Sends a request with JSON in it; the answer's body is still to be read. What isn't a success becomes a
/// failure.
pub(super) async fn send(
    remote: &Remote,
    path: &str,
    cookie: Option<&str>,
    body: &Value,
) -> Result<Response<Incoming>, Failure> {
    let body = Bytes::from(body.to_string());
    let request = head(remote, Method::POST, path, cookie)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(body))
        .map_err(Failure::failed)?;
    let stream = connect(remote).await?;
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|error| away(remote, &error))?;
    tokio::spawn(connection);
    let answer = sender.send_request(request).await;
    let answer = answer.map_err(|error| away(remote, &error))?;
    if answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status();
    let body = whole(answer).await.unwrap_or_default();
    Err(refused(remote, status, &body))
}

/// The whole body, up to the largest message of the control socket.
pub(super) async fn whole(answer: Response<Incoming>) -> Result<Bytes, Failure> {
    let body = Limited::new(answer.into_body(), MAX_MESSAGE)
        .collect()
        .await;
    Ok(body.map_err(Failure::failed)?.to_bytes())
}

fn refused(remote: &Remote, status: StatusCode, body: &[u8]) -> Failure {
    #[derive(serde::Deserialize)]
    struct Body {
        error: Why,
    }
    #[derive(serde::Deserialize)]
    struct Why {
        kind: RefusalKind,
        message: String,
    }
    if status == StatusCode::UNAUTHORIZED {
        let said = serde_json::from_slice::<Body>(body).map(|body| body.error.message);
        let said = said.unwrap_or_else(|_| "not logged in".to_owned());
        let place = remote.address();
        return Failure::new(
            Code::Denied,
            format!("{said} (or log in with: gatepost --host {place} login)"),
        );
    }
    match serde_json::from_slice::<Body>(body) {
        Ok(Body { error }) => Failure::new(error.kind.into(), error.message),
        Err(_) => Failure::failed(format!(
            "{} answers {status}, as a Gatepost would not; is it one?",
            remote.address()
        )),
    }
}

/// The cookies an answer sets, as a request sends them.
pub(super) fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::SET_COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .filter_map(|value| value.split(';').next())
        .map(str::to_owned)
        .collect()
}
