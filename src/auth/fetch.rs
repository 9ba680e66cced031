//! Asking another server over HTTP, carefully: one request, no redirects, and limits on everything.
//!
//! Nothing of this is kept between requests, so that a server nobody logs in to through others pays no
//! memory for it, and a renewed list of authorities needs no restart.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long one exchange may take, from the name's look-up to the last byte.
const WHOLE: Duration = Duration::from_secs(10);
/// Largest answer, in bytes: key sets and CAS answers are a few thousand.
pub(super) const MAX_ANSWER: usize = 1 << 20;
/// Largest head of an answer, in bytes.
const MAX_HEAD: usize = 64 << 10;
/// Longest address, in bytes.
const MAX_ADDRESS: usize = 8 << 10;
/// Largest file of authorities, in bytes; Debian's is 220 KB.
const MAX_AUTHORITIES: u64 = 4 << 20;
/// Where systems keep the authorities they trust: Debian, Fedora, Alpine.
const SYSTEM_AUTHORITIES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// The address of something on another server: `https`, or `http` on this very machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    text: String,
    uri: Uri,
    host: String,
    tls: bool,
}

impl Address {
    /// Reads an address.
    pub(crate) fn parse(text: &str) -> Result<Self, FetchError> {
        let wrong = |why| FetchError::Address(text.chars().take(200).collect(), why);
        if text.len() > MAX_ADDRESS || text.contains('#') {
            return Err(wrong("is too long or has a fragment"));
        }
        let uri: Uri = text.parse().map_err(|_| wrong("is no address"))?;
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("holds a user name"));
        }
        let host = authority.host().to_ascii_lowercase();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let here = host == "localhost"
            || bare
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if here => false,
            _ => return Err(wrong("is not https (http is for this very machine only)")),
        };
        Ok(Self {
            text: text.to_owned(),
            host: bare.to_owned(),
            uri,
            tls,
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    fn port(&self) -> u16 {
        let usual = if self.tls { 443 } else { 80 };
        self.uri.port_u16().unwrap_or(usual)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the query, which holds tickets.
        f.write_str(self.text.split('?').next().unwrap_or_default())
    }
}

/// Why there is no answer; addresses are shown without their queries.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0:?} {1}")]
    Address(String, &'static str),
    #[error("{0}: no answer within {WHOLE:?}")]
    Slow(String),
    #[error("{0}: {1}")]
    Connection(String, io::Error),
    #[error("{0}: {1}")]
    Http(String, String),
    #[error("the authorities to trust, {file}: {reason}", file = .0.display(), reason = .1)]
    Authorities(PathBuf, String),
    #[error("{0}: the answer is over the limit of {MAX_ANSWER} bytes")]
    Large(String),
    #[error("{0}: status {1} instead of an answer")]
    Status(String, StatusCode),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body of an answer that says all is well; nothing else is followed, redirects neither.
    pub(super) fn good(self, from: &Address) -> Result<Bytes, FetchError> {
        if self.status == StatusCode::OK {
            Ok(self.body)
        } else {
            Err(FetchError::Status(from.to_string(), self.status))
        }
    }
}

/// Asks for what is at an address. `headers` are secrets as far as logs go.
pub(super) async fn get(
    address: &Address,
    ca_file: Option<&Path>,
    headers: &[(HeaderName, String)],
) -> Result<Answer, FetchError> {
    ask(address, ca_file, Method::GET, headers, Bytes::new()).await
}

/// Sends a form.
pub(super) async fn post_form(
    address: &Address,
    ca_file: Option<&Path>,
    headers: &[(HeaderName, String)],
    form: &[(&str, &str)],
) -> Result<Answer, FetchError> {
    const FORM: &str = "application/x-www-form-urlencoded";
    let body = super::query::encode(form);
    let kind = (header::CONTENT_TYPE, FORM.to_owned());
    let headers = [headers, &[kind]].concat();
    ask(address, ca_file, Method::POST, &headers, body.into()).await
}

/// Asks with any method and body.
pub(crate) async fn ask(
    address: &Address,
    ca_file: Option<&Path>,
    method: Method,
    headers: &[(HeaderName, String)],
    body: Bytes,
) -> Result<Answer, FetchError> {
    let request = request(address, method, headers, body)?;
    let exchange = async {
        let tcp = TcpStream::connect((address.host.as_str(), address.port()))
            .await
            .map_err(|error| FetchError::Connection(address.to_string(), error))?;
        if address.tls {
            let connector = connector(ca_file.map(Path::to_owned)).await?;
            let name = ServerName::try_from(address.host.clone()).map_err(|_| {
                FetchError::Address(address.text.clone(), "names a host TLS can't check")
            })?;
            let tls = connector
                .connect(name, tcp)
                .await
                .map_err(|error| FetchError::Connection(address.to_string(), error))?;
            talk(address, tls, request).await
        } else {
            talk(address, tcp, request).await
        }
    };
    // Boxed: the state of a TLS connection is large, and this runs once in a blue moon.
    tokio::time::timeout(WHOLE, Box::pin(exchange))
        .await
        .map_err(|_elapsed| FetchError::Slow(address.to_string()))?
}

fn request(
    address: &Address,
    method: Method,
    headers: &[(HeaderName, String)],
    body: Bytes,
) -> Result<Request<Full<Bytes>>, FetchError> {
    let target = address.uri.path_and_query().map_or("/", |all| all.as_str());
    let host = address.uri.authority().map_or("", |host| host.as_str());
    let mut builder = Request::builder()
        .uri(target)
        .header(header::HOST, host)
        .header(
            header::ACCEPT,
            "application/json, application/xml;q=0.9, */*;q=0.1",
        )
        .header(header::CONNECTION, "close")
        .header(header::USER_AGENT, "gatepost");
    for (name, value) in headers {
        let wrong = |_| {
            FetchError::Http(
                address.to_string(),
                format!("the header {name} can't be sent"),
            )
        };
        let mut value = HeaderValue::from_str(value).map_err(wrong)?;
        value.set_sensitive(true);
        builder = builder.header(name, value);
    }
    builder
        .method(method)
        .body(Full::new(body))
        .map_err(|error| FetchError::Http(address.to_string(), error.to_string()))
}

async fn talk(
    address: &Address,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Answer, FetchError> {
    let failed = |error: hyper::Error| FetchError::Http(address.to_string(), error.to_string());
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let exchange = async {
        let (head, body) = sender
            .send_request(request)
            .await
            .map_err(failed)?
            .into_parts();
        let body = Limited::new(body, MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<http_body_util::LengthLimitError>() {
                    FetchError::Large(address.to_string())
                } else {
                    FetchError::Http(address.to_string(), error.to_string())
                }
            })?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    };
    let mut exchange = std::pin::pin!(exchange);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        answer = exchange.as_mut() => answer,
        // Done talking; what it said last may not have been looked at yet.
        ended = connection.as_mut() => match ended {
            Ok(()) => exchange.await,
            Err(error) => Err(failed(error)),
        }
    }
}

