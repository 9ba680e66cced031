//! `gatepost --host … login` with a name: a password, whatever else PAM asks, or an API key from a file.

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
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;

use gatepost::base::Way;
use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use gatepost::role::serve::Settings;
use serde_json::Value;
use support::login::{Account, LoginPlace, PASSWORD, UNIX, is_root};
use support::server::{Place, TestServer};
use support::tls::self_signed;

const USE: &str = "[\"*\".allow]\nuse = true\nopen = true\nany_command = true\n";

fn server(change: impl FnOnce(&mut Settings)) -> TestServer {
    TestServer::with(|settings| {
        usable(settings);
        change(settings);
    })
}

/// Whoever logs in may open terminals, and failures are answered soon.
fn usable(settings: &mut Settings) {
    let layer = parse(Syntax::Toml, USE, Path::new("x.toml")).unwrap();
    let rules = Arc::new(Rules::compile(&[layer]).unwrap());
    settings.rules = tokio::sync::watch::channel(rules).1;
    settings.ways.settings.throttle.failure_milliseconds = 10;
}

fn run(place: &Place, arguments: &[&str], input: &str) -> Output {
    let mut child = place
        .gatepost(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended without reading.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn owners(server: &TestServer) -> Vec<Value> {
    let list = server.place.ok(&["terminal", "list", "--json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let list = list["terminals"].as_array().unwrap();
    list.iter().map(|info| info["owner"].clone()).collect()
}

#[test]
fn an_api_key_logs_a_program_in_as_the_user_it_names_over_tls() {
    let server = server(|settings| {
        self_signed(settings);
        settings.ways.open = vec![Way::Api];
    });
    let shown: Value = serde_json::from_str(&server.place.ok(&["cert", "show", "--json"])).unwrap();
    let pin = shown["fingerprint"].as_str().unwrap();
    let host = format!("https://{}", server.address);
    let elsewhere = Place::new();
    let file = elsewhere.temp.path().join("robot.key");
    let file = file.to_str().unwrap();
    let new = ["api-key", "new", "--name", "robot", "--key-file", file];
    let key = server.place.ok(&new);
    assert_eq!(
        std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let again = server.place.run(&new);
    assert!(!again.status.success(), "never over a file that is there");

    let common = ["--host", &host, "--fingerprint", pin];
    let log_in = |user: &str, file: &str| {
        let arguments = [&common[..], &["login", "--user", user, "--key", file]].concat();
        run(&elsewhere, &arguments, "")
    };
    let output = log_in("robot@ops.example", file);
    assert!(output.status.success(), "{}", said(&output));
    let secret = std::fs::read_to_string(file).unwrap();
    let secret = secret.trim().split_once('\n').unwrap().1.to_owned();
    let opened = run(
        &elsewhere,
        &[&common[..], &["terminal", "open", "--", "cat"]].concat(),
        "",
    );
    assert!(opened.status.success(), "{}", said(&opened));
    assert_eq!(owners(&server), ["api:robot@ops.example"]);
    // Each login is a fresh object, so that a program may do it as often as it likes.
    assert!(log_in("robot@ops.example", file).status.success());
    let kept = elsewhere.folders.state.join("remote");
    for entry in std::fs::read_dir(kept).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains(&secret), "the login is kept, not the key");
    }

    let spoilt = elsewhere.temp.path().join("spoilt.key");
    let spoil = |text: &str, mode: u32| {
        std::fs::write(&spoilt, text).unwrap();
        std::fs::set_permissions(&spoilt, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let good = std::fs::read_to_string(file).unwrap();
    let wrong_secret = format!("{key}\n{}\n", "0".repeat(64));
    for (text, mode, code, words) in [
        (&*good, 0o640, 2, "chmod 600"),
        (&*good, 0o604, 2, "chmod 600"),
        (&*key, 0o600, 2, "no key file"),
        ("", 0o600, 2, "no key file"),
        ("a b c", 0o600, 2, "no key file"),
        (&*wrong_secret, 0o600, 5, ""),
    ] {
        spoil(text, mode);
        let output = log_in("robot@ops.example", spoilt.to_str().unwrap());
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
        assert!(!said(&output).contains(&secret));
    }
    let output = log_in("not a name", file);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let without = run(
        &elsewhere,
        &[&common[..], &["login", "--key", file]].concat(),
        "",
    );
    assert_eq!(without.status.code(), Some(2), "{}", said(&without));
    server.place.ok(&["api-key", "revoke", &key]);
    let output = log_in("robot@ops.example", file);
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
}

#[test]
fn a_name_is_asked_for_its_password_on_standard_input() {
    let server = server(|settings| settings.ways.open = vec![Way::Local]);
    let shown = server.place.ok(&["admin", "password", "--reset"]);
    let password = shown
        .lines()
        .find_map(|line| line.strip_prefix("password: "));
    let password = password.unwrap();
    let host = format!("http://{}", server.address);
    let elsewhere = Place::new();
    let log_in = |input: &str| {
        let arguments = ["--host", &host, "login", "--user", "admin"];
        run(&elsewhere, &arguments, input)
    };
    let wrong = log_in("wrong\n");
    assert_eq!(wrong.status.code(), Some(5), "{}", said(&wrong));
    let nobody = log_in("");
    assert_eq!(nobody.status.code(), Some(2), "{}", said(&nobody));
    let right = log_in(&format!("{password}\n"));
    assert!(right.status.success(), "{}", said(&right));
    assert!(!said(&right).contains(password));
    elsewhere.ok(&["--host", &host, "terminal", "open", "--", "cat"]);
    assert_eq!(owners(&server), ["local:admin"]);
    assert!(elsewhere.ok(&["--host", &host, "who"]).contains("admin"));
}

#[test]
fn a_unix_password_leads_to_a_shell_of_ones_own_from_another_machine() {
    if !is_root() {
        return;
    }
    let (place, account) = (LoginPlace::new(UNIX), Account::new());
    let server = place.server(|settings| {
        usable(settings);
        settings.ways.open = vec![Way::Pam];
    });
    let host = format!("http://{}", server.address);
    let elsewhere = Place::new();
    let arguments = ["--host", &host, "login", "--user", &account.name];
    let output = run(&elsewhere, &arguments, &format!("{PASSWORD}\n"));
    assert!(output.status.success(), "{}", said(&output));
    let id = elsewhere.ok(&[
        "--host",
        &host,
        "terminal",
        "open",
        "--",
        "sh",
        "-c",
        "id -un; cat",
    ]);
    let name = format!("^{}$", account.name);
    elsewhere.ok(&["--host", &host, "terminal", "wait", &id, "--for", &name]);
    elsewhere.ok(&["--host", &host, "terminal", "close", &id]);
}
