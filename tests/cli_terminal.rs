//! The command line's contract: words, output, exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::Value;
use support::server::{Place, ServerProcess};

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn started() -> (Place, ServerProcess) {
    let place = Place::new();
    let server = ServerProcess::start(&place, &[]);
    (place, server)
}

#[test]
fn without_a_server_every_command_says_so_with_exit_code_4() {
    let place = Place::new();
    for arguments in [
        &["url"][..],
        &["status"],
        &["terminal", "list"],
        &["terminal", "open"],
        &["terminal", "show", "x"],
        &["terminal", "send", "x", "y"],
        &["terminal", "close", "x"],
        &["terminal", "wait", "x", "--for", "exit"],
    ] {
        let output = place.run(arguments);
        assert_eq!(code(&output), 4, "{arguments:?}: {}", said(&output));
        assert!(said(&output).starts_with("gatepost: "), "{}", said(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn labels_stay_with_their_terminal_also_when_the_server_is_killed() {
    let (place, mut server) = started();
    let id = place.ok(&[
        "terminal",
        "open",
        "--label",
        "job=17",
        "--label",
        "desk=by the window",
        "--",
        "cat",
    ]);
    let labels = || {
        let list: Value = serde_json::from_str(&place.ok(&["terminal", "list", "--json"])).unwrap();
        assert_eq!(list["terminals"][0]["id"], *id);
        list["terminals"][0]["labels"].clone()
    };
    let wanted = serde_json::json!({ "desk": "by the window", "job": "17" });
    assert_eq!(labels(), wanted);
    server.kill();
    server = ServerProcess::start(&place, &[]);
    assert_eq!(labels(), wanted);
    let many: Vec<_> = (0..17)
        .map(|number| format!("--label=k{number}="))
        .collect();
    let many: Vec<_> = ["terminal", "open"]
        .into_iter()
        .chain(many.iter().map(String::as_str))
        .collect();
    for (arguments, why) in [
        (&many[..], "at most 16 labels"),
        (
            &["terminal", "open", "--label", "a=1", "--label", "a=2"],
            "a is given twice",
        ),
        (&["terminal", "open", "--label", "a"], "KEY=VALUE"),
        (
            &["terminal", "open", "--label", "a=\u{1b}[2J"],
            "control character",
        ),
    ] {
        let output = place.run(arguments);
        assert_eq!(code(&output), 2, "{}", said(&output));
        assert!(said(&output).contains(why), "{}", said(&output));
    }
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn wrong_usage_has_exit_code_2() {
    let (place, _server) = started();
    for arguments in [
        &["nonsense"][..],
        &["terminal", "open", "--size", "1x1"],
        &["terminal", "open", "--size", "501x24"],
        &["terminal", "open", "--name", " "],
        &["terminal", "wait", "x"],
        &["serve", "--listen", "nowhere"],
        &["serve", "--public-url", "ftp://x/"],
        &["terminal", "send", "x", "\\q", "--escapes"],
    ] {
        let output = place.run(arguments);
        assert!(
            [2, 3].contains(&code(&output)),
            "{arguments:?}: {}",
            said(&output)
        );
    }
}

#[test]
fn terminals_opened_in_the_same_second_are_listed_in_order() {
    let (place, _server) = started();
    let names = ["zebra", "yak", "wolf", "ape", "bear", "cat", "dog", "eel"];
    for name in names {
        place.ok(&["terminal", "open", "--name", name, "--", "cat"]);
    }
    let list: serde_json::Value =
        serde_json::from_str(&place.ok(&["terminal", "list", "--json"])).unwrap();
    let list = list.as_array().or(list["terminals"].as_array()).unwrap();
    let listed: Vec<_> = list
        .iter()
        .map(|each| each["name"].as_str().unwrap())
        .collect();
    assert_eq!(listed, names);
}

#[test]
fn a_terminal_is_opened_used_and_closed() {
    let (place, _server) = started();
    let folder = place.temp.path().join("somewhere");
    std::fs::create_dir(&folder).unwrap();
    let open = place
        .gatepost(&[
            "terminal",
            "open",
            "--name",
            "my work",
            "--size",
            "100x30",
            "--",
            "sh",
            "-c",
            "pwd; stty size; printf '\\033[31mred\\033[0m\\n'; exec cat",
        ])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert_eq!(code(&open), 0, "{}", said(&open));
    let id = String::from_utf8(open.stdout).unwrap();
    let id = id.trim_end();
    assert_eq!(id.len(), 10);

    for name in [id, &id[..9], "my work"] {
        place.ok(&[
            "terminal",
            "wait",
            name,
            "--for",
            "^red$",
            "--timeout",
            "60",
        ]);
    }
    let shown = place.ok(&["terminal", "show", id]);
    let folder = folder.canonicalize().unwrap();
    assert!(
        shown.starts_with(&format!("{}\n30 100\nred", folder.display())),
        "{shown}"
    );
    let colours = place.ok(&["terminal", "show", id, "--ansi"]);
    assert!(colours.contains("\u{1b}["), "{colours:?}");

    place.ok(&["terminal", "send", id, "as it is \\t", "--enter"]);
    place.ok(&[
        "terminal",
        "wait",
        id,
        "--for",
        "as it is \\\\t",
        "--timeout",
        "60",
    ]);
    place.ok(&["terminal", "send", "--escapes", id, "two\\x20words\\r"]);
    place.ok(&[
        "terminal",
        "wait",
        id,
        "--for",
        "two words",
        "--timeout",
        "60",
    ]);
    let mut send = place.gatepost(&["terminal", "send", id, "-"]);
    let mut send = send.stdin(Stdio::piped()).spawn().unwrap();
    send.stdin
        .take()
        .unwrap()
        .write_all(b"from standard input\r")
        .unwrap();
    assert!(send.wait().unwrap().success());
    place.ok(&[
        "terminal",
        "wait",
        id,
        "--for",
        "from standard input",
        "--timeout",
        "60",
    ]);

    let list: Value = serde_json::from_str(&place.ok(&["terminal", "list", "--json"])).unwrap();
    assert_eq!(list["terminals"][0]["name"], "my work");
    place.ok(&["terminal", "rename", id, "other"]);
    assert!(place.ok(&["terminal", "list"]).contains("other"));
    place.ok(&["terminal", "rename", "other"]);
    assert_eq!(code(&place.run(&["terminal", "show", "other"])), 3);

    place.ok(&["terminal", "reset", id]);
    place.ok(&["terminal", "close", id]);
    assert_eq!(code(&place.run(&["terminal", "close", id])), 3);
    assert!(!place.ok(&["terminal", "list"]).contains(id));
}

#[test]
fn a_program_knows_its_terminal_who_opened_it_and_through_which_door() {
    let (place, _server) = started();
    let says = "echo \"<$GATEPOST_TERMINAL|$GATEPOST_USER|$GATEPOST_DOOR>\"; exec cat";
    let id = place.ok(&["terminal", "open", "--", "sh", "-c", says]);
    let expected = format!("<{id}\\|the owner\\|local>");
    place.ok(&[
        "terminal",
        "wait",
        &id,
        "--for",
        &expected,
        "--timeout",
        "60",
    ]);
}

#[test]
fn waiting_ends_with_what_was_waited_for_or_exit_code_7() {
    let (place, _server) = started();
    let id = place.ok(&["terminal", "open", "--", "sh", "-c", "read x; exit 3"]);
    let late = place.run(&["terminal", "wait", &id, "--for", "exit", "--timeout", "0.1"]);
    assert_eq!(code(&late), 7, "{}", said(&late));
    place.ok(&[
        "terminal",
        "wait",
        &id,
        "--for",
        "silence=0.1",
        "--timeout",
        "60",
    ]);
    let bad = place.run(&["terminal", "wait", &id, "--for", "(unclosed"]);
    assert_eq!(code(&bad), 2, "{}", said(&bad));
    place.ok(&["terminal", "send", &id, "", "--enter"]);
    place.ok(&["terminal", "wait", &id, "--for", "exit", "--timeout", "60"]);
    let list: Value = serde_json::from_str(&place.ok(&["terminal", "list", "--json"])).unwrap();
    assert_eq!(list["terminals"][0]["exit_status"], 3);
    assert!(place.ok(&["terminal", "list"]).contains("ended (3)"));
}

#[test]
fn the_whole_scrollback_is_shown_and_found() {
    let (place, _server) = started();
    let id = place.ok(&[
        "terminal",
        "open",
        "--",
        "sh",
        "-c",
        "seq 1 3000; echo The End; exec cat",
    ]);
    place.ok(&[
        "terminal",
        "wait",
        &id,
        "--for",
        "The End",
        "--timeout",
        "60",
    ]);
    let all = place.ok(&["terminal", "show", &id, "--scrollback"]);
    let expected: Vec<_> = (1..=3000)
        .map(|line| line.to_string())
        .chain(["The End".into()])
        .collect();
    assert_eq!(all.lines().collect::<Vec<_>>(), expected);
    let found = place.ok(&["terminal", "search", &id, "the end"]);
    assert!(found.contains("The End"), "{found}");
    assert_eq!(
        code(&place.run(&["terminal", "search", &id, "nowhere to be found"])),
        1
    );
    // A reader that has seen enough is no failure.
    let mut show = place.gatepost(&["terminal", "show", &id, "--scrollback"]);
    let mut show = show
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(show.stdout.take());
    let output = show.wait_with_output().unwrap();
    assert_eq!((code(&output), said(&output)), (0, String::new()));
}

#[test]
fn names_that_several_could_mean_are_refused_with_exit_code_3() {
    let (place, _server) = started();
    for _ in 0..2 {
        place.ok(&["terminal", "open", "--name", "twin", "--", "cat"]);
    }
    let refused = place.run(&["terminal", "close", "twin"]);
    assert_eq!(code(&refused), 3);
    assert!(said(&refused).contains(" or "), "{}", said(&refused));
    assert_eq!(place.sockets().len(), 2);
}
