//! The helper without root: PAM's conversation and a shell as oneself, on any developer's machine.
//! (Run by root, the helper runs as `nobody`.)

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
use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::Command;

use gatepost::auth::pam::Step;
use gatepost::base::Size;
use gatepost::wire::login::{FromHelper, Open, Purpose, Style, ToHelper};
use rustix::process::{Resource, Rlimit, Signal};
use support::login::{LoginPlace, Raw, matrix, output};

/// A helper that isn't root, whose PAM asks a file; and as whom it runs.
struct Own {
    place: LoginPlace,
    user: String,
    _shells: tempfile::NamedTempFile,
}

/// With nothing special.
fn place() -> Own {
    place_with(&[])
}

/// The same, with more arguments.
fn place_with(more: &[&str]) -> Own {
    let root = rustix::process::geteuid().is_root();
    let user = if root {
        "nobody".to_owned()
    } else {
        output("id", &["-un"])
    };
    let number = |flag| output("id", &[flag, &user]).parse::<u32>().unwrap();
    let (uid, gid) = (number("-u"), number("-g"));
    // Whatever shell they have is one here.
    let shells = tempfile::NamedTempFile::new().unwrap();
    let entry = output("getent", &["passwd", &user]);
    let own_shell = entry.rsplit(':').next().unwrap();
    fs::write(shells.path(), format!("{own_shell}\n/bin/bash\n")).unwrap();
    if root {
        chown(shells.path(), Some(uid), Some(gid)).unwrap();
    }
    let uid_text = uid.to_string();
    let own = [
        "--server-user",
        &*uid_text,
        "--shells",
        shells.path().to_str().unwrap(),
    ];
    let place = LoginPlace::with("", &[&own, more].concat(), move |command| {
        if root {
            command.uid(uid).gid(gid);
        }
    });
    if root {
        chown(&place.folder, Some(uid), Some(gid)).unwrap();
    }
    let (db, matrix) = (place.path("db"), matrix());
    fs::write(
        &db,
        format!("{user}:secret:gatepost\nroot:secret:gatepost\n"),
    )
    .unwrap();
    let db = db.display();
    let rules = ["auth", "account", "password", "session"]
        .map(|kind| format!("{kind} required {matrix} passdb={db}\n"));
    fs::write(place.path("pam.d/gatepost"), rules.concat()).unwrap();
    Own {
        place,
        user,
        _shells: shells,
    }
}

/// Begins as this user and answers the one question; what is said to that.
fn verdict(raw: &mut Raw, user: &str, answer: &str) -> Option<FromHelper> {
    let (remote, purpose) = ("", Purpose::Terminals);
    raw.say(&ToHelper::Begin {
        user,
        remote,
        purpose,
    });
    match raw.hear() {
        Some(FromHelper::Ask(messages)) => {
            assert_eq!(messages[0].style, Style::Hidden);
        }
        other => panic!("{other:?}"),
    }
    raw.say(&ToHelper::Answers(vec![answer.as_bytes()]));
    raw.hear()
}

