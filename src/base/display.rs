//! How the machine's own screen is set up: which way up, what of several, when lit.

use serde::{Deserialize, Serialize};

use super::{Hours, Period};

/// How the machine's own screen is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DisplaySettings {
    /// By how much console, picture and touch are turned.
    pub rotate: Rotate,
    /// Names of the outputs to use, the best first; empty: all.
    pub outputs: Vec<String>,
    /// What the others of them show.
    pub several: Several,
    /// The picture's width in pixels and height, where the monitor doesn't say well; the monitor's own
    /// choice if absent.
    pub mode: Option<String>,
    /// When the pointer is seen.
    pub cursor: Cursor,
    /// What a dark screen is.
    pub dark: Dark,
    /// When it is lit; empty: always.
    pub schedule: Vec<Hours>,
    /// How long it stays lit after somebody woke it while it should be dark.
    pub wake_for: Period,
    /// It is dimmed when nobody has touched anything for this long.
    pub dim_after: Period,
    /// To how many percent.
    pub dim_to: u8,
    /// It is made dark when nobody has touched anything for this long.
    pub off_after: Period,
    /// Whether a television is told by HDMI-CEC, too.
    pub cec: bool,
}

impl Default for DisplaySettings {
    fn default() -> Self {
        Self {
            rotate: Rotate::Not,
            outputs: Vec::new(),
            several: Several::Mirror,
            mode: None,
            cursor: Cursor::Idle,
            dark: Dark::Signal,
            schedule: Vec::new(),
            wake_for: Period::seconds(60),
            dim_after: Period::Never,
            dim_to: 30,
            off_after: Period::Never,
            cec: false,
        }
    }
}

/// A turn, clockwise as one looks at the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "u16", try_from = "u16")]
pub enum Rotate {
    /// As the panel is built.
    #[default]
    Not,
    /// A quarter to the right.
    Right,
    /// Upside down.
    Half,
    /// A quarter to the left.
    Left,
}

impl From<Rotate> for u16 {
    fn from(rotate: Rotate) -> Self {
        match rotate {
            Rotate::Not => 0,
            Rotate::Right => 90,
            Rotate::Half => 180,
            Rotate::Left => 270,
        }
    }
}

impl TryFrom<u16> for Rotate {
    type Error = &'static str;
    fn try_from(degrees: u16) -> Result<Self, Self::Error> {
        Ok(match degrees {
            0 => Self::Not,
            90 => Self::Right,
            180 => Self::Half,
            270 => Self::Left,
            _ => return Err("a screen is turned by 0, 90, 180 or 270 degrees, clockwise"),
        })
    }
}

impl Rotate {
    /// Whether width and height change places.
    pub const fn is_sideways(self) -> bool {
        matches!(self, Self::Right | Self::Left)
    }

    /// The kernel's number for it (Documentation/fb/fbcon.rst).
    pub const fn of_console(self) -> u8 {
        match self {
            Self::Not => 0,
            Self::Right => 1,
            Self::Half => 2,
            Self::Left => 3,
        }
    }
}

/// What further displays show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Several {
    /// The same as the first.
    #[default]
    Mirror,
    /// Nothing: only the first that is connected is used.
    First,
}

/// When the pointer is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cursor {
    /// Never: for screens that are touched.
    Never,
    /// Always.
    Always,
    /// While it moves.
    #[default]
    Idle,
}

/// What a dark screen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dark {
    /// No signal: the monitor sleeps.
    #[default]
    Signal,
    /// A black picture: for televisions, which don't wake up again.
    Black,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_written_in_degrees() {
        for degrees in [0, 90, 180, 270] {
            assert_eq!(u16::from(Rotate::try_from(degrees).unwrap()), degrees);
        }
        for wrong in [1, 45, 360, 65535] {
            assert!(Rotate::try_from(wrong).is_err());
        }
    }
}
