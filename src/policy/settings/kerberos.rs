//! The section `kerberos`: tickets for this machine, as browsers send them (SPNEGO).

use serde::{Deserialize, Serialize};

use super::naming::NameTemplate;

/// Whose tickets count, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KerberosService {
    /// What the button on the page says.
    pub title: String,
    /// The service that tickets have to be for: `HTTP@host`, the host as browsers write it. Its key is
    /// in the keytab (`KRB5_KTNAME`).
    pub service: Option<String>,
    /// The realms whose users may come in.
    pub realms: Vec<String>,
    /// The user's name here, from `{principal}` (`alice@REALM`), `{user}` and `{realm}`.
    pub upn: NameTemplate,
}

impl Default for KerberosService {
    fn default() -> Self {
        Self {
            title: "Kerberos".to_owned(),
            service: None,
            realms: Vec::new(),
            upn: NameTemplate::known("{principal}"),
        }
    }
}

/// What is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("kerberos.{key}: {what}")]
pub struct KerberosFault {
    /// The setting.
    pub key: &'static str,
    /// What is wrong and what to do.
    pub what: &'static str,
}

impl KerberosService {
    /// Checks what the types alone don't.
    pub fn check(&self) -> Result<(), KerberosFault> {
        let Some(service) = &self.service else {
            return Ok(());
        };
        let form = service.strip_prefix("HTTP@").is_some_and(|host| {
            let known = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
            !host.is_empty() && host.len() <= 253 && host.chars().all(known)
        });
        if !form {
            return Err(KerberosFault {
                key: "service",
                what: "write HTTP@host, the host as browsers write it",
            });
        }
        if self.realms.is_empty() || self.realms.len() > 64 {
            return Err(KerberosFault {
                key: "realms",
                what: "list the realms (1 to 64) whose users may come in",
            });
        }
        Ok(())
    }
}
