//! A browser that is sent to the provider, and comes back.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use gatepost::base::Way;
use serde_json::{Value, json};

use super::hostile::{Hostile, Key};
use super::support::server::TestServer;
use super::support::web::{Answer, Browser};

pub(crate) fn server(providers: &Value) -> TestServer {
    let providers = serde_json::from_value(providers.clone()).unwrap();
    TestServer::with(|settings| {
        settings.ways.open = vec![Way::Oidc];
        settings.sso.oidc = providers;
    })
}

pub(crate) fn one(provider: &Hostile) -> TestServer {
    server(&json!({ "x": { "issuer": provider.issuer, "client_id": "us" } }))
}

pub(crate) fn unescape(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        rest = more;
        if *first == b'%' {
            let digits = std::str::from_utf8(&more[..2]).unwrap();
            out.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &more[2..];
        } else {
            out.push(*first);
        }
    }
    String::from_utf8(out).unwrap()
}

/// A browser on its way to the provider.
pub(crate) struct Away {
    pub(crate) browser: Browser,
    pub(crate) name: &'static str,
    pub(crate) sent: BTreeMap<String, String>,
}

impl Away {
    pub(crate) fn begin(server: &TestServer, name: &'static str) -> Self {
        let mut browser = server.stranger();
        let answer = browser.get(&format!("/login/oidc/{name}"));
        assert_eq!(answer.status, 303, "{answer:?}");
        let port = server.address.port();
        let cookie = format!("gatepost_sso_{port}");
        let secret = answer.cookie(&cookie).unwrap();
        browser.cookie = Some(format!("{cookie}={secret}"));
        let location = answer.header("location").unwrap();
        let sent = location
            .split_once('?')
            .unwrap()
            .1
            .split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), unescape(value)))
            .collect();
        Self {
            browser,
            name,
            sent,
        }
    }

    pub(crate) fn sent(&self, name: &str) -> &str {
        &self.sent[name]
    }

    /// Good claims for this login.
    pub(crate) fn claims(&self, provider: &Hostile) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        json!({
            "iss": provider.issuer, "sub": "alice", "aud": "us",
            "nonce": self.sent("nonce"), "exp": now.as_secs() + 300, "iat": now.as_secs(),
        })
    }

    /// Comes back with a code.
    pub(crate) fn back(&self) -> Answer {
        self.back_with(&format!("code=c&state={}", self.sent("state")))
    }

    pub(crate) fn back_with(&self, query: &str) -> Answer {
        let path = format!("/login/oidc/{}/callback?{query}", self.name);
        self.browser.get(&path)
    }
}

#[track_caller]
pub(crate) fn refused(server: &TestServer, answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(server.logged_in(answer), None);
}

/// Tries one token made of good claims; what came of it.
pub(crate) fn with_token(
    make: impl FnOnce(&Key, Value, &Hostile) -> String,
) -> (TestServer, Answer) {
    let (provider, key) = (Hostile::start(), Key::new("k1", 1));
    provider.keys(&[&key]);
    let server = one(&provider);
    let away = Away::begin(&server, "x");
    provider.token(&make(&key, away.claims(&provider), &provider));
    let answer = away.back();
    (server, answer)
}
