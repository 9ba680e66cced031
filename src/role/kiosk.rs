//! The process of `gatepost-kiosk`: reads its arguments, finds the control socket, opens the window.

use std::process::ExitCode;

use clap::Parser;

use crate::kiosk::{self, KioskError, Options};

use super::exit::Code;
use super::log::{self, Format};
use super::{client, output};

/// Shows Gatepost's terminals in a full-screen window on this machine's own display.
///
/// Waits for the server if it isn't there. Exit codes: 0 closed on purpose, 1 no window can be made
/// or the X server went, 2 wrong arguments, 8 another window is already open, 10 the page could not
/// be kept alive: start the window again.
#[derive(Debug, Parser)]
#[command(name = "gatepost-kiosk", version)]
struct Arguments {
    /// Open a window of this many pixels instead of filling the screen.
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = parse_size)]
    size: Option<(u32, u32)>,
    /// Let the window manager close it. Without this, the window stays.
    #[arg(long)]
    closable: bool,
}

/// Largest side of a window, in pixels: X11's own limit.
const MAX_SIDE: u32 = 32_767;

fn parse_size(text: &str) -> Result<(u32, u32), String> {
    let side = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|side| (1..=MAX_SIDE).contains(side))
    };
    text.split_once('x')
        .and_then(|(width, height)| Some((side(width)?, side(height)?)))
        .ok_or_else(|| format!("write it as 800x480, each side from 1 to {MAX_SIDE}"))
}

/// Runs the process; the value is its exit code.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log::start(Format::Auto);
    let folders = match client::folders() {
        Ok(folders) => folders,
        Err(failure) => {
            output::say(&failure.message);
            return failure.code.into();
        }
    };
    match kiosk::run(Options {
        control_socket: folders.control_socket(),
        size: arguments.size,
        closable: arguments.closable,
    }) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::say(&error.to_string());
            match error {
                KioskError::AlreadyOpen { .. } => Code::InUse.into(),
                _ => Code::Failed.into(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_two_sides_in_pixels() {
        assert_eq!(parse_size("800x480"), Ok((800, 480)));
        assert_eq!(parse_size("32767x1"), Ok((32_767, 1)));
        for wrong in ["32768x1", "0x1", "800", "800x", "800x480x1", "-1x1", ""] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
