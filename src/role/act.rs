//! `gatepost do`, and the subcommands that are one action.

use std::time::{Duration, Instant};

use clap::Args;

use crate::action::{Action, LoginInfo, Outcome, Recipient, Watching, Which};
use crate::base::{Access, Level, MessageText, TerminalId};
use crate::wire::message::{Acknowledged, Request, WaitFor};

use super::client::{act, unexpected, which};
use super::exit::{Code, Failure};
use super::output::{self, plain};
use super::terminal::{age, ask_json, columns, table};

/// What `gatepost message` takes.
#[derive(Debug, Args)]
pub(super) struct MessageArguments {
    /// The text: plain, at most 512 characters in 12 lines.
    text: String,
    /// To those who watch this terminal, instead of the machine's own screen.
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    to: Option<String>,
    /// To everybody who watches any terminal.
    #[arg(long)]
    all: bool,
    /// How it looks: info, warning or error.
    #[arg(long, value_parser = level, default_value = "info")]
    level: Level,
    /// It stays until somebody says that they have read it.
    #[arg(long)]
    require_ack: bool,
    /// Wait until then, and print who it was. Says --require-ack, too.
    #[arg(long)]
    wait: bool,
    /// Give up waiting after this many seconds, with exit code 7.
    #[arg(long, value_name = "SECONDS", requires = "wait")]
    timeout: Option<u64>,
}

fn level(text: &str) -> Result<Level, String> {
    match text {
        "info" => Ok(Level::Info),
        "warning" => Ok(Level::Warning),
        "error" => Ok(Level::Error),
        _ => Err("a level is info, warning or error".to_owned()),
    }
}

/// `gatepost do 'LINE'`
pub(super) fn line(line: &str, json: bool) -> Result<(), Failure> {
    let action: Action<Which> = line
        .parse()
        .map_err(|error: crate::action::ParseError| Failure::new(Code::Usage, error.to_string()))?;
    run(action, json)
}

/// Has an action done and prints what came of it.
pub(super) fn run(action: Action<Which>, json: bool) -> Result<(), Failure> {
    let outcome = act(action)?;
    let text = if json {
        format!(
            "{:#}\n",
            serde_json::to_value(&outcome).map_err(Failure::failed)?
        )
    } else {
        shown(&outcome)
    };
    let _seen = output::write(text.as_bytes())?;
    Ok(())
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done {} => String::new(),
        Outcome::Terminals { terminals } => table(terminals),
        Outcome::Opened { terminal } => format!("{terminal}\n"),
        Outcome::Closed { terminals } => terminals
            .iter()
            .flat_map(|id| [id.as_str(), "\n"])
            .collect(),
        Outcome::Told {
            terminals, viewers, ..
        } => format!(
            "shown to {viewers} viewer{} of {} terminal{}\n",
            if *viewers == 1 { "" } else { "s" },
            terminals.len(),
            if terminals.len() == 1 { "" } else { "s" },
        ),
        Outcome::Here { viewers, logins } => here(viewers, logins),
        Outcome::Update { slots } => super::update::shown(slots),
        Outcome::Health { health } => super::health::shown(health),
    }
}

fn here(viewers: &[Watching], logins: &[LoginInfo]) -> String {
    let mut rows = vec![["WHO", "FROM", "WATCHES", "MAY", "SINCE"].map(str::to_owned)];
    rows.extend(viewers.iter().map(|watching| {
        [
            plain(&watching.who),
            plain(&watching.from),
            watching.terminal.to_string(),
            match watching.access {
                Access::View => "watch".to_owned(),
                Access::Type => "type".to_owned(),
            },
            age(watching.since),
        ]
    }));
    let mut out = columns(&rows);
    if !logins.is_empty() {
        let mut rows = vec![["LOGIN", "FROM", "SINCE", "LAST USED"].map(str::to_owned)];
        rows.extend(logins.iter().map(|login| {
            [
                plain(&login.who),
                plain(login.from.as_deref().unwrap_or_default()),
                age(login.since),
                age(login.used),
            ]
        }));
        out.push('\n');
        out.push_str(&columns(&rows));
    }
    out
}

/// `gatepost message`
pub(super) fn message(arguments: MessageArguments) -> Result<(), Failure> {
    let text: MessageText =
        arguments
            .text
            .parse()
            .map_err(|error: crate::base::MessageTextError| {
                Failure::new(Code::Usage, error.to_string())
            })?;
    let to = match arguments.to {
        Some(terminal) => Recipient::Terminal(which(&terminal)?),
        None if arguments.all => Recipient::All {},
        None => Recipient::Kiosk {},
    };
    let outcome = act(Action::Message {
        text,
        to,
        level: arguments.level,
        require_ack: arguments.require_ack || arguments.wait,
    })?;
    let Outcome::Told {
        message, terminals, ..
    } = &outcome
    else {
        return Err(unexpected());
    };
    output::say(shown(&outcome).trim_end());
    if !arguments.wait {
        return Ok(());
    }
    let give_up = arguments
        .timeout
        .and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)));
    for terminal in terminals {
        let by = wait(*terminal, *message, give_up)?;
        let place = if by.kiosk {
            " on the kiosk's screen"
        } else {
            ""
        };
        let line = format!("{terminal}: read by {}{place}", plain(&by.by));
        let _seen = output::line(&line)?;
    }
    Ok(())
}

fn wait(
    terminal: TerminalId,
    message: u32,
    give_up: Option<Instant>,
) -> Result<Acknowledged, Failure> {
    let left = give_up.map(|end| end.saturating_duration_since(Instant::now()));
    let request = Request::Wait {
        what: WaitFor::Acknowledged(message),
        timeout_ms: left.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
    };
    let answer = ask_json(terminal.as_str(), request)?;
    serde_json::from_value(answer).map_err(|_| unexpected())
}
