//! Whatever happens to the server, terminals go on: same programs, same screens, same scrollback.

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
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::keeper::{until, within};
use support::server::{Place, ServerProcess};
use support::web::{Browser, Message};

/// How often the server is killed.
const KILLS: usize = 50;

fn pids(terminals: &[Value]) -> BTreeMap<String, u64> {
    terminals
        .iter()
        .map(|terminal| {
            let id = terminal["id"].as_str().unwrap().to_owned();
            (id, terminal["pid"].as_u64().unwrap())
        })
        .collect()
}

fn is_alive(pid: u64) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    // A zombie nobody has collected yet is dead enough.
    !stat.rsplit_once(") ").unwrap().1.starts_with('Z')
}

/// Keepers whose command line or socket belongs to this place, found through the folder they serve.
fn keepers(place: &Place) -> Vec<u64> {
    let runtime = place.folders.runtime.to_str().unwrap().to_owned();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap() {
        let Ok(pid) = entry.unwrap().file_name().to_string_lossy().parse::<u64>() else {
            continue;
        };
        let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) else {
            continue;
        };
        let ours = environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == format!("GATEPOST_RUNTIME_DIR={runtime}").as_bytes());
        if ours && is_alive(pid) {
            found.push(pid);
        }
    }
    found
}

