//! What an ID token says, judged (OpenID Connect Core 1.0, section 3.1.3.7). Pure: the clock is passed in.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use crate::base::{User, Way};
use crate::policy::settings::naming::{NameTemplate, NamingError};

/// How far clocks may be apart, in seconds.
const SKEW: u64 = 60;
/// Oldest token taken, in seconds: it was made for us a moment ago.
const MAX_AGE: u64 = 600;
/// Most values of one attribute.
const MAX_VALUES: usize = 256;
/// Longest value of an attribute, in bytes.
const MAX_VALUE: usize = 512;
/// Longest `sub`, in bytes (the standard says 255).
const MAX_SUBJECT: usize = 255;

/// What the token has to say of itself.
#[derive(Debug, Clone, Copy)]
pub(in crate::auth) struct Expected<'a> {
    pub(in crate::auth) issuer: &'a str,
    pub(in crate::auth) client_id: &'a str,
    pub(in crate::auth) nonce: &'a str,
    /// Seconds since the Unix epoch.
    pub(in crate::auth) now: u64,
}

/// Why a token with a good signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::auth) enum ClaimError {
    #[error("its claims can't be read: {0}")]
    Form(String),
    #[error("it is from {0:?}, another issuer")]
    Issuer(String),
    #[error("it is (also) for somebody else")]
    Audience,
    #[error("it was made for another login")]
    Nonce,
    #[error("it is too old, or this machine's clock is wrong")]
    Expired,
    #[error("it is from the future; is this machine's clock right?")]
    Future,
    #[error("userinfo is about somebody else")]
    OtherSubject,
    #[error("the claim {0:?} has over {MAX_VALUES} values, or one over {MAX_VALUE} bytes")]
    TooMuch(String),
    #[error(transparent)]
    Name(#[from] NamingError),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The claims of one user, checked.
#[derive(Debug, Clone)]
pub(in crate::auth) struct Claims {
    issuer: String,
    subject: String,
    all: Map<String, Value>,
}

impl Claims {
    /// Reads and judges the payload of a token whose signature is good.
    pub(in crate::auth) fn judge(
        payload: &[u8],
        expected: Expected<'_>,
    ) -> Result<Self, ClaimError> {
        #[derive(Deserialize)]
        struct Known {
            iss: String,
            sub: String,
            aud: Audience,
            azp: Option<String>,
            nonce: Option<String>,
            exp: f64,
            iat: f64,
            nbf: Option<f64>,
        }
        let form = |error: serde_json::Error| ClaimError::Form(error.to_string());
        let known: Known = serde_json::from_slice(payload).map_err(form)?;
        let all: Map<String, Value> = serde_json::from_slice(payload).map_err(form)?;
        if known.iss != expected.issuer {
            return Err(ClaimError::Issuer(known.iss.chars().take(200).collect()));
        }
        // A token that is for others, too, can be replayed to us by them.
        let for_us = match &known.aud {
            Audience::One(one) => one == expected.client_id,
            Audience::Several(several) => {
                !several.is_empty() && several.iter().all(|one| one == expected.client_id)
            }
        };
        let by_us = known
            .azp
            .as_deref()
            .is_none_or(|azp| azp == expected.client_id);
        if !(for_us && by_us) {
            return Err(ClaimError::Audience);
        }
        let nonce = known.nonce.unwrap_or_default();
        if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
            return Err(ClaimError::Nonce);
        }
        let seconds = |time: f64| {
            // Dates are whole numbers in practice; JSON lets them be fractions.
            (time.is_finite() && (0.0..1e12).contains(&time)).then(|| whole(time))
        };
        let date = || ClaimError::Form("a date is none".to_owned());
        let expires = seconds(known.exp).ok_or_else(date)?;
        let made = seconds(known.iat).ok_or_else(date)?;
        let from = seconds(known.nbf.unwrap_or(0.0)).ok_or_else(date)?;
        if expires.saturating_add(SKEW) <= expected.now
            || made.saturating_add(MAX_AGE + SKEW) < expected.now
        {
            return Err(ClaimError::Expired);
        }
        if made.max(from) > expected.now.saturating_add(SKEW) {
            return Err(ClaimError::Future);
        }
        if known.sub.is_empty() || known.sub.len() > MAX_SUBJECT {
            return Err(ClaimError::Form("`sub` is empty or too long".to_owned()));
        }
        Ok(Self {
            issuer: known.iss,
            subject: known.sub,
            all,
        })
    }

    /// Adds what userinfo says. The token's own claims stand.
    pub(in crate::auth) fn add_userinfo(&mut self, json: &[u8]) -> Result<(), ClaimError> {
        let more: Map<String, Value> =
            serde_json::from_slice(json).map_err(|error| ClaimError::Form(error.to_string()))?;
        if more.get("sub").and_then(Value::as_str) != Some(self.subject.as_str()) {
            return Err(ClaimError::OtherSubject);
        }
        // An address and whether it is verified belong together.
        let has_email = self.all.contains_key("email");
        for (name, value) in more {
            let taken = self.all.contains_key(&name) || (has_email && name == "email_verified");
            if !taken {
                self.all.insert(name, value);
            }
        }
        Ok(())
    }

    /// A claim that is one text. An email address counts only if the provider verified it.
    fn text(&self, name: &str) -> Option<&str> {
        match name {
            "sub" => Some(&self.subject),
            "iss" => Some(&self.issuer),
            "email" if !self.email_is_verified() => None,
            other => self.all.get(other).and_then(Value::as_str),
        }
    }

    fn email_is_verified(&self) -> bool {
        // Some providers write booleans as text.
        match self.all.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }

    /// A claim's values as texts.
    fn values(&self, name: &str) -> Result<Vec<String>, ClaimError> {
        let single = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(yes) => Some(yes.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        let values: Vec<String> = match self.all.get(name) {
            _ if name == "email" => self.text("email").map(str::to_owned).into_iter().collect(),
            Some(Value::Array(list)) => list.iter().filter_map(single).collect(),
            Some(value) => single(value).into_iter().collect(),
            None => Vec::new(),
        };
        // Leaving some out could take a right away, or what takes one away.
        if values.len() > MAX_VALUES || values.iter().any(|value| value.len() > MAX_VALUE) {
            return Err(ClaimError::TooMuch(name.to_owned()));
        }
        Ok(values)
    }

    /// Whether every claim that is asked for is there.
    pub(in crate::auth) fn suffice(&self, wanted: &[&str]) -> bool {
        wanted.iter().all(|name| self.all.contains_key(*name))
    }

    /// The user of this name template and these attributes (attribute → claim).
    pub(in crate::auth) fn user(
        &self,
        provider: &str,
        naming: &NameTemplate,
        attributes: &BTreeMap<&str, &str>,
    ) -> Result<User, ClaimError> {
        let mut user = User::new(naming.fill(|name| self.text(name))?, Way::Oidc);
        let mut put = |name: &str, values: Vec<String>| {
            if !values.is_empty() {
                user.attributes.insert(name.to_owned(), values);
            }
        };
        for (name, claim) in attributes {
            put(name, self.values(claim)?);
        }
        put("email", self.values("email")?);
        put("issuer", vec![self.issuer.clone()]);
        put("subject", vec![self.subject.clone()]);
        put("provider", vec![provider.to_owned()]);
        Ok(user)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the caller has checked that it is between 0 and 10^12"
)]
fn whole(time: f64) -> u64 {
    time as u64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn judge(change: impl FnOnce(&mut Value)) -> Result<Claims, ClaimError> {
        let mut claims = json!({
            "iss": "https://id.example", "sub": "1042", "aud": "us", "nonce": "n",
            "exp": NOW + 300, "iat": NOW, "email": "a@b.example",
        });
        change(&mut claims);
        let expected = Expected {
            issuer: "https://id.example",
            client_id: "us",
            nonce: "n",
            now: NOW,
        };
        Claims::judge(claims.to_string().as_bytes(), expected)
    }

    fn fault(change: impl FnOnce(&mut Value)) -> ClaimError {
        judge(change).map(|_| ()).unwrap_err()
    }

    #[test]
    fn oidc_iss_aud_azp_and_nonce_are_exactly_ours() {
        judge(|_| ()).unwrap();
        judge(|claims| claims["aud"] = json!(["us"])).unwrap();
        judge(|claims| claims["azp"] = json!("us")).unwrap();
        for issuer in ["https://id.example/", "https://evil.example", ""] {
            let fault = fault(|claims| claims["iss"] = json!(issuer));
            assert!(matches!(fault, ClaimError::Issuer(_)), "{issuer}");
        }
        for audience in [
            json!("them"),
            json!([]),
            json!(["them"]),
            json!(["us", "them"]),
        ] {
            assert_eq!(
                fault(|claims| claims["aud"] = audience),
                ClaimError::Audience
            );
        }
        assert_eq!(
            fault(|claims| claims["azp"] = json!("them")),
            ClaimError::Audience
        );
        for nonce in [json!("m"), json!("n "), json!(""), Value::Null] {
            assert_eq!(fault(|claims| claims["nonce"] = nonce), ClaimError::Nonce);
        }
    }

    #[test]
    fn oidc_expired_is_refused_past_60_s_and_so_is_the_future() {
        judge(|claims| claims["exp"] = json!(NOW - 59)).unwrap();
        assert_eq!(
            fault(|claims| claims["exp"] = json!(NOW - 60)),
            ClaimError::Expired
        );
        judge(|claims| claims["iat"] = json!(NOW - 660)).unwrap();
        assert_eq!(
            fault(|claims| claims["iat"] = json!(NOW - 661)),
            ClaimError::Expired
        );
        judge(|claims| claims["iat"] = json!(NOW + 60)).unwrap();
        assert_eq!(
            fault(|claims| claims["iat"] = json!(NOW + 61)),
            ClaimError::Future
        );
        assert_eq!(
            fault(|claims| claims["nbf"] = json!(NOW + 61)),
            ClaimError::Future
        );
        for nonsense in [json!(-1), json!(1e300), json!("soon"), Value::Null] {
            assert!(judge(|claims| claims["exp"] = nonsense).is_err());
        }
    }

    #[test]
    fn an_email_address_counts_only_if_it_is_verified() {
        let email: NameTemplate = "{email}".parse().unwrap();
        let named = |verified: Value| {
            let claims = judge(|claims| claims["email_verified"] = verified).unwrap();
            let user = claims.user("x", &email, &BTreeMap::from([("mail", "email")]));
            user.map(|user| user.attributes.get("mail").cloned())
        };
        assert!(named(json!(true)).unwrap().is_some());
        assert!(named(json!("true")).unwrap().is_some());
        for not in [json!(false), json!("false"), json!(1), Value::Null] {
            assert!(named(not).is_err());
        }
    }

    #[test]
    fn userinfo_adds_and_never_overrides_and_is_about_the_same_user() {
        let mut claims = judge(|_| ()).unwrap();
        let verified = json!({ "sub": "1042", "email": "root@b.example", "email_verified": true, "groups": ["ops"] });
        claims
            .add_userinfo(verified.to_string().as_bytes())
            .unwrap();
        assert_eq!(claims.text("email"), None, "ours was never verified");
        assert_eq!(claims.values("groups").unwrap(), ["ops"]);
        for other in [json!({ "sub": "1" }), json!({}), json!({ "sub": 1042 })] {
            assert_eq!(
                claims.add_userinfo(other.to_string().as_bytes()),
                Err(ClaimError::OtherSubject)
            );
        }
    }

    #[test]
    fn attributes_have_limits() {
        let groups = |count: usize, length: usize| {
            let claims = judge(|claims| claims["groups"] = json!(vec!["g".repeat(length); count]));
            claims.unwrap().values("groups")
        };
        assert_eq!(groups(256, 512).unwrap().len(), 256);
        assert!(groups(257, 1).is_err());
        assert!(groups(1, 513).is_err());
    }
}
