//! What a shell of a login gets and must not get, and how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "login_child/machine.rs"]
mod machine;
#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};

use gatepost::terminals::TerminalError;
use gatepost::wire::message::Exit;
use machine::Machine;
use rustix::process::{Pid, Signal};
use support::keeper::until;
use support::login::{Account, LoginPlace, PASSWORD, UNIX, is_root, output, run};

fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn kill(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

#[test]
fn fd_leak_child() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let text = machine.run(&["ls", "-l", "/proc/self/fd"]);
    let descriptors: Vec<_> = text.lines().filter(|line| line.contains("->")).collect();
    // ls itself has the folder open.
    assert_eq!(descriptors.len(), 4, "{text}");
    assert_eq!(text.matches("/dev/pts/").count(), 3, "{text}");
    assert!(!text.contains("socket:"), "{text}");
}

#[test]
fn env_leak_child() {
    if !is_root() {
        return;
    }
    let place = LoginPlace::with(UNIX, &[], |command| {
        for name in [
            "NOTIFY_SOCKET",
            "LISTEN_FDS",
            "CREDENTIALS_DIRECTORY",
            "INVOCATION_ID",
            "SOMETHING_ELSE",
        ] {
            command.env(name, "/leaked");
        }
    });
    let account = Account::new();
    let text = place.run_as(&account.name, &["env"]);
    assert!(!text.contains("leaked"), "{text}");
    let names: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let names: std::collections::BTreeSet<_> = names.iter().map(|(name, _)| *name).collect();
    let expected = [
        "COLORTERM",
        "GATEPOST_TERMINAL",
        "HOME",
        "LOGNAME",
        "PATH",
        "SHELL",
        "TERM",
        "TERM_PROGRAM",
        "USER",
    ];
    assert_eq!(names, expected.into(), "{text}");
}

#[test]
fn supplementary_groups_are_the_users_and_nobody_elses() {
    let Some(machine) = Machine::new() else {
        return;
    };
    run("usermod", &["-aG", "video,audio", &machine.account.name]);
    let text = machine.run(&["cat", "/proc/self/status"]);
    let line = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace()
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let uid = machine.account.uid.to_string();
    assert_eq!(line("Uid:"), [&*uid; 4]);
    let mut wanted: Vec<_> = output("id", &["-G", &machine.account.name])
        .split(' ')
        .map(|id| id.parse::<u32>().unwrap())
        .collect();
    let mut found: Vec<_> = line("Groups:")
        .iter()
        .map(|id| id.parse::<u32>().unwrap())
        .collect();
    wanted.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, wanted);
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
        assert_eq!(line(set), ["0000000000000000"], "{set}");
    }
    for signals in ["SigBlk:", "SigIgn:"] {
        assert_eq!(line(signals), ["0000000000000000"], "{signals}");
    }
    assert_eq!(line("NoNewPrivs:"), ["0"], "sudo works");
}

#[test]
fn umask_comes_from_login_defs_and_pam() {
    if !is_root() {
        return;
    }
    let account = Account::new();
    let defs = tempfile::NamedTempFile::new().unwrap();
    fs::write(defs.path(), "UMASK 027\n").unwrap();
    let place = LoginPlace::with(
        UNIX,
        &["--login-defs", defs.path().to_str().unwrap()],
        |_| (),
    );
    let umask = ["sh", "-c", "umask"];
    assert!(place.run_as(&account.name, &umask).contains("0027"));
    let rules = format!("{UNIX}session optional pam_umask.so umask=0077\n");
    fs::write(place.path("pam.d/gatepost"), rules).unwrap();
    assert!(place.run_as(&account.name, &umask).contains("0077"));
}

#[test]
fn home_missing_starts_elsewhere_and_says_so() {
    if !is_root() {
        return;
    }
    let place = LoginPlace::new(UNIX);
    let account = Account::with(&["-M", "-d", "/home/not-there", "-s", "/bin/bash"]);
    let text = place.run_as(&account.name, &["sh", "-c", "echo \"<$PWD $HOME>\""]);
    assert!(text.contains("/home/not-there can't be entered"), "{text}");
    assert!(text.contains("</ /home/not-there>"), "{text}");
}