#[test]
fn sigkill_server_sessions_survive_50_times_under_load() {
    let place = Place::new();
    let mut server = ServerProcess::start(&place, &[]);
    let address = server.address;
    let listen = address.to_string();
    let mut browser = Browser::new(address);
    browser.log_in(&place.ok(&["url"]));

    // One floods, one counts slowly, one waits to be typed to, one shows a full-screen program.
    let flood =
        browser.open(&json!({ "name": "flood", "command": ["sh", "-c", "yes flooding & cat"] }));
    let count = browser.open(&json!({ "name": "count", "command": ["sh", "-c",
        "seq 1 5000; i=0; while read x; do i=$((i+1)); echo round $i of $x; done"] }));
    let quiet = browser.open(&json!({ "name": "quiet", "command": ["cat"] }));
    let screen = browser.open(&json!({ "name": "screen", "command": ["sh", "-c",
        "printf '\\033[?1049h\\033[5;10Hpainted once\\033[?25l'; cat"] }));
    place.ok(&[
        "terminal",
        "wait",
        &count,
        "--for",
        "^5000$",
        "--timeout",
        "60",
    ]);
    place.ok(&[
        "terminal",
        "wait",
        &screen,
        "--for",
        "painted once",
        "--timeout",
        "60",
    ]);
    place.ok(&["terminal", "send", &quiet, "a line of before", "--enter"]);
    let before = pids(&browser.terminals());
    assert_eq!(before.len(), 4);

    // Viewers that come back as the page does: same cookie, new token.
    let mut flooded = browser.view(&flood);
    let mut counting = browser.view(&count);
    for round in 1..=KILLS {
        flooded.wait_text("flooding");
        counting.type_in(&format!("{round}\r"));
        counting.wait_text(&format!("round {round} of {round}\r\n"));
        server.kill();
        server = ServerProcess::start(&place, &["--listen", &listen]);
        assert_eq!(pids(&browser.terminals()), before, "after kill {round}");
        flooded = browser.view(&flood);
        counting = browser.view(&count);
    }

    let all = browser.get(&format!("/api/terminals/{count}/text?scrollback=1"));
    assert_eq!(
        all.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let all = String::from_utf8(all.body).unwrap();
    let mut expected: Vec<String> = (1..=5000).map(|line| line.to_string()).collect();
    for round in 1..=KILLS {
        expected.push(round.to_string());
        expected.push(format!("round {round} of {round}"));
    }
    let lines: Vec<_> = all.trim_end().lines().collect();
    assert_eq!(
        lines, expected,
        "every line of the scrollback, once, in order"
    );
    assert!(
        place
            .ok(&["terminal", "show", &quiet])
            .contains("a line of before\na line of before")
    );
    let mut painted = browser.view(&screen);
    painted.wait_text("painted once");
    assert!(
        painted.seen.contains("\u{1b}[?1049h"),
        "on its alternate screen"
    );
    assert!(
        painted.seen.contains("\u{1b}[?25l"),
        "its cursor still hidden"
    );

    // No process leaked: four keepers and the server, and after closing none but the server.
    let mut running = keepers(&place);
    running.retain(|pid| *pid != u64::from(server.pid()));
    assert_eq!(running.len(), 4, "{running:?}");
    for id in before.keys() {
        place.ok(&["terminal", "close", id]);
    }
    until("keepers and programs are gone", || {
        keepers(&place).len() == 1 && !before.values().any(|pid| is_alive(*pid))
    });
    assert_eq!(server.stop(), Some(0));
}

fn copy_executables(to: &Path) -> PathBuf {
    for (name, from) in [
        ("gatepost", env!("CARGO_BIN_EXE_gatepost")),
        ("gatepost-keeper", env!("CARGO_BIN_EXE_gatepost-keeper")),
    ] {
        let new = to.join(format!("{name}.new"));
        std::fs::copy(from, &new).unwrap();
        std::fs::rename(new, to.join(name)).unwrap();
    }
    to.join("gatepost")
}

#[test]
fn the_executables_can_be_replaced_while_they_run() {
    let place = Place::new();
    let gatepost = copy_executables(place.temp.path());
    let start = |listen: &str| {
        let mut command = place.gatepost(&[]);
        let variables: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command = std::process::Command::new(&gatepost);
        command.args(["serve", "--listen", listen]).envs(variables);
        ServerProcess::run(command)
    };
    let mut server = start("127.0.0.1:0");
    let listen = server.address.to_string();
    let mut browser = Browser::new(server.address);
    browser.log_in(&place.ok(&["url"]));
    let old = browser.open(&json!({ "command": ["cat"] }));
    let mut viewer = browser.view(&old);
    viewer.type_in("of before\r");
    viewer.wait_text("of before");

    copy_executables(place.temp.path());
    // The old server goes on, also opening terminals: with the new keeper.
    let between = browser.open(&json!({ "command": ["cat"] }));
    viewer.type_in("still\r");
    viewer.wait_text("still");
    assert_eq!(server.stop(), Some(0));
    server = start(&listen);
    let known = pids(&browser.terminals());
    assert!(known.contains_key(&old) && known.contains_key(&between));
    let mut viewer = browser.view(&old);
    viewer.wait_text("of before");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn terminals_outlive_a_graceful_stop_and_the_login_does_too() {
    let place = Place::new();
    let server = ServerProcess::start(&place, &[]);
    let listen = server.address.to_string();
    let mut browser = Browser::new(server.address);
    browser.log_in(&place.ok(&["url"]));
    let terminal = browser.open(&json!({ "command": ["cat"] }));
    let mut viewer = browser.view(&terminal);
    viewer.type_in("before\r");
    viewer.wait_text("before");
    let mut server = Some(server);
    // No waiting for the deadline of five seconds.
    within(Duration::from_secs(4), || {
        let start = Instant::now();
        assert_eq!(server.take().unwrap().stop(), Some(0));
        let took = start.elapsed();
        assert_eq!(viewer.close_code(), Some(1001));
        server = Some(ServerProcess::start(&place, &["--listen", &listen]));
        viewer = browser.view(&terminal);
        viewer.wait_text("before");
        took
    });
}

#[test]
fn two_hundred_terminals_echo() {
    const TERMINALS: usize = 200;
    let place = Place::new();
    let more = ["--set", "limits.machine_terminals=250"];
    let server = ServerProcess::start(&place, &more);
    let mut browser = Browser::new(server.address);
    browser.log_in(&place.ok(&["url"]));
    let mut viewers: Vec<_> = (0..TERMINALS)
        .map(|number| {
            let terminal =
                browser.open(&json!({ "command": ["cat"], "name": format!("n{number}") }));
            browser.view(&terminal)
        })
        .collect();
    for (number, viewer) in viewers.iter_mut().enumerate() {
        viewer.type_in(&format!("hello {number}\r"));
    }
    for (number, viewer) in viewers.iter_mut().enumerate() {
        viewer.wait_text(&format!("hello {number}\r\n"));
    }
    assert_eq!(browser.terminals().len(), TERMINALS);
    drop(viewers);
    server.kill();
    let server = ServerProcess::start(&place, &[]);
    let mut browser = Browser::new(server.address);
    browser.log_in(&place.ok(&["url"]));
    assert_eq!(browser.terminals().len(), TERMINALS, "all found again");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn what_hits_the_servers_process_group_or_its_own_terminal_does_not_hit_terminals() {
    use std::os::unix::process::CommandExt as _;
    let place = Place::new();
    for signal in [
        rustix::process::Signal::INT,
        rustix::process::Signal::HUP,
        rustix::process::Signal::QUIT,
        rustix::process::Signal::KILL,
    ] {
        let mut command = place.gatepost(&["serve", "--listen", "127.0.0.1:0"]);
        command.process_group(0);
        let server = ServerProcess::run(command);
        let id = place.ok(&["terminal", "open", "--", "cat"]);
        // As ^C in the terminal it was started from, or the end of that terminal.
        let group = rustix::process::Pid::from_raw(server.pid().cast_signed()).unwrap();
        rustix::process::kill_process_group(group, signal).unwrap();
        server.wait();
        let _next = ServerProcess::start(&place, &[]);
        assert!(place.ok(&["terminal", "list"]).contains(&id), "{signal:?}");
        place.ok(&["terminal", "send", &id, "alive", "--enter"]);
        place.ok(&["terminal", "wait", &id, "--for", "alive", "--timeout", "60"]);
    }
}

#[test]
fn a_terminal_whose_keeper_is_killed_is_said_to_be_lost_and_a_closed_one_is_not() {
    let place = Place::new();
    let server = ServerProcess::start(&place, &[]);
    let mut browser = Browser::new(server.address);
    browser.log_in(&place.ok(&["url"]));
    let closed = browser.open(&json!({ "command": ["cat"] }));
    let killed = browser.open(&json!({ "command": ["cat"] }));
    let mut events = browser.socket("/ws/events");
    events.text(&json!({ "token": browser.socket_token() }));
    let mut told = || match events.next() {
        Message::Text(text) => serde_json::from_str::<Value>(&text).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(told()["terminals"].as_array().unwrap().len(), 2);
    let mut until = |left: usize| loop {
        let list = told();
        if list["terminals"].as_array().unwrap().len() == left {
            return list["lost"].clone();
        }
    };
    place.ok(&["terminal", "close", &closed]);
    assert_eq!(until(1), json!(null));
    let keeper = keepers(&place).into_iter().find(|pid| {
        let command = std::fs::read_to_string(format!("/proc/{pid}/comm"));
        command.is_ok_and(|command| command.trim() == "gatepost-keeper")
    });
    let keeper = i32::try_from(keeper.unwrap()).unwrap();
    let keeper = rustix::process::Pid::from_raw(keeper).unwrap();
    rustix::process::kill_process(keeper, rustix::process::Signal::KILL).unwrap();
    assert_eq!(until(0), json!([killed]));
}
