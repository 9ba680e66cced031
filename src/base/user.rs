//! People who logged in: who they are, and what is known about them for certain.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::name::is_deceptive;

/// A user's name, as the way they logged in knows it (`alice`, `alice@ops.example`): 1 to 128
/// characters, none of them a control, blank or text-reordering one, nor a slash; no dash in front,
/// so that no program takes it for an option.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct UserName(String);

impl UserName {
    /// Longest name, in characters.
    pub const MAX_CHARS: usize = 128;

    /// Room for the way in front of a name that terminals belong to (`certificate:`).
    const WAY_CHARS: usize = 16;

    fn checked(text: &str, most: usize) -> Result<Self, UserNameError> {
        let allowed = |c: char| !(is_deceptive(c) || c.is_whitespace() || c == '/');
        let good = !text.is_empty()
            && text.chars().count() <= most
            && !text.starts_with('-')
            && !matches!(text, "." | "..")
            && text.chars().all(allowed);
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(UserNameError)
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no user's name. Says nothing of the text, which may be a password typed into the
/// wrong field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a user name has 1 to {} characters, no blanks, slashes or control characters, and no dash in front",
    UserName::MAX_CHARS
)]
pub struct UserNameError;

impl FromStr for UserName {
    type Err = UserNameError;
    fn from_str(text: &str) -> Result<Self, UserNameError> {
        Self::checked(text, Self::MAX_CHARS)
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<UserName> for String {
    fn from(name: UserName) -> Self {
        name.0
    }
}

impl TryFrom<String> for UserName {
    type Error = UserNameError;
    fn try_from(text: String) -> Result<Self, UserNameError> {
        Self::checked(&text, Self::MAX_CHARS + Self::WAY_CHARS)
    }
}

/// How somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Nobody asked (`auth = ["none"]`).
    None,
    /// A password (and whatever else PAM asked for) of an account of this machine.
    Pam,
    /// The local administrator's password, for a kiosk without other users.
    Local,
    /// An auth object signed with an API key.
    Api,
    /// A client certificate.
    Certificate,
    /// `OpenID` Connect.
    Oidc,
    /// CAS.
    Cas,
    /// Kerberos (SPNEGO).
    Kerberos,
    /// A one-time token another web application made.
    Token,
}

impl Way {
    /// All there are. A new one goes to the end: `wire::login` says them by their place here.
    pub const ALL: [Self; 9] = [
        Self::None,
        Self::Pam,
        Self::Local,
        Self::Api,
        Self::Certificate,
        Self::Oidc,
        Self::Cas,
        Self::Kerberos,
        Self::Token,
    ];

    /// Its name in settings, scopes and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pam => "pam",
            Self::Local => "local",
            Self::Api => "api",
            Self::Certificate => "certificate",
            Self::Oidc => "oidc",
            Self::Cas => "cas",
            Self::Kerberos => "kerberos",
            Self::Token => "token",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Somebody who logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Their name; a terminal belongs to a name, whichever browser it is watched from.
    pub upn: UserName,
    /// How they proved it.
    pub way: Way,
    /// The Unix account their shells run as, where it is known (PAM says it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What else the way in vouches for: `groups`, `email`, `ip_address`, … Scopes match these.
    /// Nothing gets in here that wasn't verified.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Vec<String>>,
}

impl User {
    /// The attribute that says where they logged in, and its only value.
    const AT: &str = "at";
    const KIOSK: &str = "kiosk";

    /// A user of whom only the name is known.
    pub fn new(upn: UserName, way: Way) -> Self {
        Self {
            upn,
            way,
            account: None,
            attributes: BTreeMap::new(),
        }
    }

    /// The name their terminals belong to: their own where they logged in with a password of this
    /// machine; otherwise it stands after the way (`oidc:alice`), so that nobody gets at an account's
    /// terminals by being called the same elsewhere. No account has a colon in its name (passwd(5)).
    pub fn owner(&self) -> UserName {
        match self.way {
            Way::Pam => self.upn.clone(),
            way => UserName(format!("{}:{}", way.name(), self.upn)),
        }
    }

    /// Notes where they logged in: at the machine's own screen, or anywhere else. Ours to say, whatever a
    /// way in vouches for.
    pub fn set_at_kiosk(&mut self, at_kiosk: bool) {
        self.attributes.remove(Self::AT);
        if at_kiosk {
            let kiosk = vec![Self::KIOSK.to_owned()];
            self.attributes.insert(Self::AT.to_owned(), kiosk);
        }
    }

    /// Whether they logged in at the machine's own screen.
    pub fn is_at_kiosk(&self) -> bool {
        self.attribute(Self::AT) == [Self::KIOSK]
    }

    /// The values scopes know by this name: `upn`, `way`, `account`, or an attribute.
    pub fn attribute(&self, name: &str) -> Vec<&str> {
        match name {
            "upn" => vec![self.upn.as_str()],
            "way" => vec![self.way.name()],
            "account" => self.account.as_deref().into_iter().collect(),
            other => self
                .attributes
                .get(other)
                .map(|values| values.iter().map(String::as_str).collect())
                .unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_somebody_else_vouches_for_owns_nothing_of_an_account() {
        let longest = "ä".repeat(UserName::MAX_CHARS);
        for name in ["alice", &longest] {
            let of = |way| User::new(name.parse().unwrap(), way).owner();
            assert_eq!(of(Way::Pam).as_str(), name);
            for way in [
                Way::Local,
                Way::Api,
                Way::Certificate,
                Way::Oidc,
                Way::Token,
            ] {
                assert_eq!(of(way).as_str(), format!("{way}:{name}"));
                let json = serde_json::to_string(&of(way)).unwrap();
                assert_eq!(serde_json::from_str::<UserName>(&json).unwrap(), of(way));
            }
        }
    }

    #[test]
    fn where_somebody_logged_in_is_not_what_a_way_in_says() {
        let mut user = User::new("alice".parse().unwrap(), Way::Api);
        let claimed = vec!["kiosk".to_owned()];
        user.attributes.insert("at".to_owned(), claimed);
        user.set_at_kiosk(false);
        assert!(!user.is_at_kiosk());
        assert!(user.attributes.is_empty());
        user.set_at_kiosk(true);
        assert!(user.is_at_kiosk());
        assert_eq!(user.attribute("at"), ["kiosk"]);
    }

    #[test]
    fn user_names_are_what_they_look_like() {
        for good in ["alice", "alice@ops.example", "Jürgen", &"ä".repeat(128)] {
            assert!(good.parse::<UserName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-oProxyCommand=x",
            "a b",
            "../etc",
            "..",
            "a/b",
            "a\0b",
            "a\nb",
            "a\u{202e}b",
            "<script>\t",
            &"ä".repeat(129),
        ] {
            assert_eq!(bad.parse::<UserName>(), Err(UserNameError), "{bad:?}");
        }
    }
}
