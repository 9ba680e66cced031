//! From text to settings for a principal: merging, scopes, and what is refused with its place.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

use std::path::Path;

use gatepost::base::{Principal, User, Way};
use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use gatepost::policy::settings::{Allow, Capability, Settings};

fn user(name: &str) -> Principal {
    Principal::User {
        user: User::new(name.parse().unwrap(), Way::Pam),
    }
}

/// Rules from files in this order.
fn compile(files: &[(&str, &str)]) -> Result<Rules, Vec<String>> {
    let mut layers = Vec::new();
    for (name, text) in files {
        let path = Path::new(name);
        match parse(Syntax::of(path), text, path) {
            Ok(layer) => layers.push(layer),
            Err(problems) => return Err(problems.iter().map(ToString::to_string).collect()),
        }
    }
    Rules::compile(&layers).map_err(|found| found.iter().map(ToString::to_string).collect())
}

fn settings(files: &[(&str, &str)], by: &Principal) -> Settings {
    match compile(files) {
        Ok(rules) => (*rules.settings_for(by, None)).clone(),
        Err(problems) => panic!("{problems:#?}"),
    }
}

fn problems(text: &str) -> Vec<String> {
    compile(&[("x.toml", text)]).unwrap_err()
}

#[test]
fn empty_policy_grants_a_user_nothing_at_all() {
    for files in [
        &[][..],
        &[("a.toml", "[\"*\".limits]\nterminals = 3\n")][..],
    ] {
        assert_eq!(settings(files, &user("alice")).allow, Allow::default());
        let owner = settings(files, &Principal::Owner {});
        assert_eq!(owner.allow, Allow::everything());
        let kiosk = settings(files, &Principal::Kiosk {});
        assert!(kiosk.allow.has(Capability::Use) && kiosk.allow.has(Capability::Open));
        assert!(!kiosk.allow.has(Capability::Watch) && !kiosk.allow.has(Capability::Power));
    }
}

