//! Whom a block of configuration applies to.

use std::net::IpAddr;

use regex_lite::{Regex, RegexBuilder};

use crate::base::{Label, LabelError, Principal};

/// Longest regular expression of a scope, in bytes: what a person can check by reading.
pub const MAX_REGEX: usize = 1024;
/// Largest compiled form of one, in bytes.
const MAX_COMPILED: usize = 1 << 20;
/// Longest name of an attribute, in bytes.
const MAX_ATTRIBUTE: usize = 64;

/// The key of a block, understood.
#[derive(Debug, Clone)]
pub enum Scope {
    /// `"*"`: everyone.
    Everyone,
    /// `"kiosk"`: the window on the machine's own screen.
    Kiosk,
    /// `"button"`: every button of the machine.
    Buttons,
    /// `"button=NAME"`: this one.
    Button(Label),
    /// `"user.ATTRIBUTE=REGEX"`: users one of whose values the whole expression matches.
    User {
        /// The attribute.
        attribute: String,
        /// Matches from the first to the last character.
        whole: Regex,
    },
}

impl Scope {
    /// Understands a key; what is wrong with it otherwise.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "*" => return Ok(Self::Everyone),
            "kiosk" => return Ok(Self::Kiosk),
            "button" => return Ok(Self::Buttons),
            _ => {}
        }
        let how = "a scope is \"*\" for everyone, \"kiosk\", \"button\", \"button=NAME\", or \"user.ATTRIBUTE=REGEX\", as in \"user.upn=.*@ops\\\\.example\"";
        let (name, regex) = text
            .split_once('=')
            .ok_or_else(|| format!("unknown scope; {how}"))?;
        if name == "button" {
            let label = regex.parse().map_err(|error: LabelError| error.to_string());
            return Ok(Self::Button(label?));
        }
        let attribute = match name {
            "user" => "upn",
            name => name
                .strip_prefix("user.")
                .ok_or_else(|| format!("unknown scope; {how}"))?,
        };
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if attribute.is_empty()
            || attribute.len() > MAX_ATTRIBUTE
            || !attribute.chars().all(letters)
        {
            return Err(format!(
                "an attribute's name has 1 to {MAX_ATTRIBUTE} letters, digits, _ or -; {how}"
            ));
        }
        if regex.len() > MAX_REGEX {
            return Err(format!(
                "the regular expression has {} bytes; at most {MAX_REGEX} are allowed",
                regex.len()
            ));
        }
        let compile = |text: &str| {
            RegexBuilder::new(text)
                .size_limit(MAX_COMPILED)
                .build()
                .map_err(|error| format!("not a regular expression: {error}"))
        };
        // By itself first: `a)|(b` must not become one by what is put around it.
        compile(regex)?;
        Ok(Self::User {
            attribute: attribute.to_owned(),
            whole: compile(&format!(r"\A(?:{regex})\z"))?,
        })
    }

    /// Whether it applies to whoever asks from this address.
    pub fn applies(&self, by: &Principal, address: Option<IpAddr>) -> bool {
        match (self, by) {
            (Self::Everyone, _) => true,
            (Self::Kiosk, Principal::Kiosk {}) | (Self::Buttons, Principal::Button { .. }) => true,
            (Self::Button(name), Principal::Button { button, .. }) => name == button,
            (Self::User { attribute, whole }, Principal::User { user }) => {
                // Where the request comes from now, if that is known; else where the login was made,
                // which the door it came through says.
                if let (ADDRESS, Some(ip)) = (attribute.as_str(), address) {
                    return whole.is_match(&plain(ip));
                }
                user.attribute(attribute)
                    .iter()
                    .any(|value| whole.is_match(value))
            }
            (Self::Kiosk | Self::Buttons | Self::Button(_) | Self::User { .. }, _) => false,
        }
    }

    /// Whether it applies to a stranger at this address: somebody who has not said who they are.
    pub fn applies_to_stranger(&self, address: IpAddr) -> bool {
        match self {
            Self::Everyone => true,
            Self::Kiosk | Self::Buttons | Self::Button(_) => false,
            Self::User { attribute, whole } => {
                attribute == ADDRESS && whole.is_match(&plain(address))
            }
        }
    }
}

/// The attribute that is where the request comes from.
const ADDRESS: &str = "ip_address";

/// An address as it is written in scopes: IPv4 also when it comes wrapped in IPv6.
fn plain(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{User, Way};

    fn alice() -> Principal {
        let mut user = User::new("alice@ops.example".parse().unwrap(), Way::Pam);
        user.attributes.insert(
            "groups".to_owned(),
            vec!["staff".to_owned(), "admins".to_owned()],
        );
        Principal::User { user }
    }

    fn applies(scope: &str, by: &Principal, address: &str) -> bool {
        Scope::parse(scope)
            .unwrap()
            .applies(by, address.parse().ok())
    }

    #[test]
    fn scope_prefix_and_suffix_and_line_do_not_match_only_the_whole_value() {
        let by = alice();
        for good in [
            "*",
            "user=alice@.*",
            "user.upn=.*@ops\\.example",
            "user.groups=admins",
            "user.way=pam",
            "user.ip_address=10\\.1\\.1\\.1",
            "user.upn=bob|alice@ops.example",
        ] {
            assert!(applies(good, &by, "10.1.1.1"), "{good}");
        }
        for bad in [
            "kiosk",
            "user=alice",
            "user.upn=ops\\.example",
            "user.upn=(?m)^alice",
            "user.groups=admin",
            "user.groups=dmins",
            "user.account=.*",
            "user.email=.*",
            "user.ip_address=10\\.1\\.1\\.1",
        ] {
            assert!(!applies(bad, &by, "10.1.1.100"), "{bad}");
        }
        assert!(applies("user.ip_address=10\\..*", &by, "::ffff:10.1.1.1"));
        for by in [Principal::Owner {}, Principal::Kiosk {}] {
            assert!(!applies("user.upn=.*", &by, "10.1.1.1"));
        }
        assert!(applies("kiosk", &Principal::Kiosk {}, ""));
    }

    #[test]
    fn what_is_no_scope_is_refused_and_regexes_have_a_limit() {
        for bad in [
            "",
            "user",
            "user.",
            "user.=x",
            "group=x",
            "user.a b=x",
            "User.upn=x",
            "user.upn=(",
            "user.upn=a)|(b",
            "user.upn=(?x)a # b",
            "user.upn=(a{1000}){1000}",
        ] {
            assert!(Scope::parse(bad).is_err(), "{bad}");
        }
        let long = |letters: usize| format!("user.upn={}", "a".repeat(letters));
        assert!(Scope::parse(&long(MAX_REGEX)).is_ok());
        assert!(Scope::parse(&long(MAX_REGEX + 1)).is_err());
    }
}
