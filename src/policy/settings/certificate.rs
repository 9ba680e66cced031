//! The section `certificate`: who somebody with a client certificate is. Which certificates are believed at
//! all says `server.tls`.

use serde::{Deserialize, Serialize};

use super::naming::NameTemplate;

/// How a certificate becomes a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CertificateNaming {
    /// What the button on the page says.
    pub title: String,
    /// The user's name here, from the certificate's alternative names `{email}`, `{dns}`, `{uri}` and
    /// `{principal}` (a Microsoft UPN), or its `{serial}`, `{fingerprint}` or, for whoever knows
    /// that their authority checks it, `{cn}`.
    pub upn: NameTemplate,
}

impl Default for CertificateNaming {
    fn default() -> Self {
        Self {
            title: "Certificate".to_owned(),
            upn: NameTemplate::known("{email}"),
        }
    }
}
