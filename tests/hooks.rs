//! Hooks through the real server: run for whoever may, refused for whoever may not, and never more
//! than what they are.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use gatepost::base::{User, Way};
use gatepost::system::hook::{HookFault, Hooks, Trust, find};
use serde_json::json;
use support::keeper::until;
use support::server::{Place, ServerProcess, TestServer};

fn hook(folder: &Path, name: &str, script: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\ncd \"${{0%/*}}\"\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_hook_is_run_from_the_folder_beside_the_configuration_and_its_end_is_told() {
    let place = Place::new();
    let folder = place.config().join("hooks");
    hook(
        &folder,
        "note",
        "echo \"$GATEPOST_EVENT $GATEPOST_BY $1\" > said",
    );
    hook(&folder, "fail", "exit 3");
    let audit = place.temp.path().join("audit.jsonl");
    let text = format!("[\"*\".log]\naudit_file = {audit:?}\n");
    place.configure("gatepost.toml", &text);
    let _server = ServerProcess::start(&place, &[]);
    place.ok(&["hook", "run", "note", "--", "two words"]);
    let said = std::fs::read_to_string(folder.join("said")).unwrap();
    assert_eq!(said.trim(), "action the owner two words");
    place.ok(&["do", "hook run note -- again"]);
    let failed = place.run(&["hook", "run", "fail"]);
    let words = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(words.contains("exit code 3"), "{words}");
    let missing = place.run(&["hook", "run", "missing"]);
    let words = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(words.contains("there is no hook missing in"), "{words}");
    for hostile in ["../note", "/bin/sh", "-x", ".hidden", "note~"] {
        let output = place.run(&["do", &format!("hook run '{hostile}'")]);
        assert_eq!(output.status.code(), Some(2), "{hostile}");
    }
    until("the audit file has all four", || {
        let text = std::fs::read_to_string(&audit).unwrap_or_default();
        text.matches("\"run-hook\"").count() == 4 && text.contains("exit code 3")
    });
}

#[test]
fn hook_that_others_can_write_is_refused_by_the_server() {
    let place = Place::new();
    let folder = place.config().join("hooks");
    hook(&folder, "open", "true");
    let path = folder.join("open");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    let _server = ServerProcess::start(&place, &[]);
    let output = place.run(&["hook", "run", "open"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("can be written by others"), "{words}");
}

#[test]
fn hook_without_the_right_is_refused_and_a_running_one_is_not_run_twice() {
    let temp = tempfile::tempdir().unwrap();
    let fifo = temp.path().join("go");
    hook(temp.path(), "wait", "read -r line < go");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let server = TestServer::with(|settings| {
        settings.hooks = Hooks::Folder(temp.path().to_owned());
    });
    let action = json!({ "action": "run-hook", "hook": "wait" });
    let alice = server.browser_of(User::new("alice".parse().unwrap(), Way::Oidc));
    assert_eq!(alice.post("/api/actions", &action).status, 403);
    let bad = json!({ "action": "run-hook", "hook": "wait", "arguments": ["--help"] });
    assert_eq!(server.browser().post("/api/actions", &bad).status, 400);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| server.browser().post("/api/actions", &action).status);
        // Opening it for writing succeeds once the hook reads.
        let go = std::fs::File::options().write(true).open(&fifo).unwrap();
        let second = server.browser().post("/api/actions", &action);
        let words = String::from_utf8_lossy(&second.body).into_owned();
        assert!(words.contains("still running"), "{words}");
        drop(go);
        // At the end of the file `read` fails.
        assert!(first.join().unwrap() >= 400);
    });
}

#[test]
fn hook_runner_behind_a_socket_runs_what_is_roots_and_nothing_else() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT RUN: needs root");
        return;
    }
    let place = Place::new();
    let hooks = place.temp.path().join("hooks");
    hook(&hooks, "note", "echo \"$GATEPOST_EVENT\" > said");
    hook(&hooks, "theirs", "true");
    std::os::unix::fs::chown(hooks.join("theirs"), Some(65534), None).unwrap();
    let socket = place.temp.path().join("hook.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    // What systemd does with Accept=yes.
    let folder = hooks.clone();
    let systemd = std::thread::spawn(move || {
        for _ in 0..2 {
            let (stream, _) = listener.accept().unwrap();
            let mut runner = Command::new(env!("CARGO_BIN_EXE_gatepost"))
                .arg("run-hook")
                .arg(&folder)
                .stdin(OwnedFd::from(stream))
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            assert!(runner.wait().unwrap().success());
        }
    });
    let _server = ServerProcess::start(&place, &["--hooks", socket.to_str().unwrap()]);
    place.ok(&["hook", "run", "note"]);
    assert_eq!(
        std::fs::read_to_string(hooks.join("said")).unwrap().trim(),
        "action"
    );
    let output = place.run(&["hook", "run", "theirs"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("belongs to user 65534"), "{words}");
    systemd.join().unwrap();
}

#[test]
fn hook_owned_by_another_user_or_in_a_folder_of_theirs_is_refused() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT RUN: needs root");
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    hook(temp.path(), "print", "true");
    let (path, name) = (temp.path().join("print"), "print".parse().unwrap());
    std::os::unix::fs::chown(&path, Some(65534), None).unwrap();
    for trust in [Trust::RootOnly, Trust::OurselvesToo] {
        let found = find(temp.path(), &name, trust);
        assert!(matches!(found, Err(HookFault::Owner { owner: 65534, .. })));
    }
    std::os::unix::fs::chown(&path, Some(0), None).unwrap();
    assert!(find(temp.path(), &name, Trust::RootOnly).is_ok());
    std::os::unix::fs::chown(temp.path(), Some(65534), None).unwrap();
    let found = find(temp.path(), &name, Trust::RootOnly);
    assert!(matches!(found, Err(HookFault::Owner { owner: 65534, .. })));
}
