//! Setting a machine up by hand: what somebody typed in, as it goes to whoever may write it down, and what
//! came of it. One line (the administrator's password, if there is an administrator), behind it a piece of
//! `gatepost.toml` up to the end; one line of JSON back.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// Largest form, in bytes: an SSH key of 16384 bits and all the rest fit.
pub const MAX_FORM: usize = 16 << 10;
/// Most that is read of a call.
pub const MAX_CALL: usize = 64 << 10;
/// Longest answer.
pub const MAX_END: usize = 16 << 10;

/// What somebody typed in. What is empty stays as it is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Form {
    /// The password of the administrator there is.
    pub admin_password: String,
    /// The machine's name.
    pub hostname: String,
    /// Its language.
    pub locale: String,
    /// Where its clock is.
    pub timezone: String,
    /// What the keys mean.
    pub keyboard: String,
    /// A variant of it.
    pub variant: String,
    /// Where the radio is.
    pub country: String,
    /// The Wi-Fi network.
    pub ssid: String,
    /// Its passphrase; none: it is open.
    pub passphrase: String,
    /// It doesn't say its name.
    pub hidden: bool,
    /// The administrator that is to be.
    pub name: String,
    /// Their password.
    pub password: String,
    /// One of their SSH keys.
    pub ssh_key: String,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Form")
    }
}

/// Text as TOML has it: as JSON, but for the one control character JSON lets stand.
fn quoted(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap_or_default();
    json.replace('\u{7f}', "\\u007F")
}

impl Form {
    /// The call.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = STANDARD.encode(&self.admin_password);
        out.push('\n');
        let mut line = |key: &str, value: &str| {
            if !value.is_empty() {
                // Writing to a String can't fail.
                let _infallible = writeln!(out, "{key} = {}", quoted(value));
            }
        };
        line("hostname", &self.hostname);
        line("locale", &self.locale);
        line("timezone", &self.timezone);
        line("keyboard.layout", &self.keyboard);
        line("keyboard.variant", &self.variant);
        line("wifi.country", &self.country);
        if !self.ssid.is_empty() {
            let network = format!("wifi.networks.{}", quoted(&self.ssid));
            let open = self.passphrase.is_empty();
            line(
                &format!("{network}.security"),
                if open { "open" } else { "psk" },
            );
            line(&format!("{network}.password"), &self.passphrase);
        }
        line("admin.name", &self.name);
        line("admin.password", &self.password);
        if !self.ssid.is_empty() && self.hidden {
            let _infallible = writeln!(out, "wifi.networks.{}.hidden = true", quoted(&self.ssid));
        }
        if !self.ssh_key.trim().is_empty() {
            let _infallible = writeln!(out, "admin.ssh_keys = [{}]", quoted(self.ssh_key.trim()));
        }
        out.into_bytes()
    }
}

/// A call as it is read.
#[derive(Clone, PartialEq, Eq)]
pub struct SetupCall {
    /// The password of the administrator there is; empty if none was given.
    pub password: String,
    /// What is to be, in the words of `gatepost.toml`.
    pub toml: String,
}

impl SetupCall {
    /// Reads one; none if it is no call.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_CALL {
            return None;
        }
        let (first, rest) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
        Some(Self {
            password: String::from_utf8(STANDARD.decode(first).ok()?).ok()?,
            toml: rest.to_owned(),
        })
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SetupEnd {
    /// It is so now.
    Done {},
    /// Something in it is wrong; nothing was changed.
    Wrong {
        /// What.
        problems: Vec<Wrong>,
    },
    /// The administrator's password is wrong, or missing.
    Password {},
    /// It can't be done here.
    Closed {
        /// Why.
        why: String,
    },
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    /// The key in the words of `gatepost.toml`; empty: all of it.
    pub key: String,
    /// A sentence.
    pub says: String,
}

impl SetupEnd {
    /// The line.
    pub fn encode(&self) -> Vec<u8> {
        // Texts can always be written.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_a_call_and_no_text_ends_its_line() {
        let form = Form {
            admin_password: "old\npass".to_owned(),
            hostname: "kiosk\"\nadmin.name = \"eve".to_owned(),
            ssid: "a\"]\nb\u{7f}".to_owned(),
            passphrase: "\\\"".to_owned(),
            hidden: true,
            ..Form::default()
        };
        let call = SetupCall::decode(&form.encode()).unwrap();
        assert_eq!(call.password, "old\npass");
        let lines: Vec<&str> = call.toml.lines().collect();
        assert_eq!(
            lines,
            [
                r#"hostname = "kiosk\"\nadmin.name = \"eve""#,
                r#"wifi.networks."a\"]\nb\u007F".security = "psk""#,
                r#"wifi.networks."a\"]\nb\u007F".password = "\\\"""#,
                r#"wifi.networks."a\"]\nb\u007F".hidden = true"#,
            ]
        );
        assert_eq!(format!("{form:?}"), "Form");
        assert_eq!(Form::default().encode(), b"\n");
    }

    #[test]
    fn calls_are_read_up_to_their_limit() {
        let mut bytes = b"\n".to_vec();
        bytes.resize(MAX_CALL, b'#');
        assert!(SetupCall::decode(&bytes).is_some());
        bytes.push(b'#');
        assert!(SetupCall::decode(&bytes).is_none());
        for bad in [&b""[..], b"no end", b"!\nx", b"\n\xff"] {
            assert!(SetupCall::decode(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn ends_are_read_as_they_were_written() {
        for end in [
            SetupEnd::Done {},
            SetupEnd::Password {},
            SetupEnd::Closed {
                why: "x".to_owned(),
            },
            SetupEnd::Wrong {
                problems: vec![Wrong {
                    key: "hostname".to_owned(),
                    says: "x".to_owned(),
                }],
            },
        ] {
            let line = end.encode();
            assert!(line.ends_with(b"\n"));
            assert_eq!(serde_json::from_slice::<SetupEnd>(&line).unwrap(), end);
        }
    }
}
