//! The route table.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, delete, get, post};
use http::{StatusCode, header};

use crate::wire::control::RefusalKind;

use super::problem::Problem;
use super::{
    Web, actions, api, certificate, choices, events, kiosk, login, logins, page, provisioning,
    setup, sso, terminal, ways,
};

/// Every route: its pattern and what answers there.
fn table() -> Vec<(&'static str, MethodRouter<Web>)> {
    vec![
        ("/", get(page::index)),
        ("/{*path}", get(page::file)),
        ("/health", get(health)),
        ("/api/login", post(login::log_in).get(login::who)),
        ("/api/login/pam", post(ways::converse)),
        ("/api/login/api", post(ways::object)),
        ("/api/login/token", post(ways::token)),
        ("/api/login/none", post(ways::nobody_asked)),
        ("/api/wstokens", post(ways::make_token)),
        ("/api/ways", get(ways::list)),
        ("/api/logins", get(logins::list)),
        ("/api/logins/{id}", delete(logins::revoke)),
        (
            "/api/fresh-password",
            get(logins::fresh_password).delete(logins::password_noted),
        ),
        ("/api/kiosk/picture", get(kiosk::picture)),
        ("/api/kiosk/token", post(login::screen_token)),
        ("/api/certificate", get(certificate::show)),
        ("/api/provisioning", get(provisioning::show)),
        ("/api/setup", get(setup::show).post(setup::take)),
        ("/api/logout", post(login::log_out)),
        ("/login/oidc/{name}", get(sso::begin_oidc)),
        ("/login/oidc/{name}/callback", get(sso::finish_oidc)),
        ("/login/cas", get(sso::begin_cas)),
        ("/login/cas/{state}", get(sso::finish_cas)),
        ("/login/certificate", post(sso::certificate)),
        ("/login/kerberos", post(sso::kerberos)),
        ("/api/token", post(login::socket_token)),
        ("/api/commands", get(api::commands)),
        ("/api/terminals", get(api::list).post(api::open)),
        ("/api/terminals/{id}", delete(api::close).patch(api::rename)),
        ("/api/terminals/{id}/reset", post(api::reset)),
        ("/api/terminals/{id}/text", get(api::text)),
        ("/api/terminals/{id}/ask", post(actions::ask)),
        ("/api/actions", post(actions::act)),
        ("/api/me", get(actions::me)),
        ("/api/choices", get(choices::show).put(choices::keep)),
        ("/ws/terminal", get(terminal::upgrade)),
        ("/ws/events", get(events::upgrade)),
        ("/ws/kiosk", get(events::upgrade_screen)),
    ]
}

/// The patterns of all routes: whoever tests what is refused learns of new ones by itself.
pub fn route_patterns() -> Vec<&'static str> {
    table().into_iter().map(|(pattern, _)| pattern).collect()
}

/// The router over the table. `listen` puts the guard in front of it.
pub(super) fn router(web: Web) -> Router {
    table()
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| {
            router.route(path, methods)
        })
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                RefusalKind::Invalid,
                "this address doesn't know that method",
            )
        })
        .fallback(async || Problem::not_found())
        .with_state(web)
}

/// For load balancers and service managers. Anybody may ask, so it says how the machine is in one word.
async fn health(State(web): State<Web>) -> Response {
    let verdict = web.control.health().await.verdict.name();
    (
        [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        format!(r#"{{"status":"ok","health":"{verdict}"}}"#),
    )
        .into_response()
}
