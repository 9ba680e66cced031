//! `api/certificate`: what the page shows a person who is about to compare fingerprints.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;

use super::Web;
use super::login::{json, logged_in, screen};
use super::problem::Problem;
use super::tls::CertificateFacts;

#[derive(Serialize)]
struct Certificate<'a> {
    /// Where people find the server.
    address: &'a str,
    #[serde(flatten)]
    facts: &'a CertificateFacts,
}

/// `GET api/certificate`: the one in use; 404 where nothing is encrypted.
pub(super) async fn show(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    screen(&web, request.headers()).or_else(|_| logged_in(&web, request.headers()))?;
    let facts = web.tls.as_ref().ok_or_else(Problem::not_found)?.facts();
    Ok(json(&Certificate {
        address: &web.base,
        facts: &facts,
    }))
}
