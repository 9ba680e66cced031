//! Answers that say no, all in one form: `{"error": {"kind": …, "message": …}}`.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::auth::{AuthError, LocalError, WayError};
use crate::control::ControlError;
use crate::wire::control::RefusalKind;

/// A refusal on its way to the page.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    kind: RefusalKind,
    message: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, kind: RefusalKind, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
        }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, RefusalKind::Invalid, message)
    }

    /// No valid login.
    pub(super) fn log_in() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            RefusalKind::Denied,
            "not logged in; make an address to open with: gatepost url",
        )
    }

    /// From an address the configuration keeps out.
    pub(super) fn kept_out() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            RefusalKind::Denied,
            "this address is kept out here; ask the administrator",
        )
    }

    pub(super) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            RefusalKind::NotFound,
            "there is nothing at this address",
        )
    }

    /// Something inside failed that the asker can't help.
    pub(super) fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            RefusalKind::Failed,
            "the server can't do this now; its log says why",
        )
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::json!({
            "error": { "kind": self.kind, "message": self.message }
        });
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        let status = match error.kind() {
            // Whoever asks is known, and has to prove it once more.
            RefusalKind::Denied if error.wants_a_login() => StatusCode::UNAUTHORIZED,
            RefusalKind::Invalid => StatusCode::BAD_REQUEST,
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::Denied => StatusCode::FORBIDDEN,
            RefusalKind::Limit => StatusCode::TOO_MANY_REQUESTS,
            RefusalKind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.kind(), error.to_string())
    }
}

impl From<WayError> for Problem {
    fn from(error: WayError) -> Self {
        let (status, kind) = match error {
            WayError::Refused => (StatusCode::UNAUTHORIZED, RefusalKind::Denied),
            WayError::Busy => (StatusCode::TOO_MANY_REQUESTS, RefusalKind::Limit),
            WayError::Closed(_) => (StatusCode::NOT_FOUND, RefusalKind::NotFound),
            WayError::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, RefusalKind::Failed),
        };
        Self::new(status, kind, error.to_string())
    }
}

impl From<LocalError> for Problem {
    fn from(error: LocalError) -> Self {
        tracing::error!(%error, "the administrator's password");
        Self::unavailable()
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let (status, kind) = match error {
            AuthError::Token => (StatusCode::UNAUTHORIZED, RefusalKind::Denied),
            AuthError::TooMany => (StatusCode::TOO_MANY_REQUESTS, RefusalKind::Limit),
            AuthError::Random(_) => (StatusCode::SERVICE_UNAVAILABLE, RefusalKind::Failed),
        };
        Self::new(status, kind, error.to_string())
    }
}
