//! `api/provisioning`: what is wrong with the files the machine was given its settings by, for whoever
//! stands in front of it.

use axum::extract::{Request, State};
use axum::response::Response;

use super::Web;
use super::login::{json, only_screen};
use super::problem::Problem;

/// `GET api/provisioning`: the report, to the kiosk's own screen only; others learn of it from the
/// machine's health, if they may. 404 where no files were found.
pub(super) async fn show(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    only_screen(&web, request.headers())?;
    let report = web.control.provisioning().await;
    Ok(json(&report.ok_or_else(Problem::not_found)?))
}
