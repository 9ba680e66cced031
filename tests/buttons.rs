//! Buttons through the real server, pressed without a finger: what is bound happens, by the policy, and is
//! written down.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::Value;
use support::keeper::until;
use support::server::{Place, ServerProcess};

const BUTTONS: &str = r#"
["*".hardware]
lines = "simulated"

["*".buttons.red]
line = 17
press = "hook run note -- pressed"
hold = { after = "300ms", do = "hook run note -- held" }
double = "hook run note -- double"

["*".buttons.blue]
line = "GPIO27"
press = "terminal send work 'echo $((6*7))\r'"
release = "hook run fail"

["*".buttons.both]
chord = ["red", "blue"]
press = "power off"

["*".lamps.busy]
line = 22
shows = "hook fail"

["*".lamps.alive]
line = 23
shows = "terminal"
"#;

/// A place with buttons, and hooks that write down that they ran.
fn place(more: &str) -> (Place, PathBuf) {
    let place = Place::new();
    let text = format!(
        "{BUTTONS}\n[\"*\".log]\naudit_file = \"{}\"\n{more}",
        place.temp.path().join("audit.jsonl").display()
    );
    place.configure("gatepost.toml", &text);
    let said = place.temp.path().join("said");
    let note = format!(
        "#!/bin/sh\necho \"$GATEPOST_BUTTON $GATEPOST_EVENT $1\" >> {}\n",
        said.display()
    );
    for (name, script) in [("note", note.as_str()), ("fail", "#!/bin/sh\nexit 5\n")] {
        let path = place.configure(&format!("hooks/{name}"), script);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    (place, said)
}

/// `gatepost buttons test --json`, and what it says.
struct Feed {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Feed {
    fn new(place: &Place) -> Self {
        let mut command = place.gatepost(&["buttons", "test", "--json"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut feed = Self { child, lines };
        // Whoever watches sees a press, so once one is seen, everything is.
        for _ in 0..100 {
            place.ok(&["buttons", "simulate", "both", "hold"]);
            if feed.next()["button"] == "red" || feed.next()["button"] == "blue" {
                break;
            }
        }
        feed
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Reads on until this has happened.
    fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let next = self.next();
            if is_it(&next) {
                return next;
            }
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn lamp(place: &Place, name: &str) -> String {
    let known: Value = serde_json::from_str(&place.ok(&["buttons", "list", "--json"])).unwrap();
    let lamps = known["lamps"].as_array().unwrap();
    let lamp = lamps.iter().find(|lamp| lamp["name"] == name).unwrap();
    lamp["now"].as_str().unwrap().to_owned()
}

#[test]
fn each_gesture_does_what_it_is_bound_to_and_is_written_down_as_the_buttons() {
    let (place, said) = place("");
    let _server = ServerProcess::start(&place, &[]);
    let notes = || std::fs::read_to_string(&said).unwrap_or_default();
    for (gesture, note) in [
        ("press", "red press pressed"),
        ("hold", "red hold held"),
        ("double", "red double double"),
    ] {
        place.ok(&["buttons", "simulate", "red", gesture]);
        until("the hook ran", || notes().lines().last() == Some(note));
    }
    assert_eq!(notes().lines().count(), 3, "each once: {}", notes());
    let audit = std::fs::read_to_string(place.temp.path().join("audit.jsonl")).unwrap();
    let lines: Vec<Value> = audit
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mine: Vec<_> = lines
        .iter()
        .filter(|line| line["door"] == "button")
        .collect();
    assert!(mine.iter().all(|line| line["who"] == "the button red"));
    assert!(lines.iter().any(|line| line["action"] == "simulate-button"));
    let missing = place.run(&["buttons", "simulate", "green"]);
    assert_eq!(missing.status.code(), Some(3), "no such button");
}

#[test]
fn a_button_types_into_a_terminal_by_name_and_lamps_mirror_what_happens() {
    let (place, _said) = place("");
    let _server = ServerProcess::start(&place, &[]);
    until("the lamp is there", || lamp(&place, "alive") == "off");
    place.ok(&["terminal", "open", "--name", "work", "--", "/bin/sh"]);
    until("a terminal lights it", || lamp(&place, "alive") == "on");
    place.ok(&["buttons", "simulate", "blue"]);
    until("the shell computes", || {
        place.ok(&["terminal", "show", "work"]).contains("\n42")
    });
    until("the failed hook blinks", || lamp(&place, "busy") == "blink");
    place.ok(&["do", "lamp busy off"]);
    until("an order wins", || lamp(&place, "busy") == "off");
    place.ok(&["do", "lamp busy auto"]);
    until("until it is taken back", || lamp(&place, "busy") == "blink");
    let unknown = place.run(&["do", "lamp nowhere on"]);
    assert_eq!(unknown.status.code(), Some(3));
}

#[test]
fn a_chord_is_seen_live_and_what_it_may_not_do_is_said_and_nothing_else() {
    let (place, said) = place("[\"button=both\".allow]\npower = false\n");
    let _server = ServerProcess::start(&place, &[]);
    let mut feed = Feed::new(&place);
    let ended = feed.until(|next| next["happening"] == "ended");
    assert_eq!(ended["button"], "both");
    assert!(
        ended["problem"].as_str().unwrap().contains("you may not"),
        "{ended}"
    );
    assert!(!said.exists(), "its parts did nothing");
}

#[test]
fn a_changed_configuration_rewires_buttons_without_a_restart() {
    let (place, said) = place("");
    let _server = ServerProcess::start(&place, &[]);
    place.configure(
        "conf.d/10.toml",
        "[\"*\".buttons.green]\nline = 5\npress = \"hook run note -- new\"\n",
    );
    until("the new button is there", || {
        place
            .run(&["buttons", "simulate", "green"])
            .status
            .success()
    });
    until("and works", || {
        std::fs::read_to_string(&said).is_ok_and(|said| said.contains("green press new"))
    });
}

#[test]
fn a_mistake_in_a_binding_is_an_error_with_file_line_and_key() {
    let place = Place::new();
    place.configure(
        "gatepost.toml",
        "[\"*\".buttons.red]\nline = 17\npress = \"terminal sned kiosk x\"\n\
         hold = { after = \"5x\", do = \"power off\" }\n[\"*\".buttons.blue]\nline = 17\n",
    );
    let output = place.run(&["config", "check"]);
    assert_eq!(output.status.code(), Some(1));
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("gatepost.toml:3"), "{said}");
    assert!(said.contains("buttons.red.press"), "{said}");
    assert!(said.contains("is no action"), "{said}");
    assert!(said.contains("buttons.red.hold.after"), "{said}");
    let place = Place::new();
    place.configure(
        "gatepost.toml",
        "[\"*\".buttons.red]\nline = 17\n[\"*\".buttons.blue]\nline = 17\n\
         [\"*\".buttons.both]\nchord = [\"red\", \"green\"]\n",
    );
    let output = place.run(&["config", "check"]);
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("is taken by buttons."), "{said}");
    assert!(said.contains("green is no button"), "{said}");
}

#[test]
fn without_gpio_the_server_says_so_and_everything_else_goes_on() {
    if std::path::Path::new("/dev/gpiochip0").exists() {
        return;
    }
    let (place, said) = place("");
    place.configure("conf.d/10.toml", "[\"*\".hardware]\nlines = \"auto\"\n");
    let _server = ServerProcess::start(&place, &[]);
    until("the list says why", || {
        let list = place.ok(&["buttons", "list"]);
        list.contains("doesn't work: this machine has no GPIO lines")
    });
    place.ok(&["terminal", "open", "--", "cat"]);
    // A button without its line can still be simulated.
    place.ok(&["buttons", "simulate", "red"]);
    until("it does what it is bound to", || said.exists());
}
