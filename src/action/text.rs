//! Reading the text form of an action: one line, the same for `gatepost do`, SSH and the bindings of
//! buttons. [`super::print`] writes it.
//! `docs/actions.md` is its description.

use std::str::FromStr;

use crate::base::{Level, MessageText, Size, TerminalName};

use super::arguments::{Arguments, from_str};
use super::words::{self, MAX_LINE, MAX_WORDS, Word};
use super::{
    Action, DisplayState, ImageState, KioskDoes, LampState, PowerState, Recipient, UpdateStep,
    Which,
};

/// Why a line is no action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Over [`MAX_LINE`].
    #[error("the line is over the limit of {MAX_LINE} bytes")]
    TooLong,
    /// Over [`MAX_WORDS`].
    #[error("the line has more than {MAX_WORDS} words")]
    TooMany,
    /// A quote is not closed.
    #[error("the quote opened at character {at} is not closed")]
    Quote {
        /// Where it was opened.
        at: usize,
    },
    /// A line end or NUL outside of quotes.
    #[error(
        "a line end or NUL at character {at}: an action is one line; in quotes write \\n or \\x00"
    )]
    Control {
        /// Where.
        at: usize,
    },
    /// An escape there isn't.
    #[error(
        "\\{found} at character {at} is not known; known are \\n \\r \\t \\e \\\\ \\' \\\" \\xHH (00 to 7f) and \\u{{HEX}}"
    )]
    Escape {
        /// What follows the backslash.
        found: String,
        /// Where the backslash is.
        at: usize,
    },
    /// Not the beginning of any action.
    #[error("{found:?} is no action; actions begin with: {}", known())]
    Verb {
        /// What the line begins with.
        found: String,
    },
    /// Something has to follow.
    #[error("{what} is missing; write it as: {usage}")]
    Missing {
        /// What.
        what: &'static str,
        /// The form.
        usage: &'static str,
    },
    /// Something must not follow.
    #[error("{word:?} at character {at} is not expected; write it as: {usage}")]
    Unexpected {
        /// What.
        word: String,
        /// Where.
        at: usize,
        /// The form.
        usage: &'static str,
    },
    /// A word doesn't mean what it should.
    #[error("{word:?} at character {at}: {reason}; write it as: {usage}")]
    Value {
        /// What.
        word: String,
        /// Where.
        at: usize,
        /// What is wrong with it.
        reason: String,
        /// The form.
        usage: &'static str,
    },
}

/// Every action: its first words and its form.
pub const GRAMMAR: &[(&str, &str)] = &[
    ("terminal list", "terminal list"),
    (
        "terminal open",
        "terminal open [--name NAME] [--program OFFERED] [--size COLSxROWS] [--directory PATH] [--label KEY=VALUE]… [-- PROGRAM [ARGUMENT…]]",
    ),
    ("terminal close", "terminal close ID | terminal close --all"),
    ("terminal rename", "terminal rename ID [NAME]"),
    ("terminal send", "terminal send ID TEXT"),
    ("terminal reset", "terminal reset ID"),
    ("terminal share", "terminal share ID USER"),
    ("terminal unshare", "terminal unshare ID USER"),
    (
        "message",
        "message TEXT [--to ID | --all] [--level info|warning|error] [--require-ack]",
    ),
    ("kiosk reload", "kiosk reload"),
    ("kiosk identity", "kiosk identity"),
    ("kiosk switch", "kiosk switch next|choose"),
    ("display", "display on|off|schedule"),
    ("power", "power reboot|off"),
    ("hook run", "hook run NAME [-- ARGUMENT…]"),
    ("lamp", "lamp NAME on|off|blink|auto"),
    ("update check", "update check [FROM]"),
    (
        "update install",
        "update install FROM [--downgrade] [--restart]",
    ),
    ("update rollback", "update rollback [--restart]"),
    ("update confirm", "update confirm"),
    ("image unlock", "image unlock"),
    ("image lock", "image lock"),
    ("who", "who"),
    ("health", "health"),
];

fn known() -> String {
    let firsts: Vec<_> = GRAMMAR.iter().map(|(first, _)| *first).collect();
    firsts.join(", ")
}

/// A size as `80x24`.
pub fn parse_size(text: &str) -> Result<Size, String> {
    let wrong = || "a size is written as 80x24".to_owned();
    let (cols, rows) = text.split_once('x').ok_or_else(wrong)?;
    let number = |text: &str| text.parse::<u16>().map_err(|_| wrong());
    match (number(cols)?, number(rows)?) {
        (cols @ 2..=Size::MAX_COLS, rows @ 2..=Size::MAX_ROWS) => Ok(Size::clamped(cols, rows)),
        _ => Err(format!(
            "sizes go from 2x2 to {}x{}",
            Size::MAX_COLS,
            Size::MAX_ROWS
        )),
    }
}

fn level(text: &str) -> Result<Level, String> {
    match text {
        "info" => Ok(Level::Info),
        "warning" => Ok(Level::Warning),
        "error" => Ok(Level::Error),
        _ => Err("a level is info, warning or error".to_owned()),
    }
}

