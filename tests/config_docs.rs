//! `docs/config.md` says what is true: its examples load, and it lists every option there is, with its
//! default, and none there isn't.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use gatepost::policy::settings::{Reach, SECTIONS, Settings, waits_for_restart};

const BEGIN: &str =
    "<!-- reference: made by `GATEPOST_BLESS=1 cargo test --test config_docs` -->\n";
const END: &str = "<!-- end of reference -->\n";

fn path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.md")
}

fn text() -> String {
    std::fs::read_to_string(path()).unwrap()
}

/// An option's default, as the configuration would say it.
fn default(section: &str, key: &str) -> String {
    let all = serde_json::to_value(Settings::default()).unwrap();
    let path = key
        .split('.')
        .try_fold(&all[section], |value, part| value.get(part));
    match path {
        None | Some(serde_json::Value::Null) => String::new(),
        Some(value) => format!("`{value}`"),
    }
}

fn reference() -> String {
    let mut out = String::new();
    for section in SECTIONS {
        writeln!(out, "\n### {}\n\n{}\n", section.name, section.help).unwrap();
        writeln!(
            out,
            "| option | value | default | for | |\n| --- | --- | --- | --- | --- |"
        )
        .unwrap();
        for option in section.options {
            let reach = match option.reach {
                Reach::Machine => "machine",
                Reach::Principal => "anyone",
            };
            let waits = waits_for_restart(section.name, option.key);
            let reach = if waits { "machine, restart" } else { reach };
            let default = default(section.name, option.key).replace('|', "\\|");
            writeln!(
                out,
                "| `{}` | {} | {default} | {reach} | {} |",
                option
                    .key
                    .replace('<', "&lt;")
                    .replace('>', "&gt;")
                    .replace('`', ""),
                option.kind,
                option.help.replace('<', "&lt;").replace('>', "&gt;")
            )
            .unwrap();
        }
    }
    out.push('\n');
    out
}

#[test]
fn every_option_is_documented_with_its_default_and_none_that_does_not_exist() {
    let text = text();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (documented, after) = rest.split_once(END).unwrap();
    if std::env::var_os("GATEPOST_BLESS").is_some() {
        let new = format!("{before}{BEGIN}{}{END}{after}", reference());
        std::fs::write(path(), new).unwrap();
        return;
    }
    assert!(
        documented == reference(),
        "docs/config.md doesn't list the options as they are: GATEPOST_BLESS=1 cargo test --test config_docs"
    );
}

#[test]
fn every_setting_with_a_default_is_in_the_list_of_options() {
    // A table whose keys people choose, in a section or as the section itself.
    let table = |key: &str| {
        if key.is_empty() {
            "<".to_owned()
        } else {
            format!("{key}.<")
        }
    };
    fn leaves(path: &str, value: &serde_json::Value, out: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    leaves(&format!("{path}.{key}"), value, out);
                }
            }
            _ => out.push(path.to_owned()),
        }
    }
    let all = serde_json::to_value(Settings::default()).unwrap();
    for section in SECTIONS {
        let mut found = Vec::new();
        leaves("", &all[section.name], &mut found);
        for key in found {
            let key = key.trim_start_matches('.');
            if key.is_empty() {
                continue; // a table without any entry by itself
            }
            let listed = section
                .options
                .iter()
                .any(|option| option.key == key || option.key.starts_with(&table(key)));
            assert!(listed, "{}.{key} is in no list of options", section.name);
        }
    }
    assert_eq!(all.as_object().unwrap().len(), SECTIONS.len());
}

#[test]
fn every_example_loads() {
    let text = text();
    let mut seen = 0;
    for (mark, syntax) in [("```toml\n", Syntax::Toml), ("```json\n", Syntax::Json)] {
        for block in text.split(mark).skip(1) {
            let example = block.split("```").next().unwrap();
            let layer = parse(syntax, example, Path::new("docs/config.md"))
                .unwrap_or_else(|problems| panic!("{example}\n{problems:#?}"));
            if let Err(problems) = Rules::compile(&[layer]) {
                panic!("{example}\n{problems:#?}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen} examples");
}

#[test]
fn help_tells_the_defaults_that_are_documented() {
    let output = Command::new(env!("CARGO_BIN_EXE_gatepost"))
        .args(["serve", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let listen = default("server", "listen");
    let listen = listen.trim_matches(|c: char| "`[]\"".contains(c));
    assert!(help.contains(&format!("[default: {listen}]")), "{help}");
    assert!(help.contains("/etc/gatepost"), "{help}");
}
