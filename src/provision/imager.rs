//! What Raspberry Pi Imager writes, said in the words of the schema: every value keeps the place it was
//! written at, so that what is wrong is said of the file that has it.

use crate::policy::Problem;
use crate::policy::tree::{Entry, Kind, Origin, Table, Value};

/// What was understood, and what was left out.
pub type Translated = (Value, Vec<Problem>);

/// The account Raspberry Pi's own systems have when no name is given.
const DEFAULT_USER: &str = "pi";

/// Builds the tree, and notes what has no place in it.
struct Translation {
    to: Value,
    notes: Vec<Problem>,
}

impl Translation {
    fn new(origin: &Origin) -> Self {
        Self {
            to: Value::table(Table::default(), origin.clone()),
            notes: Vec::new(),
        }
    }

    fn put(&mut self, to: &[&str], value: &Value) {
        if value.kind != Kind::Null {
            self.to.put(to, value.clone());
        }
    }

    /// Carries the values of a table over, under new keys; notes the others.
    fn carry(&mut self, from: &Value, what: &str, known: &[(&str, &[&str])]) {
        for entry in entries(from) {
            match known.iter().find(|(key, _)| *key == entry.key) {
                // Known, and to be read by itself or of no use here.
                Some((_, [])) => {}
                Some((_, to)) => self.put(to, &entry.value),
                None => self.skip(entry, what),
            }
        }
    }

    fn skip(&mut self, entry: &Entry, what: &str) {
        let key = if what.is_empty() {
            entry.key.clone()
        } else {
            format!("{what}.{}", entry.key)
        };
        let message = "has no meaning on this machine and was left out";
        self.notes
            .push(Problem::warning(&entry.origin, key, message));
    }

    fn done(self) -> Translated {
        (self.to, self.notes)
    }
}

fn entries(value: &Value) -> &[Entry] {
    value.as_table().map_or(&[], |table| &table.0)
}

fn items(value: Option<&Value>) -> &[Value] {
    match value.map(|value| &value.kind) {
        Some(Kind::List(list)) => list,
        _ => &[],
    }
}

fn is(value: Option<&Value>, wanted: bool) -> bool {
    match value.map(|value| &value.kind) {
        Some(Kind::Bool(found)) => *found == wanted,
        // YAML 1.1's words, which cloud-init still takes.
        Some(Kind::Text(text)) => {
            let yes = ["yes", "on", "y", "1"].contains(&text.to_lowercase().as_str());
            yes == wanted
        }
        _ => false,
    }
}

fn text(value: &Value) -> Option<&str> {
    match &value.kind {
        Kind::Text(text) => Some(text),
        _ => None,
    }
}

/// `custom.toml`, which Raspberry Pi OS of 2023 to 2025 read at its first start.
pub fn custom(from: &Value) -> Translated {
    let mut out = Translation::new(&from.origin);
    let version = from.at(&["config_version"]);
    if version.map(|version| &version.kind) != Some(&Kind::Whole(1)) {
        let at = version.map_or(&from.origin, |version| &version.origin);
        let message = "only config_version = 1 is known";
        out.notes
            .push(Problem::error(at, "config_version", message));
        return out.done();
    }
    let encrypted = |table: &str| is(from.at(&[table, "password_encrypted"]), true);
    for entry in entries(from) {
        let table = &entry.value;
        match entry.key.as_str() {
            "config_version" => {}
            "system" => out.carry(table, "system", &[("hostname", &["hostname"])]),
            "user" => {
                let password: &[&str] = if encrypted("user") {
                    &["admin", "password_hash"]
                } else {
                    &["admin", "password"]
                };
                let known: &[(&str, &[&str])] = &[
                    ("name", &["admin", "name"]),
                    ("password", password),
                    ("password_encrypted", &[]),
                ];
                out.carry(table, "user", known);
            }
            "ssh" => {
                let keys = table.at(&["authorized_keys"]);
                let none = items(keys).is_empty();
                let known: &[(&str, &[&str])] = &[
                    ("enabled", &["ssh", "enabled"]),
                    ("password_authentication", &["ssh", "passwords"]),
                    (
                        "authorized_keys",
                        if none { &[] } else { &["admin", "ssh_keys"] },
                    ),
                ];
                out.carry(table, "ssh", known);
            }
            "wlan" => wlan(&mut out, table),
            "locale" => {
                let known: &[(&str, &[&str])] = &[
                    ("keymap", &["keyboard", "layout"]),
                    ("timezone", &["timezone"]),
                ];
                out.carry(table, "locale", known);
            }
            _ => out.skip(entry, ""),
        }
    }
    name_the_admin(&mut out);
    out.done()
}

