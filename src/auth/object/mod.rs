//! Auth objects: "this is who they are", signed by another application with an API key, in Gate One's
//! form. Pure: parsing, the text that is signed, and what is wrong with one.
//!
//! Version 1.0 signs key, user and time; whatever else stands in the object is not signed, and ignored.
//! Version 1.1 signs every member but the signature, as canonical JSON (`docs/logins.md`).

mod members;
mod method;
mod sign;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::base::UserName;

use members::Members;
use method::Method;

pub use sign::sign;

/// How far the object's time may be from ours, either way, in milliseconds.
pub const WINDOW: u64 = 30_000;

/// Longest object, in bytes.
pub const MAX_OBJECT: usize = 16 << 10;

/// Most values of one attribute.
const MAX_VALUES: usize = 256;

/// Digits of a time: milliseconds since 1970, from 2001 to 2286. That it is always as many makes
/// user and time, which are signed as one text, unambiguous.
const TIME_DIGITS: usize = 13;

/// What is wrong with an object, in words for whoever makes them. Nobody else gets to see these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// Not the JSON it should be.
    #[error("not an auth object: {0}")]
    Form(String),
    /// A member is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A member is not what it should be.
    #[error("{name} {what}")]
    Member {
        /// Which.
        name: String,
        /// What it should be.
        what: &'static str,
    },
    /// SHA-1 without the switch for it.
    #[error(
        "signature_method HMAC-SHA1 is refused: sign with HMAC-SHA256, or set auth.api.sha1 = true"
    )]
    Sha1,
    /// No such key.
    #[error("api_key is not known here: gatepost api-key list")]
    Key,
    /// Not what the secret makes of it.
    #[error(
        "signature is wrong: another secret, other words, or another order of what is signed (docs/logins.md)"
    )]
    Signature,
    /// Too old.
    #[error("timestamp has expired {} s ago", .0.div_ceil(1000))]
    Expired(u64),
    /// From the future.
    #[error("timestamp is {} s ahead of this machine's clock, and at most 30 s are taken: compare the clocks", .0.div_ceil(1000))]
    Future(u64),
    /// Seen before.
    #[error("this object was used before: make a new one for each login")]
    Replay,
    /// Too many at once.
    #[error("too many logins within a minute")]
    TooMany,
    /// It can't be written down.
    #[error("it can't be written down that this object was used: {0}")]
    Ledger(String),
}

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// Key, user and time.
    Three,
    /// Everything.
    All,
}

/// An auth object of the right form. Nothing in it is true before [`AuthObject::verify`].
#[derive(Debug, Clone)]
pub struct AuthObject {
    members: BTreeMap<String, Value>,
    key: String,
    upn: UserName,
    time: u64,
    method: Method,
    version: Version,
    signature: Vec<u8>,
}

/// Somebody an object vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// Who.
    pub upn: UserName,
    /// What was signed about them.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// When the object ends to be good, in milliseconds since 1970.
    pub until: u64,
}

