//! Writing the text form of an action, so that [`super::text`] reads back exactly this action.

use std::fmt;

use crate::base::{HookArgument, Level, Size};

use super::words;
use super::{Action, DisplayState, ImageState, LampState, PowerState, Recipient};

impl<T: fmt::Display> fmt::Display for Action<T> {
    /// The line that means this action.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Line::default();
        match self {
            Self::ListTerminals {} => line.plain("terminal list"),
            Self::OpenTerminal {
                name,
                program,
                command,
                size,
                directory,
                labels,
            } => {
                line.plain("terminal open");
                line.option("--name", name.as_ref());
                line.option("--program", program.as_ref());
                let size = Some(size).filter(|size| **size != Size::default());
                line.option(
                    "--size",
                    size.map(|size| format!("{}x{}", size.cols(), size.rows())),
                );
                line.option("--directory", directory.as_ref().map(|path| path.display()));
                for (key, value) in labels.iter() {
                    line.option("--label", Some(format!("{key}={value}")));
                }
                line.tail(command.iter().map(String::as_str));
            }
            Self::CloseTerminal { terminal } => line.about("terminal close", terminal),
            Self::CloseAllTerminals {} => line.plain("terminal close --all"),
            Self::RenameTerminal { terminal, name } => {
                line.about("terminal rename", terminal);
                if let Some(name) = name {
                    line.text(name.as_str());
                }
            }
            Self::SendText { terminal, text } => {
                line.about("terminal send", terminal);
                line.text(text);
            }
            Self::ResetTerminal { terminal } => line.about("terminal reset", terminal),
            Self::ShareTerminal { terminal, with } => {
                line.about("terminal share", terminal);
                line.text(with.as_str());
            }
            Self::UnshareTerminal { terminal, with } => {
                line.about("terminal unshare", terminal);
                line.text(with.as_str());
            }
            Self::Message {
                text,
                to,
                level,
                require_ack,
            } => {
                line.about("message", text);
                match to {
                    Recipient::Kiosk {} => {}
                    Recipient::All {} => line.plain("--all"),
                    Recipient::Terminal(terminal) => line.option("--to", Some(terminal)),
                }
                match level {
                    Level::Info => {}
                    Level::Warning => line.plain("--level warning"),
                    Level::Error => line.plain("--level error"),
                }
                if *require_ack {
                    line.plain("--require-ack");
                }
            }
            Self::ReloadKiosk {} => line.plain("kiosk reload"),
            Self::Kiosk { does } => line.plain(does.words()),
            Self::Display { state } => line.plain(match state {
                DisplayState::On => "display on",
                DisplayState::Off => "display off",
                DisplayState::Schedule => "display schedule",
            }),
            Self::Power { state } => line.plain(match state {
                PowerState::Reboot => "power reboot",
                PowerState::Off => "power off",
            }),
            Self::RunHook { hook, arguments } => {
                line.about("hook run", hook);
                line.tail(arguments.iter().map(HookArgument::as_str));
            }
            Self::Lamp { lamp, state } => {
                line.about("lamp", lamp);
                line.plain(lamp_word(*state));
            }
            Self::Update { step } => step.print(&mut line),
            Self::Image { state } => line.plain(match state {
                ImageState::Unlocked => "image unlock",
                ImageState::Locked => "image lock",
            }),
            Self::Who {} => line.plain("who"),
            Self::Health {} => line.plain("health"),
        }
        f.write_str(&line.0)
    }
}

const fn lamp_word(state: LampState) -> &'static str {
    match state {
        LampState::On => "on",
        LampState::Off => "off",
        LampState::Blink => "blink",
        LampState::Auto => "auto",
    }
}

/// A line being written.
#[derive(Default)]
pub(super) struct Line(String);

impl Line {
    pub(super) fn plain(&mut self, words: &str) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(words);
    }

    /// Words behind `--`, if there are any.
    fn tail<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        for (at, word) in words.enumerate() {
            self.flag("--", at == 0);
            self.text(word);
        }
    }

    pub(super) fn flag(&mut self, option: &str, given: bool) {
        if given {
            self.plain(option);
        }
    }

    fn text(&mut self, text: &str) {
        self.0.push(' ');
        words::quote(&mut self.0, text);
    }

    pub(super) fn about(&mut self, words: &str, what: &impl fmt::Display) {
        self.plain(words);
        self.text(&what.to_string());
    }

    fn option(&mut self, option: &str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.about(option, &value);
        }
    }
}
