//! `gatepost terminal …`, except `attach`.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read as _};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::action::{Action, Outcome, TerminalInfo};
use crate::base::{Labels, Match, OneLabel, Size, TerminalName, UserName};
use crate::wire::control::{Answer, Call};
use crate::wire::frame::{self, Deframer, ToViewer};
use crate::wire::message::{Failure as KeeperFailure, FailureKind, Request};

use super::client::{act, call, list, unexpected, which};
use super::exit::{Code, Failure};
use super::output::{self, Reader, plain};

/// `gatepost terminal open`
pub(super) fn open(
    name: Option<TerminalName>,
    program: Option<String>,
    size: Option<Size>,
    labels: Vec<OneLabel>,
    command: Vec<String>,
) -> Result<(), Failure> {
    let labels = Labels::of(labels);
    let labels = labels.map_err(|error| Failure::new(Code::Usage, error.to_string()))?;
    let action = Action::OpenTerminal {
        name,
        program,
        command,
        size: size.unwrap_or_default(),
        labels,
        // Another machine doesn't have our folders.
        directory: match super::remote::chosen() {
            Some(_) => None,
            None => std::env::current_dir().ok(),
        },
    };
    match act(action)? {
        Outcome::Opened { terminal } => {
            let _seen = output::line(terminal.as_str())?;
            Ok(())
        }
        _ => Err(unexpected()),
    }
}

/// `gatepost terminal list`
pub(super) fn show_list(json: bool) -> Result<(), Failure> {
    let terminals = list()?;
    let text = if json {
        let json = serde_json::json!({ "terminals": terminals });
        format!("{json:#}\n")
    } else {
        table(&terminals)
    };
    let _seen = output::write(text.as_bytes())?;
    Ok(())
}

pub(super) fn table(terminals: &[TerminalInfo]) -> String {
    let mut rows = vec![
        [
            "ID", "NAME", "SIZE", "STATE", "VIEWERS", "OPENED", "COMMAND",
        ]
        .map(str::to_owned),
    ];
    rows.extend(terminals.iter().map(|info| {
        let shown = info.name.as_ref().map(ToString::to_string);
        let shown = shown.or_else(|| info.title.clone()).unwrap_or_default();
        [
            info.id.to_string(),
            short(&shown),
            format!("{}x{}", info.size.cols(), info.size.rows()),
            state(info),
            info.viewers.to_string(),
            age(info.opened),
            short(&info.command.join(" ")),
        ]
    }));
    columns(&rows)
}

/// Rows of cells as lines, each column as wide as its widest cell.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    rows.iter().fold(String::new(), |mut out, row| {
        let cells: Vec<_> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        // Writing to a String can't fail.
        let _infallible = writeln!(out, "{}", cells.join("  ").trim_end());
        out
    })
}

/// Text that is safe to show and fits a column.
fn short(text: &str) -> String {
    const MOST: usize = 40;
    let text = plain(text);
    if text.chars().count() <= MOST {
        text
    } else {
        text.chars().take(MOST - 1).chain(['…']).collect()
    }
}

fn state(info: &TerminalInfo) -> String {
    match (info.exit_status, info.exit_signal) {
        (None, None) => "running".to_owned(),
        (Some(status), _) => format!("ended ({status})"),
        (None, Some(signal)) => format!("killed ({signal})"),
    }
}

pub(super) fn age(opened: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = now.map_or(0, |now| now.as_secs()).saturating_sub(opened);
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// `gatepost terminal show`
pub(super) fn show(terminal: &str, scrollback: bool, ansi: bool) -> Result<(), Failure> {
    // Empty lines below the last one with text are only the screen's height: held back until text
    // follows them.
    let mut newlines = 0;
    let mut anything = false;
    ask(terminal, Request::Text { scrollback, ansi }, |body| {
        let kept = body
            .iter()
            .rposition(|byte| *byte != b'\n')
            .map_or(0, |last| last + 1);
        if kept == 0 {
            newlines += body.len();
            return Ok(Reader::There);
        }
        let (text, tail) = body.split_at(kept);
        let before = vec![b'\n'; std::mem::replace(&mut newlines, tail.len())];
        anything = true;
        match output::write(&before)? {
            Reader::There => output::write(text),
            Reader::Gone => Ok(Reader::Gone),
        }
    })?;
    if anything {
        let _seen = output::write(b"\n")?;
    }
    Ok(())
}

/// Asks a keeper and hands the parts of its answer on.
pub(super) fn ask(
    terminal: &str,
    request: Request,
    mut part: impl FnMut(&[u8]) -> Result<Reader, Failure>,
) -> Result<(), Failure> {
    let question = Call::Ask {
        terminal: terminal.to_owned(),
        request,
    };
    let (Answer::Attached {}, mut stream) = call(&question)? else {
        return Err(unexpected());
    };
    let mut frames = Deframer::new(frame::MAX_TO_VIEWER);
    let mut buffer = vec![0; 64 << 10];
    loop {
        while let Some(bytes) = frames.next_frame().map_err(Failure::failed)? {
            if let Ok(ToViewer::Reply { last, body, .. }) = ToViewer::decode(bytes)
                && (part(body)? == Reader::Gone || last)
            {
                return Ok(());
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) => {
                return Err(Failure::failed("the terminal ended before it had answered"));
            }
            Ok(read) => frames.push(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::failed(error)),
        }
    }
}

/// Asks a keeper something whose answer is one JSON value.
pub(super) fn ask_json(terminal: &str, request: Request) -> Result<serde_json::Value, Failure> {
    let mut answer = Vec::new();
    ask(terminal, request, |body| {
        answer.extend_from_slice(body);
        Ok(Reader::There)
    })?;
    let mut answer: serde_json::Value =
        serde_json::from_slice(&answer).map_err(|_| unexpected())?;
    if let Some(value) = answer.get_mut("ok") {
        return Ok(value.take());
    }
    let failure = answer.get_mut("error").map(serde_json::Value::take);
    let failure = failure.and_then(|value| serde_json::from_value::<KeeperFailure>(value).ok());
    let failure = failure.ok_or_else(unexpected)?;
    let code = match failure.kind {
        FailureKind::Invalid => Code::Usage,
        FailureKind::Timeout => Code::Timeout,
        FailureKind::Denied => Code::Denied,
        FailureKind::Ended => Code::Failed,
        FailureKind::Busy => Code::Limit,
    };
    Err(Failure::new(code, failure.message))
}

/// `gatepost terminal send`
pub(super) fn send(terminal: &str, text: &str, escapes: bool, enter: bool) -> Result<(), Failure> {
    let terminal = which(terminal)?;
    let mut text = match text {
        "-" => {
            let mut input = String::new();
            io::stdin()
                .read_to_string(&mut input)
                .map_err(|error| Failure::failed(format!("standard input: {error}")))?;
            input
        }
        text if escapes => unescape(text).map_err(|wrong| Failure::new(Code::Usage, wrong))?,
        text => text.to_owned(),
    };
    if enter {
        text.push('\r');
    }
    for part in parts(&text, frame::MAX_INPUT) {
        let text = part.to_owned();
        let terminal = terminal.clone();
        act(Action::SendText { terminal, text })?;
    }
    Ok(())
}

/// The text in pieces of at most `most` bytes, none cut inside a character.
fn parts(mut text: &str, most: usize) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let end = (0..=most.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))?;
        let (part, rest) = text.split_at_checked(end)?;
        text = rest;
        (!part.is_empty()).then_some(part)
    })
}

