//! Request bodies: JSON, small, and soon.

use axum::body::Body;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::wire::control::RefusalKind;

use super::Web;
use super::problem::Problem;

/// Largest body, in bytes: a command line fits, a flood doesn't.
pub(super) const MAX_BODY: usize = 64 << 10;

/// Reads a JSON body. The content type is required because a form on another site's page can post
/// JSON as `text/plain` without asking.
pub(super) async fn json<T: DeserializeOwned>(
    web: &Web,
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Problem> {
    let text = text(web, headers, body).await?;
    // serde would take a list for an object, its values in the order of our fields.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Problem::invalid("the body has to be a JSON object"));
    }
    serde_json::from_str(&text)
        .map_err(|error| Problem::invalid(format!("the body is not understood: {error}")))
}

/// The same as text, for who wants to read every word of it.
pub(super) async fn text(web: &Web, headers: &HeaderMap, body: Body) -> Result<String, Problem> {
    if !is_json(headers) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            RefusalKind::Invalid,
            "the body has to be sent as Content-Type: application/json",
        ));
    }
    let bytes =
        match tokio::time::timeout(web.limits.body, Limited::new(body, MAX_BODY).collect()).await {
            Ok(Ok(bytes)) => bytes.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                return Err(Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    RefusalKind::Limit,
                    format!("the body is over the limit of {MAX_BODY} bytes"),
                ));
            }
            Ok(Err(_)) => return Err(Problem::invalid("the body can't be read")),
            Err(_elapsed) => {
                return Err(Problem::new(
                    StatusCode::REQUEST_TIMEOUT,
                    RefusalKind::Limit,
                    "the body didn't come in time",
                ));
            }
        };
    String::from_utf8(bytes.into()).map_err(|_| Problem::invalid("the body is not UTF-8"))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
