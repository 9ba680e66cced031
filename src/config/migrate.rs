//! From Gate One's settings to ours: what can be said here, and a list of what can't, with reasons.

use crate::policy::tree::{Entry, Kind, Origin, Table, Value, merge};
use crate::policy::{Problem, Rules, Scope};

use super::files::Source;
use super::gateone::{reason, seconds, text};
use super::syntax::{Syntax, parse};
use super::write::to_toml;

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// A `gatepost.toml`.
    pub toml: String,
    /// What needs a person: what could not be carried over or means something else now.
    pub notes: Vec<Problem>,
}

/// Reads Gate One's files, weakest first. What is wrong with them otherwise.
pub fn migrate(files: &[Source]) -> Result<Migration, Vec<Problem>> {
    let mut old = Table::default();
    let mut problems = Vec::new();
    for file in files {
        match parse(Syntax::Json, &file.text, &file.path) {
            Ok(layer) => merge(&mut old, layer.as_table().unwrap_or(&Table::default())),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut work = Work::default();
    for scope in &old.0 {
        work.scope(scope);
    }
    let scopes = work.new.as_table().cloned().unwrap_or_default();
    let text = to_toml(&scopes);
    let path = std::path::Path::new("gatepost.toml");
    let errors = match parse(Syntax::Toml, &text, path) {
        Ok(layer) => Rules::compile(&[layer]).err().unwrap_or_default(),
        Err(found) => found,
    };
    work.notes.extend(errors);
    Ok(Migration {
        toml: format!(
            "# Carried over from Gate One by `gatepost config migrate`. Look through it before use.\n{text}"
        ),
        notes: work.notes,
    })
}

#[derive(Default)]
struct Work {
    new: Value,
    notes: Vec<Problem>,
}

impl Work {
    fn put(&mut self, path: &[&str], kind: Kind) {
        let value = Value {
            kind,
            origin: Origin::Default,
        };
        self.new.put(path, value);
    }

    fn note(&mut self, entry: &Entry, scope: &str, message: impl Into<String>) {
        let key = format!("{scope:?}.{}", entry.key);
        self.notes
            .push(Problem::warning(&entry.origin, key, message));
    }

    fn scope(&mut self, scope: &Entry) {
        let name = scope.key.as_str();
        if let Err(message) = Scope::parse(name) {
            self.note(scope, name, format!("left out: {message}"));
            return;
        }
        if let Some((_, regex)) = name.split_once('=')
            && !regex.ends_with(".*")
            && !regex.ends_with('$')
        {
            let message = format!(
                "matched everything that begins so; now it has to match the whole value. For the old meaning write {:?}",
                format!("{name}.*")
            );
            self.note(scope, name, message);
        }
        if let Some(sections) = scope.value.as_table() {
            for section in &sections.0 {
                let entries = section.value.as_table().map_or(&[][..], |table| &table.0);
                if section.key == "gateone" {
                    self.listen(name, entries);
                }
                for entry in entries {
                    let done = match section.key.as_str() {
                        "gateone" => self.gateone(name, entry),
                        "terminal" => self.terminal(name, entry),
                        _ => Some(format!("section {:?} has no counterpart", section.key)),
                    };
                    if let Some(why) = done {
                        self.note(entry, name, format!("left out: {why}"));
                    }
                }
            }
        }
        if name == "*" {
            // Everybody could use terminals unless it was forbidden.
            for right in ["use", "open"] {
                if self.new.at(&["*", "allow", right]).is_none() {
                    self.put(&["*", "allow", right], Kind::Bool(true));
                }
            }
        }
    }

    /// `address` and `port` are two keys there and one here.
    fn listen(&mut self, scope: &str, entries: &[Entry]) {
        let find = |key: &str| entries.iter().find(|entry| entry.key == key);
        let text = |entry: Option<&Entry>| entry.and_then(|entry| text(&entry.value));
        let (Some(port), addresses) = (text(find("port")), text(find("address"))) else {
            return;
        };
        let addresses = addresses.unwrap_or_default();
        let list = addresses
            .split(';')
            .map(str::trim)
            .map(|address| match address {
                "" => format!("[::]:{port}"),
                "localhost" => format!("127.0.0.1:{port}"),
                six if six.contains(':') => format!("[{six}]:{port}"),
                four => format!("{four}:{port}"),
            });
        let list = list.map(|item| Value::text(item, Origin::Default));
        self.put(&[scope, "server", "listen"], Kind::List(list.collect()));
    }

    /// What to do with a setting of the framework; why not, if nothing.
    fn gateone(&mut self, scope: &str, entry: &Entry) -> Option<String> {
        let value = &entry.value;
        let yes = matches!(value.kind, Kind::Bool(true));
        match (entry.key.as_str(), text(value)) {
            // Taken together before.
            ("port" | "address", _) => {}
            (_, None) if matches!(value.kind, Kind::Null) => {}
            // Off is what it is here without being said.
            ("disable_ssl" | "https_redirect" | "enable_unix_socket", _) if !yes => {}
            ("origins", _) => return self.origins(scope, value),
            ("blacklist", _) => self.put(&[scope, "allow", "blacklist"], Kind::Bool(yes)),
            ("send_broadcasts", _) => self.put(&[scope, "allow", "message"], Kind::Bool(yes)),
            ("https_redirect", _) => {
                let list = vec![Value::text("[::]:80", Origin::Default)];
                self.put(&[scope, "server", "https_redirect"], Kind::List(list));
            }
            ("disable_ssl", _) => {
                self.put(
                    &[scope, "server", "tls", "mode"],
                    Kind::Text("off".to_owned()),
                );
                self.put(&[scope, "server", "allow_plain_http"], Kind::Bool(true));
                return Some("nothing is encrypted, as before: put a TLS proxy in front or set server.tls.mode".to_owned());
            }
            (name @ ("certificate" | "keyfile"), Some(path)) => {
                let key = if name == "keyfile" { "key" } else { name };
                self.put(&[scope, "server", "tls", key], Kind::Text(path));
                if self.new.at(&[scope, "server", "tls", "mode"]).is_none() {
                    self.put(
                        &[scope, "server", "tls", "mode"],
                        Kind::Text("files".to_owned()),
                    );
                }
            }
            ("ca_certs", Some(path)) => {
                self.put(&[scope, "server", "tls", "client_ca"], Kind::Text(path));
            }
            ("ssl_auth", Some(how)) => {
                self.put(
                    &[scope, "server", "tls", "client_certificates"],
                    Kind::Text(how),
                );
            }
            ("unix_socket_path", Some(path)) => {
                self.put(&[scope, "server", "unix_socket"], Kind::Text(path));
            }
            ("unix_socket_mode", Some(mode)) => {
                self.put(&[scope, "server", "unix_socket_mode"], Kind::Text(mode));
            }
            ("enable_unix_socket", _) => {}
            ("url_prefix", Some(prefix)) => {
                self.put(&[scope, "server", "url_prefix"], Kind::Text(prefix));
            }
            ("auth", Some(way)) => return self.auth(scope, &way),
            ("auth_timeout", Some(time)) => match seconds(&time) {
                Some(seconds) => {
                    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
                    self.put(&[scope, "auth", "logins", "idle"], Kind::Whole(seconds));
                }
                None => return Some("this is no length of time".to_owned()),
            },
            (other, _) => return Some(reason(other)),
        }
        None
    }

    fn origins(&mut self, scope: &str, value: &Value) -> Option<String> {
        let all: Vec<String> = match &value.kind {
            Kind::List(list) => list.iter().filter_map(text).collect(),
            _ => text(value)?.split(';').map(str::to_owned).collect(),
        };
        let mut hosts = Vec::new();
        let mut left = Vec::new();
        for origin in all {
            let name = origin
                .split_once("://")
                .map_or(origin.as_str(), |(_, rest)| rest);
            let name = name.split(':').next().unwrap_or_default();
            if matches!(name, "localhost" | "127.0.0.1") {
                continue;
            }
            match name.parse::<crate::policy::settings::server::HostName>() {
                Ok(host) if !hosts.contains(&host.to_string()) => hosts.push(host.to_string()),
                Ok(_) => {}
                Err(_) => left.push(origin.clone()),
            }
        }
        if !hosts.is_empty() {
            let list = hosts
                .into_iter()
                .map(|host| Value::text(host, Origin::Default));
            self.put(
                &[scope, "server", "allow_hosts"],
                Kind::List(list.collect()),
            );
        }
        (!left.is_empty()).then(|| {
            format!(
                "{} would let any page in; name the hosts in server.allow_hosts",
                left.join(", ")
            )
        })
    }

    fn auth(&mut self, scope: &str, way: &str) -> Option<String> {
        let way = match way {
            "google" => "oidc",
            "ssl" => "certificate",
            known @ ("api" | "cas" | "kerberos" | "pam") => known,
            "none" => {
                return Some("everybody could come in; choose a way for server.auth".to_owned());
            }
            _ => return Some("no such way to log in".to_owned()),
        };
        let list = vec![Value::text(way, Origin::Default)];
        self.put(&[scope, "server", "auth"], Kind::List(list));
        None
    }

    /// The same for the terminal application.
    fn terminal(&mut self, scope: &str, entry: &Entry) -> Option<String> {
        let value = &entry.value;
        match (entry.key.as_str(), &value.kind) {
            (_, Kind::Null) => {}
            ("allow", Kind::Bool(yes)) => {
                for right in ["use", "open"] {
                    self.put(&[scope, "allow", right], Kind::Bool(*yes));
                }
            }
            ("share_terminals", Kind::Bool(yes)) => {
                self.put(&[scope, "allow", "share"], Kind::Bool(*yes));
            }
            ("max_terms", Kind::Whole(number)) => {
                self.put(&[scope, "limits", "terminals"], Kind::Whole(*number));
            }
            ("max_dimensions", Kind::Table(size)) => {
                for key in ["rows", "columns"] {
                    if let Some(found) = size.get(key) {
                        self.put(&[scope, "limits", key], found.value.kind.clone());
                    }
                }
            }
            ("default_command", Kind::Text(name)) => {
                self.put(
                    &[scope, "terminal", "default_command"],
                    Kind::Text(name.clone()),
                );
            }
            ("environment_vars", Kind::Table(table)) => {
                for variable in &table.0 {
                    if let Some(value) = text(&variable.value) {
                        let path = [scope, "terminal", "environment", &variable.key];
                        self.put(&path, Kind::Text(value));
                    }
                }
            }
            ("commands", Kind::Table(commands)) => {
                for command in &commands.0 {
                    if let Some(why) = self.command(scope, command) {
                        self.note(command, scope, format!("left out: {why}"));
                    }
                }
            }
            (other, _) => return Some(reason(other)),
        }
        None
    }

    fn command(&mut self, scope: &str, entry: &Entry) -> Option<String> {
        let part = |key: &str| text(entry.value.at(&[key])?);
        let line = match text(&entry.value) {
            Some(line) => line,
            None => part("command")?,
        };
        // What a shell would have made something else of is for a person to put into words.
        let line = line.replace("%USER%", "{user}");
        if line.contains([
            '"', '\'', '\\', '$', '`', '|', '&', ';', '<', '>', '*', '?', '(', '%', '~', '#',
        ]) {
            return Some(format!(
                "{line:?} needs a shell or Gate One; write its words under terminal.commands.{}.command",
                entry.key
            ));
        }
        let words = line
            .split_whitespace()
            .map(|word| Value::text(word, Origin::Default));
        let at = |key| [scope, "terminal", "commands", entry.key.as_str(), key];
        self.put(&at("command"), Kind::List(words.collect()));
        if let Some(description) = part("description") {
            self.put(&at("description"), Kind::Text(description));
        }
        None
    }
}