impl AuthObject {
    /// Reads one.
    pub fn parse(json: &str) -> Result<Self, ObjectError> {
        if json.len() > MAX_OBJECT {
            return Err(ObjectError::Form(format!(
                "over the limit of {MAX_OBJECT} bytes"
            )));
        }
        let Members(members) =
            serde_json::from_str(json).map_err(|error| ObjectError::Form(error.to_string()))?;
        let text = |name: &'static str| match members.get(name) {
            None => Err(ObjectError::Missing(name)),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(member(name, "has to be text")),
        };
        let key = text("api_key")?;
        let upn = text("upn")?.parse().map_err(|_| {
            member("upn", "has 1 to 128 characters, no blanks, slashes or control characters, and no dash in front")
        })?;
        // Gate One takes a number, too.
        let time = match members.get("timestamp") {
            Some(Value::Number(number)) => number.to_string(),
            _ => text("timestamp")?,
        };
        if time.len() != TIME_DIGITS || !time.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(member(
                "timestamp",
                "has 13 digits: milliseconds since 1970",
            ));
        }
        let time = time
            .parse()
            .map_err(|_| member("timestamp", "is no number"))?;
        let method = match text("signature_method")?.as_str() {
            "HMAC-SHA1" => Method::Sha1,
            "HMAC-SHA256" => Method::Sha256,
            "HMAC-SHA384" => Method::Sha384,
            "HMAC-SHA512" => Method::Sha512,
            _ => {
                let what = "is HMAC-SHA256, HMAC-SHA384 or HMAC-SHA512";
                return Err(member("signature_method", what));
            }
        };
        let version = match text("api_version")?.as_str() {
            "1.0" => Version::Three,
            "1.1" => Version::All,
            _ => return Err(member("api_version", "is 1.0 or 1.1")),
        };
        let signature = unhex(&text("signature")?)
            .filter(|bytes| bytes.len() == method.length())
            .ok_or(member(
                "signature",
                "has to be as many lower-case hexadecimal digits as signature_method makes",
            ))?;
        Ok(Self {
            members,
            key,
            upn,
            time,
            method,
            version,
            signature,
        })
    }

    /// The key it names.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whom it claims to be about.
    pub fn claims(&self) -> &UserName {
        &self.upn
    }

    /// What tells this object from others.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Judges it with the key's secret, at this time (milliseconds since 1970). Whether it was used
    /// before is judged by the ledger.
    pub fn verify(&self, secret: &str, sha1: bool, now: u64) -> Result<Vouched, ObjectError> {
        if self.method == Method::Sha1 && !sha1 {
            return Err(ObjectError::Sha1);
        }
        let attributes = match self.version {
            Version::Three => BTreeMap::new(),
            Version::All => self.attributes()?,
        };
        let signed = match self.version {
            Version::Three => format!("{}{}{}", self.key, self.upn, self.time),
            Version::All => self.canonical()?,
        };
        if !self
            .method
            .verify(secret.as_bytes(), signed.as_bytes(), &self.signature)
        {
            return Err(ObjectError::Signature);
        }
        // The clock last: who can't sign learns nothing of ours.
        if let Some(over) = now.checked_sub(self.time + WINDOW).filter(|over| *over > 0) {
            return Err(ObjectError::Expired(over));
        }
        if self.time > now + WINDOW {
            return Err(ObjectError::Future(self.time - now));
        }
        Ok(Vouched {
            upn: self.upn.clone(),
            attributes,
            until: self.time + WINDOW,
        })
    }

    /// What the object says beyond its own members, each as a list of texts.
    fn attributes(&self) -> Result<BTreeMap<String, Vec<String>>, ObjectError> {
        const OWN: [&str; 6] = [
            "api_key",
            "upn",
            "timestamp",
            "signature",
            "signature_method",
            "api_version",
        ];
        self.members
            .iter()
            .filter(|(name, _)| !OWN.contains(&name.as_str()))
            .map(|(name, value)| {
                let values = match value {
                    Value::Array(list) if list.len() <= MAX_VALUES => {
                        list.iter().map(|one| plain(name, one)).collect()
                    }
                    one => plain(name, one).map(|one| vec![one]),
                };
                Ok((name.clone(), values?))
            })
            .collect()
    }

    /// Every member but the signature: keys sorted by code points, no blanks, as `json.dumps(object,
    /// sort_keys=True, separators=(",", ":"), ensure_ascii=False)` writes it in Python.
    fn canonical(&self) -> Result<String, ObjectError> {
        // A BTreeMap of strings is in the order of their UTF-8 bytes, which is that of code points.
        let signed: BTreeMap<_, _> = self
            .members
            .iter()
            .filter(|(name, _)| *name != "signature")
            .collect();
        serde_json::to_string(&signed).map_err(|error| ObjectError::Form(error.to_string()))
    }
}

/// An attribute's value as text. Only what everybody writes in the same way can be signed: no
/// fractions, nothing nested.
fn plain(name: &str, value: &Value) -> Result<String, ObjectError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(yes) => Ok(yes.to_string()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(number.to_string()),
        _ => Err(member(
            name,
            "has to be text, a whole number, true or false, or a list of those",
        )),
    }
}

fn member(name: &str, what: &'static str) -> ObjectError {
    ObjectError::Member {
        name: name.to_owned(),
        what,
    }
}