fn wlan(out: &mut Translation, table: &Value) {
    out.carry(
        table,
        "wlan",
        &[
            ("ssid", &[]),
            ("password", &[]),
            ("password_encrypted", &[]),
            ("hidden", &[]),
            ("country", &["wifi", "country"]),
        ],
    );
    let Some(ssid) = table.at(&["ssid"]) else {
        return;
    };
    access_point(out, text(ssid).unwrap_or_default(), ssid, table);
}

/// One network: its password, and whether it is hidden.
fn access_point(out: &mut Translation, ssid: &str, at: &Value, table: &Value) {
    let to = |key| ["wifi", "networks", ssid, key];
    // The table is there, whatever is in it.
    if let Some(hidden) = table.at(&["hidden"]) {
        out.put(&to("hidden"), hidden);
    }
    match table.at(&["password"]) {
        Some(password) if text(password) != Some("") && password.kind != Kind::Null => {
            out.put(&to("password"), password);
        }
        _ => out.put(&to("security"), &Value::text("open", at.origin.clone())),
    }
}

/// Whoever has a password or a key has a name.
fn name_the_admin(out: &mut Translation) {
    let Some(admin) = out.to.at(&["admin"]) else {
        return;
    };
    if admin.at(&["name"]).is_none() {
        let name = Value::text(DEFAULT_USER, admin.origin.clone());
        out.put(&["admin", "name"], &name);
    }
}

/// cloud-init's `user-data`.
pub fn user_data(from: &Value) -> Translated {
    let mut out = Translation::new(&from.origin);
    for entry in entries(from) {
        let value = &entry.value;
        match entry.key.as_str() {
            "hostname" => out.put(&["hostname"], value),
            "timezone" => out.put(&["timezone"], value),
            "locale" => out.put(&["locale"], value),
            "keyboard" => {
                let known: &[(&str, &[&str])] = &[
                    ("layout", &["keyboard", "layout"]),
                    ("model", &["keyboard", "model"]),
                    ("variant", &["keyboard", "variant"]),
                    ("options", &["keyboard", "options"]),
                ];
                out.carry(value, "keyboard", known);
            }
            "users" => users(&mut out, value),
            "ssh_authorized_keys" => out.put(&["admin", "ssh_keys"], value),
            "ssh_pwauth" if is(Some(value), true) => {
                let yes = Value {
                    kind: Kind::Bool(true),
                    origin: value.origin.clone(),
                };
                out.put(&["ssh", "passwords"], &yes);
                out.put(&["ssh", "enabled"], &yes);
            }
            // What is so here anyway.
            "ssh_pwauth" | "enable_ssh" | "manage_etc_hosts" | "preserve_hostname" => {}
            _ => out.skip(entry, ""),
        }
    }
    name_the_admin(&mut out);
    out.done()
}

fn users(out: &mut Translation, list: &Value) {
    // "default" is the distribution's own account, which there isn't.
    let mut named = items(Some(list))
        .iter()
        .filter(|user| user.as_table().is_some());
    let Some(user) = named.next() else {
        return;
    };
    for other in named {
        let message = "only the first account is made";
        out.notes
            .push(Problem::warning(&other.origin, "users", message));
    }
    let locked = is(user.at(&["lock_passwd"]), true);
    let hash: &[&str] = if locked {
        &[]
    } else {
        &["admin", "password_hash"]
    };
    let plain: &[&str] = if locked { &[] } else { &["admin", "password"] };
    out.carry(
        user,
        "users",
        &[
            ("name", &["admin", "name"]),
            ("gecos", &["admin", "full_name"]),
            ("passwd", hash),
            ("hashed_passwd", hash),
            ("plain_text_passwd", plain),
            ("ssh_authorized_keys", &["admin", "ssh_keys"]),
            // Said by what an administrator may do here.
            ("lock_passwd", &[]),
            ("groups", &[]),
            ("shell", &[]),
            ("sudo", &[]),
        ],
    );
}

