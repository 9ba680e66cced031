//! Section `server.tls.acme`: an authority that gives certificates by itself (RFC 8555).

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::HostName;

/// The authority most people mean.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// Longest directory URL, in bytes.
const MAX_URL: usize = 1024;
/// Most names in one certificate: what Let's Encrypt takes.
const MAX_NAMES: usize = 100;
/// Most contacts, and the longest, in bytes: more than authorities take.
const MAX_CONTACTS: usize = 10;
const MAX_CONTACT: usize = 254;

/// Whom to ask for a certificate, and for which names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Acme {
    /// The authority's directory.
    pub directory: String,
    /// Whether its terms of service are accepted. Nothing is asked of it before.
    pub accept_terms: bool,
    /// The DNS names of the certificate. Gatepost answers to them, too.
    pub names: Vec<HostName>,
    /// Email addresses the authority may write to.
    pub contact: Vec<String>,
    /// Authorities (PEM) to trust for the directory itself; the system's if absent.
    pub ca_file: Option<PathBuf>,
}

impl Default for Acme {
    fn default() -> Self {
        Self {
            directory: LETS_ENCRYPT.to_owned(),
            accept_terms: false,
            names: Vec::new(),
            contact: Vec::new(),
            ca_file: None,
        }
    }
}

impl Acme {
    /// What doesn't fit together, with mode "acme".
    pub(in crate::policy::settings) fn check(&self, object: &mut impl FnMut(&str, &str)) {
        let url = &self.directory;
        if !url.starts_with("https://") || url.len() > MAX_URL || url.contains(['#', '@', ' ']) {
            object(
                "tls.acme.directory",
                "is no URL like \"https://authority.example/directory\"",
            );
        }
        if !self.accept_terms {
            object(
                "tls.acme.accept_terms",
                "has to be true before an authority is asked: read its terms of service first (the directory names them)",
            );
        }
        if !(1..=MAX_NAMES).contains(&self.names.len()) {
            object(
                "tls.acme.names",
                "needs the 1 to 100 DNS names the certificate is for",
            );
        }
        for name in &self.names {
            let name = name.as_str();
            if name.starts_with('[') || name.parse::<IpAddr>().is_ok() || !name.contains('.') {
                object(
                    "tls.acme.names",
                    &format!(
                        "{name:?} is no name that an authority can look up, like \"term.example.org\""
                    ),
                );
            }
        }
        let email = |text: &String| {
            text.len() <= MAX_CONTACT
                && text
                    .split_once('@')
                    .is_some_and(|(who, host)| !who.is_empty() && host.parse::<HostName>().is_ok())
                && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if self.contact.len() > MAX_CONTACTS || !self.contact.iter().all(email) {
            object(
                "tls.acme.contact",
                "takes up to 10 email addresses like \"admin@example.org\"",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(change: impl FnOnce(&mut Acme)) -> Vec<String> {
        let mut acme = Acme {
            accept_terms: true,
            names: vec!["term.example.org".parse().unwrap()],
            contact: vec!["admin@example.org".to_owned()],
            ..Acme::default()
        };
        change(&mut acme);
        let mut keys = Vec::new();
        acme.check(&mut |key, _| keys.push(key.to_owned()));
        keys
    }

    #[test]
    fn terms_are_accepted_by_hand_and_names_are_those_of_dns() {
        assert!(wrong(|_| ()).is_empty());
        assert_eq!(
            wrong(|acme| acme.accept_terms = false),
            ["tls.acme.accept_terms"]
        );
        for bad in ["kiosk", "192.0.2.1", "2001:db8::1"] {
            let keys = wrong(|acme| acme.names = vec![bad.parse().unwrap()]);
            assert_eq!(keys, ["tls.acme.names"], "{bad}");
        }
        for bad in ["http://a.example/", "a.example", "https://u@a.example/", ""] {
            let keys = wrong(|acme| acme.directory = bad.to_owned());
            assert_eq!(keys, ["tls.acme.directory"], "{bad}");
        }
        for bad in [
            "mailto:admin",
            "admin",
            "@example.org",
            "a b@example.org",
            "a@",
        ] {
            let keys = wrong(|acme| acme.contact = vec![bad.to_owned()]);
            assert_eq!(keys, ["tls.acme.contact"], "{bad}");
        }
    }

    #[test]
    fn limits_hold_at_the_limit_and_one_past_it() {
        let names = |count| wrong(|acme| acme.names = vec!["a.example".parse().unwrap(); count]);
        assert!(names(MAX_NAMES).is_empty());
        assert!(!names(MAX_NAMES + 1).is_empty());
        assert!(!names(0).is_empty());
        let contacts = |count| wrong(|acme| acme.contact = vec!["a@b.example".to_owned(); count]);
        assert!(contacts(MAX_CONTACTS).is_empty());
        assert!(!contacts(MAX_CONTACTS + 1).is_empty());
        let url = |length: usize| {
            wrong(|acme| acme.directory = format!("https://{}", "a".repeat(length - 8)))
        };
        assert!(url(MAX_URL).is_empty());
        assert!(!url(MAX_URL + 1).is_empty());
    }
}