/// Lower-case digits only: one signature has one form, or the ledger could be got round.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut out = Vec::with_capacity(text.len() / 2);
    for pair in text.as_bytes().chunks(2) {
        match pair {
            [high, low] => out.push(digit(*high)? << 4 | digit(*low)?),
            _ => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::Sha256;

    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    fn object(change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> String {
        let mut object = serde_json::json!({
            "api_key": "k".repeat(24), "upn": "alice@ops.example", "timestamp": NOW.to_string(),
            "signature_method": "HMAC-SHA256", "api_version": "1.0",
            // hmac.new(b"secret", b"kkkkkkkkkkkkkkkkkkkkkkkkalice@ops.example1800000000000", "sha256")
            "signature": "0".repeat(64),
        });
        let members = object.as_object_mut().unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(b"secret").unwrap();
        mac.update(format!("{}alice@ops.example{NOW}", "k".repeat(24)).as_bytes());
        let hex = mac.finalize().into_bytes();
        let hex = hex
            .iter()
            .fold(String::new(), |out, byte| out + &format!("{byte:02x}"));
        members["signature"] = hex.into();
        change(members);
        object.to_string()
    }

    fn judge(json: &str, now: u64) -> Result<Vouched, ObjectError> {
        AuthObject::parse(json)?.verify("secret", false, now)
    }

    #[test]
    fn the_window_is_30_seconds_both_ways() {
        let json = object(|_| ());
        for good in [NOW - WINDOW, NOW, NOW + WINDOW] {
            assert_eq!(
                judge(&json, good).unwrap().upn.as_str(),
                "alice@ops.example"
            );
        }
        assert_eq!(judge(&json, NOW + WINDOW + 1), Err(ObjectError::Expired(1)));
        assert_eq!(
            judge(&json, NOW - WINDOW - 1),
            Err(ObjectError::Future(WINDOW + 1)),
            "hmac_future"
        );
        assert_eq!(
            ObjectError::Expired(11_900).to_string(),
            "timestamp has expired 12 s ago"
        );
    }

    #[test]
    fn what_is_not_exactly_the_form_is_refused_by_name() {
        let says = |change: fn(&mut serde_json::Map<String, Value>)| {
            judge(&object(change), NOW).unwrap_err().to_string()
        };
        for (case, wanted, change) in [
            (
                "hmac_12_digits",
                "timestamp has 13",
                (|m| {
                    m["timestamp"] = "180000000000".into();
                }) as fn(&mut serde_json::Map<String, Value>),
            ),
            ("hmac_14_digits", "timestamp has 13", |m| {
                m["timestamp"] = "18000000000000".into();
            }),
            ("hmac_sign", "timestamp has 13", |m| {
                m["timestamp"] = "+800000000000".into();
            }),
            ("hmac_alg_none", "signature_method is", |m| {
                m["signature_method"] = "none".into();
            }),
            ("hmac_downgrade", "HMAC-SHA1 is refused", |m| {
                m["signature_method"] = "HMAC-SHA1".into();
                m["signature"] = "0".repeat(40).into();
            }),
            ("hmac_upper_hex", "lower-case", |m| {
                let upper = m["signature"].as_str().unwrap().to_uppercase();
                m["signature"] = upper.into();
            }),
            ("hmac_short", "lower-case", |m| {
                m["signature"] = "ab".into();
            }),
            ("hmac_upn_traversal", "upn has", |m| {
                m["upn"] = "../etc".into();
            }),
            ("hmac_version", "api_version is", |m| {
                m["api_version"] = "2.0".into();
            }),
            ("hmac_missing", "api_key is missing", |m| {
                m.remove("api_key");
            }),
            ("hmac_other_user", "signature is wrong", |m| {
                m["upn"] = "root".into();
            }),
        ] {
            let said = says(change);
            assert!(
                said.starts_with(wanted) || said.contains(wanted),
                "{case}: {said}"
            );
        }
        let twice = object(|_| ()).replacen('{', r#"{"upn":"root","#, 1);
        assert!(
            judge(&twice, NOW)
                .unwrap_err()
                .to_string()
                .contains("twice")
        );
        let number = object(|members| members["timestamp"] = NOW.into());
        assert!(judge(&number, NOW).is_ok(), "Gate One takes a number");
    }

    #[test]
    fn hmac_extra_attr_policy_what_is_not_signed_is_not_known() {
        let json = object(|members| {
            members.insert("groups".to_owned(), "admins".into());
        });
        assert!(judge(&json, NOW).unwrap().attributes.is_empty());
    }
}
