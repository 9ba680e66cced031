//! Writing the tree: as TOML that reads back the same, and as lines that say where each value is from.

use std::fmt::Write as _;

use crate::policy::tree::{Kind, Table, Value};

/// The scopes of a tree as TOML.
pub fn to_toml(scopes: &Table) -> String {
    let mut out = String::new();
    for scope in &scopes.0 {
        let Some(sections) = scope.value.as_table() else {
            continue;
        };
        for section in &sections.0 {
            table(&mut out, &[&scope.key, &section.key], &section.value);
        }
    }
    out
}

/// A whole tree as TOML.
pub fn document(root: &Table) -> String {
    let mut out = String::new();
    for entry in &root.0 {
        if entry.value.as_table().is_none() {
            let _infallible = writeln!(out, "{} = {}", key(&entry.key), inline(&entry.value));
        }
    }
    for entry in &root.0 {
        table(&mut out, &[&entry.key], &entry.value);
    }
    out
}

fn table(out: &mut String, path: &[&str], value: &Value) {
    let Some(table_) = value.as_table() else {
        return;
    };
    let (tables, values): (Vec<_>, Vec<_>) = table_
        .0
        .iter()
        .partition(|entry| entry.value.as_table().is_some());
    if !values.is_empty() {
        let names: Vec<String> = path.iter().map(|part| key(part)).collect();
        // Writing to a String can't fail.
        let _infallible = writeln!(out, "\n[{}]", names.join("."));
        for entry in values {
            let _infallible = writeln!(out, "{} = {}", key(&entry.key), inline(&entry.value));
        }
    }
    for entry in tables {
        let path: Vec<&str> = path.iter().copied().chain([entry.key.as_str()]).collect();
        table(out, &path, &entry.value);
    }
}

/// A key, in quotes where TOML needs them.
pub fn key(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !text.is_empty() && text.chars().all(bare) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A value on one line, as TOML.
pub fn inline(value: &Value) -> String {
    match &value.kind {
        Kind::Null => "{}".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Whole(value) => value.to_string(),
        Kind::Number(value) => format!("{value:?}"),
        Kind::Text(text) => quoted(text),
        Kind::List(list) => {
            let items: Vec<String> = list.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Table(table) => {
            let entries: Vec<String> = table
                .0
                .iter()
                .map(|entry| format!("{} = {}", key(&entry.key), inline(&entry.value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _infallible = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
