//! `terminal attach` and the machine's text screen, in pseudo-terminals of their own.

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
use std::process::Output;

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
