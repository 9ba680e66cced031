//! The headers every answer carries, refusals included: what the page may load, who may show it in a
//! frame, and whether browsers insist on HTTPS.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::policy::settings::server::{FrameAncestor, Hsts, Server};
use crate::wire::kiosk::OWN_WINDOW;

use super::listener::Speaks;
use super::proxy::Scheme;

/// What the page may load, and who may show it. `style-src` allows inline styles because xterm.js
/// makes `<style>` elements for its colours while it runs; scripts have no such exception.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     connect-src 'self'; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; \
     base-uri 'none'; form-action 'none'";

/// Keeps a page apart from those that opened it or that it opens.
const OPENER: &str = "cross-origin-opener-policy";

/// Those that are the same everywhere.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static(OPENER), "same-origin"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), usb=(), serial=(), payment=()",
    ),
];

/// Half a year: what browsers' preload lists consider serious, and short enough to survive a mistake.
const STRICT: &str = "max-age=15768000";

/// What every answer carries.
#[derive(Debug)]
pub(super) struct Headers {
    hsts: Hsts,
    policy: HeaderValue,
    frame_options: Option<HeaderValue>,
}

impl Headers {
    /// Whether a request is the machine's own window's. Nobody's page can have a browser say so: only scripts add
    /// fields, and to requests of their own, not to where the browser goes.
    pub(super) fn is_own(request: &HeaderMap) -> bool {
        request.contains_key(OWN_WINDOW)
    }

    /// As configured.
    pub(super) fn new(server: &Server) -> Self {
        let (policy, frame_options) = framing(&server.frame_ancestors);
        Self {
            hsts: server.hsts,
            policy,
            frame_options,
        }
    }

    /// Adds them to an answer; to the machine's own window (`own`), which nothing else is opened from or in, without
    /// the one by which WebKit would start a second process for the page.
    pub(super) fn add(&self, headers: &mut HeaderMap, speaks: &Speaks, scheme: Scheme, own: bool) {
        for (name, value) in HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if own {
            headers.remove(OPENER);
        }
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        if let Some(options) = &self.frame_options {
            headers.insert(header::X_FRAME_OPTIONS, options.clone());
        }
        let strict = match (self.hsts, speaks) {
            (Hsts::Off, _) => false,
            (Hsts::Auto, Speaks::Https(tls)) => !tls.facts().self_signed,
            // In front of us another decides.
            (Hsts::Auto, _) => false,
            // Browsers ignore it in the clear (RFC 6797, section 8.1).
            (Hsts::On, _) => scheme == Scheme::Https,
        };
        if strict {
            headers.insert(
                header::STRICT_TRANSPORT_SECURITY,
                HeaderValue::from_static(STRICT),
            );
        }
    }
}

/// Who may show the page in a frame, in today's header and in the old one, which knows only everybody,
/// ourselves or nobody.
fn framing(ancestors: &[FrameAncestor]) -> (HeaderValue, Option<HeaderValue>) {
    let (list, old) = match ancestors {
        [] => ("'none'".to_owned(), Some("DENY")),
        [FrameAncestor::Own] => ("'self'".to_owned(), Some("SAMEORIGIN")),
        several => {
            let list: Vec<&str> = several
                .iter()
                .map(|ancestor| match ancestor {
                    FrameAncestor::Own => "'self'",
                    FrameAncestor::Origin(origin) => origin,
                })
                .collect();
            (list.join(" "), None)
        }
    };
    let text = format!("{CONTENT_SECURITY_POLICY}; frame-ancestors {list}");
    match HeaderValue::from_str(&text) {
        Ok(policy) => (policy, old.map(HeaderValue::from_static)),
        // Not reached: origins are plain text. Nobody, then.
        Err(_) => (
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
            Some(HeaderValue::from_static("DENY")),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_for_those_the_configuration_names() {
        let of = |names: &[&str]| {
            let ancestors: Vec<_> = names.iter().map(|name| name.parse().unwrap()).collect();
            let (policy, old) = framing(&ancestors);
            let policy = policy.to_str().unwrap().to_owned();
            let list = policy.split_once("frame-ancestors ").unwrap().1.to_owned();
            (list, old.map(|old| old.to_str().unwrap().to_owned()))
        };
        assert_eq!(of(&[]), ("'none'".to_owned(), Some("DENY".to_owned())));
        assert_eq!(
            of(&["self"]),
            ("'self'".to_owned(), Some("SAMEORIGIN".to_owned()))
        );
        assert_eq!(
            of(&["self", "https://a.example:8443/"]),
            ("'self' https://a.example:8443".to_owned(), None)
        );
    }
}
