//! Logging in where somebody else knows who it is: sending browsers away, taking them back.
//!
//! Browsers are only ever sent to addresses made of the configuration, and come back to the page itself:
//! no address in a request decides where anybody goes.

use std::net::IpAddr;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::auth::{Departure, SsoError};
use crate::base::{Secret, User, Way};
use crate::wire::control::RefusalKind;

use super::Web;
use super::login::{Arrived, address, by_https, welcome};
use super::problem::Problem;
use super::tls::PeerCertificate;

/// `GET login/oidc/NAME`: off to the provider.
pub(super) async fn begin_oidc(
    State(web): State<Web>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let begun = match open(&web, Way::Oidc) {
        Ok(()) if from_elsewhere(request.headers()) => return to_page(&web),
        Ok(()) => web.now().sso.begin_oidc(&name).await,
        Err(closed) => Err(closed),
    };
    send_away(&web, Way::Oidc, &request, begun)
}

/// `GET login/oidc/NAME/callback`: back from it.
pub(super) async fn finish_oidc(
    State(web): State<Web>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let back = Back::of(&web, request);
    let (query, browser) = (&back.query, back.browser.as_ref());
    let who = match open(&web, Way::Oidc) {
        Ok(()) => web.now().sso.finish_oidc(&name, query, browser).await,
        Err(closed) => Err(closed),
    };
    take_back(&web, Way::Oidc, back.arrived, who).await
}

/// `GET login/cas`: off to the CAS server.
pub(super) async fn begin_cas(State(web): State<Web>, request: Request) -> Response {
    let begun = match open(&web, Way::Cas) {
        Ok(()) if from_elsewhere(request.headers()) => return to_page(&web),
        Ok(()) => web.now().sso.begin_cas(),
        Err(closed) => Err(closed),
    };
    send_away(&web, Way::Cas, &request, begun)
}

/// `GET login/cas/STATE`: back from it with a ticket.
pub(super) async fn finish_cas(
    State(web): State<Web>,
    Path(state): Path<String>,
    request: Request,
) -> Response {
    let back = Back::of(&web, request);
    let (query, browser) = (&back.query, back.browser.as_ref());
    let who = match open(&web, Way::Cas) {
        Ok(()) => web.now().sso.finish_cas(&state, query, browser).await,
        Err(closed) => Err(closed),
    };
    take_back(&web, Way::Cas, back.arrived, who).await
}

/// `POST login/certificate`: in with the certificate of this connection. Asked for by our own page, so
/// that a browser that shows its certificate everywhere is not logged in by a mere visit.
pub(super) async fn certificate(
    State(web): State<Web>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _body) = request.into_parts();
    let from = address(&parts.extensions);
    open(&web, Way::Certificate).map_err(|error| refused(&web, Way::Certificate, from, &error))?;
    let found = parts.extensions.get::<PeerCertificate>();
    let found = found.ok_or_else(|| {
        Problem::new(
            StatusCode::FORBIDDEN,
            RefusalKind::Denied,
            "your browser showed no certificate on this connection; choose one when it asks, perhaps after a restart of the browser",
        )
    })?;
    let user = web.now().sso.by_certificate(&found.0);
    let user = user.map_err(|error| refused(&web, Way::Certificate, from, &error))?;
    let cookie = welcome(&web, Arrived::of(&web, &parts), user, None).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// `POST login/kerberos`: in with a ticket. The first answer asks the browser for one.
pub(super) async fn kerberos(
    State(web): State<Web>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _body) = request.into_parts();
    let arrived = Arrived::of(&web, &parts);
    let from = arrived.address;
    open(&web, Way::Kerberos).map_err(|error| refused(&web, Way::Kerberos, from, &error))?;
    // Whoever can read a token on its way can be faster with it than the browser.
    if !(arrived.secure || arrived.address.is_loopback()) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            RefusalKind::Denied,
            "Kerberos needs HTTPS",
        ));
    }
    let Some(token) = parts.headers.get(header::AUTHORIZATION) else {
        let mut response = Problem::new(
            StatusCode::UNAUTHORIZED,
            RefusalKind::Denied,
            "your browser sent no Kerberos ticket; log in to your realm (kinit), and let the browser use tickets for this host",
        )
        .into_response();
        let negotiate = HeaderValue::from_static("Negotiate");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, negotiate);
        return Ok(response);
    };
    let found = web
        .now()
        .sso
        .by_kerberos(token.to_str().unwrap_or_default())
        .await;
    let (user, reply) = found.map_err(|error| refused(&web, Way::Kerberos, from, &error))?;
    let cookie = welcome(&web, arrived, user, None).await?;
    let mut response = (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response();
    if let Ok(reply) = HeaderValue::from_str(&reply) {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, reply);
    }
    Ok(response)
}

