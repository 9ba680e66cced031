//! Settings from the environment and from flags: under `"*"`, over every file.

use std::ffi::OsString;

use crate::policy::Problem;
use crate::policy::settings::{SECTIONS, section};
use crate::policy::tree::{Origin, Table, Value};

/// One setting from the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// `SECTION.KEY`.
    pub key: String,
    /// Its value, understood as whatever the key wants.
    pub value: String,
    /// How the flag is written, for messages.
    pub written: String,
}

impl Flag {
    /// What a flag of this name says about a key.
    pub fn new(key: &str, value: impl Into<String>, written: &str) -> Self {
        Self {
            key: key.to_owned(),
            value: value.into(),
            written: written.to_owned(),
        }
    }
}

/// What comes before the names of all our variables.
const PREFIX: &str = "GATEPOST_";
/// What stands between section and key.
const BETWEEN: &str = "__";
/// Variables with names of their own.
const SHORT: &[(&str, &str)] = &[
    ("GATEPOST_LISTEN", "server.listen"),
    ("GATEPOST_PUBLIC_URL", "server.public_url"),
];

/// The layer the environment makes: `GATEPOST_SECTION__KEY`, and the short names.
pub fn from_variables(variables: &[(OsString, OsString)], problems: &mut Vec<Problem>) -> Value {
    let mut layer = Value::table(Table::default(), Origin::Default);
    let mut named: Vec<(&str, &OsString)> = variables
        .iter()
        .filter_map(|(name, value)| Some((name.to_str()?, value)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    named.sort_unstable();
    for (name, value) in named {
        let short = SHORT.iter().find(|(short, _)| *short == name);
        let key = match short {
            Some((_, key)) => (*key).to_owned(),
            None => {
                let rest = name.strip_prefix(PREFIX).unwrap_or_default();
                if !rest.contains(BETWEEN) {
                    // Ours, but no setting: GATEPOST_KEEPER and the like.
                    continue;
                }
                rest.to_lowercase().replace(BETWEEN, ".")
            }
        };
        let origin = Origin::Variable(name.to_owned());
        let Some(value) = value.to_str() else {
            problems.push(Problem::error(&origin, "", "is not UTF-8"));
            continue;
        };
        if value.is_empty() && short.is_some() {
            continue;
        }
        put(&mut layer, &key, value, &origin, problems);
    }
    layer
}

/// The layer the command line makes.
pub fn from_flags(flags: &[Flag], problems: &mut Vec<Problem>) -> Value {
    let mut layer = Value::table(Table::default(), Origin::Default);
    for flag in flags {
        let origin = Origin::Flag(flag.written.clone());
        put(&mut layer, &flag.key, &flag.value, &origin, problems);
    }
    layer
}

fn put(layer: &mut Value, key: &str, value: &str, origin: &Origin, problems: &mut Vec<Problem>) {
    let keys: Vec<&str> = key.split('.').collect();
    let known = keys.first().is_some_and(|name| section(name).is_some());
    if !known || keys.len() < 2 || keys.iter().any(|key| key.is_empty()) {
        let names: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
        let message = format!(
            "no setting is called so; write SECTION.KEY, with a section out of {}",
            names.join(", ")
        );
        problems.push(Problem::error(origin, key, message));
        return;
    }
    let path: Vec<&str> = std::iter::once("*").chain(keys).collect();
    layer.put(&path, Value::text(value, origin.clone()));
}