/// Understands `\n \r \t \e \\ \xHH`.
fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('e') => out.push('\u{1b}'),
            Some('\\') => out.push('\\'),
            Some('x') => {
                let digits: String = rest.by_ref().take(2).collect();
                match u8::from_str_radix(&digits, 16) {
                    Ok(byte @ 0..=0x7f) if digits.len() == 2 => out.push(char::from(byte)),
                    _ => return Err(format!("\\x{digits} is not \\x00 to \\x7f")),
                }
            }
            Some(other) => {
                return Err(format!(
                    "\\{other} is not known; known are \\n \\r \\t \\e \\\\ \\xHH"
                ));
            }
            None => return Err("the text ends in a lone backslash".to_owned()),
        }
    }
    Ok(out)
}

/// `gatepost terminal search`
pub(super) fn search(terminal: &str, text: String, regex: bool, limit: u32) -> Result<(), Failure> {
    let request = Request::Search {
        text,
        regex,
        before: None,
        limit,
    };
    let mut found = ask_json(terminal, request)?;
    let matches = found.get_mut("matches").map(serde_json::Value::take);
    let matches: Vec<Match> = matches
        .and_then(|matches| serde_json::from_value(matches).ok())
        .ok_or_else(unexpected)?;
    if matches.is_empty() {
        return Err(Failure::new(Code::Failed, "no line contains that"));
    }
    for found in matches.iter().rev() {
        if output::line(&format!("{}: {}", found.line, plain(&found.text)))? == Reader::Gone {
            break;
        }
    }
    Ok(())
}

/// `gatepost terminal rename`
pub(super) fn rename(terminal: &str, name: Option<TerminalName>) -> Result<(), Failure> {
    let terminal = which(terminal)?;
    act(Action::RenameTerminal { terminal, name })?;
    Ok(())
}

/// `gatepost terminal close`; all without a terminal.
pub(super) fn close(terminal: Option<&str>) -> Result<(), Failure> {
    act(match terminal {
        Some(terminal) => Action::CloseTerminal {
            terminal: which(terminal)?,
        },
        None => Action::CloseAllTerminals {},
    })?;
    Ok(())
}

/// Lets another user watch a terminal, or no longer.
pub(super) fn share(id: &str, user: String, revoke: bool) -> Result<(), Failure> {
    let terminal = which(id)?;
    let with =
        UserName::try_from(user).map_err(|error| Failure::new(Code::Usage, error.to_string()))?;
    act(if revoke {
        Action::UnshareTerminal { terminal, with }
    } else {
        Action::ShareTerminal { terminal, with }
    })?;
    Ok(())
}

/// `gatepost terminal reset`
pub(super) fn reset(terminal: &str) -> Result<(), Failure> {
    let terminal = which(terminal)?;
    act(Action::ResetTerminal { terminal })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_understood_and_unknown_ones_refused() {
        assert_eq!(
            unescape(r"a\nb\t\e[A\x03\\").unwrap(),
            "a\nb\t\u{1b}[A\u{3}\\"
        );
        for bad in [r"\q", r"\x8", r"\x80", r"\xg0", "\\"] {
            assert!(unescape(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn long_text_goes_in_parts_that_cut_no_character() {
        let text = "aä€".repeat(10);
        for most in 3..9 {
            let whole: String = parts(&text, most)
                .inspect(|part| assert!(part.len() <= most))
                .collect();
            assert_eq!(whole, text);
        }
        assert_eq!(parts("", 4).count(), 0);
    }

    #[test]
    fn what_a_program_calls_itself_cannot_paint_the_list() {
        assert_eq!(short("a\u{1b}[31mb\n"), "a\u{fffd}[31mb\u{fffd}");
        assert_eq!(short(&"x".repeat(41)).chars().count(), 40);
    }
}