/// Reads and parses the authorities: some milliseconds, on a thread that may block.
async fn connector(ca_file: Option<PathBuf>) -> Result<TlsConnector, FetchError> {
    let made = tokio::task::spawn_blocking(move || {
        let file = ca_file.unwrap_or_else(|| {
            let found = SYSTEM_AUTHORITIES
                .iter()
                .find(|file| Path::new(file).exists());
            found.copied().unwrap_or(SYSTEM_AUTHORITIES[0]).into()
        });
        let wrong = |reason: String| FetchError::Authorities(file.clone(), reason);
        let bytes = super::small_file::read(&file, MAX_AUTHORITIES)
            .map_err(|error| wrong(error.to_string()))?;
        let mut roots = rustls::RootCertStore::empty();
        // Long lists hold the odd one that can't be parsed; the others are as good as ever.
        let (added, _ignored) =
            roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&bytes).flatten());
        if added == 0 {
            return Err(wrong("holds no certificate in PEM form".to_owned()));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    });
    made.await.unwrap_or_else(|_| {
        let nowhere = PathBuf::new();
        Err(FetchError::Authorities(
            nowhere,
            "reading them failed".to_owned(),
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_or_this_machine() {
        for good in [
            "https://id.example",
            "https://id.example:8443/a?b=c",
            "http://127.0.0.1:80/",
            "http://[::1]:9/x",
            "http://localhost/x",
        ] {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://id.example/",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "ftp://id.example/",
            "//id.example/",
            "https://u:p@id.example/",
            "https://id.example/#f",
            "id.example",
            "https://",
            "",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
        let long = |length: usize| format!("https://id.example/{}", "a".repeat(length - 19));
        assert!(Address::parse(&long(MAX_ADDRESS)).is_ok());
        assert!(Address::parse(&long(MAX_ADDRESS + 1)).is_err());
    }
}