/// cloud-init's `network-config`, version 2 (netplan's).
pub fn network_config(from: &Value) -> Translated {
    let mut out = Translation::new(&from.origin);
    let network = from.at(&["network"]).unwrap_or(from);
    for entry in entries(network) {
        match entry.key.as_str() {
            "version" => {
                if !matches!(text(&entry.value), Some("2")) {
                    let message = "only version 2 is known";
                    out.notes
                        .push(Problem::error(&entry.value.origin, "version", message));
                    return out.done();
                }
            }
            "ethernets" => one_link(&mut out, &entry.value, "wired"),
            "wifis" => one_link(&mut out, &entry.value, "wifi"),
            "renderer" => {}
            _ => out.skip(entry, "network"),
        }
    }
    out.done()
}

fn one_link(out: &mut Translation, links: &Value, kind: &str) {
    let mut links = entries(links).iter();
    let Some(link) = links.next() else {
        return;
    };
    for other in links {
        let message = "only the first connection of a kind is set up";
        out.notes
            .push(Problem::warning(&other.origin, &other.key, message));
    }
    let addresses = link.value.at(&["addresses"]);
    for entry in entries(&link.value) {
        let value = &entry.value;
        match entry.key.as_str() {
            "dhcp4" | "dhcp6" | "optional" => {}
            "regulatory-domain" => out.put(&["wifi", "country"], value),
            "access-points" => {
                for point in entries(value) {
                    point_of(out, point);
                }
            }
            "addresses" => out.put(&["network", kind, "addresses"], value),
            "nameservers" => {
                let (dns, search) = (["network", kind, "dns"], ["network", kind, "search"]);
                let known: &[(&str, &[&str])] = &[("addresses", &dns), ("search", &search)];
                out.carry(value, "nameservers", known);
            }
            "gateway4" | "gateway6" => gateway(out, kind, value),
            "routes" => {
                for route in items(Some(value)) {
                    let to = route.at(&["to"]).and_then(text);
                    match route.at(&["via"]) {
                        Some(via) if matches!(to, Some("default" | "0.0.0.0/0" | "::/0")) => {
                            gateway(out, kind, via);
                        }
                        _ => {
                            let message = "only the default route is set up";
                            out.notes
                                .push(Problem::warning(&route.origin, "routes", message));
                        }
                    }
                }
            }
            _ => out.skip(entry, &link.key),
        }
    }
    // netplan asks for an address only when told to; so do we as soon as one is given.
    if addresses.is_some() {
        let dhcp = ["dhcp4", "dhcp6"].map(|key| link.value.at(&[key]));
        let asks = dhcp.into_iter().find(|value| is(*value, true)).flatten();
        if let Some(asks) = asks {
            out.put(&["network", kind, "dhcp"], asks);
        }
    }
}

fn gateway(out: &mut Translation, kind: &str, via: &Value) {
    let to = ["network", kind, "gateways"];
    let mut list = items(out.to.at(&to)).to_vec();
    list.push(via.clone());
    let origin = via.origin.clone();
    let kind = Kind::List(list);
    out.put(&to, &Value { kind, origin });
}

fn point_of(out: &mut Translation, point: &Entry) {
    let ssid = point.key.as_str();
    let at = Value::text(ssid, point.origin.clone());
    let Some(auth) = point.value.at(&["auth"]) else {
        return access_point(out, ssid, &at, &point.value);
    };
    let to = |key| ["wifi", "networks", ssid, key];
    let security = match auth.at(&["key-management"]).and_then(text) {
        Some("none") => "open",
        None | Some("psk") => "psk",
        Some("sae") => "sae",
        Some("eap") => match auth.at(&["method"]).and_then(text) {
            Some("tls") => "tls",
            _ => "peap",
        },
        Some(_) => {
            let message = "this kind of key-management is not known";
            out.notes.push(Problem::error(
                &auth.origin,
                format!("{ssid}.auth"),
                message,
            ));
            return;
        }
    };
    out.put(&to("security"), &Value::text(security, auth.origin.clone()));
    if let Some(hidden) = point.value.at(&["hidden"]) {
        out.put(&to("hidden"), hidden);
    }
    out.carry(
        auth,
        ssid,
        &[
            ("key-management", &[]),
            ("method", &[]),
            ("password", &to("password")),
            ("identity", &to("identity")),
            ("anonymous-identity", &to("anonymous_identity")),
            ("ca-certificate", &to("ca_certificate")),
            ("client-certificate", &to("client_certificate")),
            ("client-key", &to("client_key")),
            ("client-key-password", &to("client_key_password")),
        ],
    );
}
