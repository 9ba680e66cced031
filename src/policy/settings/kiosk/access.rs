//! What makes the kiosk usable without its keys, without a steady hand, or without good eyes; and
//! what a new machine says of itself.

use serde::{Deserialize, Serialize};

use super::Kiosk;
use crate::base::Chord;

/// When the screen says who the machine is, unasked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// Until somebody has noted it, or logged in from elsewhere.
    #[default]
    FirstUse,
    /// Never.
    Never,
}

/// The colours of the page on the machine's own screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// Light on dark grey.
    #[default]
    Dark,
    /// Dark on white.
    Light,
    /// Ethan Schoonover's, dark.
    SolarizedDark,
    /// The same, light.
    SolarizedLight,
    /// White on black, nothing dim, every edge drawn.
    HighContrast,
}

/// When there is a keyboard on the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keyboard {
    /// Never, unless it is used by switches.
    Never,
    /// When somebody touches the screen, until they use real keys or put it away.
    #[default]
    Touch,
    /// Always.
    Always,
}

/// What is printed on its keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyboardLayout {
    /// English, United States.
    #[default]
    Us,
    /// English, United Kingdom.
    Gb,
    /// German.
    De,
    /// French (AZERTY).
    Fr,
    /// Spanish.
    Es,
}

/// Type sizes of the terminal, in CSS pixels, as the page knows them.
const TEXT: std::ops::RangeInclusive<u16> = 7..=40;
/// How fast the highlight may move, in milliseconds: nobody reacts faster, or waits longer.
const SCAN: std::ops::RangeInclusive<u32> = 300..=60_000;

impl Kiosk {
    /// What the terminal's type is, unless it is said: what browsers elsewhere begin with.
    pub const TEXT_SIZE: u16 = 14;
    /// Most keys that are switches: one moves on, one chooses.
    pub const MAX_SWITCHES: usize = 2;

    /// The keyboard on the screen, for pages that are told in their address; none: there is none.
    pub fn keys(&self) -> Option<String> {
        let when = match self.keyboard {
            Keyboard::Never => return None,
            Keyboard::Touch => "touch",
            Keyboard::Always => "always",
        };
        let layout = match self.keyboard_layout {
            KeyboardLayout::Us => "us",
            KeyboardLayout::Gb => "gb",
            KeyboardLayout::De => "de",
            KeyboardLayout::Fr => "fr",
            KeyboardLayout::Es => "es",
        };
        Some(format!("{when}-{layout}"))
    }

    pub(super) fn check_access(&self, object: &mut impl FnMut(&str, bool, String)) {
        object(
            "text_size",
            !TEXT.contains(&self.text_size),
            format!("has to be from {} to {} pixels", TEXT.start(), TEXT.end()),
        );
        object(
            "switch_keys",
            self.switch_keys.len() > Self::MAX_SWITCHES,
            "are more than two: one moves on, one chooses".to_owned(),
        );
        object(
            "switch_keys",
            matches!(self.switch_keys.as_slice(), [one, other] if one == other),
            "are twice the same".to_owned(),
        );
        object(
            "switch_keys",
            self.switch_keys.len() == 1 && self.switch_scan.is_none(),
            "is one key only, which can choose but not move on; say two, or set switch_scan"
                .to_owned(),
        );
        let shut = |key: &Chord| {
            self.blocked_chords.contains(key) || self.admin_chord.as_ref() == Some(key)
        };
        object(
            "switch_keys",
            self.switch_keys.iter().any(shut),
            "never reach the page: they are in blocked_chords, or are admin_chord".to_owned(),
        );
        object(
            "switch_scan",
            self.switch_scan.is_some_and(|every| !SCAN.contains(&every)),
            format!(
                "has to be from {} to {} milliseconds",
                SCAN.start(),
                SCAN.end()
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objections(text: &str) -> Vec<String> {
        let kiosk: Kiosk = serde_json::from_str(text).unwrap();
        let mut out = Vec::new();
        kiosk.check_access(&mut |key, wrong, _| {
            if wrong {
                out.push(key.to_owned());
            }
        });
        out
    }

    #[test]
    fn limits_hold_at_the_limit_and_one_past_it() {
        assert_eq!(objections("{}"), Vec::<String>::new());
        for (good, bad) in [
            (r#"{"text_size":7}"#, r#"{"text_size":6}"#),
            (r#"{"text_size":40}"#, r#"{"text_size":41}"#),
            (r#"{"switch_scan":300}"#, r#"{"switch_scan":299}"#),
            (r#"{"switch_scan":60000}"#, r#"{"switch_scan":60001}"#),
            (
                r#"{"switch_keys":["F13","F14"]}"#,
                r#"{"switch_keys":["F13","F14","F15"]}"#,
            ),
            (
                r#"{"switch_keys":["F13"],"switch_scan":1500}"#,
                r#"{"switch_keys":["F13"]}"#,
            ),
            (
                r#"{"switch_keys":["Space","Enter"]}"#,
                r#"{"switch_keys":["Space","Space"]}"#,
            ),
            (
                r#"{"switch_keys":["F13","Alt-F4"],"blocked_chords":[]}"#,
                r#"{"switch_keys":["F13","Alt-F4"],"blocked_chords":["Alt-F4"]}"#,
            ),
        ] {
            assert_eq!(objections(good), Vec::<String>::new(), "{good}");
            assert_eq!(objections(bad).len(), 1, "{bad}");
        }
    }
}
