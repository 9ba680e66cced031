//! What somebody chose for the page, asked for and kept.

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::auth::ChoicesError;
use crate::wire::control::RefusalKind;

use super::login::{json, logged_in};
use super::problem::Problem;
use super::{Web, body};

/// `GET api/choices`: one's own; `null` while nothing was chosen.
pub(super) async fn show(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let login = logged_in(&web, request.headers())?;
    let choices = web.auth.choices(&login.principal);
    Ok(json(&serde_json::json!({ "choices": choices })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    choices: Map<String, Value>,
}

/// `PUT api/choices`: keeps them in place of those before.
pub(super) async fn keep(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let login = logged_in(&web, &parts.headers)?;
    let Chosen { choices } = body::json(&web, &parts.headers, body).await?;
    let auth = web.auth.clone();
    let keeping =
        tokio::task::spawn_blocking(move || auth.keep_choices(&login.principal, choices)).await;
    match keeping.map_err(|_| Problem::unavailable())? {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => Err(refusal(&error)),
    }
}

fn refusal(error: &ChoicesError) -> Problem {
    let (status, kind) = match error {
        ChoicesError::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, RefusalKind::Limit),
        ChoicesError::TooMany => (StatusCode::TOO_MANY_REQUESTS, RefusalKind::Limit),
        ChoicesError::Nobody => (StatusCode::FORBIDDEN, RefusalKind::Denied),
        ChoicesError::Disk(error) => {
            tracing::warn!(%error, "what somebody chose for the page can't be written; is the disk full?");
            (StatusCode::SERVICE_UNAVAILABLE, RefusalKind::Failed)
        }
    };
    Problem::new(status, kind, error.to_string())
}