#[test]
fn core_dump_off_and_nobody_debugs_helper_or_keeper() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let server = machine.server();
    server.log_in();
    server.open(&["cat"]).unwrap();
    let (helper, keeper) = (machine.place.helpers()[0], machine.keeper());
    for pid in [helper, keeper] {
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        assert_eq!(
            core.unwrap().split_whitespace().nth(4),
            Some("0"),
            "{limits}"
        );
    }
    // What can't be dumped belongs to root in /proc.
    assert_eq!(fs::metadata(format!("/proc/{keeper}/fd")).unwrap().uid(), 0);
    let status = fs::read_to_string(format!("/proc/{keeper}/status")).unwrap();
    let nobody = output("id", &["-u", "nobody"]);
    assert!(
        status.contains(&format!("Uid:\t{nobody}\t{nobody}\t{nobody}\t{nobody}")),
        "{status}"
    );
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    let groups = status
        .lines()
        .find(|line| line.starts_with("Groups:"))
        .unwrap();
    assert_eq!(groups.split_whitespace().count(), 2, "{groups}");
    assert_eq!(fs::read(format!("/proc/{keeper}/environ")).unwrap(), b"");
    for pid in [helper, keeper] {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(
            !String::from_utf8_lossy(&words).contains(PASSWORD),
            "argv_has_no_secret"
        );
    }
}

#[test]
fn utmp_entry_removed_at_the_end() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let utmp = machine.place.path("utmp");
    fs::write(&utmp, "").unwrap();
    let who = || output("who", &["--", utmp.to_str().unwrap()]);
    let server = machine.server();
    server.log_in();
    let terminal = server.open(&["cat"]).unwrap();
    let there = who();
    assert!(
        there.contains(&machine.account.name) && there.contains("192.0.2.7"),
        "{there}"
    );
    server.close(terminal);
    assert_eq!(who(), "");
    fs::remove_file(&utmp).unwrap();
    drop(machine.run(&["true"]));
    assert!(!utmp.exists(), "no utmp is made where there was none");
}

#[test]
fn the_end_of_the_program_is_told_and_can_be_seen() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let server = machine.server();
    let ended = server.log_in();
    for (script, exit) in [
        ("echo bye; exit 7", Exit::Status(7)),
        ("kill -TERM $$", Exit::Signal(15)),
    ] {
        let terminal = server.open(&["sh", "-c", script]).unwrap();
        let mut viewer = machine.place.watch(terminal);
        viewer.wait("the end", |viewer| viewer.meta.exit == Some(Some(exit)));
        server.close(terminal);
    }
    let missing = server.open(&["/no/such/program"]);
    let missing = missing.unwrap_err().to_string();
    assert!(
        missing.contains("there is no program /no/such/program"),
        "{missing}"
    );
    ended.cancel();
    machine.place.wait_no_helpers();
    assert_eq!(
        fs::read_dir(&machine.place.folder).unwrap().count(),
        0,
        "no socket is left"
    );
}

#[test]
fn kill_tree_setsid() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let server = machine.server();
    server.log_in();
    let file = machine.account.home.join("pids");
    let script = format!(
        "trap '' HUP TERM; setsid sh -c 'trap \"\" HUP TERM; (setsid sleep 1000 & echo $! >>{0}); sleep 1000' & \
         echo $$ $! >>{0}; wait",
        file.display()
    );
    let terminal = server.open(&["sh", "-c", &script]).unwrap();
    let other = server.open(&["sleep", "1000"]).unwrap();
    let pids = || -> Vec<u32> {
        let text = fs::read_to_string(&file).unwrap_or_default();
        text.split_whitespace()
            .map(|pid| pid.parse().unwrap())
            .collect()
    };
    until("all three run", || pids().len() == 3);
    server.close(terminal);
    assert!(pids().into_iter().all(|pid| !is_alive(pid)));
    let list = server.list();
    assert_eq!(list.len(), 1, "the other terminal of the login goes on");
    assert_eq!(list[0].id, other);
    assert!(is_alive(list[0].pid.unwrap()));
}

#[test]
fn a_keeper_that_dies_takes_its_programs_along() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let server = machine.server();
    server.log_in();
    server.open(&["sleep", "1000"]).unwrap();
    let pid = server.list()[0].pid.unwrap();
    kill(machine.keeper(), Signal::KILL);
    until("the program has ended", || !is_alive(pid));
}

