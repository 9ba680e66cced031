//! Logging in and out, and one-time tokens for WebSockets.

use std::net::{IpAddr, Ipv4Addr};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;

use crate::auth::pam::Entry;
use crate::auth::{Login, Seen, Whence};
use crate::base::{Door, Principal, Secret, User, Way};
use crate::control::ControlError;
use crate::policy::Denied;

use super::problem::Problem;
use super::proxy::{BY_HTTPS, CERTIFICATE, ClientAddress};
use super::{Web, body, cookie};

/// The login whose cookie came with a request.
pub(super) fn logged_in(web: &Web, headers: &HeaderMap) -> Result<Login, Problem> {
    let login = by_cookie(web, &web.cookie, headers)
        .filter(|login| has_its_certificate(login, headers))
        // What the screen was before people had to log in at it.
        .filter(|login| !is_screen(login) || !web.control.people_log_in())
        .ok_or_else(Problem::log_in)?;
    not_kept_out(web, login)
}

/// The login of the machine's own screen, whose cookie came with a request: good for what the screen
/// itself shows and hears, whoever is logged in at it.
pub(super) fn screen(web: &Web, headers: &HeaderMap) -> Result<Login, Problem> {
    let found = by_cookie(web, &web.screen, headers)
        .or_else(|| by_cookie(web, &web.cookie, headers))
        .filter(is_screen);
    not_kept_out(web, found.ok_or_else(Problem::log_in)?)
}

/// The same for what only the screen may know: to whoever is logged in elsewhere it isn't there.
pub(super) fn only_screen(web: &Web, headers: &HeaderMap) -> Result<Login, Problem> {
    screen(web, headers).map_err(|problem| match logged_in(web, headers) {
        Ok(_) => Problem::not_found(),
        Err(_) => problem,
    })
}

fn is_screen(login: &Login) -> bool {
    login.principal == Principal::Kiosk {}
}

fn by_cookie(web: &Web, name: &cookie::Name, headers: &HeaderMap) -> Option<Login> {
    let secret = name.read(headers, by_https(web, headers))?;
    web.auth.check(&secret)
}

fn not_kept_out(web: &Web, login: Login) -> Result<Login, Problem> {
    // Before anything else is looked at, and by the rules as they are now.
    if web.control.settings_for(&login.principal).allow.blacklist {
        return Err(Problem::from(ControlError::Denied(Denied::Blacklisted)));
    }
    Ok(login)
}

/// Whether a login by certificate came over a connection with that certificate: another one is somebody
/// else, and none is a cookie that got lost.
fn has_its_certificate(login: &Login, headers: &HeaderMap) -> bool {
    match login.principal.user() {
        Some(user) if user.way == Way::Certificate => headers
            .get(CERTIFICATE)
            .and_then(|shown| shown.to_str().ok())
            .is_some_and(|shown| user.attribute("fingerprint").contains(&shown)),
        _ => true,
    }
}

/// Whether the page that sent a request came by HTTPS: it came so to us or a proxy we believe, its
/// `Origin` says so, or, where there is none, the host asked for is the one others see us at.
pub(super) fn by_https(web: &Web, headers: &HeaderMap) -> bool {
    if headers.contains_key(BY_HTTPS) {
        return true;
    }
    match headers.get(header::ORIGIN) {
        Some(origin) => origin.as_bytes().starts_with(b"https:"),
        None => web.now().guard.is_public_https(headers),
    }
}

/// How a request arrived, as far as a login has to do with it.
#[derive(Debug)]
pub(super) struct Arrived {
    /// Where from.
    pub(super) address: IpAddr,
    /// Whether the page came by HTTPS.
    pub(super) secure: bool,
    browser: String,
    /// The login cookie it came with, whatever that is worth.
    before: Option<Secret>,
    /// The cookie of the machine's own screen it came with, whatever that is worth.
    screen: Option<Secret>,
    /// Whether it came from the machine's own screen, where people log in at it.
    at_kiosk: bool,
}

impl Arrived {
    /// From a request's head.
    pub(super) fn of(web: &Web, parts: &Parts) -> Self {
        let headers = &parts.headers;
        let secure = by_https(web, headers);
        let browser = headers.get(header::USER_AGENT);
        let browser = browser.and_then(|value| value.to_str().ok());
        Self {
            address: address(&parts.extensions),
            secure,
            browser: browser.unwrap_or_default().to_owned(),
            before: web.cookie.read(headers, secure),
            screen: web.screen.read(headers, secure),
            at_kiosk: web.control.people_log_in() && screen(web, headers).is_ok(),
        }
    }

    /// For the counting of failures.
    pub(super) fn whence(&self) -> Whence {
        Whence {
            address: self.address,
            at_kiosk: self.at_kiosk,
        }
    }

    fn seen(&self) -> Seen {
        Seen::new(Some(self.address), &self.browser)
    }
}

/// Who is at the other end of the connection.
pub(super) fn address(extensions: &Extensions) -> IpAddr {
    let client = extensions.get::<ClientAddress>();
    client
        .and_then(|client| client.0)
        .unwrap_or(Ipv4Addr::UNSPECIFIED.into())
}

