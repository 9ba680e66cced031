//! What there is to set in section `auth`.

use super::auth::AuthSettings;
use super::{Objection, Opt, Section};

/// The section.
pub(super) const SECTION: Section = Section {
    name: "auth",
    help: "How long logins last, how often somebody may guess, and what each way to log in needs. The ways that are open stand in `server.auth`.",
    options: &[
        Opt::machine(
            "logins.idle",
            "whole number of seconds",
            "A login nobody used for this many seconds is over.",
        ),
        Opt::machine(
            "logins.absolute",
            "whole number of seconds",
            "A login is over after this many seconds in any case.",
        ),
        Opt::machine(
            "logins.most",
            "whole number",
            "Most logins at a time; past it the one unused for longest ends.",
        ),
        Opt::machine(
            "throttle.user_failures",
            "whole number",
            "Failures of one user name before it has to wait.",
        ),
        Opt::machine(
            "throttle.address_failures",
            "whole number",
            "Failures from one address (one IPv6 /64) before it has to wait.",
        ),
        Opt::machine(
            "throttle.wait",
            "whole number of seconds",
            "The first wait, in seconds; it doubles with each further failure.",
        ),
        Opt::machine(
            "throttle.longest_wait",
            "whole number of seconds",
            "The longest wait, in seconds.",
        ),
        Opt::machine(
            "throttle.forget",
            "whole number of seconds",
            "Failures older than this many seconds are forgotten.",
        ),
        Opt::machine(
            "throttle.failure_milliseconds",
            "whole number of milliseconds",
            "Every failure is answered after a multiple of this many milliseconds, so that the time it takes tells nothing.",
        ),
        Opt::machine(
            "pam.socket",
            "path",
            "Where the login helper (gatepost-login.socket) listens.",
        ),
        Opt::machine(
            "pam.conversations",
            "whole number",
            "Conversations at a time, of everybody.",
        ),
        Opt::machine(
            "pam.conversations_per_address",
            "whole number",
            "Conversations at a time from one address.",
        ),
        Opt::machine(
            "pam.abandoned",
            "whole number of seconds",
            "A conversation nobody answered for this many seconds is over.",
        ),
        Opt::machine(
            "pam.x2go",
            "absolute path",
            "Ask the X2Go authentication service (x2gobroker-authservice, gatepost-auth.socket) on this socket whether a password is right, instead of the login helper. Whoever comes in so can watch and do what their scopes say, and open no terminals.",
        ),
        Opt::machine(
            "pam.x2go_service",
            "text",
            "The name of the PAM rules that service is asked to use.",
        ),
        Opt::machine("local.user", "text", "The administrator's user name."),
        Opt::machine(
            "api.sha1",
            "true or false",
            "Accept HMAC-SHA1 signatures, as Gate One's own examples make them.",
        ),
        Opt::machine(
            "tokens.redis",
            "URL",
            "A Redis that the other application writes tokens to, as in `redis://127.0.0.1:6379/0` or `redis+unix:///run/redis/redis.sock`. Nothing is encrypted on the way: keep it on this machine.",
        ),
        Opt::machine(
            "tokens.redis_password",
            "{ file = \"/path\" } or { credential = \"name\" }",
            "The Redis' password, in a file not everybody may read or a systemd credential. A user's name stands in the URL.",
        ),
        Opt::machine(
            "none.i_know_that_anybody_gets_a_shell",
            "true or false",
            "Let in whoever reaches this server from anywhere, not only from this machine: each of them gets a shell.",
        ),
        Opt::machine(
            "none.i_know_that_no_proxy_is_in_front",
            "true or false",
            "Keep the way none open on this machine although server.public_url, server.allow_hosts, server.trusted_proxies or server.tls.acme say that others come from elsewhere: through a proxy on this machine, all of them would be on this machine.",
        ),
    ],
};

impl AuthSettings {
    /// What doesn't fit together.
    pub(super) fn check(&self, out: &mut Vec<Objection>) {
        if self.local.user.parse::<crate::base::UserName>().is_err() {
            let message = "is no user name";
            out.push(("auth.local.user".to_owned(), message.to_owned()));
        }
        if self.tokens.redis.as_deref().is_some_and(holds_a_password) {
            let message = "a password doesn't belong in the configuration: put it into a file and write auth.tokens.redis_password = { file = \"/path\" }";
            out.push(("auth.tokens.redis".to_owned(), message.to_owned()));
        }
    }
}

/// Whether an address has something between a colon and an @ in front of its host.
fn holds_a_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    // A Unix socket's stands in the query.
    user.is_some_and(|user| user.contains(':')) || url.contains("?pass=") || url.contains("&pass=")
}
