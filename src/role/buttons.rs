//! `gatepost buttons …`

use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _};
use std::os::unix::net::UnixStream;

use clap::{Subcommand, ValueEnum};

use crate::base::{Gesture, Label};
use crate::wire::buttons::{ButtonsCall, Happening};
use crate::wire::control::{Answer, Call, MAX_MESSAGE};
use crate::wire::frame;

use super::client::{call, unexpected};
use super::exit::Failure;
use super::output::{self, Reader, plain};

/// The machine's buttons and lamps.
#[derive(Debug, Subcommand)]
pub(super) enum Buttons {
    /// Which there are, what they do, and what is wrong with them.
    List {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Print what happens to them, until you press Ctrl-C.
    Test {
        /// As JSON, one object a line.
        #[arg(long)]
        json: bool,
    },
    /// Press one without a finger, as if it had been one.
    Simulate {
        /// Which.
        button: Label,
        /// How.
        #[arg(value_enum, default_value_t = How::Press)]
        gesture: How,
    },
}

/// What can be done with a button.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum How {
    /// Pressed and let go.
    Press,
    /// The same.
    Release,
    /// Kept pressed for as long as its hold takes.
    Hold,
    /// Pressed twice.
    Double,
}

/// Runs the subcommand.
pub(super) fn run(command: Buttons) -> Result<(), Failure> {
    match command {
        Buttons::List { json } => list(json),
        Buttons::Test { json } => test(json),
        Buttons::Simulate { button, gesture } => {
            let gesture = match gesture {
                How::Press => Gesture::Press,
                How::Release => Gesture::Release,
                How::Hold => Gesture::Hold,
                How::Double => Gesture::Double,
            };
            let about = ButtonsCall::Simulate { button, gesture };
            call(&Call::Buttons { about }).map(|_done| ())
        }
    }
}

fn list(json: bool) -> Result<(), Failure> {
    let about = ButtonsCall::List {};
    let (Answer::Buttons { hardware }, _) = call(&Call::Buttons { about })? else {
        return Err(unexpected());
    };
    if json {
        let text = serde_json::to_string(&hardware).map_err(Failure::failed)?;
        let _seen = output::line(&text)?;
        return Ok(());
    }
    let mut text = String::new();
    if hardware.buttons.is_empty() && hardware.lamps.is_empty() {
        text.push_str("no buttons and no lamps; docs/buttons.md says how to have some\n");
    } else {
        text = format!("lines: {}\n", plain(&hardware.lines));
    }
    // Writing to a String can't fail.
    for button in &hardware.buttons {
        let level = match button.pressed {
            Some(true) => ", pressed",
            Some(false) | None => "",
        };
        let place = plain(&button.place);
        let _infallible = writeln!(text, "button {}: {place}{level}", button.name);
        if let Some(problem) = &button.problem {
            let _infallible = writeln!(text, "    doesn't work: {}", plain(problem));
        }
        for (gesture, action) in &button.does {
            let _infallible = writeln!(text, "    {}: {}", gesture.name(), plain(action));
        }
    }
    for lamp in &hardware.lamps {
        let (name, place, shows) = (&lamp.name, plain(&lamp.place), plain(&lamp.shows));
        let _infallible = writeln!(text, "lamp {name}: {place}, {} (shows {shows})", lamp.now);
        if let Some(problem) = &lamp.problem {
            let _infallible = writeln!(text, "    doesn't work: {}", plain(problem));
        }
    }
    let _seen = output::line(text.trim_end())?;
    Ok(())
}

fn test(json: bool) -> Result<(), Failure> {
    let about = ButtonsCall::Watch {};
    let (Answer::Attached {}, mut stream) = call(&Call::Buttons { about })? else {
        return Err(unexpected());
    };
    let mut first = None;
    while let Some(message) = message(&mut stream)? {
        let happening: Happening = serde_json::from_slice(&message).map_err(Failure::failed)?;
        let text = if json {
            String::from_utf8_lossy(&message).into_owned()
        } else {
            words(&happening, &mut first)
        };
        if let Reader::Gone = output::line(&text)? {
            break;
        }
    }
    Ok(())
}

fn words(happening: &Happening, first: &mut Option<u64>) -> String {
    match happening {
        Happening::Edge {
            button,
            pressed,
            at,
            ..
        } => {
            let since = at.saturating_sub(*first.get_or_insert(*at));
            let what = if *pressed { "pressed" } else { "released" };
            let (millis, micros) = (since / 1000, since % 1000);
            format!("{millis:>8}.{micros:03} ms  {button} {what}")
        }
        Happening::Gesture {
            button, gesture, ..
        } => format!("                 {button}: {}", gesture.name()),
        Happening::Ended {
            button,
            action,
            problem,
            ..
        } => {
            let end = problem.as_deref().map_or("done".to_owned(), plain);
            format!("                 {button}: {action}: {end}")
        }
    }
}

/// One message after its length; none when the server is gone.
fn message(stream: &mut UnixStream) -> Result<Option<Vec<u8>>, Failure> {
    let mut prefix = [0; 4];
    match stream.read_exact(&mut prefix) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other.map_err(Failure::failed)?,
    }
    let length = frame::length(&prefix, MAX_MESSAGE)
        .map_err(Failure::failed)?
        .unwrap_or(0);
    let mut message = vec![0; length];
    stream.read_exact(&mut message).map_err(Failure::failed)?;
    Ok(Some(message))
}