/// Logs in somebody whose identity was just proved, and returns the cookie to send them. Every way
/// in ends here: the cookie is new, and what login the browser had before is over.
pub(super) async fn welcome(
    web: &Web,
    arrived: Arrived,
    mut user: User,
    entry: Option<Entry>,
) -> Result<HeaderValue, Problem> {
    // Ours to say, whatever a way in vouches for.
    let address = vec![arrived.address.to_string()];
    user.attributes.insert("ip_address".to_owned(), address);
    user.set_at_kiosk(arrived.at_kiosk);
    let entry = match entry {
        Some(entry) => Some(entry),
        None => web.auth.ways().entry_for(&user, arrived.address).await,
    };
    if let Some(entry) = &entry {
        user.account = Some(entry.who.account.clone());
    }
    let name = user.owner();
    let principal = Principal::User { user };
    let (secret, cookie) = admit(web, arrived, principal).await?;
    if let (Some(entry), Some(login)) = (entry, web.auth.check(&secret)) {
        let held = web.control.hold(name, entry, login.ended);
        held.await.map_err(|_| Problem::unavailable())?;
    }
    Ok(cookie)
}

/// The same for any principal.
async fn admit(
    web: &Web,
    arrived: Arrived,
    principal: Principal,
) -> Result<(Secret, HeaderValue), Problem> {
    let (auth, secure) = (web.auth.clone(), arrived.secure);
    let (by, address) = (principal.clone(), arrived.address);
    let most = web.control.most_logins(&principal);
    let (name, before) = if principal == (Principal::Kiosk {}) && web.control.people_log_in() {
        (&web.screen, arrived.screen.clone())
    } else {
        (&web.cookie, arrived.before.clone())
    };
    let window = principal == Principal::Kiosk {};
    let admitting = async {
        let admitted = tokio::task::spawn_blocking(move || {
            if window {
                auth.end_at_kiosk(arrived.before.as_ref());
            }
            auth.admit(principal, arrived.seen(), before.as_ref(), most)
        });
        Ok::<_, Problem>(admitted.await.map_err(|_| Problem::unavailable())??)
    };
    let secret = web
        .control
        .recorded((&by, Door::Web, Some(address)), "log-in", admitting)
        .await?;
    let cookie = name.set(&secret, secure, true);
    Ok((secret, cookie.ok_or_else(Problem::unavailable)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    token: String,
}

/// `POST api/login`: a one-time token becomes a login.
pub(super) async fn log_in(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let Token { token } = body::json(&web, &parts.headers, body).await?;
    // What isn't a token's form is answered as a wrong one is.
    let token: Option<Secret> = token.parse().ok();
    let arrived = Arrived::of(&web, &parts);
    let principal = token.and_then(|token| web.auth.use_page_token(&token));
    let principal = principal.ok_or(crate::auth::AuthError::Token)?;
    let (_, cookie) = admit(&web, arrived, principal).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// `GET api/login`: who is logged in.
pub(super) async fn who(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let login = logged_in(&web, request.headers())?;
    Ok(json(&described(&login.principal)))
}

/// A principal as pages know it: what kind, and of a user the name and how they proved it.
pub(super) fn described(principal: &Principal) -> serde_json::Value {
    match principal {
        Principal::Owner {} => serde_json::json!({ "principal": "owner" }),
        Principal::Kiosk {} => serde_json::json!({ "principal": "kiosk" }),
        Principal::Button { button, .. } => {
            serde_json::json!({ "principal": "button", "button": button })
        }
        Principal::User { user } => {
            serde_json::json!({ "principal": "user", "user": user.upn, "way": user.way })
        }
    }
}

/// `POST api/logout`: ends the login and closes its WebSockets.
pub(super) async fn log_out(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let login = logged_in(&web, request.headers())?;
    let secure = by_https(&web, request.headers());
    let auth = web.auth.clone();
    let by = login.principal.clone();
    let from = (&by, Door::Web, Some(address(request.extensions())));
    let left_there = web.control.leaves_kiosk(login.id());
    let leaving = async {
        let left = tokio::task::spawn_blocking(move || auth.log_out(&login));
        left.await.map_err(|_| Problem::unavailable())
    };
    let left = web.control.recorded(from, "log-out", leaving).await;
    if let Some(terminal) = left_there {
        web.control.closes_at_kiosk(terminal);
    }
    left?;
    let cookie = web.cookie.clear(secure).ok_or_else(Problem::unavailable)?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// `POST api/kiosk/token`: the same for the WebSocket of the machine's own screen.
pub(super) async fn screen_token(
    State(web): State<Web>,
    request: Request,
) -> Result<Response, Problem> {
    let login = screen(&web, request.headers())?;
    let token = web.auth.socket_token(&login)?;
    Ok(json(&serde_json::json!({ "token": token.expose_hex() })))
}

/// `POST api/token`: a one-time token for one WebSocket.
pub(super) async fn socket_token(
    State(web): State<Web>,
    request: Request,
) -> Result<Response, Problem> {
    let login = logged_in(&web, request.headers())?;
    let token = web.auth.socket_token(&login)?;
    Ok(json(&serde_json::json!({ "token": token.expose_hex() })))
}

/// An answer in JSON, which no cache may keep.
pub(super) fn json(value: &impl serde::Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => (
            [
                (header::CONTENT_TYPE, "application/json"),
                (header::CACHE_CONTROL, "no-store"),
            ],
            Body::from(bytes),
        )
            .into_response(),
        Err(_) => Problem::unavailable().into_response(),
    }
}