#[test]
fn sigkill_server_sessions_survive_and_restart_reattaches() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let first = machine.server();
    let gone = first.log_in();
    let terminal = first.open(&["sh", "-c", "echo here; cat"]).unwrap();
    let pid = first.list()[0].pid.unwrap();
    // The server goes: its connection to the helper breaks.
    gone.cancel();
    drop(first);
    let second = machine.server();
    let list = second.list();
    assert_eq!((list[0].id, list[0].pid), (terminal, Some(pid)));
    assert!(is_alive(pid));
    let mut viewer = machine.place.watch(terminal);
    viewer.wait_text("here");
    viewer.type_in("still typing\n");
    viewer.wait_text("still typing");
    // Another one needs the password again.
    let refused = second.open(&[]);
    assert!(matches!(refused, Err(TerminalError::LogIn)));
    second.log_in();
    second.open(&["cat"]).unwrap();
    second.close(terminal);
    assert!(!is_alive(pid));
}

#[test]
fn the_pam_session_is_open_while_a_terminal_or_the_connection_is() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let notes = machine.place.path("notes");
    let script = machine.place.path("note");
    fs::write(
        &script,
        format!(
            "#!/bin/sh\necho $PAM_TYPE $PAM_USER $PAM_RHOST >>{}\n",
            notes.display()
        ),
    )
    .unwrap();
    run("chmod", &["755", script.to_str().unwrap()]);
    let rules = format!("{UNIX}session required pam_exec.so {}\n", script.display());
    fs::write(machine.place.path("pam.d/gatepost"), rules).unwrap();
    let noted = || fs::read_to_string(&notes).unwrap_or_default();
    let server = machine.server();
    let ended = server.log_in();
    assert_eq!(noted(), "", "no terminal, no session");
    let one = server.open(&["cat"]).unwrap();
    let opened = format!("open_session {} 192.0.2.7\n", machine.account.name);
    assert_eq!(noted(), opened);
    let two = server.open(&["cat"]).unwrap();
    server.close(one);
    ended.cancel();
    assert_eq!(noted(), opened, "one terminal is left");
    server.close(two);
    machine.place.wait_no_helpers();
    assert_eq!(
        noted(),
        format!("{opened}close_session {} 192.0.2.7\n", machine.account.name)
    );
}

#[test]
fn session_modules_speak_on_the_terminal() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let text = machine.place.path("motd");
    fs::write(&text, "Welcome to this machine\n").unwrap();
    let rules = format!(
        "{UNIX}session optional pam_echo.so file={}\n",
        text.display()
    );
    fs::write(machine.place.path("pam.d/gatepost"), rules).unwrap();
    let seen = machine.run(&["echo", "first"]);
    let (welcome, first) = (seen.find("Welcome to this machine"), seen.find("first"));
    assert!(welcome.is_some() && welcome < first, "{seen}");
}

#[test]
fn unix_symlink_race_on_the_folder_of_sockets_is_refused() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let (aside, target) = (machine.place.path("aside"), machine.place.path("target"));
    fs::create_dir(&target).unwrap();
    fs::rename(&machine.place.folder, &aside).unwrap();
    symlink(&target, &machine.place.folder).unwrap();
    let step = machine.place.log_in(&machine.account.name, &[PASSWORD]);
    assert!(!matches!(step, gatepost::auth::pam::Step::Admitted(_)));
    fs::remove_file(&machine.place.folder).unwrap();
    // Somebody else's folder.
    fs::create_dir(&machine.place.folder).unwrap();
    run(
        "chown",
        &[
            &machine.account.name,
            machine.place.folder.to_str().unwrap(),
        ],
    );
    let step = machine.place.log_in(&machine.account.name, &[PASSWORD]);
    assert!(!matches!(step, gatepost::auth::pam::Step::Admitted(_)));
    // It writes why after it has hung up.
    machine.place.wait_no_helpers();
    assert!(
        machine.place.log().contains("doesn't belong to the server"),
        "{}",
        machine.place.log()
    );
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
}

#[test]
fn the_keeper_and_its_socket_are_out_of_reach() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let server = machine.server();
    server.log_in();
    let terminal = server.open(&["bash", "--norc", "--noprofile"]).unwrap();
    let keeper = machine.keeper();
    let mut viewer = machine.place.watch(terminal);
    viewer.type_in(&format!(
        "PS1=; ls /proc/{keeper}/fd; kill -9 {keeper}; cat {}/{terminal}.sock; echo d\"\"one\n",
        machine.place.folder.display()
    ));
    viewer.wait_text("done");
    let screen = viewer.text();
    assert!(
        screen.matches("ermission denied").count() + screen.matches("not permitted").count() >= 3,
        "{screen}"
    );
    let mode = fs::metadata(machine.place.folder.join(format!("{terminal}.sock")))
        .unwrap()
        .mode();
    assert_eq!(mode & 0o077, 0);
}
