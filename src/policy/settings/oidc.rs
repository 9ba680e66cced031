//! The section `oidc`: providers of `OpenID` Connect, each under a name of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::SecretSource;
use super::naming::NameTemplate;

/// The issuer of the preset `google`.
const GOOGLE: &str = "https://accounts.google.com";
/// Attributes that scopes know by other means; a claim can't stand for them.
const RESERVED: [&str; 5] = ["upn", "way", "account", "ip_address", "at"];
/// Most providers; each is a button on the page.
const MAX_PROVIDERS: usize = 16;
/// Longest name of a provider, in bytes.
const MAX_NAME: usize = 32;

/// Providers by the name that stands in their addresses (`/login/oidc/NAME`).
pub type OidcProviders = BTreeMap<String, OidcProvider>;

/// A provider known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OidcPreset {
    /// Google accounts: issuer, and names from the verified email address.
    Google,
}

/// What the provider should ask, also when it knows who is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OidcPrompt {
    /// The password again.
    Login,
    /// Which account.
    SelectAccount,
    /// Whether we may know.
    Consent,
}

impl OidcPrompt {
    /// As the protocol writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::SelectAccount => "select_account",
            Self::Consent => "consent",
        }
    }
}

/// One provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcProvider {
    /// Fills in what is not said here.
    #[serde(default)]
    pub preset: Option<OidcPreset>,
    /// What the button on the page says; the provider's name unless given.
    #[serde(default)]
    pub title: Option<String>,
    /// The provider's issuer URL, exactly as the provider writes it.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Our name at the provider.
    pub client_id: String,
    /// Our secret at the provider. None: a public client.
    #[serde(default)]
    pub client_secret: Option<SecretSource>,
    /// What to ask for.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// The user's name here, from claims; `{sub}@NAME` unless given.
    #[serde(default)]
    pub upn: Option<NameTemplate>,
    /// The claim with the user's groups, which becomes the attribute `groups`.
    #[serde(default = "groups")]
    pub groups_claim: String,
    /// More attributes for scopes to match: attribute = claim.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Whether to ask the provider's userinfo for claims that the ID token leaves out.
    #[serde(default = "yes")]
    pub userinfo: bool,
    /// See [`OidcPrompt`].
    #[serde(default)]
    pub prompt: Option<OidcPrompt>,
    /// Authorities (PEM) to trust for this provider instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

fn scopes() -> Vec<String> {
    ["openid", "email", "profile"].map(str::to_owned).into()
}

fn groups() -> String {
    "groups".to_owned()
}

fn yes() -> bool {
    true
}

/// What is wrong with a provider's settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OidcFault {
    /// Its name stands in addresses.
    #[error("oidc.{0:?}: a provider's name has 1 to {MAX_NAME} characters of a-z, 0-9 and -")]
    Name(String),
    /// Too many of them.
    #[error("oidc: at most {MAX_PROVIDERS} providers")]
    TooMany,
    /// One of its settings.
    #[error("oidc.{provider}.{key}: {what}")]
    Setting {
        /// The provider's name.
        provider: String,
        /// The setting.
        key: &'static str,
        /// What is wrong and what to do.
        what: String,
    },
}

impl OidcProvider {
    /// The issuer, the preset's unless given.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref().or(match self.preset {
            Some(OidcPreset::Google) => Some(GOOGLE),
            None => None,
        })
    }

    /// How users are named, for the provider of this name.
    pub fn naming(&self, provider: &str) -> Option<NameTemplate> {
        let usual = match self.preset {
            Some(OidcPreset::Google) => "{email}".parse().ok(),
            None => format!("{{sub}}@{provider}").parse().ok(),
        };
        self.upn.clone().or(usual)
    }

    /// What the button on the page says.
    pub fn title<'a>(&'a self, provider: &'a str) -> &'a str {
        let usual = match self.preset {
            Some(OidcPreset::Google) => "Google",
            None => provider,
        };
        self.title.as_deref().unwrap_or(usual)
    }

    fn check(&self, provider: &str) -> Result<(), OidcFault> {
        let fault = |key, what: &str| OidcFault::Setting {
            provider: provider.to_owned(),
            key,
            what: what.to_owned(),
        };
        if self.issuer().is_none() {
            return Err(fault(
                "issuer",
                "is missing: give the provider's issuer URL, or preset = \"google\"",
            ));
        }
        if self.client_id.is_empty() || self.client_id.len() > 512 {
            return Err(fault("client_id", "has to have 1 to 512 characters"));
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            return Err(fault("scopes", "have to contain \"openid\""));
        }
        let blank =
            |scope: &String| scope.is_empty() || !scope.chars().all(|c| c.is_ascii_graphic());
        if self.scopes.len() > 32 || self.scopes.iter().any(blank) {
            return Err(fault("scopes", "are at most 32 words without blanks"));
        }
        if let Some(name) = self
            .attributes
            .keys()
            .find(|name| RESERVED.contains(&name.as_str()))
        {
            let what = format!("{name:?} has a meaning of its own; choose another name");
            return Err(fault("attributes", &what));
        }
        let relative =
            |file: &Option<PathBuf>| file.as_ref().is_some_and(|file| !file.is_absolute());
        if relative(&self.ca_file) {
            return Err(fault("ca_file", "has to be a path from /"));
        }
        Ok(())
    }
}

/// Checks what the types alone don't.
pub fn check(providers: &OidcProviders) -> Result<(), OidcFault> {
    if providers.len() > MAX_PROVIDERS {
        return Err(OidcFault::TooMany);
    }
    for (name, provider) in providers {
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(known) {
            return Err(OidcFault::Name(name.chars().take(80).collect()));
        }
        provider.check(name)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: serde_json::Value) -> Result<(), String> {
        let providers: OidcProviders =
            serde_json::from_value(json).map_err(|error| error.to_string())?;
        check(&providers).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_preset_or_an_issuer_is_enough() {
        use serde_json::json;
        read(json!({ "google": { "preset": "google", "client_id": "x" } })).unwrap();
        read(json!({ "corp": { "issuer": "https://id.corp.example", "client_id": "x" } })).unwrap();
    }

    #[test]
    fn faults_say_which_key_and_what_to_do() {
        use serde_json::json;
        for (settings, key) in [
            (json!({ "A b": { "client_id": "x" } }), "oidc.\"A b\""),
            (json!({ "a": { "client_id": "x" } }), "oidc.a.issuer"),
            (
                json!({ "a": { "preset": "google", "client_id": "" } }),
                "oidc.a.client_id",
            ),
            (
                json!({ "a": { "preset": "google", "client_id": "x", "scopes": ["email"] } }),
                "oidc.a.scopes",
            ),
            (
                json!({ "a": { "preset": "google", "client_id": "x", "attributes": { "account": "y" } } }),
                "oidc.a.attributes",
            ),
            (
                json!({ "a": { "preset": "google", "client_id": "x", "ca_file": "here.pem" } }),
                "oidc.a.ca_file",
            ),
            (
                json!({ "a": { "preset": "google", "client_id": "x", "secret": "y" } }),
                "unknown field",
            ),
        ] {
            let said = read(settings).unwrap_err();
            assert!(said.contains(key), "{said}");
        }
    }
}
