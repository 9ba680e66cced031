//! A server started with configuration: files, environment and flags, and what it refuses.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::os::unix::fs::PermissionsExt as _;

use support::server::{Place, ServerProcess};

#[test]
fn a_server_listens_where_its_file_says_and_flags_and_environment_win() {
    let place = Place::new();
    place.configure(
        "gatepost.toml",
        "[\"*\".server]\nlisten = [\"127.0.0.1:0\"]\n",
    );
    let server = ServerProcess::run(place.gatepost(&["serve"]));
    assert_ne!(server.address.port(), 8722);
    server.kill();
    place.configure(
        "conf.d/10.conf",
        "{\"*\": {\"server\": {\"listen\": [\"127.0.0.2:0\"]}}} // later\n",
    );
    let at = |more: &[&str], variables: &[(&str, &str)]| {
        let mut arguments = vec!["serve"];
        arguments.extend(more);
        let mut command = place.gatepost(&arguments);
        command.envs(variables.iter().copied());
        let server = ServerProcess::run(command);
        let address = server.address.ip().to_string();
        server.kill();
        address
    };
    let variable = ("GATEPOST_SERVER__LISTEN", "127.0.0.3:0");
    assert_eq!(at(&[], &[]), "127.0.0.2");
    assert_eq!(at(&[], &[variable]), "127.0.0.3");
    assert_eq!(at(&[], &[("GATEPOST_LISTEN", "127.0.0.4:0")]), "127.0.0.4");
    assert_eq!(at(&["--listen", "127.0.0.5:0"], &[variable]), "127.0.0.5");
    let set = ["--set", "server.listen=127.0.0.6:0"];
    assert_eq!(at(&set, &[variable]), "127.0.0.6");
}

#[test]
fn a_server_does_not_start_with_a_configuration_that_is_wrong_and_says_all_of_it() {
    let place = Place::new();
    place.configure(
        "gatepost.toml",
        "[\"*\".server]\nlisen = []\nallow_hosts = 3\n",
    );
    let refused = place
        .gatepost(&["serve", "--set", "server.x=1"])
        .env("GATEPOST_LIMTS__ROWS", "5")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let words = String::from_utf8(refused.stderr).unwrap();
    for part in [
        "gatepost.toml:2:1: ",
        "did you mean \"listen\"?",
        "--set server.x: ",
        "GATEPOST_LIMTS__ROWS: ",
    ] {
        assert!(words.contains(part), "{part}\n{words}");
    }
}

#[test]
fn config_world_writable_refused() {
    let place = Place::new();
    let file = place.configure(
        "gatepost.toml",
        "[\"*\".server]\nlisten = [\"127.0.0.1:0\"]\n",
    );
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let refused = || {
        let output = place.run(&["serve"]);
        assert_eq!(output.status.code(), Some(2));
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains("chmod o-w"), "{words}");
    };
    mode(&file, 0o666);
    refused();
    mode(&file, 0o644);
    mode(&place.config(), 0o777);
    refused();
    mode(&place.config(), 0o755);
    ServerProcess::run(place.gatepost(&["serve"])).kill();
}
