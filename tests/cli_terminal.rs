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
use support::keeper::until;
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

#[test]
fn attach_without_a_terminal_is_refused() {
    let (place, _server) = started();
    let id = place.ok(&["terminal", "open", "--", "cat"]);
    let refused = place.run(&["terminal", "attach", &id]);
    assert!([1, 2].contains(&code(&refused)), "{}", said(&refused));
}

/// Runs `attach` in a pseudo-terminal of its own and returns what it wrote and its exit code.
struct Attached {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keys: Box<dyn std::io::Write + Send>,
    seen: std::sync::Arc<std::sync::Mutex<Vec<u8>>>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Attached {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        Self::of(place, &[&["terminal", "attach"], arguments].concat())
    }

    /// Any command, in a terminal.
    fn of(place: &Place, arguments: &[&str]) -> Self {
        use std::io::Read as _;
        let pair = portable_pty::native_pty_system()
            .openpty(portable_pty::PtySize {
                rows: 30,
                cols: 100,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
        let mut command = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_gatepost"));
        command.args(arguments);
        command.env("GATEPOST_RUNTIME_DIR", &place.folders.runtime);
        command.env("GATEPOST_STATE_DIR", &place.folders.state);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let sink = seen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                sink.lock().unwrap().extend(&buffer[..read]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self {
            child,
            keys,
            seen,
            _master: pair.master,
        }
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    fn wait_text(&self, text: &str) {
        until(&format!("{text:?} shown by attach"), || {
            self.seen().contains(text)
        });
    }

    fn type_in(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).unwrap();
    }

    fn end(mut self) -> (u32, String) {
        let mut status = None;
        until("attach ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        // The reader thread may still hold the last words.
        until("its last words", || self.seen().contains("gatepost: "));
        (status.unwrap().exit_code(), self.seen())
    }
}

#[test]
fn attach_is_a_real_terminal_that_fits_yours_and_leaves_with_the_detach_key() {
    let (place, _server) = started();
    let id = place.ok(&["terminal", "open", "--", "sh"]);
    let mut attached = Attached::start(&place, &[&id]);
    until("it has my size", || {
        place.ok(&["terminal", "list"]).contains("100x30")
    });
    attached.type_in("stty size; printf 'a\\033[c\\033[6n\\005b\\n'\r");
    attached.wait_text("30 100");
    attached.wait_text("ab\r\n");
    assert!(
        !attached.seen().contains("\u{1b}[6n"),
        "queries are answered once, by the server"
    );
    attached.type_in("\u{1c}\u{1c}");
    let (code, seen) = attached.end();
    assert_eq!(code, 0);
    let last = seen.rfind("\u{1b}[?1049l").unwrap();
    assert!(seen[last..].contains("\u{1b}[?25h"), "and the cursor");
    // The answers to the queries stand in the shell's line.
    place.ok(&["terminal", "send", &id, "--escapes", "\\x15exit 5\\r"]);
    place.ok(&["terminal", "wait", &id, "--for", "exit", "--timeout", "60"]);
}

#[test]
fn attach_only_to_watch_types_nothing_and_ends_with_the_program() {
    let (place, _server) = started();
    let id = place.ok(&["terminal", "open", "--", "cat"]);
    let mut attached = Attached::start(&place, &[&id, "--view"]);
    place.ok(&["terminal", "send", &id, "something to see", "--enter"]);
    attached.wait_text("something to see");
    attached.type_in("not typed\r");
    place.ok(&["terminal", "send", &id, "typed", "--enter"]);
    attached.wait_text("typed");
    assert!(!place.ok(&["terminal", "show", &id]).contains("not typed"));
    place.ok(&["terminal", "send", &id, "--escapes", "\\x04"]);
    let (_code, seen) = attached.end();
    assert!(seen.contains("ended with status 0"), "{seen}");
}

#[test]
fn attach_goes_on_by_itself_when_the_server_comes_back() {
    let (place, server) = started();
    let id = place.ok(&["terminal", "open", "--", "cat"]);
    let mut attached = Attached::start(&place, &[&id]);
    attached.type_in("before\r");
    attached.wait_text("before\r\nbefore");
    server.kill();
    attached.wait_text("the server is away");
    let _server = ServerProcess::start(&place, &[]);
    until("attached again", || {
        place.ok(&["terminal", "list"]).contains("100x30")
    });
    until("what is typed arrives again", || {
        attached.type_in("after\r");
        place.ok(&["terminal", "show", &id]).contains("after")
    });
    attached.wait_text("after\r\n");
    place.ok(&["terminal", "close", &id]);
    let (_code, seen) = attached.end();
    assert!(seen.contains("closed"), "{seen}");
}

#[test]
fn the_machines_text_screen_ends_when_it_is_told_to_also_while_the_server_is_away() {
    for away in [false, true] {
        let (place, server) = started();
        let mut text = Attached::of(&place, &["kiosk", "text"]);
        until("the kiosk's terminal is shown", || {
            place.ok(&["terminal", "list"]).contains("100x30")
        });
        let server = if away {
            server.kill();
            text.wait_text("the server is away");
            None
        } else {
            Some(server)
        };
        let pid = i32::try_from(text.child.process_id().unwrap()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        // As what gives the window another turn does.
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
        until("it ends", || text.child.try_wait().unwrap().is_some());
        let _server = server.unwrap_or_else(|| ServerProcess::start(&place, &[]));
        place.ok(&["terminal", "close", "kiosk"]);
    }
}
