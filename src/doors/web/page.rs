//! The page's files, built into the executable.

use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rust_embed::EmbeddedFile;
use std::borrow::Cow;
use std::fmt::Write as _;

use crate::system::{content_type, page_file};

use super::Web;
use super::problem::Problem;

/// Shown by an executable that was built without the page.
const NO_PAGE: &str = "<!doctype html><meta charset=utf-8><title>Gatepost</title>\
    <h1>Gatepost is running, but was built without its page</h1>\
    <p>Build the page, then the server again: <code>npm --prefix web ci &amp;&amp; npm --prefix web run build &amp;&amp; cargo build</code>, \
    or simply <code>./dev run</code>.</p>\n";

/// `GET ./`
pub(super) async fn index(State(_web): State<Web>, request: Request) -> Response {
    answer("index.html", request.headers()).unwrap_or_else(|| {
        (
            [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CACHE_CONTROL, "no-store"),
            ],
            NO_PAGE,
        )
            .into_response()
    })
}

/// `GET assets/*` and the few files beside the page. Only names that were embedded exist: there is no
/// path to climb.
pub(super) async fn file(
    State(_web): State<Web>,
    Path(path): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let hidden = path.starts_with('.') || path.ends_with(".br") || path.ends_with(".gz");
    if hidden
        || path == "index.html"
        // The set-up access point has its own door.
        || path == "setup.html"
        || path.starts_with("api/")
        || path.starts_with("ws/")
        || path.starts_with("login/")
    {
        return Err(Problem::not_found());
    }
    answer(&path, request.headers()).ok_or_else(Problem::not_found)
}

fn answer(path: &str, headers: &HeaderMap) -> Option<Response> {
    let plain = page_file(path)?;
    let (file, encoding) = compressed(path, headers).unwrap_or((plain, None));
    let tag = etag(&file);
    let mut response = if matches_tag(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let bytes = match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        Body::from(bytes).into_response()
    };
    let answer = response.headers_mut();
    answer.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(content_type(path)),
    );
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    // Names under assets/ hold a digest of the content, so it never changes under them.
    let cache = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.insert(header::ETAG, tag);
    }
    Some(response)
}

/// The smallest variant made by the build that the browser takes.
fn compressed(path: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(encoding, _)| accepts(headers, encoding))
        .find_map(|(encoding, suffix)| {
            Some((page_file(&format!("{path}.{suffix}"))?, Some(encoding)))
        })
}

fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|choice| {
            let (name, quality) = choice.split_once(';').unwrap_or((choice, ""));
            let refused = matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
            name.trim().eq_ignore_ascii_case(encoding) && !refused
        })
}

fn etag(file: &EmbeddedFile) -> String {
    let digest = file.metadata.sha256_hash();
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in digest.iter().take(16) {
        // Writing to a String can't fail.
        let _infallible = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

fn matches_tag(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .split(',')
                .any(|one| one.trim().trim_start_matches("W/") == tag)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_taken_as_the_browser_says() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
            (accepts(&headers, "br"), accepts(&headers, "gzip"))
        };
        assert_eq!(with("gzip, deflate, br"), (true, true));
        assert_eq!(with("br;q=0, gzip;q=0.5"), (false, true));
        assert_eq!(with("brotli"), (false, false));
    }
}