/// The answer to our page, which shows its text.
fn refused(web: &Web, way: Way, from: IpAddr, error: &SsoError) -> Problem {
    web.control.turned_away(way, from, error.to_string());
    Problem::new(status(error), RefusalKind::Denied, error.public())
}

/// Whether a way is open at all (`server.auth`).
fn open(web: &Web, way: Way) -> Result<(), SsoError> {
    let open = web.auth.ways().is_open(way);
    open.map_err(|_closed| SsoError::NotOffered)
}

/// Whether another site's page sent the browser here. It could make a browser change who it is logged in
/// as; whoever follows such a link gets the page, and its buttons.
fn from_elsewhere(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "cross-site")
}

/// Sends a browser away, with the cookie it has to come back with: Lax, because it comes back from
/// another site.
fn send_away(
    web: &Web,
    way: Way,
    request: &Request,
    begun: Result<Departure, SsoError>,
) -> Response {
    let departure = match begun {
        Ok(departure) => departure,
        Err(error) => return failed(web, way, address(request.extensions()), &error),
    };
    let secure = by_https(web, request.headers());
    let cookie = web.sent_away.set(&departure.browser, secure, false);
    let (Some(cookie), Ok(address)) = (cookie, HeaderValue::from_str(&departure.address)) else {
        return Problem::unavailable().into_response();
    };
    (
        StatusCode::SEE_OTHER,
        [
            (header::LOCATION, address),
            (header::SET_COOKIE, cookie),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ],
    )
        .into_response()
}

fn to_page(web: &Web) -> Response {
    match HeaderValue::from_str(&web.base) {
        Ok(base) => (StatusCode::SEE_OTHER, [(header::LOCATION, base)]).into_response(),
        Err(_) => Problem::unavailable().into_response(),
    }
}

/// What a browser comes back with.
struct Back {
    arrived: Arrived,
    /// What the other side says of it.
    query: String,
    /// The secret of the cookie it was sent away with.
    browser: Option<Secret>,
}

impl Back {
    fn of(web: &Web, request: Request) -> Self {
        let (parts, _body) = request.into_parts();
        let arrived = Arrived::of(web, &parts);
        Self {
            query: parts.uri.query().unwrap_or_default().to_owned(),
            browser: web.sent_away.read(&parts.headers, arrived.secure),
            arrived,
        }
    }
}

/// Takes a browser back: a login and off to the page, or a page that says what to do.
async fn take_back(web: &Web, way: Way, arrived: Arrived, who: Result<User, SsoError>) -> Response {
    let (secure, from) = (arrived.secure, arrived.address);
    let mut response = match who {
        Ok(user) => match welcome(web, arrived, user, None).await {
            Ok(cookie) => {
                let mut response = to_page(web);
                response.headers_mut().append(header::SET_COOKIE, cookie);
                response
            }
            Err(problem) => problem.into_response(),
        },
        Err(error) => failed(web, way, from, &error),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Whatever came of it: a state is good once.
    if let Some(cookie) = web.sent_away.clear(secure) {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}

fn status(error: &SsoError) -> StatusCode {
    match error {
        SsoError::NotOffered => StatusCode::NOT_FOUND,
        SsoError::Stale => StatusCode::BAD_REQUEST,
        SsoError::Declined(_) | SsoError::Invalid(_) => StatusCode::FORBIDDEN,
        SsoError::Unreachable(_) => StatusCode::BAD_GATEWAY,
        SsoError::Busy | SsoError::Setup(_) | SsoError::Random(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// A page for the person in front of it; what is wrong in detail is in the log.
fn failed(web: &Web, way: Way, from: IpAddr, error: &SsoError) -> Response {
    web.control.turned_away(way, from, error.to_string());
    // Nothing that came with the request stands in this page.
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>Not logged in</title><h1>Not logged in</h1><p>{}</p><p><a href=\"{}\">Back to the page</a></p>\n",
        error.public(),
        web.base.replace('"', "%22"),
    );
    (
        status(error),
        [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        page,
    )
        .into_response()
}
