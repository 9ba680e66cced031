//! The schema: what `gatepost.toml` on the card says. `docs/provisioning.md` documents every key.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use crate::base::Rotate;
use crate::policy::Problem;
use crate::policy::tree::{Origin, Table, Value};

use super::words::{
    AccountName, Address, Country, FileName, Hidden, HostName, KeyboardWord, Locale, SshKey, Ssid,
    TimeZone,
};

/// Everything a machine can be given.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Provision {
    /// Its name.
    pub hostname: Option<HostName>,
    /// Its language.
    pub locale: Option<Locale>,
    /// Where its clock is.
    pub timezone: Option<TimeZone>,
    /// By how much its screen is turned.
    pub rotation: Option<Rotate>,
    /// Its keyboard.
    pub keyboard: Option<Keyboard>,
    /// Wi-Fi.
    pub wifi: Wifi,
    /// Addresses.
    pub network: Network,
    /// Who administers it.
    pub admin: Option<Admin>,
    /// SSH.
    pub ssh: Ssh,
    /// What the screen shows.
    pub kiosk: Screen,
    /// The fleet it belongs to.
    pub fleet: Fleet,
    /// The server's certificate.
    pub tls: Option<Tls>,
    /// Gatepost's own settings, checked by those who know them.
    #[serde(skip)]
    pub gatepost: Option<Value>,
}

/// A keyboard, in the words of XKB.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyboard {
    /// What the keys mean.
    pub layout: KeyboardWord,
    /// Which keys there are.
    pub model: Option<KeyboardWord>,
    /// A variant of the layout.
    pub variant: Option<KeyboardWord>,
    /// Options.
    #[serde(default)]
    pub options: Vec<KeyboardWord>,
}

/// Wi-Fi.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wifi {
    /// Where it is used, which decides on what channels.
    pub country: Option<Country>,
    /// The networks, by name.
    pub networks: BTreeMap<Ssid, Wlan>,
}

/// One Wi-Fi network.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wlan {
    /// How it is protected; `psk` if absent.
    pub security: Option<Security>,
    /// The passphrase, or 64 hexadecimal digits of the key made of it; with `peap`, the user's.
    pub password: Option<Hidden>,
    /// It doesn't say its name.
    pub hidden: bool,
    /// The highest of those in reach is taken.
    pub priority: u8,
    /// Who we are, for `peap` and `tls`.
    pub identity: Option<String>,
    /// Who we are to those who listen.
    pub anonymous_identity: Option<String>,
    /// The name in the server's certificate.
    pub domain: Option<HostName>,
    /// Who may vouch for the server.
    pub ca_certificate: Option<FileName>,
    /// Our certificate, for `tls`.
    pub client_certificate: Option<FileName>,
    /// Its key.
    pub client_key: Option<FileName>,
    /// What the key is locked with.
    pub client_key_password: Option<Hidden>,
}

/// How a Wi-Fi network is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Not at all.
    Open,
    /// WPA2 or WPA3 with a passphrase, whichever the network speaks.
    Psk,
    /// Only WPA3 with a passphrase.
    Sae,
    /// Name and password, asked by a server with a certificate.
    Peap,
    /// Certificates on both sides.
    Tls,
}

/// Addresses, for each kind of connection.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// By cable.
    pub wired: Option<Link>,
    /// By Wi-Fi.
    pub wifi: Option<Link>,
}

/// The addresses of one kind of connection.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Link {
    /// Ask for an address; if absent: unless one is given.
    pub dhcp: Option<bool>,
    /// Addresses.
    pub addresses: Vec<Address>,
    /// The way out, one for each family.
    pub gateways: Vec<IpAddr>,
    /// Who knows names.
    pub dns: Vec<IpAddr>,
    /// Domains to look short names up in.
    pub search: Vec<HostName>,
}

/// Who administers the machine: a Unix account.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// The account.
    pub name: AccountName,
    /// A name for people.
    pub full_name: Option<String>,
    /// The password itself; it is taken out of the file and kept as a hash.
    pub password: Option<Hidden>,
    /// Its hash, as in `/etc/shadow`.
    pub password_hash: Option<Hidden>,
    /// Keys for SSH.
    #[serde(default)]
    pub ssh_keys: Vec<SshKey>,
}

/// SSH.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ssh {
    /// Whether it is listened for; if absent: when the administrator has a key.
    pub enabled: Option<bool>,
    /// Whether passwords are taken, not only keys.
    pub passwords: bool,
}

/// What the screen shows.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Screen {
    /// Program and arguments; a shell if absent.
    pub command: Vec<String>,
}

/// The fleet.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fleet {
    /// Its broker. Kept for later: nothing speaks to it yet.
    pub broker: Option<Hidden>,
}

/// The server's certificate.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate and those between it and the authority, as PEM.
    pub certificate: FileName,
    /// Its key, as PEM.
    pub key: FileName,
}

/// Most problems looked for.
const MAX_PROBLEMS: usize = 100;
/// Where Gatepost's own settings stand.
pub(super) const GATEPOST: &str = "gatepost";

impl Provision {
    /// Understands a tree; everything that is wrong with it otherwise.
    pub fn read(tree: &Value) -> Result<Self, Vec<Problem>> {
        let mut tree = tree.clone();
        let mut problems = Vec::new();
        let mut gatepost = tree.at(&[GATEPOST]).cloned();
        let _there = tree.remove(&[GATEPOST.to_owned()]);
        if let Some(settings) = gatepost.take_if(|settings| settings.as_table().is_none()) {
            let message = "a table of scopes is expected, as in [gatepost.\"*\".server]";
            problems.push(Problem::error(&settings.origin, GATEPOST, message));
        }
        // What is faulty is taken out and the rest tried again, so that all of it is found.
        for _ in 0..MAX_PROBLEMS {
            match Self::deserialize(&tree) {
                Ok(mut provision) => {
                    provision.gatepost = gatepost;
                    let objections = provision.check();
                    problems.extend(objections.into_iter().map(|(keys, message)| {
                        Problem::error(&place(&tree, &keys), keys.join("."), message)
                    }));
                    problems.sort_by_key(|problem| problem.origin.line());
                    return if problems.is_empty() {
                        Ok(provision)
                    } else {
                        Err(problems)
                    };
                }
                Err(fault) => {
                    let origin = fault.origin.clone().unwrap_or_else(|| tree.origin.clone());
                    let key = fault.keys.join(".");
                    // What is missing because it was faulty was said already.
                    let inside = format!("{key}.");
                    if !fault.missing || !problems.iter().any(|said| said.key.starts_with(&inside))
                    {
                        problems.push(Problem::error(&origin, key, &fault.message));
                    }
                    // Inside a list, the whole list has to go.
                    let mut keys = fault.keys.as_slice();
                    while !keys.is_empty() && !tree.remove(keys) {
                        keys = keys.split_last().map_or(&[], |(_, above)| above);
                    }
                    if keys.is_empty() {
                        break;
                    }
                }
            }
        }
        problems.sort_by_key(|problem| problem.origin.line());
        Err(problems)
    }
}

/// Where a key, or the innermost table around it, was written.
pub(super) fn place(tree: &Value, keys: &[String]) -> Origin {
    let mut value = tree;
    let mut origin = tree.origin.clone();
    for key in keys {
        let Some(entry) = value.as_table().and_then(|table: &Table| table.get(key)) else {
            break;
        };
        value = &entry.value;
        origin = match &entry.value.kind {
            // A table's own place is where its first line is.
            crate::policy::tree::Kind::Table(_) => entry.origin.clone(),
            _ => entry.value.origin.clone(),
        };
    }
    origin
}
