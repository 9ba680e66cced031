//! What doesn't fit together in a [`Provision`], each part of which is fine by itself.

use super::schema::{Admin, Link, Provision, Security, Wlan};
use super::secrets::MOVED;
use super::words::Hidden;

/// The keys that lead to it, and a sentence.
pub(super) type Objection = (Vec<String>, String);

/// Most Wi-Fi networks: a radio looks for each hidden one in turn.
const MAX_NETWORKS: usize = 32;
/// Most keys, addresses and words.
const MAX_LIST: usize = 64;
/// Longest text for people, in characters.
const MAX_TEXT: usize = 128;
/// Lengths of an administrator's password, in bytes.
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=256;

/// Notes objections to what is found below some keys.
struct Objections<'a> {
    above: &'a [&'a str],
    out: &'a mut Vec<Objection>,
}

impl Objections<'_> {
    fn when(&mut self, wrong: bool, key: &str, message: &str) {
        if wrong {
            let mut keys: Vec<String> = self.above.iter().map(ToString::to_string).collect();
            keys.push(key.to_owned());
            self.out.push((keys, message.to_owned()));
        }
    }
}

impl Provision {
    pub(super) fn check(&self) -> Vec<Objection> {
        let mut out = Vec::new();
        let many = self.wifi.networks.len() > MAX_NETWORKS;
        let mut wifi = Objections {
            above: &["wifi"],
            out: &mut out,
        };
        wifi.when(many, "networks", "more than 32 networks");
        for (ssid, wlan) in &self.wifi.networks {
            let above = ["wifi", "networks", ssid.as_str()];
            wlan.check(&mut Objections {
                above: &above,
                out: &mut out,
            });
        }
        for (name, link) in [("wired", &self.network.wired), ("wifi", &self.network.wifi)] {
            if let Some(link) = link {
                link.check(&mut Objections {
                    above: &["network", name],
                    out: &mut out,
                });
            }
        }
        if let Some(admin) = &self.admin {
            admin.check(&mut Objections {
                above: &["admin"],
                out: &mut out,
            });
        }
        let can_log_in = self.admin.as_ref().is_some_and(|admin| {
            !admin.ssh_keys.is_empty()
                || self.ssh.passwords && (admin.password.is_some() || admin.password_hash.is_some())
        });
        let mut rest = Objections {
            above: &["ssh"],
            out: &mut out,
        };
        rest.when(
            self.ssh.enabled == Some(true) && !can_log_in,
            "enabled",
            "nobody could log in: give [admin] ssh_keys, or a password and passwords = true",
        );
        rest.above = &["kiosk"];
        let command = &self.kiosk.command;
        rest.when(
            command.len() > MAX_LIST || command.first().is_some_and(|word| !word.starts_with('/')),
            "command",
            "begin with the program's absolute path, as in [\"/usr/bin/top\", \"-d\", \"5\"]; at most 64 words",
        );
        rest.above = &["fleet"];
        rest.when(
            self.fleet
                .broker
                .as_ref()
                .is_some_and(|url| !is_broker(url)),
            "broker",
            "write its URL, as in \"amqps://kiosk7@broker.example/\"",
        );
        out
    }
}

fn is_broker(url: &Hidden) -> bool {
    let url = url.expose();
    let known = ["amqp://", "amqps://", "redis://", "rediss://"];
    url == MOVED
        || url.len() <= 1024
            && !url.chars().any(|c| c.is_control() || c.is_whitespace())
            && known.iter().any(|scheme| {
                url.strip_prefix(scheme)
                    .is_some_and(|rest| !rest.is_empty())
            })
}

impl Wlan {
    /// How it is protected.
    pub(super) fn kind(&self) -> Security {
        self.security.unwrap_or(Security::Psk)
    }

