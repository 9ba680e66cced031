//! The machine's buttons and lamps: lines that have edges, lines that can be lit, what finds them, and
//! what edges mean.

mod board;
mod chardev;
mod contact;
mod finger;
mod gestures;
mod keys;
mod lamps;
mod lines;
mod pi;
mod simulated;

use std::path::Path;

use crate::policy::settings::Backend;

pub use board::{Board, Simulate, SimulateError};
pub use finger::Knows;
pub use gestures::{Chord, Done, Gestures, Single};
pub use keys::{Key, Keyboards};
pub use lamps::{Lamps, NoLamp};
pub use lines::{Bias, Edge, Input, LineError, Lines, Output, now};

/// What a Raspberry Pi's own kernel opens its registers through.
const GPIOMEM: &str = "/dev/gpiomem";

/// The way to this machine's lines.
pub fn open(wanted: Backend) -> Result<Box<dyn Lines>, LineError> {
    let gpiomem = Path::new(GPIOMEM).exists();
    Ok(match wanted {
        Backend::Simulated => Box::new(simulated::Simulated),
        Backend::Rppal => Box::new(pi::Pi::open()?),
        Backend::Auto if gpiomem => match pi::Pi::open() {
            Ok(pi) => Box::new(pi),
            Err(error) => {
                // A Pi newer than rppal: the kernel knows it.
                tracing::info!(%error, "lines are reached through the character device");
                Box::new(chardev::Chardev)
            }
        },
        Backend::Auto | Backend::Gpiocdev => Box::new(chardev::Chardev),
    })
}
