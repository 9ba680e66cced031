//! What each request is answered with. One check stands in front of all of it: which host is meant, and which page
//! asks.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;

use crate::system::setup::SetupFor;
use crate::system::{content_type, page_file};
use crate::wire::setup::{Form, MAX_FORM};

use super::Portal;

/// How long a form may take to arrive.
const BODY: Duration = Duration::from_secs(10);
/// What the page may load; nothing from anywhere else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

type Answer = Response<Full<Bytes>>;

/// The answer, with the headers that all carry.
pub(super) async fn answer(portal: &Portal, request: Request<Incoming>) -> Answer {
    let mut answer = match refused(portal, &request) {
        Some(refused) => refused,
        None => routed(portal, request).await,
    };
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// Whoever looks for another host is told where the page is; whoever writes from another page is not heard.
fn refused<B>(portal: &Portal, request: &Request<B>) -> Option<Answer> {
    let said = |name| request.headers().get(name).map(HeaderValue::as_bytes);
    let ours = portal.host();
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().map(HeaderValue::as_bytes);
    let looks = [Method::GET, Method::HEAD].contains(request.method());
    if host != Some(ours.as_bytes()) || hosts.next().is_some() {
        return Some(if looks {
            elsewhere(&ours)
        } else {
            plain(StatusCode::MISDIRECTED_REQUEST, "this host isn't here")
        });
    }
    let own = format!("http://{ours}");
    if !looks && said(header::ORIGIN) != Some(own.as_bytes()) {
        return Some(plain(
            StatusCode::FORBIDDEN,
            "only the set-up page itself may do this",
        ));
    }
    None
}

async fn routed(portal: &Portal, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    match (request.method(), path.as_str()) {
        (&Method::GET | &Method::HEAD, "/") => file("setup.html"),
        (&Method::GET | &Method::HEAD, "/api/setup") => state(portal).await,
        (&Method::POST, "/api/setup") => take(portal, request).await,
        (&Method::GET | &Method::HEAD, path) => match path.strip_prefix('/') {
            Some(path) if path.starts_with("assets/") => file(path),
            // Probes of phones that go by the address alone.
            _ => elsewhere(&portal.host()),
        },
        _ => plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "this address doesn't know that method",
        ),
    }
}

fn with(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    with(status, "text/plain; charset=utf-8", text)
}

/// Where the page is.
fn elsewhere(host: &str) -> Answer {
    let mut answer = plain(
        StatusCode::FOUND,
        "This machine is set up at its own page.\n",
    );
    if let Ok(place) = HeaderValue::from_str(&format!("http://{host}/")) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    answer
}

fn file(path: &str) -> Answer {
    match page_file(path) {
        Some(file) => with(StatusCode::OK, content_type(path), file.data.into_owned()),
        None => plain(StatusCode::NOT_FOUND, "there is nothing at this address"),
    }
}

fn json(value: &impl serde::Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(text) => with(StatusCode::OK, "application/json", text),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "it can't be said"),
    }
}

fn whom(portal: &Portal) -> SetupFor {
    portal.setup.whom(portal.doctor.provisioning().as_ref())
}

async fn state(portal: &Portal) -> Answer {
    let who = whom(portal);
    let networks = if who == (SetupFor::Nobody {}) {
        Vec::new()
    } else {
        portal.setup.networks().await.unwrap_or_default()
    };
    json(&serde_json::json!({ "for": who, "networks": networks }))
}

async fn take(portal: &Portal, request: Request<Incoming>) -> Answer {
    let kind = request.headers().get(header::CONTENT_TYPE);
    if kind.map(HeaderValue::as_bytes) != Some(b"application/json") {
        return plain(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body has to be sent as Content-Type: application/json",
        );
    }
    let body = Limited::new(request.into_body(), MAX_FORM).collect();
    let Ok(Ok(body)) = tokio::time::timeout(BODY, body).await else {
        return plain(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the form is too large, or didn't come in time",
        );
    };
    let Ok(form) = serde_json::from_slice::<Form>(&body.to_bytes()) else {
        return plain(StatusCode::BAD_REQUEST, "this is no form");
    };
    match portal.setup.take(&form).await {
        Ok(end) => json(&end),
        Err(error) => {
            tracing::error!(%error, "set-up");
            plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "this machine can't be set up now",
            )
        }
    }
}
