//! `gatepost terminal wait`: for scripts that have to know when something has happened.

use clap::Args;

use crate::role::exit::Failure;
use crate::role::terminal::ask_json;
use crate::wire::message::{Request, WaitFor};

/// Seconds of quiet that count as silence, unless said otherwise.
const SILENCE_SECONDS: f64 = 10.0;

/// What `wait` takes.
#[derive(Debug, Args)]
pub(super) struct WaitArguments {
    /// Which terminal
    id: String,
    /// exit, silence, silence=SECONDS, or a regular expression for a line on the screen now or
    /// written later (regex:exit looks for the word)
    #[arg(long = "for", value_name = "REGEX|exit|silence", value_parser = what)]
    what: WaitFor,
    /// Give up after this many seconds, with exit code 7
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<u64>,
}

fn what(text: &str) -> Result<WaitFor, String> {
    Ok(match text {
        "exit" => WaitFor::Exit {},
        "silence" => WaitFor::Silence(milliseconds(SILENCE_SECONDS)),
        _ => {
            if let Some(wanted) = text.strip_prefix("silence=") {
                WaitFor::Silence(seconds(wanted)?)
            } else {
                WaitFor::Regex(text.strip_prefix("regex:").unwrap_or(text).to_owned())
            }
        }
    })
}

/// Seconds as milliseconds; at most a year.
fn seconds(text: &str) -> Result<u64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=31_536_000.0).contains(&seconds) => Ok(milliseconds(seconds)),
        _ => Err(format!("{text:?} is not a number of seconds")),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "callers pass at most a year, and nothing negative"
)]
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

/// Waits.
pub(super) fn run(arguments: WaitArguments) -> Result<(), Failure> {
    let request = Request::Wait {
        what: arguments.what,
        timeout_ms: arguments.timeout,
    };
    ask_json(&arguments.id, request).map(|_true_now| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_regular_expressions_are_told_apart() {
        assert_eq!(what("exit"), Ok(WaitFor::Exit {}));
        assert_eq!(what("regex:exit"), Ok(WaitFor::Regex("exit".into())));
        assert_eq!(what("silence=0.5"), Ok(WaitFor::Silence(500)));
        assert_eq!(what("silence"), Ok(WaitFor::Silence(10_000)));
        assert_eq!(what("done.*"), Ok(WaitFor::Regex("done.*".into())));
        assert!(what("silence=-1").is_err());
        assert!(seconds("NaN").is_err());
    }
}