fn open(raw: &mut Raw, command: Vec<&str>) -> Option<FromHelper> {
    raw.say(&ToHelper::Open(Open {
        terminal: TERMINAL.parse().unwrap(),
        size: Size::DEFAULT,
        command,
        directory: None,
        environment: Vec::new(),
        launch: format!(r#"{{"id":"{TERMINAL}","folder":"/"}}"#).as_bytes(),
    }));
    raw.hear()
}

const TERMINAL: &str = "aaaaaaaaaa";

#[test]
fn a_conversation_ends_in_a_shell_of_ones_own() {
    let own = place();
    let (place, user) = (&own.place, &*own.user);
    let mut raw = place.raw();
    let verdict = verdict(&mut raw, user, "secret");
    assert!(
        matches!(verdict, Some(FromHelper::Admitted(_))),
        "{}",
        place.log()
    );
    let opened = open(&mut raw, vec!["id", "-un"]);
    assert!(matches!(opened, Some(FromHelper::Opened(_))), "{opened:?}");
    place.watch(TERMINAL.parse().unwrap()).wait_text(user);
}

#[test]
fn a_wrong_answer_is_a_no() {
    let own = place();
    let (place, user) = (&own.place, &*own.user);
    assert!(matches!(place.log_in(user, &["wrong"]), Step::Failed));
}

#[test]
fn without_root_nobody_becomes_somebody_else() {
    let Own { place, _shells, .. } = place_with(&[]);
    let refused = place.log_in("root", &["secret"]);
    assert!(matches!(refused, Step::Failed), "root logins are off");
    let Own { place, _shells, .. } = place_with(&["--root-login"]);
    let mut raw = place.raw();
    let verdict = verdict(&mut raw, "root", "secret");
    assert!(
        matches!(verdict, Some(FromHelper::Admitted(_))),
        "{}",
        place.log()
    );
    match open(&mut raw, vec!["id"]) {
        Some(FromHelper::Refused { reason, .. }) => {
            assert!(reason.contains("not permitted"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn core_dump_off_and_nobody_with_the_same_uid_reads_what_the_helper_remembers() {
    // Whoever starts it may allow core files as large as they like.
    let limit = rustix::process::getrlimit(Resource::Core);
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    rustix::process::setrlimit(Resource::Core, most).unwrap();
    let own = place();
    let (place, user) = (&own.place, &*own.user);
    let mut raw = place.raw();
    let verdict = verdict(&mut raw, user, "secret");
    assert!(matches!(verdict, Some(FromHelper::Admitted(_))));
    let [pid] = place.helpers()[..] else {
        panic!("one helper");
    };
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core"));
    let soft = core.unwrap().split_whitespace().nth(4).unwrap();
    assert_eq!(soft, "0", "{limits}");
    // What a server in an attacker's hands could try: here it even has the helper's uid.
    for file in ["mem", "maps", "environ", "fd", "stack"] {
        let path = format!("/proc/{pid}/{file}");
        let mut look = Command::new("ls");
        if file != "fd" {
            look = Command::new("head");
            look.arg("-c1");
        }
        look.arg(&path);
        if rustix::process::geteuid().is_root() {
            let number = |flag| output("id", &[flag, user]).parse::<u32>().unwrap();
            look.uid(number("-u")).gid(number("-g"));
        }
        let looked = look.output().unwrap();
        let said = String::from_utf8_lossy(&looked.stderr);
        assert!(!looked.status.success(), "{path} can be read");
        assert!(
            said.contains("ermission denied") || said.contains("not permitted"),
            "{path}: {said}"
        );
    }
    let status = place.kill(pid, Signal::SEGV);
    assert_eq!(status.signal(), Some(Signal::SEGV.as_raw()));
    assert!(!status.core_dumped(), "a core file with a password in it");
}

#[test]
fn only_few_crates_are_in_the_helper_and_none_that_speaks_to_a_network() {
    // Whatever the library is linked with for others, the linker leaves out what nothing calls.
    const CRATES: [&str; 22] = [
        "gatepost",
        "gatepost_login",
        // the standard library and what it is made of
        "std",
        "core",
        "alloc",
        "__rustc",
        "std_detect",
        "panic_unwind",
        "hashbrown",
        "rustc_demangle",
        "gimli",
        "addr2line",
        "object",
        "miniz_oxide",
        "adler2",
        "memchr",
        "compiler_builtins",
        // system calls, wiping, errors
        "rustix",
        "libc",
        "bitflags",
        "zeroize",
        "thiserror",
    ];
    const ROOMS: [&str; 3] = ["base", "wire", "login"];
    let executable = env!("CARGO_BIN_EXE_gatepost-login");
    let names = output("nm", &["-C", "--defined-only", executable]);
    let mut found = BTreeMap::new();
    let mut count = 0;
    for line in names.lines() {
        // Address, kind, name: kinds t and w are code.
        let mut words = line.splitn(3, ' ');
        let (kind, name) = (words.nth(1), words.next());
        let (Some("t" | "T" | "w" | "W"), Some(name)) = (kind, name) else {
            continue;
        };
        count += 1;
        for path in paths(name) {
            let mut parts = path.split("::");
            let (first, second) = (parts.next().unwrap(), parts.next().unwrap());
            let own_room = first != "gatepost"
                || ROOMS.contains(&second)
                || !second.starts_with(|c: char| c.is_ascii_lowercase());
            if !CRATES.contains(&first) || !own_room {
                found.insert(format!("{first}::{second}"), name.to_owned());
            }
        }
    }
    assert!(count > 500, "nm found {count} functions: is it stripped?");
    assert!(found.is_empty(), "code of others is in it: {found:#?}");
}

/// The paths in a demangled name that begin with a crate.
fn paths(name: &str) -> impl Iterator<Item = &str> {
    let part_of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    name.split(move |c| !part_of_path(c)).filter(|path| {
        let first = path.split("::").next().unwrap_or_default();
        path.contains("::") && first.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
    })
}

#[test]
fn no_executable_but_the_helper_is_linked_with_libpam() {
    for (path, linked) in [
        (env!("CARGO_BIN_EXE_gatepost"), false),
        (env!("CARGO_BIN_EXE_gatepost-keeper"), false),
        (env!("CARGO_BIN_EXE_gatepost-login"), true),
    ] {
        let bytes = fs::read(path).unwrap();
        let name = b"libpam.so.0";
        let found = bytes.windows(name.len()).any(|part| part == name);
        assert_eq!(found, linked, "{path}");
    }
}
