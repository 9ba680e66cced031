//! Wi-Fi, as wpa_supplicant reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use super::files::{Content, Owner, Planned, under};
use super::schema::{Provision, Security, Wlan};
use super::words::{FileName, Hidden, Ssid};

/// Rounds of the function that makes a key of a passphrase (IEEE 802.11, J.4).
const ROUNDS: u32 = 4096;

pub(super) fn plan(
    provision: &Provision,
    files: &BTreeMap<FileName, String>,
    out: &mut Vec<Planned>,
) {
    let wifi = &provision.wifi;
    if wifi.networks.is_empty() {
        return;
    }
    let mut text = "ctrl_interface=/run/wpa_supplicant\n".to_owned();
    if let Some(country) = &wifi.country {
        let _infallible = writeln!(text, "country={country}");
    }
    for (ssid, wlan) in &wifi.networks {
        text.push_str("network={\n");
        for (key, value) in network(ssid, wlan) {
            let _infallible = writeln!(text, "\t{key}={value}");
        }
        text.push_str("}\n");
        let named = [
            &wlan.ca_certificate,
            &wlan.client_certificate,
            &wlan.client_key,
        ];
        for file in named.into_iter().flatten() {
            let content = files.get(file).cloned().unwrap_or_default();
            let path = path(file);
            if !out.iter().any(|planned| planned.path == path) {
                out.push(Planned::secret(path, content));
            }
        }
    }
    let path = under("etc/wpa_supplicant/wpa_supplicant-wlan0.conf");
    out.push(Planned {
        path,
        content: Content::File {
            bytes: text.into_bytes(),
            mode: 0o600,
            owner: Owner::Root,
        },
    });
}

fn path(file: &FileName) -> String {
    under(&format!("etc/wpa_supplicant/provisioned-{file}"))
}

/// The lines of a network. Texts are written as hexadecimal digits, so that no text can end one.
fn network(ssid: &Ssid, wlan: &Wlan) -> Vec<(&'static str, String)> {
    let mut lines = vec![("ssid", hex(ssid.as_str().as_bytes()))];
    let mut line = |key, value: String| lines.push((key, value));
    let text = |text: &str| hex(text.as_bytes());
    if wlan.hidden {
        line("scan_ssid", "1".to_owned());
    }
    if wlan.priority > 0 {
        line("priority", wlan.priority.to_string());
    }
    let password = wlan.password.as_ref().map(Hidden::expose);
    let password = password.unwrap_or_default();
    match wlan.kind() {
        Security::Open => line("key_mgmt", "NONE".to_owned()),
        Security::Psk if password.len() == 64 => {
            line("key_mgmt", "WPA-PSK WPA-PSK-SHA256".to_owned());
            line("ieee80211w", "1".to_owned());
            line("psk", password.to_ascii_lowercase());
        }
        Security::Psk => {
            line("key_mgmt", "WPA-PSK WPA-PSK-SHA256 SAE".to_owned());
            line("ieee80211w", "1".to_owned());
            line(
                "psk",
                hex(&key(password.as_bytes(), ssid.as_str().as_bytes())),
            );
            line("sae_password", text(password));
        }
        Security::Sae => {
            line("key_mgmt", "SAE".to_owned());
            line("ieee80211w", "2".to_owned());
            line("sae_password", text(password));
        }
        kind @ (Security::Peap | Security::Tls) => {
            line("key_mgmt", "WPA-EAP WPA-EAP-SHA256".to_owned());
            line("ieee80211w", "1".to_owned());
            line(
                "eap",
                if kind == Security::Peap {
                    "PEAP"
                } else {
                    "TLS"
                }
                .to_owned(),
            );
            for (key, value) in [
                ("identity", &wlan.identity),
                ("anonymous_identity", &wlan.anonymous_identity),
            ] {
                if let Some(value) = value {
                    line(key, text(value));
                }
            }
            if let Some(domain) = &wlan.domain {
                line("domain_suffix_match", text(domain.as_str()));
            }
            for (key, file) in [
                ("ca_cert", &wlan.ca_certificate),
                ("client_cert", &wlan.client_certificate),
                ("private_key", &wlan.client_key),
            ] {
                if let Some(file) = file {
                    line(key, format!("\"/{}\"", path(file)));
                }
            }
            if kind == Security::Peap {
                line("password", text(password));
                line("phase2", "\"auth=MSCHAPV2\"".to_owned());
            } else if let Some(password) = &wlan.client_key_password {
                line("private_key_passwd", text(password.expose()));
            }
        }
    }
    lines
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _infallible = write!(out, "{byte:02x}");
        out
    })
}

/// The key of a passphrase: PBKDF2 with HMAC-SHA1, two blocks of it.
fn key(passphrase: &[u8], ssid: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    // Any length is a key for HMAC.
    let Ok(mac) = Hmac::<Sha1>::new_from_slice(passphrase) else {
        return out;
    };
    for (block, out) in (1_u32..).zip(out.chunks_mut(20)) {
        let mut round = mac.clone();
        round.update(ssid);
        round.update(&block.to_be_bytes());
        let mut last = round.finalize().into_bytes();
        let mut sum = last;
        for _ in 1..ROUNDS {
            let mut round = mac.clone();
            round.update(&last);
            last = round.finalize().into_bytes();
            for (sum, byte) in sum.iter_mut().zip(last) {
                *sum ^= byte;
            }
        }
        for (out, byte) in out.iter_mut().zip(sum) {
            *out = byte;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_passphrases_are_those_of_the_standard() {
        // IEEE 802.11-2016, J.4.2, test cases 1 and 2.
        assert_eq!(
            hex(&key(b"password", b"IEEE")),
            "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"
        );
        assert_eq!(
            hex(&key(b"ThisIsAPassword", b"ThisIsASSID")),
            "0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af"
        );
    }

    #[test]
    fn no_text_of_a_network_ends_its_line() {
        let wlan = Wlan {
            security: Some(Security::Peap),
            identity: Some("a\"\n}\nnetwork={".to_owned()),
            password: Some(super::super::words::Hidden::new("p\n}")),
            ..Wlan::default()
        };
        for (key, value) in network(&"x\"\n}".parse().unwrap(), &wlan) {
            assert!(
                !value.contains('\n') && !value.contains('}'),
                "{key}={value}"
            );
        }
    }
}
