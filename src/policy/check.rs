//! Checks of what was written: unknown keys, bad values, what doesn't fit together. All of them are
//! found, not only the first.

use serde::Deserialize as _;

use super::problem::{Problem, did_you_mean};
use super::rules::{Block, overlay, settings};
use super::scope::Scope;
use super::settings::{Match, Reach, SECTIONS, Section, Settings, section};
use super::tree::{Entry, Origin, Table, Value};

/// Most problems looked for in one block; who has more starts over anyway.
const MAX_PROBLEMS: usize = 100;

/// What is wrong in one block by itself.
pub(super) fn block(block: &Block, problems: &mut Vec<Problem>) {
    for entry in &block.sections.0 {
        match section(&entry.key) {
            None => {
                let names: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
                let hint = did_you_mean(&entry.key, &names);
                let message = format!("unknown section{hint}; there are {}", names.join(", "));
                let key = format!("{}.{}", block.name, entry.key);
                problems.push(Problem::error(&entry.origin, key, message));
            }
            Some(section) => {
                let known = problems.len();
                let mut path = Vec::new();
                keys(block, section, &entry.value, &mut path, problems);
                // Values of unknown keys have no type to check.
                if problems.len() == known {
                    values(block, entry, problems);
                }
            }
        }
    }
}

/// Unknown keys, and keys for the machine under the scope of some.
fn keys(
    block: &Block,
    section: &Section,
    value: &Value,
    path: &mut Vec<String>,
    problems: &mut Vec<Problem>,
) {
    let Some(table) = value.as_table() else {
        return;
    };
    for entry in &table.0 {
        path.push(entry.key.clone());
        let of = |found: Match| {
            section
                .options
                .iter()
                .find(|option| option.compare(path) == found)
        };
        let key = || format!("{}.{}.{}", block.name, section.name, path.join("."));
        if let Some(option) = of(Match::Exact) {
            if option.reach == Reach::Machine && !matches!(block.scope, Scope::Everyone) {
                let message = "holds for the whole machine, so it may only stand under \"*\"";
                problems.push(Problem::error(&entry.origin, key(), message));
            }
        } else if of(Match::Above).is_some() {
            keys(block, section, &entry.value, path, problems);
        } else if of(Match::Inside).is_none() {
            let depth = path.len() - 1;
            let above = path.get(..depth).unwrap_or_default();
            let siblings: Vec<&str> = section
                .options
                .iter()
                .filter(|option| matches!(option.compare(above), Match::Above))
                .filter_map(|option| option.key.split('.').nth(depth))
                .collect();
            let hint = did_you_mean(&entry.key, &siblings);
            problems.push(Problem::error(
                &entry.origin,
                key(),
                format!("unknown key{hint}"),
            ));
        }
        path.pop();
        if problems.len() >= MAX_PROBLEMS {
            return;
        }
    }
}

/// Values that are not what their keys want. What is faulty is taken out and the rest tried again,
/// so that every one is found.
fn values(block: &Block, entry: &Entry, problems: &mut Vec<Problem>) {
    let mut alone = Value::table(Table(vec![entry.clone()]), Origin::Default);
    for _ in 0..MAX_PROBLEMS {
        let Err(fault) = Settings::deserialize(&alone) else {
            return;
        };
        if !fault.missing {
            let origin = fault.origin.clone().unwrap_or_default();
            let key = format!("{}.{}", block.name, fault.keys.join("."));
            problems.push(Problem::error(&origin, key, &fault.message));
        }
        if fault.keys.is_empty() || !alone.remove(&fault.keys) {
            return;
        }
    }
}

/// What doesn't fit together once the layers are merged: for everyone, and for those of each scope.
pub(super) fn together(blocks: &[Block], problems: &mut Vec<Problem>) {
    let everyone = |block: &Block| matches!(block.scope, Scope::Everyone);
    merged(
        "\"*\"",
        &overlay(blocks, Table::default(), everyone),
        problems,
    );
    for (at, one) in blocks.iter().enumerate() {
        let first = blocks.iter().position(|other| other.name == one.name);
        if everyone(one) || first != Some(at) {
            continue;
        }
        let those = |block: &Block| everyone(block) || block.name == one.name;
        merged(
            &one.name,
            &overlay(blocks, Table::default(), those),
            problems,
        );
    }
}

fn merged(scope: &str, sections: &Table, problems: &mut Vec<Problem>) {
    let objections = match settings(sections) {
        Ok(settings) => settings.check(),
        Err(fault) => vec![(fault.keys.join("."), fault.message)],
    };
    let root = Value::table(sections.clone(), Origin::Default);
    for (key, message) in objections {
        let origin = place(&root, &key);
        let known = |problem: &Problem| {
            problem.origin == origin && problem.key.ends_with(&key) && problem.message == message
        };
        // Everyone's problem is not said again for each scope.
        if !problems.iter().any(known) {
            problems.push(Problem::error(&origin, format!("{scope}.{key}"), message));
        }
    }
}

/// Where a key, or the innermost table around it, was written.
fn place(root: &Value, key: &str) -> Origin {
    let mut value = root;
    let mut origin = Origin::Default;
    for part in key.split('.') {
        let Some(entry) = value.as_table().and_then(|table| table.get(part)) else {
            break;
        };
        value = &entry.value;
        origin = match &entry.value.origin {
            Origin::Default => entry.origin.clone(),
            written => written.clone(),
        };
    }
    origin
}
