//! What a stranger in front of the kiosk finds, and what is gone when they are.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Kiosk;
use crate::policy::settings::Period;

/// What happens when the program in the kiosk's terminal ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Restart {
    /// It is started again.
    #[default]
    Always,
    /// Somebody has to press Enter.
    Ask,
}

/// What a reset of the kiosk's terminal is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdleDoes {
    /// It is closed, and another opened.
    #[default]
    Close,
    /// Its program is ended and started again.
    Restart,
}

/// Something a guest leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Forgets {
    /// Their files.
    Home,
    /// What they copied.
    Clipboard,
}

/// Where the line is that says how things stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strip {
    /// Nowhere: every row is the program's.
    #[default]
    Off,
    /// Above the terminal.
    Top,
    /// Below it.
    Bottom,
}

/// What is shown when nobody is there; nothing special when it has neither title, lines nor picture.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attract {
    /// The large line.
    pub title: String,
    /// Smaller ones below.
    pub lines: Vec<String>,
    /// A picture above.
    pub picture: Option<PathBuf>,
    /// Whether the time is shown.
    pub clock: bool,
}

impl Attract {
    /// Longest title or line, in characters: what is readable across a room on the smallest panel.
    pub const MAX_CHARS: usize = 120;
    /// Most lines.
    pub const MAX_LINES: usize = 6;
}

/// Shortest and longest time until a reset.
const IDLE: std::ops::RangeInclusive<Period> = Period::seconds(5)..=Period::seconds(7 * 86_400);
/// Shortest and longest countdown.
const WARNING: std::ops::RangeInclusive<Period> = Period::seconds(1)..=Period::seconds(600);

impl Kiosk {
    /// After how long the terminal is reset; none: never.
    pub fn idle_reset(&self) -> Option<Duration> {
        self.idle_reset
            .duration()
            .filter(|duration| !duration.is_zero())
    }

    pub(super) fn check_guest(&self, object: &mut impl FnMut(&str, bool, String)) {
        object(
            "idle_reset",
            self.idle_reset().is_some() && !IDLE.contains(&self.idle_reset),
            "has to be from 5s to 7d, or never".to_owned(),
        );
        object(
            "idle_warning",
            !WARNING.contains(&self.idle_warning),
            "has to be from 1s to 10m".to_owned(),
        );
        object(
            "idle_warning",
            self.idle_reset().is_some() && self.idle_warning >= self.idle_reset,
            "has to be shorter than idle_reset".to_owned(),
        );
        let long = |text: &String| text.chars().count() > Attract::MAX_CHARS;
        object(
            "attract.title",
            long(&self.attract.title),
            format!("is longer than {} characters", Attract::MAX_CHARS),
        );
        object(
            "attract.lines",
            self.attract.lines.len() > Attract::MAX_LINES || self.attract.lines.iter().any(long),
            format!(
                "may be {} lines of {} characters each",
                Attract::MAX_LINES,
                Attract::MAX_CHARS
            ),
        );
        let relative = |path: &PathBuf| !path.is_absolute();
        object(
            "attract.picture",
            self.attract.picture.as_ref().is_some_and(relative),
            "has to be an absolute path, beginning with /".to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objections(text: &str) -> Vec<String> {
        let kiosk: Kiosk = serde_json::from_str(text).unwrap();
        let mut out = Vec::new();
        kiosk.check_guest(&mut |key, wrong, _| {
            if wrong {
                out.push(key.to_owned());
            }
        });
        out
    }

    #[test]
    fn times_hold_at_their_limits_and_the_warning_comes_before_the_reset() {
        assert_eq!(objections("{}"), [""; 0]);
        assert_eq!(
            objections(r#"{"idle_reset":"0","idle_warning":"10m"}"#),
            [""; 0]
        );
        assert_eq!(
            objections(r#"{"idle_reset":"5s","idle_warning":"4s"}"#),
            [""; 0]
        );
        assert_eq!(
            objections(r#"{"idle_reset":"4s","idle_warning":"3s"}"#),
            ["idle_reset"]
        );
        assert_eq!(objections(r#"{"idle_reset":"30s"}"#), ["idle_warning"]);
        assert_eq!(objections(r#"{"idle_warning":"0"}"#), ["idle_warning"]);
        assert_eq!(objections(r#"{"idle_warning":"never"}"#), ["idle_warning"]);
        assert_eq!(objections(r#"{"idle_reset":"8d"}"#), ["idle_reset"]);
    }

    #[test]
    fn what_is_shown_fits_a_screen() {
        let long = "x".repeat(121);
        let of = |text: String| objections(&text);
        assert_eq!(
            of(format!(r#"{{"attract":{{"title":"{long}"}}}}"#)),
            ["attract.title"]
        );
        assert_eq!(
            of(format!(r#"{{"attract":{{"lines":["{long}"]}}}}"#)),
            ["attract.lines"]
        );
        let seven = serde_json::json!({"attract": {"lines": vec!["a"; 7]}});
        assert_eq!(of(seven.to_string()), ["attract.lines"]);
        let relative = r#"{"attract":{"picture":"logo.png"}}"#;
        assert_eq!(of(relative.to_owned()), ["attract.picture"]);
    }
}
