//! The path everything is under, taken off before any route is looked for.

use axum::response::{IntoResponse, Response};
use http::uri::PathAndQuery;
use http::{HeaderValue, StatusCode, Uri, header};

use crate::policy::settings::server::UrlPrefix;

use super::problem::Problem;

/// What a request outside the prefix gets.
#[derive(Debug)]
pub(super) enum Elsewhere {
    /// The prefix without its last slash: the page's relative addresses need it.
    Here(HeaderValue),
    /// Nothing of ours.
    Nothing,
}

impl IntoResponse for Elsewhere {
    fn into_response(self) -> Response {
        match self {
            Self::Here(location) => (
                StatusCode::PERMANENT_REDIRECT,
                [(header::LOCATION, location)],
            )
                .into_response(),
            Self::Nothing => Problem::not_found().into_response(),
        }
    }
}

/// Takes the prefix off.
pub(super) fn strip(prefix: &UrlPrefix, uri: &mut Uri) -> Result<(), Elsewhere> {
    if prefix.is_root() {
        return Ok(());
    }
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let Some(rest) = path.strip_prefix(prefix.as_str()) else {
        let bare = prefix.as_str().strip_suffix('/');
        return Err(match HeaderValue::from_str(prefix.as_str()) {
            Ok(location) if Some(uri.path()) == bare => Elsewhere::Here(location),
            _ => Elsewhere::Nothing,
        });
    };
    *uri = format!("/{rest}").parse().map_err(|_| Elsewhere::Nothing)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_the_prefix_is_found_and_nothing_else() {
        let prefix: UrlPrefix = "/a/b".parse().unwrap();
        let get = |path: &str| {
            let mut uri: Uri = path.parse().unwrap();
            strip(&prefix, &mut uri).map(|()| uri.to_string())
        };
        assert_eq!(get("/a/b/").unwrap(), "/");
        assert_eq!(get("/a/b/?q=1").unwrap(), "/?q=1");
        assert_eq!(get("/a/b/api/login?x").unwrap(), "/api/login?x");
        assert!(matches!(get("/a/b"), Err(Elsewhere::Here(_))));
        for other in [
            "/",
            "/a",
            "/a/bc",
            "/api/login",
            "/A/B/",
            "/x/a/b/",
            "/a//b/",
            "/a%2fb/",
        ] {
            assert!(matches!(get(other), Err(Elsewhere::Nothing)), "{other}");
        }
        assert_eq!(get("/a/b//evil.example/").unwrap(), "//evil.example/");
    }
}
