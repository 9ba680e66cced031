//! `hardware`, `buttons` and `lamps`: which lines the machine has, and what they do and show.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::line::LineName;
use super::span::Span;
use super::{Objection, Settings};
use crate::action::{Action, ParseError, Which};
use crate::base::Label;

/// Most buttons, and most lamps: more than a Pi has lines.
const MAX: usize = 64;

/// How lines are reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hardware {
    /// Through what.
    pub lines: Backend,
}

/// Through what lines are reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// rppal where the machine has /dev/gpiomem, the kernel's character device elsewhere.
    #[default]
    Auto,
    /// rppal: a Raspberry Pi's registers.
    Rppal,
    /// The kernel's GPIO character device.
    Gpiocdev,
    /// None that exist: only `gatepost buttons simulate` presses.
    Simulated,
}

/// An action as it is written in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Said(pub Action<Which>);

impl TryFrom<String> for Said {
    type Error = ParseError;
    fn try_from(line: String) -> Result<Self, ParseError> {
        line.parse().map(Self)
    }
}

impl From<Said> for String {
    fn from(said: Said) -> Self {
        said.0.to_string()
    }
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Button {
    /// The line it is wired to.
    pub line: Option<LineName>,
    /// Or the key it is to the kernel.
    pub key: Option<String>,
    /// The input device with that key; any if absent.
    pub device: Option<String>,
    /// Whether nobody else gets that device's keys.
    pub exclusive: Option<bool>,
    /// Or the buttons that are pressed together.
    pub chord: Vec<Label>,
    /// How far apart those may be pressed.
    pub within: Span,
    /// The resistor inside the chip.
    pub pull: Pull,
    /// The level of a pressed button; the one it isn't pulled to if absent.
    pub active: Option<Level>,
    /// How long its level has to stay before it counts.
    pub debounce: Span,
    /// What pressing it does.
    pub press: Option<Said>,
    /// What letting go does.
    pub release: Option<Said>,
    /// What keeping it pressed does.
    pub hold: Option<Hold>,
    /// What pressing it twice does.
    pub double: Option<Said>,
    /// How soon the second time has to come.
    pub double_within: Span,
}

impl Default for Button {
    fn default() -> Self {
        Self {
            line: None,
            key: None,
            device: None,
            exclusive: None,
            chord: Vec::new(),
            within: Span::millis(150),
            pull: Pull::Up,
            active: None,
            debounce: Span::millis(30),
            press: None,
            release: None,
            hold: None,
            double: None,
            double_within: Span::millis(400),
        }
    }
}

impl Button {
    /// Whether a pressed button's level is low.
    pub fn active_low(&self) -> bool {
        match self.active {
            Some(level) => level == Level::Low,
            None => self.pull == Pull::Up,
        }
    }
}

/// The resistor inside the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pull {
    /// To high.
    Up,
    /// To low.
    Down,
    /// None: there is one outside.
    None,
}

/// The level of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Ground.
    Low,
    /// 3.3 V.
    High,
}

/// Keeping a button pressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// How long it takes.
    #[serde(default = "a_second")]
    pub after: Span,
    /// Then again and again.
    #[serde(default)]
    pub every: Option<Span>,
    /// What it does.
    pub r#do: Said,
}

const fn a_second() -> Span {
    Span::millis(1000)
}

/// A lamp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lamp {
    /// The line it is wired to.
    pub line: Option<LineName>,
    /// The level that lights it.
    pub active: Level,
    /// What it shows when nobody says otherwise.
    pub shows: Shows,
}

impl Default for Lamp {
    fn default() -> Self {
        Self {
            line: None,
            active: Level::High,
            shows: Shows::Off,
        }
    }
}

/// What a lamp shows by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Shows {
    /// Lit.
    On,
    /// Dark.
    Off,
    /// Lit and dark in turn.
    Blink,
    /// Lit while a terminal is open.
    Terminal,
    /// Lit while somebody besides the machine's own screen watches one.
    Watched,
    /// Quick while a hook runs, slow after one has failed; of this name, or any.
    Hook(Option<Label>),
    /// Lit while a button is pressed.
    Button(Label),
}

/// The text is nothing a lamp can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a lamp shows \"on\", \"off\", \"blink\", \"terminal\", \"watched\", \"hook\", \"hook NAME\" or \"button NAME\""
)]
pub struct ShowsError;

