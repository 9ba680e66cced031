//! `api/setup`: setting the machine up, for whoever stands in front of it. Others have the machine's page for
//! administrators.

use axum::extract::{Request, State};
use axum::response::Response;

use crate::system::setup::SetupFor;
use crate::wire::setup::Form;

use super::Web;
use super::body;
use super::login::{json, only_screen};
use super::problem::Problem;

/// `GET api/setup`: who may, and which networks are in reach.
pub(super) async fn show(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    only_screen(&web, request.headers())?;
    let who = web.control.may_set_up().await;
    let networks = if who == (SetupFor::Nobody {}) {
        Vec::new()
    } else {
        // A machine without a radio has none in reach.
        web.control.networks().await.unwrap_or_default()
    };
    Ok(json(
        &serde_json::json!({ "for": who, "networks": networks }),
    ))
}

/// `POST api/setup`
pub(super) async fn take(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    only_screen(&web, &parts.headers)?;
    let form: Form = body::json(&web, &parts.headers, body).await?;
    Ok(json(&web.control.set_up(&form).await?))
}