#[test]
fn files_merge_key_by_key_and_later_ones_win_in_either_syntax() {
    let files = [
        (
            "gatepost.toml",
            "[\"*\".allow]\nuse = true\nopen = true\n[\"*\".terminal.environment]\nA = \"1\"\nB = \"1\"\n[\"*\".server]\nallow_hosts = [\"a\", \"b\"]\n",
        ),
        (
            "conf.d/10.conf",
            "// later\n{\"*\": {\"allow\": {\"open\": false}, \"server\": {\"allow_hosts\": [\"c\"],}, \"terminal\": {\"environment\": {\"B\": \"2\", \"C\": \"3\"}}}}",
        ),
    ];
    let merged = settings(&files, &user("alice"));
    assert!(merged.allow.r#use && !merged.allow.open);
    assert_eq!(merged.server.allow_hosts, ["c".parse().unwrap()]);
    let environment: Vec<_> = merged.terminal.environment.iter().collect();
    let text = |pairs: [(&str, &str); 3]| pairs.map(|(a, b)| (a.to_owned(), b.to_owned()));
    let wanted = text([("A", "1"), ("B", "2"), ("C", "3")]);
    assert!(
        environment
            .into_iter()
            .eq(wanted.iter().map(|(a, b)| (a, b)))
    );
}

#[test]
fn matching_scopes_are_laid_over_everyones_in_the_order_of_the_files() {
    let files = [
        (
            "1.toml",
            "[\"user.upn=.*@ops\\\\.example\".allow]\nwatch = true\npower = true\n[\"*\".allow]\nuse = true\nwatch = false\n",
        ),
        ("2.toml", "[\"user.upn=eve@.*\".allow]\npower = false\n"),
    ];
    let alice = settings(&files, &user("alice@ops.example")).allow;
    assert!(alice.r#use && alice.watch && alice.power);
    let eve = settings(&files, &user("eve@ops.example")).allow;
    assert!(eve.r#use && eve.watch && !eve.power);
    let bob = settings(&files, &user("bob@ops.example.evil")).allow;
    assert!(bob.r#use && !bob.watch && !bob.power);
}

#[test]
fn unknown_keys_are_errors_with_their_place_and_a_hint() {
    let found = problems(
        "[\"*\".server]\nlisen = [\"127.0.0.1:1\"]\n[\"*\".alow]\nuse = true\n[\"user.upn=a\".allow]\nues = true\n[server]\nlisten = []\n[\"*\".terminal.commands.top]\ncomand = [\"top\"]\n",
    );
    let wanted = [
        "x.toml:2:1: \"*\".server.lisen: unknown key; did you mean \"listen\"?",
        "x.toml:3:6: \"*\".alow: unknown section; did you mean \"allow\"?",
        "x.toml:6:1: \"user.upn=a\".allow.ues: unknown key; did you mean \"use\"?",
        "x.toml:7:2: \"server\": unknown scope",
        "x.toml:10:1: \"*\".terminal.commands.top.comand: unknown key; did you mean \"command\"?",
    ];
    for one in wanted {
        assert!(
            found.iter().any(|line| line.starts_with(one)),
            "{one}\n{found:#?}"
        );
    }
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
}

#[test]
fn bad_values_are_errors_with_their_place_all_of_them() {
    let found = problems(
        "[\"*\".limits]\nterminals = \"many\"\ncolumns = 70000\nrows = []\n[\"*\".allow]\nuse = \"yes\"\n[\"*\".server]\nlisten = [\"127.0.0.1:1\", \"nowhere\"]\n",
    );
    for place in [
        "x.toml:2:13: ",
        "x.toml:3:11: ",
        "x.toml:4:8: ",
        "x.toml:6:7: ",
        "x.toml:8:26: ",
    ] {
        assert!(
            found.iter().any(|line| line.starts_with(place)),
            "{place}\n{found:#?}"
        );
    }
    assert_eq!(found.len(), 5, "{found:#?}");
}

#[test]
fn what_holds_for_the_machine_may_only_be_said_for_everyone() {
    let found = problems("[\"user.upn=a\".server]\nlisten = [\"127.0.0.1:1\"]\n");
    assert!(found[0].starts_with("x.toml:2:1: "), "{found:?}");
    assert!(found[0].contains("only stand under \"*\""), "{found:?}");
}

#[test]
fn what_does_not_fit_together_is_found_once_the_layers_are_merged() {
    let found =
        problems("[\"*\".terminal]\ndefault_command = \"top\"\n[\"kiosk\".limits]\nrows = 1\n");
    assert!(
        found[0].starts_with("x.toml:2:19: \"*\".terminal.default_command"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("x.toml:4:8: \"kiosk\".limits.rows"),
        "{found:?}"
    );
    assert_eq!(found.len(), 2, "{found:#?}");
}

#[test]
fn every_mistake_in_toml_says_where_it_is() {
    let found = problems("[\"*\".allow]\nuse = \n\"*\" = 3\n");
    assert!(found[0].starts_with("x.toml:2:"), "{found:?}");
}

#[test]
fn settings_that_were_asked_for_before_are_nobody_elses() {
    let files = [(
        "a.toml",
        "[\"*\".limits]\nterminals = 3\n[\"user.upn=alice\".limits]\nterminals = 5\n[\"button=red\".allow]\npower = false\n",
    )];
    let button = |name: &str| Principal::Button {
        button: name.parse().unwrap(),
        gesture: gatepost::base::Gesture::Press,
    };
    let local = Principal::User {
        user: User::new("bob".parse().unwrap(), Way::Local),
    };
    let everybody = [
        user("alice"),
        user("bob"),
        local,
        button("red"),
        button("blue"),
        Principal::Kiosk {},
        Principal::Owner {},
    ];
    let rules = compile(&files).unwrap();
    for _ in 0..2 {
        for by in &everybody {
            assert_eq!(*rules.settings_for(by, None), settings(&files, by), "{by}");
        }
    }
    let power = |name| settings(&files, &button(name)).allow.has(Capability::Power);
    assert!(power("blue") && !power("red"));
}

#[test]
fn a_screen_at_which_people_log_in_has_no_right_whatever_is_granted_to_it() {
    let granted = (
        "a.toml",
        "[\"*\".allow]\nuse = true\nopen = true\npower = true\nwatch = true\n",
    );
    let login = ("b.toml", "[\"kiosk\".kiosk]\nlogin = true\n");
    let allowed = |files: &[(&str, &str)], by: &Principal| {
        let allow = settings(files, by).allow;
        Capability::ALL
            .into_iter()
            .filter(|one| allow.has(*one))
            .count()
    };
    let kiosk = Principal::Kiosk {};
    assert_eq!(allowed(&[granted], &kiosk), 4);
    assert_eq!(allowed(&[granted, login], &kiosk), 0);
    assert_eq!(allowed(&[granted, login], &user("alice")), 4);
    let out = ("c.toml", "[\"kiosk\".allow]\nblacklist = true\n");
    assert!(settings(&[login, out], &kiosk).allow.blacklist);
}
