//! Somebody plays with the kiosk's keyboard and mouse for a long time: random chords and pointer events,
//! the same ones every time. GATEPOST_KIOSK_EVENTS=100000 plays for longer.
#![cfg(feature = "kiosk")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what is wrong by panicking, and how much it did"
)]

#[path = "kiosk_window/mod.rs"]
mod support;

use support::screen::Screen;
use support::server::Server;
use support::*;

/// Events of the ordinary run.
const EVENTS: usize = 3000;
/// Events in one go, after each of which is looked.
const ROUND: usize = 500;
const MODIFIERS: [&str; 4] = ["ctrl", "alt", "shift", "super"];
/// What is on keyboards, those with keys for browsers included.
const KEYS: &str = "a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 9 F1 F2 F3 F4 F5 F6 F7 F8 \
    F9 F10 F11 F12 Tab space Escape Return BackSpace Delete Insert Home End Prior Next \
    Left Right Up Down Menu Print Pause plus minus period comma slash semicolon grave \
    XF86Back XF86Forward XF86Reload XF86HomePage XF86Search XF86Calculator XF86Mail XF86Explorer \
    Undo Redo Find Super_L Hyper_L";

/// A simple generator: random enough, and the same every time.
struct Chance(u64);

impl Chance {
    /// A number below this.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }

    /// A line of xdotool's.
    fn event(&mut self, keys: &[&'static str]) -> String {
        let (x, y) = (self.below(800), self.below(480));
        let button = 1 + self.below(9);
        let held: Vec<&str> = MODIFIERS
            .into_iter()
            .filter(|_| self.below(3) == 0)
            .collect();
        let first = held.first().copied().unwrap_or("ctrl");
        let key = keys.get(self.below(keys.len())).copied().unwrap();
        match self.below(10) {
            0 => format!("mousemove {x} {y}\n"),
            1 => format!("mousemove {x} {y}\nclick {button}\n"),
            2 => format!("mousedown 1\nmousemove {x} {y}\nmouseup 1\n"),
            3 => format!("keydown {first}\nclick {button}\nkeyup {first}\n"),
            _ => {
                let chord = [held.as_slice(), &[key]].concat().join("+");
                format!("key --delay 0 {chord}\n")
            }
        }
    }
}

#[test]
fn random_chords_and_pointer_events_leave_the_window_on_the_terminal() {
    let events = std::env::var("GATEPOST_KIOSK_EVENTS");
    let events = events.map_or(EVENTS, |text| text.parse().unwrap());
    let screen = Screen::start(800, 480);
    // The administrator's page may be seen when its chord is pressed; without one, nothing may.
    let mut server = Server::configured("[\"kiosk\".kiosk]\nadmin_chord = \"\"\n");
    server.start_again();
    let mut window = window_with_bar(&screen, &server);
    let painting = renderer_of(&window);
    let programs = children(window.0.id()).len();
    let keys: Vec<&str> = KEYS.split_whitespace().collect();
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    let mut sent = 0;
    while sent < events {
        let round = ROUND.min(events - sent);
        let script: String = (0..round).map(|_| chance.event(&keys)).collect();
        screen.script(&script);
        sent += round;
        // A picture of where it ended, should it not be as before.
        eprintln!("{sent} events");
        screen.shot("after-random-events");
        assert_eq!(screen.more_windows(), 0, "no other window");
        // What is selected has another colour, and a click ends that. Pasting several lines is asked
        // about by the page itself, and Escape is a no.
        screen.script("key Escape\nmousemove 700 400\nclick 1\n");
        is_as_before(&screen, &mut window);
    }
    assert_eq!(renderer_of(&window), painting, "it is the same page");
    assert_eq!(children(window.0.id()).len(), programs, "no other program");
    let mut home = Vec::new();
    files(server.home(), &mut home);
    let ours = ["/run/", "/state/", "/config/", "cache"];
    home.retain(|path| !ours.iter().any(|folder| path.contains(folder)));
    assert_eq!(home, Vec::<String>::new(), "nothing was kept");
}
