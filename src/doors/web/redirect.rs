//! Plain HTTP on a port of its own, where the only answer is the address with `https://`. The host in it
//! is one of ours, never what the request says.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Method, Request, StatusCode, header};

use crate::wire::control::RefusalKind;

use super::Web;
use super::problem::Problem;
use super::proxy::Arrival;

/// Answers a request on a redirecting listener.
pub(super) fn answer<B>(web: &Web, arrival: &Arrival, request: &Request<B>) -> Response {
    match target(web, arrival, request) {
        Ok(location) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
        Err(problem) => problem.into_response(),
    }
}

fn target<B>(web: &Web, arrival: &Arrival, request: &Request<B>) -> Result<HeaderValue, Problem> {
    // Also answers for the names of HTTPS: that is where it leads.
    let (_, name) = web.now().guard.host(request, arrival, true)?;
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        // What it carried has been readable already; sending it again would hide that.
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            RefusalKind::Denied,
            "this port only leads to https://; nothing may be sent here",
        ));
    }
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let origin = match &web.public {
        Some(public) => public.origin().to_owned(),
        None => match web.https_port {
            443 => format!("https://{name}"),
            port => format!("https://{name}:{port}"),
        },
    };
    HeaderValue::from_str(&format!("{origin}{path}"))
        .map_err(|_| Problem::invalid("the address can't be written in a header"))
}
