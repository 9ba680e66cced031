//! The X session from its login shell to the window: what is killed comes back, nothing stays blank, and
//! where there can't be an X the same terminal is there as text.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly; times that were measured are printed"
)]

#[path = "xsession/desk.rs"]
mod desk;
#[path = "support/mod.rs"]
mod support;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use desk::{Desk, Eye, Running, kill, tool};
use serde_json::Value;
use support::server::{Place, ServerProcess};

/// Longest wait for anything that should happen, long enough for a machine that is very busy.
const DEADLINE: Duration = Duration::from_secs(60);

/// Polls until there is something; fails after [`DEADLINE`] and says what was missing. How long it took.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> (T, Duration) {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return (found, began.elapsed());
        }
        assert!(began.elapsed() < DEADLINE, "waited in vain: {what}");
        // Another process's windows and files bring no event.
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// An X server that needs neither monitor nor rights, in place of the one that does.
const XVFB: &str = "echo $$ > @DESK@/x.pid
exec Xvfb -displayfd 3 -ac -noreset -nolisten tcp -screen 0 800x480x24";

/// What the server says of the machine.
fn check(place: &Place, name: &str) -> Value {
    let status: Value = serde_json::from_str(&place.ok(&["status", "--json"])).unwrap();
    let checks = status["health"]["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap().clone()
}

#[test]
fn whatever_is_killed_comes_back_and_nothing_stays_blank() {
    let place = Place::new();
    let _server = ServerProcess::start(&place, &[]);
    let began = Instant::now();
    let desk = Desk::start(&place, XVFB, "xev");
    let (eye, _) = until("a window", || desk.eye().filter(|eye| eye.windows() > 0));
    eprintln!("login to window: {:?}", began.elapsed());

    let ((), took) = until("no blanking", || (eye.saver() == 0).then_some(()));
    eprintln!("blanking off: {took:?}");
    eye.turn_saver_on();
    until("blanking off again", || (eye.saver() == 0).then_some(()));
    until("the server knows", || {
        let blanking = check(&place, "blanking");
        (blanking["verdict"] == "good" && blanking["value"].as_i64()? >= 1).then_some(())
    });

    let before = desk.window().unwrap();
    kill(before);
    let ((), took) = until("another window", || {
        let other = desk.window().is_some_and(|pid| pid != before);
        (other && eye.windows() > 0).then_some(())
    });
    eprintln!("window killed, back after {took:?}");
    assert!(took < Duration::from_secs(4), "{took:?}");
    until("it is counted", || {
        (check(&place, "restarts")["value"] == 1).then_some(())
    });

    let (x, _) = desk.x().unwrap();
    kill(x);
    let (_, took) = until("another X server with a window", || {
        let other = desk.x().is_some_and(|(pid, _)| pid != x);
        desk.eye()
            .filter(|eye| other && eye.windows() > 0 && eye.saver() == 0)
    });
    eprintln!("X killed, back after {took:?}");
    assert!(took < Duration::from_secs(8), "{took:?}");
    until("it is counted", || {
        (check(&place, "restarts")["value"] == 1).then_some(())
    });
}

#[test]
fn without_an_x_server_the_same_terminal_is_there_as_text() {
    let place = Place::new();
    let _server = ServerProcess::start(&place, &[]);
    let (began, mut desk) = (Instant::now(), Desk::start(&place, "exit 1", "xev"));
    until("the kiosk's terminal", || {
        place
            .ok(&["terminal", "list"])
            .contains("kiosk")
            .then_some(())
    });
    eprintln!("text client after {:?}", began.elapsed());
    place.ok(&["terminal", "send", "kiosk", "--enter", "echo seen-$((6*7))"]);
    until("its output on this terminal", || {
        desk.written().contains("seen-42").then_some(())
    });
    // Control characters that would end a script or detach are the program's.
    desk.types("\u{1c}\u{3}");
    until("the program gets them", || {
        desk.written().contains("^C").then_some(())
    });
    desk.types("echo typed-$((40+4))\r");
    until("keys in the terminal", || {
        place
            .ok(&["terminal", "show", "kiosk"])
            .contains("typed-44")
            .then_some(())
    });
}

#[test]
fn the_account_is_of_no_use_elsewhere() {
    let place = Place::new();
    let login = concat!(env!("CARGO_MANIFEST_DIR"), "/xsession/login");
    let refused = Command::new(login).stdin(Stdio::null()).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("own screen"));
    drop(place);
}

/// An X server without a monitor, and its display.
fn xvfb() -> (Running, String) {
    let mut server = tool("Xvfb")
        .args(["-displayfd", "1", "-ac", "-noreset", "-nolisten", "tcp"])
        .args(["-screen", "0", "640x480x24"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map(Running)
        .unwrap();
    let mut number = String::new();
    let out = server.0.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut number).unwrap();
    (server, format!(":{}", number.trim()))
}

/// A screen, and what looks after it every 50 ms instead of every minute.
fn looked_after(place: &Place) -> (Running, Running, Eye) {
    let (server, display) = xvfb();
    let agent = place
        .gatepost(&["kiosk", "run", "--every", "50", "--window", "xev"])
        .env("DISPLAY", &display)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(Running)
        .unwrap();
    let (eye, _) = until("a window", || {
        Eye::open(&display).filter(|eye| eye.windows() > 0)
    });
    (agent, server, eye)
}

#[test]
fn a_day_of_minutes_in_which_somebody_turns_blanking_on_has_no_blank_one() {
    // As many as a day has minutes would take as long as the test suite: every tenth.
    const TIMES: u32 = 144;
    let place = Place::new();
    let _server = ServerProcess::start(&place, &[]);
    let (_agent, _x, eye) = looked_after(&place);
    let mut longest = Duration::ZERO;
    for _ in 0..TIMES {
        eye.turn_saver_on();
        let ((), took) = until("blanking off", || (eye.saver() == 0).then_some(()));
        longest = longest.max(took);
    }
    eprintln!("turned on {TIMES} times, off again within {longest:?}");
    let blanking = check(&place, "blanking");
    assert_eq!(blanking["verdict"], "good", "{blanking}");
}

#[test]
fn it_is_dark_when_asked_and_a_key_wakes_it_and_goes_nowhere_else() {
    let place = Place::new();
    let _server = ServerProcess::start(&place, &[]);
    let nobody = place.run(&["display", "off"]);
    assert_eq!(nobody.status.code(), Some(1), "there is no screen yet");
    place.configure("gatepost.toml", "[\"*\".display]\ndark = \"black\"\n");
    let (_agent, _x, eye) = looked_after(&place);
    until("not black", || (!eye.is_black()).then_some(()));
    let is = |says: &'static str| {
        until(says, || {
            let display = check(&place, "display");
            display["says"].as_str()?.starts_with(says).then_some(())
        });
    };
    is("lit");
    place.ok(&["display", "off"]);
    until("black", || eye.is_black().then_some(()));
    is("dark (asked for)");
    let blanking = check(&place, "blanking");
    assert_eq!(
        blanking["verdict"], "good",
        "dark on purpose alarms nobody: {blanking}"
    );
    place.ok(&["display", "on"]);
    until("lit", || (!eye.is_black()).then_some(()));
    place.ok(&["do", "display schedule"]);
    is("lit; ");
}
