//! What there is to set in the sections of single sign-on: `oidc`, `cas`, `certificate`, `kerberos`.

use crate::base::Way;

use super::{Objection, Opt, Section, Settings, oidc};

/// The section `oidc`.
pub(super) const OIDC: Section = Section {
    name: "oidc",
    help: "OpenID Connect: a table for each provider. `docs/sso.md` explains.",
    options: &[
        Opt::machine(
            "<name>.preset",
            "\"google\"",
            "A known provider; fills in what is not said.",
        ),
        Opt::machine(
            "<name>.title",
            "text",
            "What the button says; <name> if absent.",
        ),
        Opt::machine(
            "<name>.issuer",
            "https address",
            "The provider's issuer, exactly as it writes it.",
        ),
        Opt::machine("<name>.client_id", "text", "Our name at the provider."),
        Opt::machine(
            "<name>.client_secret",
            "secret",
            "Our secret at the provider: { file = \"/path\" } or { credential = \"name\" }; without one a public client.",
        ),
        Opt::machine("<name>.scopes", "list of words", "What to ask for."),
        Opt::machine(
            "<name>.upn",
            "name template",
            "The user's name from claims; \"{sub}@<name>\" if absent.",
        ),
        Opt::machine(
            "<name>.groups_claim",
            "text",
            "The claim that becomes the attribute `groups`.",
        ),
        Opt::machine(
            "<name>.attributes",
            "table of texts",
            "More attributes: attribute = claim.",
        ),
        Opt::machine(
            "<name>.userinfo",
            "true or false",
            "Whether to ask userinfo for claims the ID token leaves out.",
        ),
        Opt::machine(
            "<name>.prompt",
            "\"login\", \"select_account\" or \"consent\"",
            "What the provider has to ask also of somebody it knows.",
        ),
        Opt::machine(
            "<name>.ca_file",
            "absolute path",
            "Authorities (PEM) to trust for this provider; the system's if absent.",
        ),
    ],
};

/// The section `cas`.
pub(super) const CAS: Section = Section {
    name: "cas",
    help: "A CAS server. `docs/sso.md` explains.",
    options: &[
        Opt::machine(
            "url",
            "https address",
            "The server's address, under which `login` is.",
        ),
        Opt::machine("title", "text", "What the button says."),
        Opt::machine(
            "protocol",
            "\"1\", \"2\" or \"3\"",
            "Which version of the protocol to speak.",
        ),
        Opt::machine(
            "renew",
            "true or false",
            "Whether the server has to ask for the password again.",
        ),
        Opt::machine(
            "upn",
            "name template",
            "The user's name from {user} and attributes.",
        ),
        Opt::machine(
            "attributes",
            "list of words",
            "The attributes to take over.",
        ),
        Opt::machine(
            "proxies",
            "list of addresses",
            "Services that may log in on a user's behalf.",
        ),
        Opt::machine(
            "ca_file",
            "absolute path",
            "Authorities (PEM) to trust for this server; the system's if absent.",
        ),
    ],
};

/// The section `certificate`.
pub(super) const CERTIFICATE: Section = Section {
    name: "certificate",
    help: "Client certificates as logins; which are believed says `server.tls`. `docs/sso.md` explains.",
    options: &[
        Opt::machine("title", "text", "What the button says."),
        Opt::machine(
            "upn",
            "name template",
            "The user's name from {email}, {dns}, {uri}, {principal}, {serial}, {fingerprint} or {cn}.",
        ),
    ],
};

/// The section `kerberos`.
pub(super) const KERBEROS: Section = Section {
    name: "kerberos",
    help: "Kerberos tickets (SPNEGO), where it is built in. `docs/sso.md` explains.",
    options: &[
        Opt::machine("title", "text", "What the button says."),
        Opt::machine(
            "service",
            "HTTP@host",
            "The service tickets have to be for; its key is in the keytab.",
        ),
        Opt::machine(
            "realms",
            "list of realms",
            "The realms whose users may come in.",
        ),
        Opt::machine(
            "upn",
            "name template",
            "The user's name from {principal}, {user} and {realm}.",
        ),
    ],
};

impl Settings {
    /// What doesn't fit together in these sections, and with the ways that are open.
    pub(super) fn check_sso(&self, out: &mut Vec<Objection>) {
        let mut object = |error: Option<String>| {
            if let Some((key, what)) = error.as_deref().and_then(|text| text.split_once(": ")) {
                out.push((key.to_owned(), what.to_owned()));
            }
        };
        object(oidc::check(&self.oidc).err().map(|fault| fault.to_string()));
        object(self.cas.check().err().map(|fault| fault.to_string()));
        object(self.kerberos.check().err().map(|fault| fault.to_string()));
        let open = |way: Way| self.server.auth.contains(&way);
        for (way, missing, what) in [
            (
                Way::Oidc,
                self.oidc.is_empty(),
                "\"oidc\" needs a provider: see section oidc",
            ),
            (Way::Cas, self.cas.url.is_none(), "\"cas\" needs cas.url"),
            (
                Way::Kerberos,
                self.kerberos.service.is_none(),
                "\"kerberos\" needs kerberos.service",
            ),
        ] {
            if open(way) && missing {
                out.push(("server.auth".to_owned(), what.to_owned()));
            }
        }
    }
}