impl FromStr for Action<Which> {
    type Err = ParseError;
    fn from_str(line: &str) -> Result<Self, ParseError> {
        let mut words = words::split(line)?;
        let said: Vec<_> = words
            .iter()
            .take(2)
            .take_while(|word| word.plain)
            .map(|word| word.text.as_str())
            .collect();
        let is_meant = |first: &&str| {
            let first: Vec<_> = first.split(' ').collect();
            said.starts_with(&first)
        };
        let Some((first, usage)) = GRAMMAR.iter().find(|(first, _)| is_meant(first)) else {
            let found = words.iter().take(2).map(|word| word.text.as_str());
            let found: String = found
                .collect::<Vec<_>>()
                .join(" ")
                .chars()
                .take(40)
                .collect();
            return Err(ParseError::Verb { found });
        };
        words.drain(..first.split(' ').count());
        let cut = words
            .iter()
            .position(|word| word.plain && word.text == "--");
        let tail = cut.map(|at| words.split_off(at).into_iter().skip(1).collect());
        let mut arguments = Arguments { words, tail, usage };
        let action = understand(first, &mut arguments)?;
        arguments.end()?;
        Ok(action)
    }
}

fn understand(first: &str, arguments: &mut Arguments) -> Result<Action<Which>, ParseError> {
    Ok(match first {
        "terminal list" => Action::ListTerminals {},
        "terminal open" => Action::OpenTerminal {
            name: arguments.value("--name", from_str::<TerminalName>)?,
            program: arguments.value("--program", from_str::<String>)?,
            size: arguments.value("--size", parse_size)?.unwrap_or_default(),
            directory: arguments.value("--directory", from_str::<std::path::PathBuf>)?,
            labels: arguments.labels()?,
            command: arguments.tail.take().map(texts).unwrap_or_default(),
        },
        "terminal close" if arguments.flag("--all") => Action::CloseAllTerminals {},
        "terminal close" => Action::CloseTerminal {
            terminal: arguments.terminal()?,
        },
        "terminal rename" => Action::RenameTerminal {
            terminal: arguments.terminal()?,
            name: match arguments.next() {
                Some(word) => Some(arguments.parse(&word, from_str)?),
                None => None,
            },
        },
        "terminal send" => Action::SendText {
            terminal: arguments.terminal()?,
            text: arguments.required("TEXT")?.text,
        },
        "terminal reset" => Action::ResetTerminal {
            terminal: arguments.terminal()?,
        },
        "terminal share" => Action::ShareTerminal {
            terminal: arguments.terminal()?,
            with: arguments.user()?,
        },
        "terminal unshare" => Action::UnshareTerminal {
            terminal: arguments.terminal()?,
            with: arguments.user()?,
        },
        "message" => message(arguments)?,
        "kiosk reload" => Action::ReloadKiosk {},
        "kiosk identity" => Action::Kiosk {
            does: KioskDoes::Identity,
        },
        "kiosk switch" => {
            let word = arguments.required("next or choose")?;
            let does = arguments.parse(&word, |text| match text {
                "next" => Ok(KioskDoes::SwitchNext),
                "choose" => Ok(KioskDoes::SwitchChoose),
                _ => Err("a switch moves on to what is next or chooses".to_owned()),
            })?;
            Action::Kiosk { does }
        }
        "display" => {
            let word = arguments.required("on, off or schedule")?;
            let state = arguments.parse(&word, |text| match text {
                "on" => Ok(DisplayState::On),
                "off" => Ok(DisplayState::Off),
                "schedule" => Ok(DisplayState::Schedule),
                _ => Err("a display is on, off or as its schedule says".to_owned()),
            })?;
            Action::Display { state }
        }
        "power" => {
            let word = arguments.required("reboot or off")?;
            let state = arguments.parse(&word, |text| match text {
                "reboot" => Ok(PowerState::Reboot),
                "off" => Ok(PowerState::Off),
                _ => Err("power knows reboot and off".to_owned()),
            })?;
            Action::Power { state }
        }
        "health" => Action::Health {},
        "hook run" => Action::RunHook {
            hook: arguments.label()?,
            arguments: arguments.hook_arguments()?,
        },
        "lamp" => {
            let lamp = arguments.label()?;
            let word = arguments.required("on, off, blink or auto")?;
            let state = arguments.parse(&word, |text| match text {
                "on" => Ok(LampState::On),
                "off" => Ok(LampState::Off),
                "blink" => Ok(LampState::Blink),
                "auto" => Ok(LampState::Auto),
                _ => Err("a lamp is on, off, blink or auto".to_owned()),
            })?;
            Action::Lamp { lamp, state }
        }
        _ if first.starts_with("update ") => Action::Update {
            step: UpdateStep::read(first, arguments)?,
        },
        "image unlock" => Action::Image {
            state: ImageState::Unlocked,
        },
        "image lock" => Action::Image {
            state: ImageState::Locked,
        },
        // The table has nothing else.
        _ => Action::Who {},
    })
}

fn message(arguments: &mut Arguments) -> Result<Action<Which>, ParseError> {
    let to = arguments.value("--to", from_str::<Which>)?;
    let all = arguments
        .find("--all")
        .and_then(|at| arguments.words.get(at))
        .cloned();
    arguments.flag("--all");
    let to = match (to, all) {
        (None, None) => Recipient::Kiosk {},
        (Some(terminal), None) => Recipient::Terminal(terminal),
        (None, Some(_)) => Recipient::All {},
        (Some(_), Some(word)) => {
            return Err(ParseError::Unexpected {
                word: word.text,
                at: word.at,
                usage: arguments.usage,
            });
        }
    };
    let level = arguments.value("--level", level)?.unwrap_or_default();
    let require_ack = arguments.flag("--require-ack");
    let word = arguments.required("TEXT")?;
    Ok(Action::Message {
        text: arguments.parse(&word, from_str::<MessageText>)?,
        to,
        level,
        require_ack,
    })
}

fn texts(words: Vec<Word>) -> Vec<String> {
    words.into_iter().map(|word| word.text).collect()
}
