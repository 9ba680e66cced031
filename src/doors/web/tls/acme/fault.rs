//! Why an authority gave no certificate, said so that somebody can do something about it.

use std::time::Duration;

use instant_acme::{Error, Problem};

use crate::auth::fetch::FetchError;
use crate::doors::web::tls::material::TlsError;

/// Most of what an authority writes that is passed on, in characters.
const MAX_TEXT: usize = 600;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// Nobody answered, or not who should.
    #[error("{0}{hint}", hint = hint(.0))]
    Fetch(FetchError),
    /// It answered and doesn't know what it was asked for.
    #[error("the authority says no: {0}")]
    Refused(String),
    /// No verdict in time.
    #[error("the authority didn't decide within {0:?}")]
    Slow(Duration),
    /// What came isn't what was asked for, or can't be kept.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What only a bug explains.
    #[error("{0} failed")]
    Broken(&'static str),
}

/// How soon it makes sense to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The network comes and goes; nobody counts these.
    Unreachable,
    /// Authorities count what they refuse.
    Refused,
}

impl Fault {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Fetch(_) => Kind::Unreachable,
            _ => Kind::Refused,
        }
    }

    /// From what the authority says of one challenge or the whole order.
    pub(super) fn problem(problem: &Problem) -> Self {
        let kind = problem.r#type.as_deref().unwrap_or_default();
        let kind = kind.strip_prefix("urn:ietf:params:acme:error:");
        let mut text = problem.detail.clone().unwrap_or_default();
        for part in &problem.subproblems {
            text.push_str("; ");
            text.push_str(part.detail.as_deref().unwrap_or_default());
        }
        Self::refused(&format!("{text} ({})", kind.unwrap_or("unknown error")))
    }

    /// Which name wasn't believed.
    pub(super) fn of(self, name: &str) -> Self {
        match self {
            Self::Refused(text) => Self::Refused(format!(
                "{name}: {text}; it has to reach port 443 of this machine under that name"
            )),
            other => other,
        }
    }

    /// From text that is somebody else's.
    pub(super) fn refused(text: &str) -> Self {
        let clean = text.chars().filter(|c| !c.is_control());
        Self::Refused(clean.take(MAX_TEXT).collect())
    }
}

/// What to do about it, where the message alone doesn't say.
fn hint(error: &FetchError) -> &'static str {
    if error.to_string().contains("invalid peer certificate") {
        "; where the directory is a private one, tls.acme.ca_file names the authority to trust for it"
    } else {
        ""
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Api(problem) => Self::problem(&problem),
            Error::Other(other) => match other.downcast::<FetchError>() {
                Ok(fetch) => Self::Fetch(*fetch),
                Err(other) => Self::refused(&other.to_string()),
            },
            Error::Json(error) => Self::refused(&format!(
                "what it sends is not ACME ({error}); is tls.acme.directory the URL of its directory?"
            )),
            Error::Timeout(_) => Self::Slow(super::order::PATIENCE),
            other => Self::refused(&other.to_string()),
        }
    }
}
