//! `gatepost config check`, `show` and `migrate`, by the real executable.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use serde_json::Value;
use support::server::Place;

#[test]
fn check_lists_every_problem_with_its_place_and_the_exit_code_says_whether_there_are_any() {
    let place = Place::new();
    place.configure("gatepost.toml", "[\"*\".limits]\nterminals = 3\n");
    assert!(place.ok(&["config", "check"]).contains("nothing wrong"));
    let bad = place.configure(
        "conf.d/20.conf",
        "{\n  \"*\": {\n    \"limits\": {\"rows\": 1, \"colums\": 80}\n  },\n  \"user.upn=(\": {}\n}\n",
    );
    let output = place.run(&["config", "check"]);
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8(output.stdout).unwrap();
    let file = bad.display();
    for part in [
        format!("{file}:3:27: \"*\".limits.colums: unknown key; did you mean \"columns\"?"),
        format!("{file}:5:3: \"user.upn=(\": not a regular expression"),
    ] {
        assert!(words.contains(&part), "{part}\n{words}");
    }
    let output = place.run(&["config", "check", "--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["problems"][0]["line"], 3);
    assert_eq!(json["problems"][1]["severity"], "error");
    // One file by itself, wherever it is.
    let path = bad.to_str().unwrap();
    assert_eq!(place.run(&["config", "check", path]).status.code(), Some(1));
    let main = place.config().join("gatepost.toml");
    place.ok(&["config", "check", main.to_str().unwrap()]);
    let missing = place.run(&["config", "check", "/nowhere.toml"]);
    assert_eq!(missing.status.code(), Some(1));
}

#[test]
fn show_says_what_is_in_force_for_somebody_and_where_it_comes_from() {
    let place = Place::new();
    let file = place.configure(
        "gatepost.toml",
        "[\"*\".allow]\nuse = true\n[\"user.groups=admins\".allow]\nwatch = true\n[\"*\".limits]\nrows = 100\n",
    );
    let file = file.display().to_string();
    let shown = |arguments: &[&str]| {
        let output = place
            .gatepost(arguments)
            .env("GATEPOST_LIMITS__COLUMNS", "200")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let alice = shown(&["config", "show", "--as", "alice,groups=staff,groups=admins"]);
    for line in [
        format!("allow.use = true  # {file}:2:7"),
        format!("allow.watch = true  # {file}:4:9"),
        "limits.columns = \"200\"  # GATEPOST_LIMITS__COLUMNS".to_owned(),
        format!("limits.rows = 100  # {file}:6:8"),
        "limits.terminals = 10  # default".to_owned(),
    ] {
        assert!(alice.contains(&line), "{line}\n{alice}");
    }
    let eve = shown(&["config", "show", "--as", "eve"]);
    assert!(eve.contains("allow.watch = false  # default"), "{eve}");
    let kiosk = shown(&["config", "show", "--kiosk"]);
    assert!(kiosk.contains("allow.open = true  # default"), "{kiosk}");
    let json: Value = serde_json::from_str(&shown(&["config", "show", "--json"])).unwrap();
    assert_eq!(json["limits.rows"]["value"], 100);
    assert_eq!(json["limits.rows"]["source"], format!("{file}:6:8"));
    let usage = place.run(&["config", "show", "--as", "-x"]);
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn a_gate_one_folder_is_carried_over_and_what_is_not_is_said_with_reasons() {
    let place = Place::new();
    let folder = place.temp.path().join("gateone");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write(
        "10server.conf",
        "// This is Gate One's main settings file.\n{\n  \"*\": {\n    \"gateone\": { // server-wide\n      \"address\": \"10.0.0.1;localhost\",\n      \"port\": 10443,\n      \"certificate\": \"/etc/gateone/ssl/certificate.pem\",\n      \"keyfile\": \"/etc/gateone/ssl/keyfile.pem\",\n      \"origins\": [\"localhost\", \"127.0.0.1\", \"https://term.example:10443\", \"*\"],\n      \"url_prefix\": \"/\",\n      \"session_timeout\": \"5d\",\n      \"auth_timeout\": 60000,\n      \"cookie_secret\": \"SUPERSECRET\",\n      \"https_redirect\": false,\n      \"disable_ssl\": false,\n    }\n  }\n}\n",
    );
    write(
        "20authentication.conf",
        "{\"*\": {\"gateone\": {\"auth\": \"pam\", \"pam_realm\": \"x\"}}, \"user.ip_address=10.1.1.1\": {\"gateone\": {\"blacklist\": true}}}\n",
    );
    write(
        "50terminal.conf",
        "{\"*\": {\"terminal\": {\"commands\": {\"top\": \"/usr/bin/top -d 1\", \"SSH\": {\"command\": \"ssh_connect.py -S '%SESSION_DIR%/x'\", \"description\": \"Connect\"}}, \"default_command\": \"top\", \"max_terms\": 5, \"environment_vars\": {\"TERM\": \"xterm-256color\"}, \"dtach\": true}}, \"user=guest.*\": {\"terminal\": {\"allow\": false}}}\n",
    );
    let before = std::fs::read(folder.join("10server.conf")).unwrap();
    let output = place.run(&["config", "migrate", folder.to_str().unwrap()]);
    let toml = String::from_utf8(output.stdout).unwrap();
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{notes}");
    for line in [
        "listen = [\"10.0.0.1:10443\", \"127.0.0.1:10443\"]",
        "certificate = \"/etc/gateone/ssl/certificate.pem\"",
        "key = \"/etc/gateone/ssl/keyfile.pem\"",
        "allow_hosts = [\"term.example\"]",
        "idle = 60",
        "auth = [\"pam\"]",
        "blacklist = true",
        "command = [\"/usr/bin/top\", \"-d\", \"1\"]",
        "default_command = \"top\"",
        "terminals = 5",
        "open = false",
    ] {
        assert!(toml.contains(line), "{line}\n{toml}");
    }
    for part in [
        "cookie_secret: left out",
        "session_timeout: left out",
        "pam_realm: left out",
        "SSH",
        "dtach: left out",
        "* would let any page in",
        "user.ip_address=10.1.1.1",
        "has to match the whole value",
    ] {
        assert!(notes.contains(part), "{part}\n{notes}");
    }
    assert!(!toml.contains("SUPERSECRET") && !notes.contains("SUPERSECRET"));
    assert_eq!(std::fs::read(folder.join("10server.conf")).unwrap(), before);
    let new = place.temp.path().join("new.toml");
    let new = new.to_str().unwrap();
    let folder = folder.to_str().unwrap();
    place.ok(&["config", "migrate", folder, "-o", new]);
    place.ok(&["config", "check", new]);
    let again = place.run(&["config", "migrate", folder, "-o", new]);
    assert_eq!(again.status.code(), Some(1), "nothing is overwritten");
}
