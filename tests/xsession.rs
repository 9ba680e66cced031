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
    told("window killed, another there", took, Duration::from_secs(4));
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
    told("X killed, another there", took, Duration::from_secs(8));
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

/// Times are promises on a quiet machine. Where everything is tested at once, they are only told.
fn told(what: &str, took: Duration, limit: Duration) {
    eprintln!("{what}: {took:.1?}, promised {limit:.1?}");
    let strict = std::env::var_os("GATEPOST_STRICT_TIMES").is_some();
    let slack = if strict { 1 } else { 8 };
    assert!(took <= limit * slack, "{what} took {took:.1?}");
}

/// The session as a kiosk has it, with the real window and a terminal that is a bar of one colour.
#[cfg(feature = "kiosk")]
mod with_the_window {
    use super::*;

    const BAR: [u8; 3] = [201, 30, 90];
    const SHOWS_A_BAR: &str = "[\"kiosk\".terminal]\ndefault_command = \"bar\"\nshell = false\n\
        [\"kiosk\".terminal.commands.bar]\n\
        command = [\"/bin/sh\", \"-c\", \"stty raw -echo; printf '\\\\033[48;2;201;30;90m%400s\\\\033[0m' ''; exec cat >/dev/null\"]\n";

    fn is_painted(eye: &Eye) -> bool {
        eye.count(BAR) > 500
    }

    #[test]
    fn the_terminal_is_painted_again_after_the_window_and_after_x_is_killed() {
        let place = Place::new();
        place.configure("gatepost.toml", SHOWS_A_BAR);
        let _server = ServerProcess::start(&place, &[]);
        let began = Instant::now();
        let desk = Desk::start(&place, XVFB, env!("CARGO_BIN_EXE_gatepost-kiosk"));
        let painted = || desk.eye().filter(is_painted);
        until("the terminal", painted);
        eprintln!("login to painted terminal: {:.1?}", began.elapsed());
        let terminal = || {
            let list = place.ok(&["terminal", "list"]);
            let id = list.lines().nth(1).and_then(|line| line.split(' ').next());
            id.unwrap().to_owned()
        };
        let before = terminal();

        let window = desk.window().unwrap();
        kill(window);
        let (_, took) = until("the terminal in another window", || {
            painted().filter(|_| desk.window().is_some_and(|pid| pid != window))
        });
        told(
            "window killed and painted again",
            took,
            Duration::from_secs(4),
        );

        let (x, _) = desk.x().unwrap();
        kill(x);
        let (_, took) = until("the terminal on another X server", || {
            painted().filter(|_| desk.x().is_some_and(|(pid, _)| pid != x))
        });
        told("X killed and painted again", took, Duration::from_secs(8));
        assert_eq!(terminal(), before, "the same one");
    }

    #[test]
    fn a_page_that_is_lost_is_counted_as_a_restart() {
        let place = Place::new();
        place.configure("gatepost.toml", SHOWS_A_BAR);
        let _server = ServerProcess::start(&place, &[]);
        let desk = Desk::start(&place, XVFB, env!("CARGO_BIN_EXE_gatepost-kiosk"));
        let painted = || desk.eye().filter(is_painted);
        until("the terminal", painted);
        let of_window = || desk::child_of(desk.window()?, "WebKitWeb");
        let (page, _) = until("the page's process", of_window);
        kill(page);
        until("another", || of_window().filter(|pid| *pid != page));
        until("the terminal again", painted);
        let (restarts, _) = until("the server knows", || {
            Some(check(&place, "restarts")).filter(|check| check["value"] == 1)
        });
        let says = restarts["says"].as_str().unwrap();
        assert!(says.contains("its page 1"), "{says}");
    }

    #[test]
    fn from_the_servers_start_to_the_first_painted_frame_is_one_and_a_half_seconds() {
        let place = Place::new();
        place.configure("gatepost.toml", SHOWS_A_BAR);
        let (_x, display) = xvfb();
        let (eye, _) = until("a screen", || Eye::open(&display));
        let _manager = tool("matchbox-window-manager")
            .args(["-use_titlebar", "no", "-kbdconfig", "/dev/null"])
            .env("DISPLAY", &display)
            .stderr(Stdio::null())
            .spawn()
            .map(Running)
            .unwrap();
        let began = Instant::now();
        // Both at once, as at boot.
        let _window = Command::new(env!("CARGO_BIN_EXE_gatepost-kiosk"))
            .env("GATEPOST_RUNTIME_DIR", &place.folders.runtime)
            .env("HOME", place.temp.path())
            .env("DISPLAY", &display)
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .spawn()
            .map(Running)
            .unwrap();
        let _server = ServerProcess::start(&place, &[]);
        until("the terminal", || is_painted(&eye).then_some(()));
        told(
            "start to first painted frame",
            began.elapsed(),
            Duration::from_millis(1500),
        );
    }
}

