//! House rules the compiler does not check. A failure here names the file and the rule.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a broken checkout should stop this test loudly"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// What each room under `src/` may import, lowest floor first. A new edge is a design change: it
/// shows up in review as a diff of this table. Rooms on one floor do not see each other.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("action", &["base"]),
    ("policy", &["base", "action"]),
    ("screen", &["base", "action"]),
    ("wire", &["base", "action"]),
    // Settings of Gatepost's own are part of what a machine is given, so it speaks of trees and problems.
    ("provision", &["base", "policy"]),
    ("terminals", &["base", "action", "policy", "wire"]),
    ("auth", &["base", "action", "policy", "wire"]),
    ("hardware", &["base", "action", "policy", "wire"]),
    ("system", &["base", "action", "policy", "wire"]),
    ("control", MECHANISMS_AND_BELOW),
    ("doors", BELOW_DOORS),
    ("config", BELOW_DOORS),
    // Processes of their own: small, long-lived or close to a foreign library.
    ("keeper", &["base", "wire", "screen"]),
    ("login", &["base", "wire"]),
    ("kiosk", &["base", "wire"]),
    (
        "role",
        &[
            "base",
            "action",
            "policy",
            "screen",
            "wire",
            "provision",
            "terminals",
            "auth",
            "hardware",
            "system",
            "control",
            "doors",
            "config",
            "keeper",
            "login",
            "kiosk",
        ],
    ),
];
const MECHANISMS_AND_BELOW: &[&str] = &[
    "base",
    "action",
    "policy",
    "wire",
    "terminals",
    "auth",
    "hardware",
    "system",
];
const BELOW_DOORS: &[&str] = &[
    "base",
    "action",
    "policy",
    "wire",
    "terminals",
    "auth",
    "hardware",
    "system",
    "control",
];
/// What an executable may name: it picks a role and does nothing else.
const BIN_MAY_IMPORT: &[&str] = &["role", "keeper", "login", "kiosk"];
/// The only files that may contain `unsafe`.
const UNSAFE: &[&str] = &[
    "keeper/child.rs",
    "login/libpam.rs",
    "login/unix.rs",
    "login/users.rs",
];
/// The only places that may test a Cargo feature.
const FEATURE_GATES: &[&str] = &["lib.rs", "role/", "kiosk/", "auth/kerberos/"];
/// Longest file, counted without its tests and comments. What is longer hides a second subject.
const MAX_CODE_LINES: usize = 400;

/// Every file under `dir` whose name ends so, without what was built or fetched.
fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else {
        return out;
    };
    for entry in entries {
        let path = entry.expect("folder entry is readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !["target", "node_modules", "dist", ".git"].contains(&&*name) {
                out.extend(files(&path, ending));
            }
        } else if name.ends_with(ending) {
            out.push(path);
        }
    }
    out
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The lines that are code: no comments, nothing from the unit tests on.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n#[cfg(test)]\n")
        .next()
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

/// Every `crate::a::b` path in the code (`gatepost::a::b` in an executable), as `["a", "b"]`.
fn crate_paths<'a>(code: &'a str, from: &'a str) -> impl Iterator<Item = Vec<&'a str>> {
    code.match_indices(from).map(|(at, found)| {
        let rest = &code[at + found.len()..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
            .unwrap_or(rest.len());
        rest[..end].split("::").collect()
    })
}

/// Whether `word` stands in the code by itself, not as part of a longer name.
fn says(code: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let ends_in_name = word.ends_with(part_of_name);
        let goes_on = ends_in_name && code[at + word.len()..].starts_with(part_of_name);
        !goes_on && !code[..at].ends_with(part_of_name)
    })
}

/// What is wrong with the file of this name (relative to `src/`) and text.
fn faults(name: &str, text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let code = code_lines(text).collect::<Vec<_>>().join("\n");
    let place: Vec<&str> = name.trim_end_matches(".rs").split('/').collect();
    if !text.starts_with("//! ") {
        out.push("the first line must be a //! sentence saying what the file is for".to_owned());
    }
    if code_lines(text).count() > MAX_CODE_LINES {
        out.push(format!(
            "more than {MAX_CODE_LINES} lines of code before its tests"
        ));
    }
    let lifts = says(&code, "unsafe_code");
    let uses = [" {", " fn", " impl", " trait", " extern", "("]
        .iter()
        .any(|next| says(&code, &format!("unsafe{next}")));
    if (lifts || uses) && !UNSAFE.contains(&name) {
        out.push(format!("unsafe code outside {UNSAFE:?}"));
    }
    if code.contains("feature = \"") && !FEATURE_GATES.iter().any(|gate| name.starts_with(gate)) {
        out.push("feature gate outside lib.rs, role/ and the gated room".to_owned());
    }
    if code.contains("crate::{") || code.contains("super::super") {
        out.push("write one `use crate::room::…` line per room".to_owned());
    }
    for kind in ["struct", "enum", "trait", "type", "union"] {
        if says(&code, &format!("{kind} Session")) {
            out.push("no type is called Session: say Terminal, Viewer, Login or Keeper".to_owned());
        }
    }
    if says(&code, "set_var") || says(&code, "remove_var") {
        out.push("changing the environment is unsound once a second thread runs".to_owned());
    }
    out.extend(import_faults(&place, &code));
    out
}

