//! Secrets in a provisioning file: found, taken out of it, and kept on the machine, so that the file can
//! be changed later without writing them again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::policy::Problem;
use crate::policy::tree::{Origin, Value};

use super::schema::{Provision, place};
use super::words::{AccountName, FileName, Hidden};

/// What stands in the file where a secret was.
pub const MOVED: &str = "(moved to the machine)";

/// Secrets kept on the machine, by what they are for.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kept(BTreeMap<String, String>);

impl Kept {
    /// The hash of the administrator's password.
    pub fn admin(&self, name: &AccountName) -> Option<&str> {
        self.0.get(&format!("admin/{name}")).map(String::as_str)
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What became of the secrets.
#[derive(Debug, Default)]
pub struct Secrets {
    /// All that are in use, to be kept.
    pub kept: Kept,
    /// Where they stand in files, to be taken out.
    pub places: Vec<Origin>,
    /// What the files named hold.
    pub files: BTreeMap<FileName, String>,
    /// Those of them that hold keys, to be taken away.
    pub keys: Vec<FileName>,
}

/// Something secret, where it is and what for.
struct Slot<'a> {
    keys: Vec<String>,
    purpose: String,
    secret: &'a mut Hidden,
}

fn keys(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

impl Provision {
    /// `spelled`: how the administrator's password is given.
    fn slots(&mut self, spelled: &str) -> Vec<Slot<'_>> {
        let mut slots = Vec::new();
        for (ssid, wlan) in &mut self.wifi.networks {
            let both = [
                ("password", &mut wlan.password),
                ("client_key_password", &mut wlan.client_key_password),
            ];
            for (key, secret) in both {
                if let Some(secret) = secret {
                    slots.push(Slot {
                        keys: keys(&["wifi", "networks", ssid.as_str(), key]),
                        purpose: format!("wifi/{key}/{ssid}"),
                        secret,
                    });
                }
            }
        }
        if let Some(admin) = &mut self.admin
            && let Some(secret) = &mut admin.password_hash
        {
            slots.push(Slot {
                keys: keys(&["admin", spelled]),
                purpose: format!("admin/{}", admin.name),
                secret,
            });
        }
        if let Some(secret) = &mut self.fleet.broker
            && (secret.expose().contains('@') || secret.expose() == MOVED)
        {
            slots.push(Slot {
                keys: keys(&["fleet", "broker"]),
                purpose: "fleet/broker".to_owned(),
                secret,
            });
        }
        slots
    }

    /// The files this names, each with the key that does.
    pub fn files(&self) -> Vec<(Vec<String>, FileName)> {
        let mut out = Vec::new();
        let mut add = |path: &[&str], file: Option<&FileName>| {
            out.extend(file.map(|file| (keys(path), file.clone())));
        };
        for (ssid, wlan) in &self.wifi.networks {
            for (key, file) in [
                ("ca_certificate", &wlan.ca_certificate),
                ("client_certificate", &wlan.client_certificate),
                ("client_key", &wlan.client_key),
            ] {
                add(&["wifi", "networks", ssid.as_str(), key], file.as_ref());
            }
        }
        if let Some(tls) = &self.tls {
            add(&["tls", "certificate"], Some(&tls.certificate));
            add(&["tls", "key"], Some(&tls.key));
        }
        out
    }

    /// Puts kept secrets (none: those of a machine that isn't this one, taken to be there) where the file says they were moved, makes hashes of passwords, and says what
    /// is to be kept and taken out. `found` are the files beside the one `tree` comes from; `hash`
    /// makes a hash of a password, the same as before if there was one of it.
    pub fn settle(
        &mut self,
        tree: &Value,
        kept: Option<&Kept>,
        found: &BTreeMap<FileName, String>,
        hash: impl FnOnce(&str, Option<&str>) -> Result<String, String>,
    ) -> Result<Secrets, Vec<Problem>> {
        let mut secrets = Secrets::default();
        let mut problems = Vec::new();
        let before = |purpose: &str| match kept {
            Some(kept) => kept.0.get(purpose).map(String::as_str),
            None => Some(MOVED),
        };
        if let Some(admin) = &mut self.admin
            && let Some(password) = admin.password.take()
        {
            let at = place(tree, &keys(&["admin", "password"]));
            let before = before(&format!("admin/{}", admin.name));
            if password.expose() == MOVED {
                // As if the hash had been written there.
                admin.password_hash = Some(password);
            } else {
                secrets.places.push(at.clone());
                match hash(password.expose(), before) {
                    Ok(hash) => admin.password_hash = Some(Hidden::new(hash)),
                    Err(error) => problems.push(Problem::error(&at, "admin.password", error)),
                }
            }
        }
        let spelled = if tree.at(&["admin", "password"]).is_some() {
            "password"
        } else {
            "password_hash"
        };
        for slot in self.slots(spelled) {
            let at = place(tree, &slot.keys);
            if slot.secret.expose() == MOVED {
                match before(&slot.purpose) {
                    Some(text) => *slot.secret = Hidden::new(text),
                    None => problems.push(Problem::error(
                        &at,
                        slot.keys.join("."),
                        "this was moved to another machine, or for another name; write it again",
                    )),
                }
            } else if !secrets.places.contains(&at) {
                secrets.places.push(at);
            }
            let secret = slot.secret.expose().to_owned();
            secrets.kept.0.insert(slot.purpose, secret);
        }
        for (path, file) in self.files() {
            let at = place(tree, &path);
            let purpose = format!("file/{file}");
            let here = found.get(&file);
            let here = here.map(String::as_str);
            let Some(text) = here.or_else(|| kept.and_then(|_| before(&purpose))) else {
                let message = format!("there is no {file} beside it");
                problems.push(Problem::error(&at, path.join("."), message));
                continue;
            };
            let key = path.last().is_some_and(|key| key.ends_with("key"));
            let begins = if key {
                "PRIVATE KEY-----"
            } else {
                "-----BEGIN CERTIFICATE-----"
            };
            if !text.contains(begins) {
                let what = if key { "private key" } else { "certificate" };
                let message = format!("{file} holds no {what} as PEM");
                problems.push(Problem::error(&at, path.join("."), message));
                continue;
            }
            if here.is_some() && text.contains("PRIVATE KEY-----") && !secrets.keys.contains(&file)
            {
                secrets.keys.push(file.clone());
            }
            secrets.kept.0.insert(purpose, text.to_owned());
            secrets.files.insert(file, text.to_owned());
        }
        if problems.is_empty() {
            Ok(secrets)
        } else {
            problems.sort_by_key(|problem| problem.origin.line());
            Err(problems)
        }
    }

    /// What works, and isn't all that somebody might expect.
    pub fn notes(&self, tree: &Value) -> Vec<Problem> {
        let mut out = Vec::new();
        let mut note = |path: &[&str], message: &str| {
            let path = keys(path);
            out.push(Problem::warning(
                &place(tree, &path),
                path.join("."),
                message,
            ));
        };
        if self.wifi.country.is_none() && !self.wifi.networks.is_empty() {
            note(
                &["wifi"],
                "no country = \"…\" is given: only channels that are free everywhere are used",
            );
        }
        if self.fleet.broker.is_some() {
            note(
                &["fleet", "broker"],
                "is kept for later: this version can't be administered by a fleet yet",
            );
        }
        out
    }
}