impl FromStr for Shows {
    type Err = ShowsError;
    fn from_str(text: &str) -> Result<Self, ShowsError> {
        let label = |name: &str| name.parse().map_err(|_| ShowsError);
        Ok(match text {
            "on" => Self::On,
            "off" => Self::Off,
            "blink" => Self::Blink,
            "terminal" => Self::Terminal,
            "watched" => Self::Watched,
            "hook" => Self::Hook(None),
            _ => match text.split_once(' ') {
                Some(("hook", name)) => Self::Hook(Some(label(name)?)),
                Some(("button", name)) => Self::Button(label(name)?),
                _ => return Err(ShowsError),
            },
        })
    }
}

impl fmt::Display for Shows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On => f.write_str("on"),
            Self::Off => f.write_str("off"),
            Self::Blink => f.write_str("blink"),
            Self::Terminal => f.write_str("terminal"),
            Self::Watched => f.write_str("watched"),
            Self::Hook(None) => f.write_str("hook"),
            Self::Hook(Some(name)) => write!(f, "hook {name}"),
            Self::Button(name) => write!(f, "button {name}"),
        }
    }
}

impl From<Shows> for String {
    fn from(shows: Shows) -> Self {
        shows.to_string()
    }
}

impl TryFrom<String> for Shows {
    type Error = ShowsError;
    fn try_from(text: String) -> Result<Self, ShowsError> {
        text.parse()
    }
}

impl Settings {
    /// What doesn't fit together among buttons and lamps.
    pub(super) fn check_hardware(&self, out: &mut Vec<Objection>) {
        let mut taken: BTreeMap<String, String> = BTreeMap::new();
        let lines = self.buttons.iter().filter_map(|(name, button)| {
            let line = button.line.as_ref()?;
            Some((format!("buttons.{name}.line"), line))
        });
        let lamps = self.lamps.iter().filter_map(|(name, lamp)| {
            let line = lamp.line.as_ref()?;
            Some((format!("lamps.{name}.line"), line))
        });
        for (key, line) in lines.chain(lamps) {
            if let Some(other) = taken.insert(line.to_string(), key.clone()) {
                out.push((key, format!("this line is taken by {other}")));
            }
        }
        for (section, count) in [("buttons", self.buttons.len()), ("lamps", self.lamps.len())] {
            if count > MAX {
                out.push((section.to_owned(), format!("there are at most {MAX}")));
            }
        }
        for (name, button) in &self.buttons {
            self.check_button(name, button, out);
        }
        for (name, lamp) in &self.lamps {
            if lamp.line.is_none() {
                let message = "has no line; write line = 27".to_owned();
                out.push((format!("lamps.{name}"), message));
            }
            if let Shows::Button(button) = &lamp.shows
                && !self.buttons.contains_key(button)
            {
                let message = format!("there is no button {button}");
                out.push((format!("lamps.{name}.shows"), message));
            }
        }
    }

    fn check_button(&self, name: &Label, button: &Button, out: &mut Vec<Objection>) {
        let mut object = |key: &str, message: String| {
            out.push((format!("buttons.{name}{key}"), message));
        };
        let chord = !button.chord.is_empty();
        let ways = [button.line.is_some(), button.key.is_some(), chord];
        if ways.iter().filter(|way| **way).count() != 1 {
            let message = "give one of line, key and chord: where it is wired to, the key it is, or the buttons that make it up";
            object("", message.to_owned());
        }
        if let Some(hold) = &button.hold
            && hold.every.is_some_and(|every| every < Span::millis(50))
        {
            object(".hold.every", "is below 50ms".to_owned());
        }
        if chord && button.chord.len() < 2 {
            object(".chord", "takes two buttons or more".to_owned());
        }
        for (at, member) in button.chord.iter().enumerate() {
            if self
                .buttons
                .get(member)
                .is_none_or(|other| !other.chord.is_empty())
            {
                let message = format!("{member} is no button with a line or a key");
                object(".chord", message);
            }
            if button.chord.iter().take(at).any(|other| other == member) {
                object(".chord", format!("{member} is named twice"));
            }
        }
        let within = |other: &Button| {
            !other.chord.is_empty() && button.chord.iter().all(|one| other.chord.contains(one))
        };
        let larger = self
            .buttons
            .iter()
            .find(|(other, button)| *other != name && within(button));
        if let Some((other, _)) = larger.filter(|_| chord) {
            let message =
                format!("whoever presses {other} presses these, too; leave one of them out");
            object(".chord", message);
        }
    }
}