fn import_faults(place: &[&str], code: &str) -> Vec<String> {
    let mut out = Vec::new();
    match place {
        ["lib"] => {}
        ["bin", ..] => {
            for path in crate_paths(code, "gatepost::") {
                if !BIN_MAY_IMPORT.contains(&path[0]) {
                    out.push(format!(
                        "an executable picks a role; not gatepost::{}",
                        path.join("::")
                    ));
                }
            }
        }
        [room, inner @ ..] => {
            let Some((_, allowed)) = MAY_IMPORT.iter().find(|(known, _)| known == room) else {
                return vec![format!(
                    "`{room}` is not a room in MAY_IMPORT of tests/tidy.rs"
                )];
            };
            for path in crate_paths(code, "crate::") {
                let to = path[0];
                let known = MAY_IMPORT.iter().any(|(known, _)| *known == to);
                let other_door = *room == "doors" && to == "doors" && inner.first() != path.get(1);
                // doors/mod.rs introduces the doors; it is not one of them.
                let other_door = other_door && inner != ["mod"];
                if other_door || (known && to != *room && !allowed.contains(&to)) {
                    out.push(format!("must not import crate::{}", path.join("::")));
                }
            }
        }
        [] => {}
    }
    out
}

#[test]
fn every_source_file_keeps_the_house_rules() {
    let src = root().join("src");
    let found: Vec<String> = files(&src, ".rs")
        .iter()
        .flat_map(|path| {
            let name = path
                .strip_prefix(&src)
                .expect("is under src")
                .to_string_lossy();
            let text = fs::read_to_string(path).expect("source is UTF-8");
            let faults = faults(&name, &text);
            faults
                .into_iter()
                .map(move |fault| format!("src/{name}: {fault}"))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_rust_file_says_what_it_is_for() {
    let found: Vec<PathBuf> = ["src", "tests", "benches", "fuzz"]
        .iter()
        .flat_map(|dir| files(&root().join(dir), ".rs"))
        .filter(|path| {
            let text = fs::read_to_string(path).expect("source is UTF-8");
            !text.trim_start_matches("#![no_main]\n").starts_with("//! ")
        })
        .collect();
    assert!(
        found.is_empty(),
        "the first line must be a //! sentence: {found:?}"
    );
}

#[test]
fn every_byte_format_is_a_fuzz_target() {
    // A format is a file, or a folder of them.
    for entry in fs::read_dir(root().join("src/wire")).expect("there is src/wire") {
        let path = entry.expect("folder entry is readable").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let target = format!("fuzz/targets/wire_{name}.rs");
        assert!(
            name == "mod" || root().join(&target).exists(),
            "there is no {target}"
        );
    }
}

#[test]
fn the_rules_catch_what_they_claim_to() {
    let bad = |name, text| assert!(!faults(name, text).is_empty(), "{name} passed: {text}");
    bad(
        "terminals/found.rs",
        "//! x\nuse crate::doors::web::Frame;\n",
    );
    bad("wire/frame.rs", "//! x\nuse crate::screen::Model;\n");
    bad("kiosk/mod.rs", "//! x\nuse crate::action::Action;\n");
    bad(
        "keeper/mod.rs",
        "//! x\nfn f() { crate::terminals::open() }\n",
    );
    bad(
        "doors/web/socket.rs",
        "//! x\nuse crate::doors::local::Thing;\n",
    );
    bad("doors/web/socket.rs", "//! x\nuse crate::{base, wire};\n");
    bad("doors/web/socket.rs", "//! x\nuse super::super::local;\n");
    bad("bin/gatepost.rs", "//! x\nuse gatepost::doors::web;\n");
    bad("keeper/pty.rs", "//! x\n#![allow(unsafe_code)]\n");
    bad("keeper/pty.rs", "//! x\nfn f() { unsafe { g() } }\n");
    bad("doors/web/mod.rs", "//! x\n#[cfg(feature = \"kiosk\")]\n");
    bad("garage.rs", "//! x\n");
    bad("base/id.rs", "use std::fmt;\n");
    bad("auth/login.rs", "//! x\npub struct Session;\n");
    bad("auth/login.rs", "//! x\npub(crate) enum Session<'a> {}\n");
    bad(
        "system/env.rs",
        "//! x\nfn f() { std::env::set_var(\"A\", \"b\"); }\n",
    );
    bad(
        "base/long.rs",
        &format!("//! x\n{}", "fn f() {}\n".repeat(MAX_CODE_LINES + 1)),
    );
}

#[test]
fn the_rules_let_good_files_pass() {
    let good = |name, text| assert_eq!(faults(name, text), Vec::<String>::new(), "{name}");
    good(
        "doors/web/socket.rs",
        "//! x\nuse crate::doors::web::guard;\n",
    );
    good(
        "doors/web/socket.rs",
        "//! x\n// unsafe {, set_var, crate::role: only words\nconst A: &str = \"'unsafe-inline'\";\n",
    );
    good(
        "bin/gatepost.rs",
        "//! x\nfn main() { gatepost::role::serve::main() }\n",
    );
    good(
        "kiosk/mod.rs",
        "//! x\n#[cfg(feature = \"kiosk\")]\nuse crate::wire::control::Call;\n",
    );
    good("keeper/child.rs", "//! x\nfn f() { unsafe { g() } }\n");
    good(
        "auth/login.rs",
        "//! x\npub struct SessionBus;\n#[cfg(test)]\nmod tests { unsafe {} }\n",
    );
    let tests = "#[cfg(test)]\nmod tests {\n".to_owned() + &"// x\n".repeat(MAX_CODE_LINES);
    good("base/short.rs", &("//! x\n".to_owned() + &tests));
}

#[test]
fn the_table_has_no_edge_upwards() {
    let floor = |room: &str| MAY_IMPORT.iter().position(|(known, _)| *known == room);
    for (room, allowed) in MAY_IMPORT {
        for to in *allowed {
            assert!(
                floor(to) < floor(room),
                "{room} may not import {to}, which stands above it"
            );
        }
        assert!(
            root().join("src").join(room).join("mod.rs").exists(),
            "{room} is in the table and not in src/"
        );
    }
}

/// Paths and `./dev` commands a document mentions that do not exist.
fn broken_mentions(document: &str, text: &str, dev: &str) -> Vec<String> {
    const FOLDERS: &[&str] = &[
        "src/",
        "tests/",
        "web/",
        "docs/",
        "systemd/",
        "benches/",
        "fuzz/",
        "image/",
        "xsession/",
    ];
    let mut out = Vec::new();
    // Odd pieces stand between back-ticks; links are `](target)`.
    let quoted = text.split('`').skip(1).step_by(2);
    for word in quoted {
        if FOLDERS.iter().any(|folder| word.starts_with(folder))
            && !word.contains(|c: char| "*<{ …:".contains(c))
            && !word.starts_with("web/dist")
            && !root().join(word).exists()
        {
            out.push(format!("{document}: there is no {word}"));
        }
        if let Some(rest) = word.strip_prefix("./dev ") {
            let verb = rest.split_whitespace().next().unwrap_or_default();
            if !dev.contains(&format!("\n  {verb})")) {
                out.push(format!("{document}: ./dev has no `{verb}`"));
            }
        }
    }
    let folder = Path::new(document).parent().unwrap_or(Path::new(""));
    for link in text.split("](").skip(1) {
        let target = link.split([')', '#', ' ']).next().unwrap_or_default();
        if !target.is_empty()
            && !target.contains("://")
            && !root().join(folder).join(target).exists()
        {
            out.push(format!("{document}: the link to {target} leads nowhere"));
        }
    }
    out
}

#[test]
fn documents_mention_only_what_exists() {
    let dev = fs::read_to_string(root().join("dev")).expect("dev is readable");
    let documents = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"]
        .map(|name| root().join(name))
        .into_iter()
        .chain(files(&root().join("docs"), ".md"));
    let found: Vec<String> = documents
        .filter(|path| path.exists())
        .flat_map(|path| {
            let name = path.strip_prefix(root()).expect("is in the checkout");
            let text = fs::read_to_string(&path).expect("document is UTF-8");
            broken_mentions(&name.to_string_lossy(), &text, &dev)
        })
        .collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
    assert!(!broken_mentions("x.md", "see `src/nowhere.rs`", &dev).is_empty());
    assert!(!broken_mentions("x.md", "type `./dev dance`", &dev).is_empty());
    assert!(!broken_mentions("x.md", "[here](nowhere.md)", &dev).is_empty());
}
