//! Where the way `none` must not be open: behind a proxy, whoever asks seems to be on this machine.

use std::net::IpAddr;

use crate::base::Way;

use super::server::TlsMode;
use super::{Objection, Settings};

impl Settings {
    /// Objects to `none` where the settings say that people come from elsewhere by a name or a proxy.
    pub(super) fn check_none(&self, out: &mut Vec<Objection>) {
        let (server, none) = (&self.server, self.auth.none);
        let known = none.i_know_that_anybody_gets_a_shell || none.i_know_that_no_proxy_is_in_front;
        if known || !server.auth.contains(&Way::None) {
            return;
        }
        let public = server.public_url.as_ref();
        let mut signs = Vec::new();
        if public.is_some_and(|url| !is_here(url.host())) {
            signs.push("public_url");
        }
        if server
            .allow_hosts
            .iter()
            .any(|name| !is_here(name.as_str()))
        {
            signs.push("allow_hosts");
        }
        if !server.trusted_proxies.is_empty() {
            signs.push("trusted_proxies");
        }
        if server.tls.mode == TlsMode::Acme {
            signs.push("tls.mode");
        }
        if signs.is_empty() {
            return;
        }
        out.push((
            "server.auth".to_owned(),
            format!(
                "\"none\" lets in whoever is on this machine, and {} says that people come from elsewhere: a proxy on this machine would \
                 make all of them be on this machine, each with a shell. Take \"none\" out; or, if there is no such proxy, set \
                 auth.none.i_know_that_no_proxy_is_in_front",
                signs.join(" and ")
            ),
        ));
    }
}

/// Whether a host is this machine as only itself sees it.
fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let local = bare == "localhost" || bare.ends_with(".localhost");
    local
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn objections(server: &serde_json::Value, none: &serde_json::Value) -> Vec<String> {
        let mut all = json!({ "server": server, "auth": { "none": none } });
        if all["server"]["auth"].is_null() {
            all["server"]["auth"] = json!(["pam", "none"]);
        }
        let settings: Settings = serde_json::from_value(all).unwrap();
        settings.check().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn none_and_signs_of_a_proxy_exclude_each_other() {
        for (sign, server) in [
            (
                "public_url",
                json!({ "public_url": "https://term.example/" }),
            ),
            (
                "allow_hosts",
                json!({ "allow_hosts": ["localhost", "term.example"] }),
            ),
            ("allow_hosts", json!({ "allow_hosts": ["192.0.2.1"] })),
            (
                "trusted_proxies",
                json!({ "trusted_proxies": ["127.0.0.1/32"] }),
            ),
            ("trusted_proxies", json!({ "trusted_proxies": ["unix"] })),
        ] {
            let found = objections(&server, &json!({}));
            assert!(found.len() == 1 && found[0].contains(sign), "{found:?}");
            for known in [
                "i_know_that_no_proxy_is_in_front",
                "i_know_that_anybody_gets_a_shell",
            ] {
                assert!(objections(&server, &json!({ (known): true })).is_empty());
            }
            let mut closed = server;
            closed["auth"] = json!(["pam"]);
            assert!(objections(&closed, &json!({})).is_empty());
        }
    }

    #[test]
    fn names_of_this_machine_as_only_itself_sees_it_are_no_sign() {
        for server in [
            json!({}),
            json!({ "public_url": "http://127.0.0.1:8080/" }),
            json!({ "public_url": "http://[::1]/x/" }),
            json!({ "allow_hosts": ["localhost", "[::1]", "127.0.0.2", "a.localhost"] }),
        ] {
            assert!(objections(&server, &json!({})).is_empty());
        }
    }
}
