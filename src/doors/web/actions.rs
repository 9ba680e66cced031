//! Actions and questions over HTTP: what the command line says with `--host`, and the admin page.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use serde::Deserialize;

use crate::action::{Action, Which};
use crate::base::Door;
use crate::policy::settings::Capability;
use crate::wire::message::Request as Question;

use super::login::{address, described, json, logged_in};
use super::problem::Problem;
use super::{Web, api, body};

/// The other form: `{"line": TEXT}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    line: String,
}

/// `POST api/actions`: does one thing and says what came of it.
pub(super) async fn act(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let login = logged_in(&web, &parts.headers)?;
    let value: serde_json::Value = body::json(&web, &parts.headers, body).await?;
    let action: Action<Which> = if value.get("line").is_some() {
        let Line { line } = serde_json::from_value(value).map_err(wrong)?;
        line.parse().map_err(wrong)?
    } else {
        serde_json::from_value(value).map_err(wrong)?
    };
    let from = Some(address(&parts.extensions));
    let outcome = web
        .control
        .submit_said(action, login.principal, Door::Web, from);
    Ok(json(&outcome.await?))
}

/// `POST api/terminals/ID/ask`: a question to a terminal's keeper that changes nothing
/// (`docs/protocol-terminal.md`, requests); the parts of its answer follow one another.
pub(super) async fn ask(
    State(web): State<Web>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let login = logged_in(&web, &parts.headers)?;
    let question: Question = body::json(&web, &parts.headers, body).await?;
    let by = (&login.principal, address(&parts.extensions));
    let terminal = api::meant(&web, &id, by).await?;
    api::answer(&web, by, terminal, question).await
}

/// `GET api/me`: who is asking, and what they may do, by the keys of the configuration's `allow` sections.
/// A page shows what these allow; whether it is so is judged each time.
pub(super) async fn me(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let login = logged_in(&web, request.headers())?;
    let settings = web.control.settings_for(&login.principal);
    let allow = &settings.allow;
    let may: Vec<_> = Capability::ALL
        .into_iter()
        .filter(|capability| allow.has(*capability))
        .map(Capability::key)
        .collect();
    let mut me = described(&login.principal);
    if let Some(me) = me.as_object_mut() {
        me.insert("may".to_owned(), may.into());
    }
    Ok(json(&me))
}

fn wrong(error: impl std::fmt::Display) -> Problem {
    Problem::invalid(format!("the action is not understood: {error}"))
}
