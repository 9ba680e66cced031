//! The vocabulary of actions: its line and its JSON mean the same, both ways, and stay what they are.

#![expect(
    clippy::unwrap_used,
    reason = "a step that fails should stop its test loudly"
)]

use gatepost::action::{
    Action, DisplayState, GRAMMAR, KioskDoes, MAX_LINE, MAX_WORDS, Outcome, ParseError, PowerState,
    Recipient, Which,
};
use gatepost::base::{Level, MessageText, Size, TerminalName, UserName};
use proptest::prelude::*;
use serde_json::{Value, json};

fn golden(name: &str) -> Value {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn said(line: &str) -> Result<Action<Which>, ParseError> {
    line.parse()
}

/// Everything there is, at least once. To write the golden file anew after a deliberate change:
/// `GATEPOST_WRITE_GOLDEN=1 cargo test --test actions_text`.
fn lines() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        (
            "terminal list",
            vec!["  terminal\tlist  ", "terminal list\r\n"],
        ),
        ("terminal open", vec!["terminal open --"]),
        (
            "terminal open --name work --size 120x40 --directory /srv/data",
            vec!["terminal open --directory '/srv/data' --size \"120x40\" --name work"],
        ),
        (
            "terminal open --name 'my work' -- sh -c 'echo \"$HOME\"; ls *'",
            vec![r#"terminal open --name my\ work -- sh -c "echo \"$HOME\"; ls *""#],
        ),
        ("terminal open -- cat '--' '-n' '' --", vec![]),
        (
            "terminal open --label 'desk=by the window' --label job=17 -- make",
            vec!["terminal open --label job=17 --label desk=by\\ the\\ window -- make"],
        ),
        ("terminal close abcdefgh27", vec![]),
        ("terminal close --all", vec![]),
        ("terminal close '--all'", vec![r"terminal close \x2d-all"]),
        (
            "terminal rename work büro",
            vec!["terminal rename 'work' b\\u{fc}ro"],
        ),
        ("terminal rename work", vec![]),
        (
            "terminal send work 'make -j4\\n'",
            vec![r#"terminal send work "make -j4\x0a""#],
        ),
        (
            "terminal send work '\\x03'",
            vec![r"terminal send work \x03"],
        ),
        (
            "terminal send work '\\e[A it\\'s \"so\" \\\\ \\t\\r\\u{202e}'",
            vec![],
        ),
        ("terminal send work ''", vec![r#"terminal send work """#]),
        ("terminal reset work", vec![]),
        (
            "terminal share work oidc:bob@ops.example",
            vec!["terminal share 'work' 'oidc:bob@ops.example'"],
        ),
        ("terminal unshare work bob", vec![]),
        (
            "message 'Back in 5 minutes'",
            vec!["message --level info 'Back in 5 minutes'"],
        ),
        (
            "message 'Power cut at 18:00.\\nSave your work.' --all --level warning --require-ack",
            vec![
                "message --require-ack --level warning --all \"Power cut at 18:00.\\nSave your work.\"",
            ],
        ),
        (
            "message '<b>not bold</b> & \"quoted\"' --to 'my work' --level error",
            vec![],
        ),
        ("kiosk reload", vec![]),
        ("kiosk identity", vec![]),
        ("kiosk switch next", vec!["kiosk switch 'next'"]),
        ("kiosk switch choose", vec![]),
        ("display on", vec![]),
        ("display off", vec!["display 'off'"]),
        ("display schedule", vec![]),
        ("power reboot", vec![]),
        ("power off", vec![]),
        ("hook run print-ticket", vec!["hook run 'print-ticket' --"]),
        (
            "hook run open-door -- front 'for 5 s' '$(reboot)' ''",
            vec![r"hook run open-door -- front for\ 5\ s \x24(reboot) ''"],
        ),
        ("lamp ready on", vec!["lamp 'ready' on"]),
        ("lamp ready off", vec![]),
        ("lamp ready blink", vec![]),
        ("lamp ready auto", vec![]),
        ("update check", vec![]),
        ("update check usb", vec!["update check 'usb'"]),
        (
            "update install https://updates.example/gatepost.bundle",
            vec![],
        ),
        (
            "update install '/srv/new system.bundle' --downgrade --restart",
            vec![r"update install --restart --downgrade /srv/new\ system.bundle"],
        ),
        ("update rollback", vec![]),
        ("update rollback --restart", vec![]),
        ("update confirm", vec![]),
        ("image unlock", vec![]),
        ("image lock", vec![]),
        ("who", vec![]),
        ("health", vec![]),
    ]
}

#[test]
fn actions_are_what_the_golden_file_says() {
    let written: Vec<_> = lines()
        .into_iter()
        .map(|(line, also)| {
            // What a person may write, printed, is what the file calls the line.
            let action = said(line).unwrap();
            json!({ "line": printed(&action, line), "also": also, "json": action })
        })
        .collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/actions.json");
    if std::env::var_os("GATEPOST_WRITE_GOLDEN").is_some() {
        let text = serde_json::to_string_pretty(&json!({ "actions": written })).unwrap();
        std::fs::write(path, text + "\n").unwrap();
    }
    let golden = golden("actions.json");
    assert_eq!(golden["actions"], Value::Array(written));
    for entry in golden["actions"].as_array().unwrap() {
        let line = entry["line"].as_str().unwrap();
        let action: Action<Which> = serde_json::from_value(entry["json"].clone()).unwrap();
        assert_eq!(action.to_string(), line);
        assert_eq!(said(line).unwrap(), action, "{line}");
        for other in entry["also"].as_array().unwrap() {
            assert_eq!(said(other.as_str().unwrap()).unwrap(), action, "{other}");
        }
    }
}

fn printed(action: &Action<Which>, line: &str) -> String {
    let printed = action.to_string();
    assert_eq!(
        said(&printed).as_ref(),
        Ok(action),
        "{line} printed as {printed}"
    );
    printed
}

#[test]
fn outcomes_are_what_the_golden_file_says() {
    let golden = golden("outcomes.json");
    let all = golden.as_array().unwrap();
    for entry in all {
        let outcome: Outcome = serde_json::from_value(entry.clone()).unwrap();
        assert_eq!(&serde_json::to_value(&outcome).unwrap(), entry);
    }
    let kinds: std::collections::BTreeSet<_> =
        all.iter().map(|o| o["outcome"].to_string()).collect();
    assert_eq!(kinds.len(), 8, "every kind is there");
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_what_to_write() {
    for (line, says) in [
        ("", "actions begin with: terminal list"),
        ("reboot", "\"reboot\" is no action"),
        ("hook run ../../bin/sh", "names of buttons, lamps and hooks"),
        ("hook run --all", "NAME is missing"),
        ("hook run print -- '-x'", "no - in front"),
        ("hook run print 'a b'", "is not expected"),
        ("lamp ready dim", "a lamp is on, off, blink or auto"),
        ("'power' reboot", "is no action"),
        ("terminal", "is no action"),
        (
            "terminal open work",
            "\"work\" at character 15 is not expected",
        ),
        ("terminal open --name", "--name is missing"),
        ("terminal open --name -- x", "--name is missing"),
        ("terminal open --size 1x1", "sizes go from 2x2 to 500x250"),
        ("terminal open --size 501x2", "sizes go from 2x2"),
        ("terminal open --size axb", "a size is written as 80x24"),
        (
            "terminal open --name a --name b",
            "\"--name\" at character 24 is not expected",
        ),
        (
            "terminal close",
            "ID is missing; write it as: terminal close ID",
        ),
        ("terminal close work --force", "\"--force\" at character 21"),
        (
            "terminal close work --all",
            "\"work\" at character 16 is not expected",
        ),
        ("terminal close ''", "at least one character"),
        ("terminal send work", "TEXT is missing"),
        ("terminal send work a b", "\"b\" at character 22"),
        ("terminal reset work -- x", "\"x\" at character 24"),
        ("message ''", "at least one character"),
        ("message 'a\\e[31m'", "must not contain control characters"),
        ("message hi --all --to work", "\"--all\" at character 12"),
        (
            "message hi --level loud",
            "a level is info, warning or error",
        ),
        (
            "display dim",
            "a display is on, off or as its schedule says",
        ),
        ("power cycle", "power knows reboot and off"),
        (
            "terminal send work 'abc",
            "the quote opened at character 20 is not closed",
        ),
        ("terminal send work \\q", "\\q at character 20 is not known"),
        ("terminal send work \\x8g", "\\x8g at character 20"),
        ("terminal send work \\x80", "\\x80 at character 20"),
        ("terminal send work \\x+1", "\\x+1 at character 20"),
        ("terminal send work \\u{110000}", "\\u at character 20"),
        ("terminal send work \\u{d800}", "\\u at character 20"),
        ("terminal send work \\u41", "\\u at character 20"),
        ("terminal send work \\", "\\ at character 20"),
        ("who\nwho", "a line end or NUL at character 4"),
        ("who \0", "a line end or NUL at character 5"),
    ] {
        let error = said(line).unwrap_err().to_string();
        assert!(error.contains(says), "{line:?} says: {error}");
    }
    for json in [
        r#"{"action":"power","state":"cycle"}"#,
        r#"{"action":"power","state":"off","force":true}"#,
        r#"{"action":"who","x":1}"#,
        r#"{"action":"message","text":"a\u0007b"}"#,
        r#"{"action":"message","text":"a","to":{"all":{},"kiosk":{}}}"#,
        r#"{"action":"message","text":"a","to":"all"}"#,
        r#"{"action":"close-terminal","terminal":""}"#,
        r#"{"action":"reboot"}"#,
        r#"{"action":"Who"}"#,
    ] {
        assert!(
            serde_json::from_str::<Action<Which>>(json).is_err(),
            "{json}"
        );
    }
}

#[test]
fn limits_hold_at_the_limit_and_one_past_it() {
    let long = |length: usize| format!("{}who", " ".repeat(length - 3));
    assert_eq!(said(&long(MAX_LINE)), Ok(Action::Who {}));
    assert_eq!(said(&long(MAX_LINE + 1)), Err(ParseError::TooLong));
    let many = |count: usize| format!("terminal open --{}", " x".repeat(count - 3));
    assert!(said(&many(MAX_WORDS)).is_ok());
    assert_eq!(said(&many(MAX_WORDS + 1)), Err(ParseError::TooMany));
    // The longest text there is can be said, whatever it consists of.
    let text = "\0".repeat(64 << 10);
    let action: Action<Which> = Action::SendText {
        terminal: "work".parse().unwrap(),
        text,
    };
    assert_eq!(said(&action.to_string()), Ok(action));
}

#[test]
fn the_document_shows_every_form() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/actions.md");
    let document = std::fs::read_to_string(path).unwrap();
    // In a table a bar has to be escaped.
    let document = document.replace("\\|", "|");
    for (_, usage) in GRAMMAR {
        for form in usage.split(" | terminal ") {
            assert!(
                document.contains(form),
                "docs/actions.md doesn't show: {form}"
            );
        }
    }
}

fn which() -> impl Strategy<Value = Which> {
    "\\PC{1,64}".prop_filter_map("a name", |text| text.parse().ok())
}

fn name() -> impl Strategy<Value = TerminalName> {
    "\\PC{1,64}".prop_filter_map("a name", |text| text.parse().ok())
}

fn message() -> impl Strategy<Value = MessageText> {
    "[\\PC\n'\"\\\\-]{1,60}".prop_filter_map("a message", |text| text.parse().ok())
}

fn action() -> impl Strategy<Value = Action<Which>> {
    let recipient = prop_oneof![
        Just(Recipient::Kiosk {}),
        Just(Recipient::All {}),
        which().prop_map(Recipient::Terminal)
    ];
    let level = prop_oneof![Just(Level::Info), Just(Level::Warning), Just(Level::Error)];
    prop_oneof![
        Just(Action::ListTerminals {}),
        Just(Action::CloseAllTerminals {}),
        Just(Action::ReloadKiosk {}),
        proptest::sample::select(KioskDoes::ALL.to_vec()).prop_map(|does| Action::Kiosk { does }),
        Just(Action::Who {}),
        Just(Action::Display {
            state: DisplayState::On
        }),
        Just(Action::Power {
            state: PowerState::Off
        }),
        which().prop_map(|terminal| Action::CloseTerminal { terminal }),
        which().prop_map(|terminal| Action::ResetTerminal { terminal }),
        (which(), user()).prop_map(|(terminal, with)| Action::ShareTerminal { terminal, with }),
        (which(), user()).prop_map(|(terminal, with)| Action::UnshareTerminal { terminal, with }),
        (which(), any::<String>()).prop_map(|(terminal, text)| Action::SendText { terminal, text }),
        (which(), proptest::option::of(name()))
            .prop_map(|(terminal, name)| Action::RenameTerminal { terminal, name }),
        (
            proptest::option::of(name()),
            proptest::collection::vec(any::<String>(), 0..5),
            (2..=500_u16, 2..=250_u16),
            proptest::option::of("[^\0]{1,40}"),
            proptest::collection::btree_map("[a-z0-9][a-zA-Z0-9_-]{0,31}", "[ -~ä€]{0,128}", 0..4),
        )
            .prop_map(|(name, command, (cols, rows), directory, labels)| {
                Action::OpenTerminal {
                    program: command.first().cloned(),
                    name,
                    command,
                    size: Size::clamped(cols, rows),
                    directory: directory.map(Into::into),
                    labels: serde_json::from_value(serde_json::json!(labels)).unwrap(),
                }
            }),
        (message(), recipient, level, any::<bool>()).prop_map(|(text, to, level, require_ack)| {
            Action::Message {
                text,
                to,
                level,
                require_ack,
            }
        }),
    ]
}

/// Names of people, of those that can be one.
fn user() -> impl Strategy<Value = UserName> {
    "\\PC{1,20}".prop_filter_map("no user's name", |text| UserName::try_from(text).ok())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_printed_is_read_back_as_the_same_action(action in action()) {
        let line = action.to_string();
        prop_assert!(!line.contains(['\n', '\r', '\0', '\u{1b}']), "one line that can be shown: {line:?}");
        prop_assert_eq!(said(&line), Ok(action.clone()), "{}", line);
        let json = serde_json::to_string(&action).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Action<Which>>(&json).unwrap(), &action);
    }

    #[test]
    fn no_line_upsets_the_reader(line in "(terminal (open|close|send|rename)|message|power)?[ \\PC\t\n'\"\\\\-]{0,80}") {
        if let Ok(action) = said(&line) {
            prop_assert_eq!(said(&action.to_string()), Ok(action));
        }
    }
}
