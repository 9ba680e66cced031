//! Which settings a running server takes up, and which wait until it is started again.

use serde_json::Value;

use super::{SECTIONS, Settings};

/// What of section `server` a running server takes up.
const LIVE: &[&str] = &[
    "allow_hosts",
    "trusted_proxies",
    "proxy_header",
    "frame_ancestors",
    "hsts",
];

/// Whether a change of this option waits until the server is started again.
pub fn waits_for_restart(section: &str, key: &str) -> bool {
    match section {
        "server" => !LIVE.contains(&key),
        "auth" => true,
        _ => false,
    }
}

/// The options, as `section.key`, whose values differ from those a server was started with and that it
/// doesn't take up.
pub fn waiting(started: &Settings, now: &Settings) -> Vec<String> {
    // Settings are plain data; what can't be written down would be in no file, either.
    let [started, now] = [started, now].map(|all| serde_json::to_value(all).unwrap_or_default());
    let mut out = Vec::new();
    for section in SECTIONS {
        for option in section.options {
            let value = |all: &Value| {
                let mut path = option.key.split('.');
                let section = all.get(section.name)?;
                path.try_fold(section, |value, part| value.get(part))
                    .cloned()
            };
            if waits_for_restart(section.name, option.key) && value(&started) != value(&now) {
                out.push(format!("{}.{}", section.name, option.key));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_waits_is_named_by_its_key_and_what_counts_at_once_is_not() {
        let started = Settings::default();
        let now: Settings = serde_json::from_value(json!({
            "server": {
                "listen": ["127.0.0.1:1"],
                "tls": { "acme": { "accept_terms": true } },
                "allow_hosts": ["a.example"],
                "trusted_proxies": ["unix"],
                "proxy_header": "forwarded",
                "frame_ancestors": ["self"],
                "hsts": "off",
            },
            "auth": { "throttle": { "wait": 1 } },
            "limits": { "machine_terminals": 1 },
            "cas": { "url": "https://cas.example/" },
        }))
        .unwrap();
        assert_eq!(
            waiting(&started, &now),
            [
                "server.listen",
                "server.tls.acme.accept_terms",
                "auth.throttle.wait"
            ]
        );
        assert!(waiting(&now, &now).is_empty());
    }

    #[test]
    fn every_option_of_the_lists_is_looked_at_and_exists() {
        let all = serde_json::to_value(Settings::default()).unwrap();
        for section in SECTIONS {
            for option in section.options {
                if waits_for_restart(section.name, option.key) {
                    let path = format!("/{}/{}", section.name, option.key.replace('.', "/"));
                    assert!(all.pointer(&path).is_some(), "{path}");
                }
            }
        }
        let server = SECTIONS.iter().find(|section| section.name == "server");
        for key in LIVE {
            let mut options = server.unwrap().options.iter();
            assert!(options.any(|option| option.key == *key), "{key}");
        }
    }
}