    fn check(&self, note: &mut Objections<'_>) {
        let kind = self.kind();
        let enterprise = matches!(kind, Security::Peap | Security::Tls);
        let absent = |key: &'static str| match key {
            "password" => self.password.is_none(),
            "identity" => self.identity.is_none(),
            "ca_certificate" => self.ca_certificate.is_none(),
            "client_certificate" => self.client_certificate.is_none(),
            _ => self.client_key.is_none(),
        };
        let needs: &[&str] = match kind {
            Security::Open => &[],
            Security::Psk | Security::Sae => &["password"],
            Security::Peap => &["identity", "password", "ca_certificate"],
            Security::Tls => &[
                "identity",
                "client_certificate",
                "client_key",
                "ca_certificate",
            ],
        };
        for key in needs {
            let message = match *key {
                "password" if kind == Security::Psk => {
                    "is missing; a network without one is written with security = \"open\""
                }
                "ca_certificate" => {
                    "is missing: without it anybody could pretend to be this network and learn the password"
                }
                _ => "is missing for this kind of security",
            };
            note.when(absent(key), key, message);
        }
        let useless = [
            (
                "password",
                self.password.is_some() && matches!(kind, Security::Open | Security::Tls),
            ),
            ("identity", self.identity.is_some() && !enterprise),
            (
                "anonymous_identity",
                self.anonymous_identity.is_some() && !enterprise,
            ),
            ("domain", self.domain.is_some() && !enterprise),
            (
                "ca_certificate",
                self.ca_certificate.is_some() && !enterprise,
            ),
            (
                "client_certificate",
                self.client_certificate.is_some() && kind != Security::Tls,
            ),
            (
                "client_key",
                self.client_key.is_some() && kind != Security::Tls,
            ),
            (
                "client_key_password",
                self.client_key_password.is_some() && kind != Security::Tls,
            ),
        ];
        for (key, wrong) in useless {
            note.when(wrong, key, "means nothing with this kind of security");
        }
        if let Some(password) = &self.password {
            let text = password.expose();
            let raw = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            let printable = text.bytes().all(|byte| (32..127).contains(&byte));
            let good = match kind {
                Security::Psk => raw || (8..=63).contains(&text.len()) && printable,
                Security::Sae => (1..=128).contains(&text.len()) && !raw,
                _ => (1..=256).contains(&text.len()),
            };
            let message = match kind {
                Security::Sae => {
                    "a WPA3 passphrase has 1 to 128 bytes (a key of 64 digits is for WPA2 only)"
                }
                Security::Psk => "a passphrase has 8 to 63 ASCII characters",
                _ => "a password has 1 to 256 bytes",
            };
            note.when(!good && kind != Security::Open, "password", message);
        }
        let texts = [
            ("identity", &self.identity),
            ("anonymous_identity", &self.anonymous_identity),
        ];
        for (key, text) in texts {
            let bad = |text: &String| text.is_empty() || text.chars().count() > MAX_TEXT;
            note.when(
                text.as_ref().is_some_and(bad),
                key,
                "has to have 1 to 128 characters",
            );
        }
    }
}

impl Link {
    /// Whether an address is asked for.
    pub(super) fn asks(&self) -> bool {
        self.dhcp.unwrap_or(self.addresses.is_empty())
    }

    fn check(&self, note: &mut Objections<'_>) {
        note.when(
            !self.asks() && self.addresses.is_empty(),
            "dhcp",
            "without DHCP the machine needs addresses = [\"192.0.2.7/24\"]",
        );
        note.when(
            !self.gateways.is_empty() && self.addresses.is_empty(),
            "gateways",
            "a gateway needs addresses in its network",
        );
        let long = [
            ("addresses", self.addresses.len()),
            ("gateways", self.gateways.len()),
            ("dns", self.dns.len()),
            ("search", self.search.len()),
        ];
        for (key, count) in long {
            note.when(count > MAX_LIST, key, "more than 64 entries");
        }
    }
}

impl Admin {
    fn check(&self, note: &mut Objections<'_>) {
        note.when(
            self.password.is_some() && self.password_hash.is_some(),
            "password_hash",
            "give the password or its hash, not both",
        );
        note.when(
            self.password.is_none() && self.password_hash.is_none() && self.ssh_keys.is_empty(),
            "name",
            "nobody could log in: give a password, a password_hash or ssh_keys",
        );
        let text =
            |hidden: &Option<Hidden>| hidden.as_ref().map(|hidden| hidden.expose().to_owned());
        note.when(
            text(&self.password).is_some_and(|text| {
                !PASSWORD.contains(&text.len()) || text.chars().any(char::is_control)
            }),
            "password",
            "a password has 8 to 256 bytes and no control characters",
        );
        note.when(
            text(&self.password_hash).is_some_and(|text| text != MOVED && !is_hash(&text)),
            "password_hash",
            "write a hash as in /etc/shadow, which `openssl passwd -6` makes: \"$6$…\"",
        );
        note.when(
            self.ssh_keys.len() > MAX_LIST,
            "ssh_keys",
            "more than 64 keys",
        );
        let name = self.full_name.as_deref().unwrap_or_default();
        note.when(
            name.chars().count() > MAX_TEXT
                || name.contains([':', ','])
                || name.chars().any(char::is_control),
            "full_name",
            "a name for people has at most 128 characters, no colons and no commas",
        );
    }
}

/// Whether it looks like what crypt(5) makes with a method that is still worth something.
fn is_hash(text: &str) -> bool {
    let known = ["$y$", "$gy$", "$7$", "$6$", "$5$", "$2b$"];
    let letters = |c: char| c.is_ascii_alphanumeric() || "./$=,".contains(c);
    (20..=256).contains(&text.len())
        && known.iter().any(|method| text.starts_with(method))
        && text.chars().all(letters)
}
