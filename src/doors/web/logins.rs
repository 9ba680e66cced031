//! "Where am I logged in": one's own logins, listed and ended; and the password on the kiosk's screen.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::auth::LoginId;
use crate::base::{Door, Principal};

use super::Web;
use super::login::{address, json, logged_in, only_screen};
use super::problem::Problem;

/// `GET api/logins`: one's own, the one used last first.
pub(super) async fn list(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let login = logged_in(&web, request.headers())?;
    let own = login.id().to_string();
    let logins: Vec<_> = web
        .auth
        .logins(Some(&login.principal))
        .into_iter()
        .map(|info| {
            serde_json::json!({
                "id": info.id,
                "current": info.id == own,
                "address": info.address,
                "browser": info.browser,
                "made": info.made,
                "used": info.used,
            })
        })
        .collect();
    Ok(json(&serde_json::json!({ "logins": logins })))
}

/// `DELETE api/logins/ID`: ends one of one's own, and its WebSockets.
pub(super) async fn revoke(
    State(web): State<Web>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let login = logged_in(&web, request.headers())?;
    let id: LoginId = id.parse().map_err(|_| Problem::not_found())?;
    let auth = web.auth.clone();
    let by = login.principal.clone();
    let from = (&by, Door::Web, Some(address(request.extensions())));
    let revoking = async {
        let ended = tokio::task::spawn_blocking(move || auth.revoke(id, Some(&login.principal)));
        ended.await.map_err(|_| Problem::unavailable())
    };
    let ended = web.control.recorded(from, "revoke-login", revoking).await?;
    if ended {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Problem::not_found())
    }
}

/// `GET api/fresh-password`: the administrator's first password, to the kiosk's own screen only and
/// only until it was noted.
pub(super) async fn fresh_password(
    State(web): State<Web>,
    request: Request,
) -> Result<Response, Problem> {
    only_screen(&web, request.headers())?;
    let (user, password) = web
        .auth
        .ways()
        .fresh_password()
        .ok_or_else(Problem::not_found)?;
    Ok(json(
        &serde_json::json!({ "user": user, "password": password.expose() }),
    ))
}

/// `DELETE api/fresh-password`: somebody in front of the kiosk has noted it, and whatever else the
/// machine says of itself before its first use.
pub(super) async fn password_noted(
    State(web): State<Web>,
    request: Request,
) -> Result<Response, Problem> {
    only_screen(&web, request.headers())?;
    let auth = web.auth.clone();
    let noting = async {
        let noted = tokio::task::spawn_blocking(move || auth.noted());
        Ok::<_, Problem>(noted.await.map_err(|_| Problem::unavailable())??)
    };
    let who = (
        &Principal::Kiosk {},
        Door::Web,
        Some(address(request.extensions())),
    );
    web.control.recorded(who, "note-password", noting).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