/// A real X server with a driver for no monitor, its configuration ours.
#[test]
fn a_real_x_server_takes_the_configuration_and_an_output_that_goes_comes_back() {
    if !std::path::Path::new("/usr/lib/xorg/Xorg").exists() {
        eprintln!("NOT RUN: there is no Xorg; `./dev setup` installs it");
        return;
    }
    let place = Place::new();
    let _server = ServerProcess::start(&place, &[]);
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let log = place.temp.path().join("x.log");
    let (_x, display) = x_server(
        Command::new("/usr/lib/xorg/Xorg")
            .args(["-novtswitch", "-nolisten", "tcp", "-config"])
            .arg(here.join("xsession/xorg.conf"))
            .arg("-configdir")
            .arg(here.join("tests/xsession/xorg.conf.d"))
            .arg("-logfile")
            .arg(&log),
    );
    let said = std::fs::read_to_string(&log).unwrap();
    for option in [
        "DontVTSwitch\" \"true",
        "DontZap\" \"true",
        "BlankTime\" \"0",
        "OffTime\" \"0",
    ] {
        assert!(
            said.contains(&format!("(**) Option \"{option}\"")),
            "{option}: {said}"
        );
    }
    let (eye, _) = until("a screen", || Eye::open(&display));
    assert_eq!(eye.saver(), 0, "without anybody's help");
    let _agent = agent(&place, &display);
    until("a window", || (eye.windows() > 0).then_some(()));
    let shows = eye.outputs();
    assert!(shows > 0);
    eye.turn_output_off();
    let ((), took) = until("the output shows something again", || {
        (eye.outputs() == shows).then_some(())
    });
    eprintln!("an output that went is back after {took:?}");
    for (what, blank) in [
        ("the saver", Eye::turn_saver_on as fn(&Eye)),
        ("blank", Eye::blank),
    ] {
        blank(&eye);
        until(what, || (eye.saver() == 0 && !eye.is_blank()).then_some(()));
    }
}

#[test]
fn a_window_that_never_stays_open_ends_in_the_same_terminal_as_text() {
    let place = Place::new();
    let _server = ServerProcess::start(&place, &[]);
    let began = Instant::now();
    // As a window whose page can't be kept alive.
    let desk = Desk::start(&place, XVFB, "sh -c 'exit 10'");
    place.ok(&["terminal", "open", "--name", "kiosk"]);
    place.ok(&["terminal", "send", "kiosk", "--enter", "echo seen-$((6*7))"]);
    until("its output on this terminal", || {
        desk.written().contains("seen-42").then_some(())
    });
    eprintln!("text client after {:?}", began.elapsed());
}

#[test]
fn an_x_server_that_works_again_takes_the_console_back_from_the_text_client() {
    let place = Place::new();
    let _server = ServerProcess::start(&place, &[]);
    // Until somebody plugs in a monitor.
    let x = format!("[ -e @DESK@/monitor ] || exit 1\n{XVFB}");
    let desk = Desk::patient_for(&place, &x, "xev", "2");
    until("the kiosk's terminal, as text", || {
        place
            .ok(&["terminal", "list"])
            .contains("kiosk")
            .then_some(())
    });
    std::fs::write(place.temp.path().join("desk/monitor"), "").unwrap();
    until("a window", || desk.eye().filter(|eye| eye.windows() > 0));
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
    x_server(tool("Xvfb").args(["-nolisten", "tcp", "-screen", "0", "640x480x24"]))
}

/// An X server, and the display it chose.
fn x_server(command: &mut Command) -> (Running, String) {
    let mut server = command
        .args(["-displayfd", "1", "-ac", "-noreset"])
        .stdin(Stdio::null())
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

/// What looks after a screen, every 50 ms instead of every minute.
fn agent(place: &Place, display: &str) -> Running {
    place
        .gatepost(&["kiosk", "run", "--every", "50", "--window", "xev"])
        .env("DISPLAY", display)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(Running)
        .unwrap()
}

/// A screen, and what looks after it.
fn looked_after(place: &Place) -> (Running, Running, Eye) {
    let (server, display) = xvfb();
    let agent = agent(place, &display);
    let (eye, _) = until("a window", || {
        Eye::open(&display).filter(|eye| eye.windows() > 0)
    });
    (agent, server, eye)
}

/// In how many minutes of the day something happens to the screen. As many as a day has would take as long
/// as the test suite, so ordinarily every tenth; GATEPOST_MINUTES=1440 for all.
fn minutes() -> u32 {
    let said = std::env::var("GATEPOST_MINUTES");
    said.map_or(144, |text| text.parse().unwrap())
}

#[test]
fn a_day_of_minutes_in_which_somebody_turns_blanking_on_has_no_blank_one() {
    let place = Place::new();
    let _server = ServerProcess::start(&place, &[]);
    let (_agent, _x, eye) = looked_after(&place);
    let mut longest = Duration::ZERO;
    for minute in 0..minutes() {
        // The screen saver's time, the screen saver itself, both at once.
        if minute % 3 != 1 {
            eye.turn_saver_on();
        }
        if minute % 3 != 0 {
            eye.blank();
        }
        let awake = || (eye.saver() == 0 && !eye.is_blank()).then_some(());
        let ((), took) = until("blanking off", awake);
        longest = longest.max(took);
    }
    let minutes = minutes();
    eprintln!("blanked in {minutes} minutes, lit again within {longest:?}");
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
