//! Configuration changed while the server runs: it counts within seconds, a broken change doesn't, and
//! terminals never notice.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::Path;

use support::keeper::until;
use support::server::{Place, ServerProcess};

fn limit(terminals: u32) -> String {
    format!("[\"*\".limits]\nmachine_terminals = {terminals}\n")
}

/// A server whose log can be read.
fn logged(place: &Place, more: &[&str]) -> (ServerProcess, std::path::PathBuf) {
    let path = place.temp.path().join("log");
    let mut arguments = vec!["serve", "--listen", "127.0.0.1:0", "--log", "text"];
    arguments.extend(more);
    let mut command = place.gatepost(&arguments);
    command.stderr(File::create(&path).unwrap());
    (ServerProcess::run_logged(command), path)
}

fn logs(path: &Path, words: &str) {
    until(words, || {
        std::fs::read_to_string(path).unwrap().contains(words)
    });
}

#[test]
fn a_change_in_place_counts_within_seconds_and_a_broken_one_leaves_what_was() {
    let place = Place::new();
    let path = place.configure("gatepost.toml", &limit(1));
    let (_server, log) = logged(&place, &[]);
    let id = place.ok(&["terminal", "open", "--", "cat"]);
    assert_eq!(
        place.run(&["terminal", "open", "--", "cat"]).status.code(),
        Some(6)
    );
    // As an editor that writes in place: the same file, of the same length.
    let mut file = File::options().write(true).open(&path).unwrap();
    file.rewind().unwrap();
    file.write_all(limit(2).as_bytes()).unwrap();
    drop(file);
    logs(&log, "the changed configuration is in force");
    place.ok(&["terminal", "open", "--", "cat"]);
    assert_eq!(
        place.run(&["terminal", "open", "--", "cat"]).status.code(),
        Some(6)
    );
    place.configure("conf.d/50.toml", "[\"*\".limits]\nmachine_terminal = 9\n");
    logs(&log, "what was in force before stays so");
    logs(&log, "did you mean");
    assert_eq!(
        place.run(&["terminal", "open", "--", "cat"]).status.code(),
        Some(6)
    );
    let status = place.ok(&["status"]);
    assert!(status.contains("50.toml:2:1"), "{status}");
    place.configure("conf.d/50.toml", &limit(3));
    until("the mended file counts", || {
        place
            .run(&["terminal", "open", "--", "cat"])
            .status
            .success()
    });
    let status = place.ok(&["status"]);
    assert!(!status.contains("50.toml"), "{status}");
    let list = place.ok(&["terminal", "list"]);
    assert!(list.contains(&id), "the first one never noticed: {list}");
}

#[test]
fn flags_and_environment_still_win_after_a_reload() {
    let place = Place::new();
    place.configure("gatepost.toml", &limit(5));
    let (_server, log) = logged(&place, &["--set", "limits.machine_terminals=1"]);
    place.ok(&["terminal", "open", "--", "cat"]);
    place.configure("gatepost.toml", &limit(7));
    logs(&log, "the changed configuration is in force");
    assert_eq!(
        place.run(&["terminal", "open", "--", "cat"]).status.code(),
        Some(6)
    );
}
