//! The section `cas`: a CAS server, protocol 1 to 3.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::naming::NameTemplate;

/// Which answer to ask the server for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CasProtocol {
    /// Two lines of text and no attributes.
    #[serde(rename = "1")]
    One,
    /// XML without attributes.
    #[serde(rename = "2")]
    Two,
    /// XML with attributes.
    #[default]
    #[serde(rename = "3")]
    Three,
}

/// The CAS server. Without an address there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CasServer {
    /// Its address, under which `login` and `serviceValidate` are: `https://cas.example/cas`.
    pub url: Option<String>,
    /// What the button on the page says.
    pub title: String,
    /// See [`CasProtocol`].
    pub protocol: CasProtocol,
    /// Whether it has to ask for the password again.
    pub renew: bool,
    /// The user's name here: `{user}` and attributes.
    pub upn: NameTemplate,
    /// The attributes to take over; it vouches for them.
    pub attributes: Vec<String>,
    /// Services that may log in on a user's behalf (proxy tickets), by their callback addresses. None:
    /// nobody may.
    pub proxies: Vec<String>,
    /// Authorities (PEM) to trust for this server instead of the system's.
    pub ca_file: Option<PathBuf>,
}

impl Default for CasServer {
    fn default() -> Self {
        Self {
            url: None,
            title: "CAS".to_owned(),
            protocol: CasProtocol::default(),
            renew: false,
            upn: NameTemplate::known("{user}@cas"),
            attributes: ["groups", "memberOf", "email", "mail", "displayName"]
                .map(str::to_owned)
                .into(),
            proxies: Vec::new(),
            ca_file: None,
        }
    }
}

/// What is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cas.{key}: {what}")]
pub struct CasFault {
    /// The setting.
    pub key: &'static str,
    /// What is wrong and what to do.
    pub what: &'static str,
}

impl CasServer {
    /// Checks what the types alone don't.
    pub fn check(&self) -> Result<(), CasFault> {
        let fault = |key, what| Err(CasFault { key, what });
        if let Some(url) = &self.url {
            let clean = !url.contains(['?', '#', '@']) && url.chars().all(|c| c.is_ascii_graphic());
            if !(clean && (url.starts_with("https://") || url.starts_with("http://"))) {
                return fault("url", "write https://host/path, without query or fragment");
            }
        }
        if self.attributes.iter().any(|name| {
            matches!(
                name.as_str(),
                "upn" | "way" | "account" | "ip_address" | "at" | "user"
            )
        }) {
            return fault(
                "attributes",
                "upn, way, account, ip_address, at and user have meanings of their own",
            );
        }
        if self.attributes.len() > 64 || self.proxies.len() > 64 {
            return fault("attributes", "attributes and proxies are at most 64 each");
        }
        if self
            .ca_file
            .as_ref()
            .is_some_and(|file| !file.is_absolute())
        {
            return fault("ca_file", "has to be a path from /");
        }
        Ok(())
    }
}
