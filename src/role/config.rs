//! `gatepost config …`: looking at configuration without a server.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::base::{Principal, User, Way};
use crate::config::{Files, Loaded, Sources, Syntax, inline, key, migrate};
use crate::policy::settings::{SECTIONS, Settings};
use crate::policy::tree::{Entry, Origin, Table, Value, merge};
use crate::policy::{Problem, Rules};

use super::configuration::{say_all, without_flags};
use super::exit::{Code, Failure};
use super::output;

/// Look at the configuration, without a server.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Config {
    /// Say everything that is wrong with the configuration, each with its place. Exit code 1 if
    /// anything is.
    Check {
        /// Files, weakest first, instead of those that are in use.
        files: Vec<PathBuf>,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Print the settings in force and where each comes from. Secrets are not in them.
    Show {
        /// For this user, as in alice,groups=admins,ip_address=10.1.1.1; for everyone if absent.
        #[arg(long = "as", value_name = "USER[,ATTRIBUTE=VALUE…]")]
        user: Option<String>,
        /// For the window on the machine's own screen.
        #[arg(long, conflicts_with = "user")]
        kiosk: bool,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Make a gatepost.toml from a Gate One settings folder, which is only read. What can't be
    /// carried over is said on standard error.
    Migrate {
        /// The folder, as in /etc/gateone/conf.d.
        folder: PathBuf,
        /// A new file to write to, instead of standard output.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Runs it.
pub(super) fn run(command: Config) -> Result<(), Failure> {
    match command {
        Config::Check { files, json } => check(&files, json),
        Config::Show { user, kiosk, json } => show(user.as_deref(), kiosk, json),
        Config::Migrate { folder, output } => carry_over(&folder, output.as_deref()),
    }
}

fn check(files: &[PathBuf], json: bool) -> Result<(), Failure> {
    let Loaded { result, files, .. } = if files.is_empty() {
        without_flags().load()
    } else {
        Sources::default().load_with(Files::these(files))
    };
    let (problems, bad) = match &result {
        Ok(rules) => (rules.warnings(), false),
        Err(problems) => (problems.as_slice(), true),
    };
    let text = if json {
        let list: Vec<_> = problems.iter().map(as_json).collect();
        format!("{:#}", serde_json::json!({ "problems": list }))
    } else if problems.is_empty() {
        format!("{} files, nothing wrong", files.len())
    } else {
        say_all(problems)
    };
    let _seen = output::line(&text)?;
    if bad {
        let message = format!("{} problems in the configuration", problems.len());
        return Err(Failure::new(Code::Failed, message));
    }
    Ok(())
}

fn as_json(problem: &Problem) -> serde_json::Value {
    let (file, line, column) = match &problem.origin {
        Origin::File { file, line, column } => {
            (Some(file.display().to_string()), Some(line), Some(column))
        }
        Origin::Default => (None, None, None),
        other => (Some(other.to_string()), None, None),
    };
    serde_json::json!({
        "file": file,
        "line": line,
        "column": column,
        "key": problem.key,
        "message": problem.message,
        "severity": if problem.warning { "warning" } else { "error" },
    })
}

fn load() -> Result<Rules, Failure> {
    let result = without_flags().load().result;
    result.map_err(|problems| Failure::failed(say_all(&problems)))
}

fn show(user: Option<&str>, kiosk: bool, json: bool) -> Result<(), Failure> {
    let by = match user {
        Some(text) => Principal::User {
            user: parse_user(text)?,
        },
        None if kiosk => Principal::Kiosk {},
        // Nothing but what holds for everyone applies to the owner.
        None => Principal::Owner {},
    };
    let rules = load()?;
    let mut merged = defaults()?;
    merge(&mut merged, &rules.merged_for(&by, None));
    let mut rows = Vec::new();
    for section in &merged.0 {
        leaves(&section.key, section, &mut rows);
    }
    let text = if json {
        let map: serde_json::Map<_, _> = rows
            .iter()
            .map(|(key, value)| {
                let row = serde_json::json!({ "value": plain(value), "source": value.origin.to_string() });
                (key.clone(), row)
            })
            .collect();
        format!("{:#}", serde_json::Value::Object(map))
    } else {
        rows.iter().fold(String::new(), |mut out, (key, value)| {
            // Writing to a String can't fail.
            let _infallible = writeln!(out, "{key} = {}  # {}", inline(value), value.origin);
            out
        })
    };
    let _seen = output::line(text.trim_end())?;
    Ok(())
}

/// Every option with a default, as if it were written.
fn defaults() -> Result<Table, Failure> {
    let json = serde_json::to_string(&Settings::default()).map_err(Failure::failed)?;
    let tree = crate::config::parse(Syntax::Json, &json, Path::new("default"))
        .map_err(|problems| Failure::failed(say_all(&problems)))?;
    let mut table = tree.as_table().cloned().unwrap_or_default();
    forget(&mut table);
    let place = |entry: &Entry| {
        SECTIONS
            .iter()
            .position(|section| section.name == entry.key)
    };
    table.0.sort_by_key(place);
    Ok(table)
}

fn forget(table: &mut Table) {
    use crate::policy::tree::Kind;
    for entry in &mut table.0 {
        entry.value.origin = Origin::Default;
        match &mut entry.value.kind {
            Kind::Table(below) => forget(below),
            Kind::List(list) => {
                for item in list {
                    item.origin = Origin::Default;
                }
            }
            _ => {}
        }
    }
}

fn leaves(path: &str, entry: &Entry, rows: &mut Vec<(String, Value)>) {
    match entry.value.as_table() {
        Some(table) => {
            for below in &table.0 {
                leaves(&format!("{path}.{}", key(&below.key)), below, rows);
            }
        }
        None => rows.push((path.to_owned(), entry.value.clone())),
    }
}

fn plain(value: &Value) -> serde_json::Value {
    use crate::policy::tree::Kind;
    match &value.kind {
        Kind::Null => serde_json::Value::Null,
        Kind::Bool(value) => (*value).into(),
        Kind::Whole(value) => (*value).into(),
        Kind::Number(value) => (*value).into(),
        Kind::Text(text) => text.as_str().into(),
        Kind::List(list) => list.iter().map(plain).collect(),
        Kind::Table(table) => table
            .0
            .iter()
            .map(|entry| (entry.key.clone(), plain(&entry.value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

fn parse_user(text: &str) -> Result<User, Failure> {
    let wrong = |message: String| Failure::new(Code::Usage, message);
    let mut parts = text.split(',');
    let name = parts.next().unwrap_or_default();
    let name = name
        .parse()
        .map_err(|error| wrong(format!("{name:?}: {error}")))?;
    let mut user = User::new(name, Way::Pam);
    for part in parts {
        let (attribute, value) = part
            .split_once('=')
            .ok_or_else(|| wrong(format!("{part:?}: write ATTRIBUTE=VALUE")))?;
        match attribute {
            "way" => {
                use serde::Deserialize as _;
                use serde::de::IntoDeserializer as _;
                user.way = Way::deserialize(value.into_deserializer())
                    .map_err(|error: serde::de::value::Error| wrong(error.to_string()))?;
            }
            "account" => user.account = Some(value.to_owned()),
            other => user
                .attributes
                .entry(other.to_owned())
                .or_default()
                .push(value.to_owned()),
        }
    }
    Ok(user)
}

fn carry_over(folder: &Path, output: Option<&Path>) -> Result<(), Failure> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| Failure::failed(format!("{}: {error}", folder.display())))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "conf"))
        .collect();
    paths.sort();
    if paths.is_empty() {
        let message = format!("{}: there are no .conf files", folder.display());
        return Err(Failure::failed(message));
    }
    let files = Files::these(&paths);
    if !files.problems.is_empty() {
        return Err(Failure::failed(say_all(&files.problems)));
    }
    let migration = migrate(&files.read).map_err(|problems| Failure::failed(say_all(&problems)))?;
    match output {
        None => {
            let _seen = output::line(migration.toml.trim_end())?;
        }
        Some(path) => {
            // Only a new file: nothing is overwritten.
            let written = File::options()
                .write(true)
                .create_new(true)
                .mode(0o644)
                .open(path)
                .and_then(|mut file| file.write_all(migration.toml.as_bytes()));
            written.map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
        }
    }
    for note in &migration.notes {
        output::say(&note.to_string());
    }
    Ok(())
}
