//! `gatepost kiosk text`: the kiosk's terminal on the plain console, for when there is no window. The
//! same terminal, with everything in it.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGTERM};

use crate::action::{Action, Outcome};
use crate::base::{Labels, Size, TerminalName};
use crate::role::attach::{self, AttachArguments};
use crate::role::client::{act, list, unexpected};
use crate::role::exit::{Code, Failure};
use crate::role::output;
use crate::role::output::doing;

/// The name of the terminal the kiosk shows; the page uses the same.
const NAME: &str = "kiosk";
/// Pause before looking again for a server, or for a terminal that has ended.
const AGAIN: Duration = Duration::from_millis(500);
/// The same when this screen may not have one: people log in at it, which takes the window.
const MUCH_LATER: Duration = Duration::from_secs(60);
/// The Linux console: never blank, never power down (console_codes(4)), and a clean sheet.
const AWAKE: &[u8] = b"\x1b[9;0]\x1b[14;0]\x1b[H\x1b[2J";

/// Shows it for as long as this console is there and nothing says to end.
pub(in crate::role) fn text() -> Result<(), Failure> {
    let over = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&over))
            .map_err(doing("setting up signal handling"))?;
    }
    let console = std::env::var_os("TERM").is_some_and(|term| term == "linux");
    let mut said = String::new();
    loop {
        let mut pause = AGAIN;
        match once(console) {
            Ok(()) => said.clear(),
            Err(failure) if failure.code == Code::Denied => {
                pause = MUCH_LATER;
                let why = "There is no window on this screen just now, and no terminal without one";
                if said != failure.message {
                    output::say(&format!("{why}: {}", failure.message));
                    said = failure.message;
                }
            }
            // Only a person can help, and only they can read it.
            Err(failure) if failure.code == Code::Usage => return Err(failure),
            Err(failure) if failure.message != said => {
                output::say(&failure.message);
                said = failure.message;
            }
            Err(_) => {}
        }
        let until = Instant::now() + pause;
        loop {
            // Whatever ended: with the console gone, nobody sees another.
            if over.load(Ordering::Relaxed) || !std::io::stdin().is_terminal() {
                return Ok(());
            }
            std::thread::park_timeout(AGAIN);
            if Instant::now() >= until {
                break;
            }
        }
    }
}

fn once(console: bool) -> Result<(), Failure> {
    let name: TerminalName = NAME.parse().map_err(Failure::failed)?;
    let there = list()?.iter().any(|info| info.name.as_ref() == Some(&name));
    if !there {
        let opened = act(Action::OpenTerminal {
            name: Some(name),
            program: None,
            command: Vec::new(),
            size: Size::default(),
            directory: None,
            labels: Labels::default(),
        })?;
        if !matches!(opened, Outcome::Opened { .. }) {
            return Err(unexpected());
        }
    }
    if console {
        let _seen = output::write(AWAKE)?;
    }
    attach::run(&AttachArguments::without_end(NAME))
}
