//! `gatepost provision take`: takes over what somebody typed in at the machine or at its access point, by the same way
//! as the files on the card. Whoever passes it on isn't trusted: as long as there is an administrator, their
//! password is needed, and it is checked here.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use sha_crypt::{PasswordVerifier as _, ShaCrypt};

use crate::config::{Syntax, document, parse};
use crate::policy::Problem;
use crate::policy::tree::{Kind, Table, Value, merge};
use crate::provision::{FOLDER, Provision};
use crate::wire::setup::{MAX_CALL, SetupCall, SetupEnd, Wrong};

use super::Arguments;
use super::apply::{BY_HAND, Given, give, own, read_kept, read_report};
use super::input::Input;
use super::place::Place;
use crate::role::exit::Failure;

/// How long whoever gave a wrong password has to wait. Only one is served at a time.
const WRONG: Duration = Duration::from_secs(2);
/// Most problems that are passed back.
const MAX_PROBLEMS: usize = 20;
/// What may be typed in; the rest is for files.
const KEYS: &[(&str, &[&str])] = &[
    ("hostname", &[]),
    ("locale", &[]),
    ("timezone", &[]),
    ("keyboard", &["layout", "variant"]),
    ("wifi", &["country", "networks"]),
    ("admin", &["name", "password", "ssh_keys"]),
];
/// What may be said of a Wi-Fi network.
const OF_NETWORKS: &[&str] = &["security", "password", "hidden"];

/// Answers the one call on standard input.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_CALL).unwrap_or(u64::MAX);
    let input = std::io::stdin().lock();
    let read = input.take(most + 1).read_to_end(&mut bytes);
    read.map_err(Failure::failed)?;
    let end = answer(arguments, &bytes);
    let mut out = std::io::stdout().lock();
    out.write_all(&end.encode()).map_err(Failure::failed)?;
    out.flush().map_err(Failure::failed)
}

fn closed(why: impl Into<String>) -> SetupEnd {
    SetupEnd::Closed { why: why.into() }
}

fn answer(arguments: &Arguments, bytes: &[u8]) -> SetupEnd {
    let place = Place::new(&arguments.root, &arguments.system);
    let path = place.path(&format!("{FOLDER}/{BY_HAND}"));
    let now = Input::folder(&arguments.from, &path);
    // Also if they have been taken out since: what they gave is in use.
    if now.card || read_report(&place).is_some_and(|report| report.card) {
        return closed(
            "this machine takes its settings from files on its card's first partition; change them there",
        );
    }
    if arguments.live && place.is_in_memory(FOLDER) {
        return closed("this machine keeps nothing: its data partition can't be used");
    }
    let Some(call) = SetupCall::decode(bytes) else {
        return closed("what came was no form");
    };
    // What is there was understood when it was written.
    let before = Provision::read(&now.tree).unwrap_or_default();
    if let Some(admin) = &before.admin {
        let kept = read_kept(&place);
        let Some(hash) = kept.admin(&admin.name) else {
            return closed(
                "its administrator has SSH keys and no password, so nobody can be let in here; log in by SSH",
            );
        };
        let verified = ShaCrypt::default().verify_password(call.password.as_bytes(), hash);
        if verified.is_err() {
            #[expect(
                clippy::disallowed_methods,
                reason = "the wait itself is what is wanted"
            )]
            std::thread::sleep(WRONG);
            return SetupEnd::Password {};
        }
    }
    let given = match parse(Syntax::Toml, &call.toml, Path::new("form")) {
        Ok(given) => given,
        Err(problems) => return wrong(&problems),
    };
    if let Some(key) = given.as_table().and_then(unexpected) {
        return closed(format!("{key} can't be set up here"));
    }
    let mut all = now.tree.clone();
    forget_renewed(&mut all, &given);
    if let (Kind::Table(all), Some(given)) = (&mut all.kind, given.as_table()) {
        merge(all, given);
    }
    let text = document(all.as_table().unwrap_or(&Table::default()));
    let file = own(BY_HAND, 0o600, text.clone().into_bytes());
    let input = Input::by_hand(&path, text);
    match give(&place, &input, arguments, Some(&file)) {
        Ok(Given { applied: true, .. }) => SetupEnd::Done {},
        Ok(Given { wrong: found, .. }) => wrong(&found),
        Err(fault) => closed(fault.to_string()),
    }
}

fn wrong(problems: &[Problem]) -> SetupEnd {
    let said = problems.iter().take(MAX_PROBLEMS).map(|problem| Wrong {
        key: problem.key.clone(),
        says: problem.message.clone(),
    });
    SetupEnd::Wrong {
        problems: said.collect(),
    }
}

/// The first key that has no place in a form.
fn unexpected(given: &Table) -> Option<String> {
    let inside = |table: &Table, known: &[&str], above: &str| {
        let mut keys = table.0.iter().map(|entry| entry.key.as_str());
        let found = keys.find(|key| !known.contains(key))?;
        Some(format!("{above}.{found}"))
    };
    for entry in &given.0 {
        let Some((name, known)) = KEYS.iter().find(|(name, _)| *name == entry.key) else {
            return Some(entry.key.clone());
        };
        let Some(table) = entry.value.as_table() else {
            continue;
        };
        if let Some(found) = inside(table, known, name) {
            return Some(found);
        }
        let networks = table
            .get("networks")
            .and_then(|entry| entry.value.as_table());
        for network in networks.iter().flat_map(|networks| &networks.0) {
            let said = network.value.as_table();
            if let Some(found) = said.and_then(|said| inside(said, OF_NETWORKS, "wifi.networks")) {
                return Some(found);
            }
        }
    }
    None
}

/// A network that is said anew is not what it was, and neither is the keyboard.
fn forget_renewed(all: &mut Value, given: &Value) {
    let networks = given.at(&["wifi", "networks"]).and_then(Value::as_table);
    for network in networks.iter().flat_map(|networks| &networks.0) {
        forget(all, &["wifi", "networks", network.key.as_str()]);
    }
    if given.at(&["keyboard"]).is_some() {
        forget(all, &["keyboard"]);
    }
}

/// Takes out what is there. What isn't would take what is around it along.
fn forget(all: &mut Value, keys: &[&str]) {
    if all.at(keys).is_some() {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let _was_there = all.remove(&keys);
    }
}
