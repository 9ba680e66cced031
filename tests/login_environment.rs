//! What offered commands get when they run as somebody's own account: their words filled in, the
//! configuration's variables, and nothing of the server's or the helper's.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gatepost::base::Way;
use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use serde_json::json;
use support::keeper::until;
use support::login::{Account, LoginPlace, PASSWORD, UNIX, is_root};
use support::server::TestServer;
use support::web::Browser;

const RULES: &str = r#"
["*".allow]
use = true
open = true
["*".terminal.environment]
EDITOR = "vi"
GREETING = "everybody's"
["*".terminal.commands.facts]
command = ["/bin/sh", "-c", 'printf "%s|" "$@"; echo; pwd; env -0 | tr "\0" "\n"; echo done; cat', "sh", "-l{user}", "{account}@{ip}", "{{user}}", "a b  $HOME `id` *"]
environment = { GREETING = "hello $USER", TERM = "linux", EMPTY = "", HOME = "/leaked", USER = "root", SHELL = "/leaked" }
directory = "/usr/share"
["*".terminal.commands.loader]
command = ["/bin/true"]
environment = { LD_PRELOAD = "/leaked.so" }
"#;

struct Machine {
    place: LoginPlace,
    account: Account,
    server: TestServer,
    alice: Browser,
}

impl Machine {
    fn new() -> Option<Self> {
        if !is_root() {
            return None;
        }
        let place = LoginPlace::with(UNIX, &[], |command| {
            for name in ["NOTIFY_SOCKET", "LISTEN_FDS", "CREDENTIALS_DIRECTORY"] {
                command.env(name, "/leaked");
            }
            command.env("GREETING", "leaked").env("LD_LEAKED", "leaked");
        });
        let account = Account::new();
        let layer = parse(Syntax::Toml, RULES, Path::new("x.toml")).unwrap();
        let rules = Arc::new(Rules::compile(&[layer]).unwrap());
        let server = place.server(|settings| {
            settings.ways.open = vec![Way::Pam];
            settings.rules = tokio::sync::watch::channel(rules).1;
        });
        let mut alice = server.stranger();
        let begun = alice.post("/api/login/pam", &json!({ "user": account.name }));
        alice.take_cookies(&begun);
        let said = json!({ "conversation": begun.json()["conversation"], "answers": [PASSWORD] });
        let answer = alice.post("/api/login/pam", &said);
        assert_eq!(answer.status, 204, "{answer:?}\n{}", place.log());
        alice.take_cookies(&answer);
        Some(Self {
            place,
            account,
            server,
            alice,
        })
    }
}

#[test]
fn env_leak_child_an_offered_command_gets_its_words_and_variables_and_nothing_of_the_servers() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let (alice, name) = (&machine.alice, &machine.account.name);
    let terminal = alice.open(&json!({ "program": "facts", "size": { "cols": 300, "rows": 60 } }));
    let mut text = String::new();
    until("it is done", || {
        let shown = alice.get(&format!("/api/terminals/{terminal}/text")).body;
        text = String::from_utf8(shown).unwrap();
        text.contains("done")
    });
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some(&*format!(
            "-l{name}|{name}@127.0.0.1|{{user}}|a b  $HOME `id` *|"
        )),
        "{text}"
    );
    assert_eq!(lines.next(), Some("/usr/share"), "{text}");
    let variables: BTreeMap<_, _> = lines.filter_map(|line| line.split_once('=')).collect();
    let home = machine.account.home.to_str().unwrap();
    let expected = [
        ("COLORTERM", "truecolor"),
        ("EDITOR", "vi"),
        ("EMPTY", ""),
        ("GATEPOST_DOOR", "web"),
        ("GATEPOST_TERMINAL", &terminal),
        ("GATEPOST_USER", name),
        ("GREETING", "hello $USER"),
        ("HOME", home),
        ("LOGNAME", name),
        ("SHELL", "/bin/bash"),
        ("TERM", "linux"),
        ("TERM_PROGRAM", "gatepost"),
        ("USER", name),
    ];
    for (key, value) in expected {
        assert_eq!(variables.get(key), Some(&value), "{key} in {text}");
    }
    // Besides these: the search path, and what the shell itself adds.
    let more: Vec<_> = variables
        .keys()
        .filter(|key| !expected.iter().any(|(known, _)| known == *key))
        .filter(|key| !["PATH", "PWD", "OLDPWD", "SHLVL", "_"].contains(key))
        .collect();
    assert!(more.is_empty(), "{more:?}");
    assert!(!text.contains("leaked"), "{text}");
    let list = alice.terminals();
    assert_eq!(list[0]["name"], "facts");
    assert_eq!(
        list[0]["command"],
        json!([]),
        "its command line is not told"
    );
    drop(machine.server);
    drop(machine.place);
}

#[test]
fn what_the_loader_obeys_is_refused_and_the_shell_has_everybodys_variables() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let refused = machine
        .alice
        .post("/api/terminals", &json!({ "program": "loader" }));
    assert!(refused.status >= 400, "{refused:?}");
    assert!(refused.json().to_string().contains("LD_PRELOAD"));
    let terminal = machine.alice.open(&json!({}));
    let mut shell = machine.alice.view(&terminal);
    shell.type_in("PS1=; echo \"<$EDITOR|$GREETING|$TERM|$PWD>\"\n");
    let home = machine.account.home.display();
    shell.wait_text(&format!("<vi|everybody's|xterm-256color|{home}>"));
}
