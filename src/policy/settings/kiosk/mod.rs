//! `kiosk`: the window on the machine's own screen. What runs in its terminal is said, as for anybody,
//! under `terminal`, in the scope `"kiosk"`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::{Chord, window};

use super::{Objection, Period};

mod access;
mod guest;
mod options;

pub use access::{Identity, Keyboard, KeyboardLayout, Theme};
pub use guest::{Attract, Forgets, IdleDoes, Restart, Strip};
pub(super) use options::SECTION;

/// The window on the machine's own screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kiosk {
    /// Size of everything, in percent; by the screen's height if absent.
    pub zoom: Option<u16>,
    /// Chords neither the terminal nor the toolkit gets.
    pub blocked_chords: Vec<Chord>,
    /// Opens and closes the administrator's page; an empty text: nothing does.
    #[serde(serialize_with = "or_empty", deserialize_with = "unless_empty")]
    pub admin_chord: Option<Chord>,
    /// Seconds without key or pointer after which that page goes.
    pub admin_idle: u32,
    /// Most memory of the page's process, in MiB.
    pub memory_limit: u32,
    /// Whether the keys that speak to the kernel go on working while the screen is a kiosk's.
    pub sysrq: bool,
    /// Whoever comes logs in, and gets a terminal of their own account.
    pub login: bool,
    /// What happens when the program ends.
    pub restart: Restart,
    /// The terminal is reset when nobody has been there for this long; 0 is never.
    pub idle_reset: Period,
    /// How long before that it is announced.
    pub idle_warning: Period,
    /// What a reset is.
    pub idle_does: IdleDoes,
    /// What of a guest is gone afterwards, besides screen and scrollback.
    pub forget: Vec<Forgets>,
    /// What is shown when nobody is there.
    pub attract: Attract,
    /// Where the line is that says how things stand.
    pub strip: Strip,
    /// When the screen says who the machine is, unasked.
    pub identity: Identity,
    /// The page's colours.
    pub theme: Theme,
    /// Size of the terminal's type, in CSS pixels.
    pub text_size: u16,
    /// Whether a readable copy of the terminal is kept for screen readers.
    pub screen_reader: bool,
    /// When there is a keyboard on the screen.
    pub keyboard: Keyboard,
    /// What is printed on its keys.
    pub keyboard_layout: KeyboardLayout,
    /// Keys that are switches: the first moves on, the second chooses.
    pub switch_keys: Vec<Chord>,
    /// The highlight moves on by itself so often, in milliseconds.
    pub switch_scan: Option<u32>,
}

impl Default for Kiosk {
    fn default() -> Self {
        Self {
            zoom: None,
            blocked_chords: window::blocked_chords(),
            admin_chord: window::admin_chord(),
            admin_idle: window::ADMIN_IDLE,
            memory_limit: window::MEMORY_LIMIT,
            sysrq: false,
            login: false,
            restart: Restart::default(),
            idle_reset: Period::Never,
            idle_warning: Period::seconds(30),
            idle_does: IdleDoes::default(),
            forget: Vec::new(),
            attract: Attract::default(),
            strip: Strip::default(),
            identity: Identity::default(),
            theme: Theme::default(),
            text_size: Self::TEXT_SIZE,
            screen_reader: false,
            keyboard: Keyboard::default(),
            keyboard_layout: KeyboardLayout::default(),
            switch_keys: Vec::new(),
            switch_scan: None,
        }
    }
}

#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
fn or_empty<S: Serializer>(chord: &Option<Chord>, to: S) -> Result<S::Ok, S::Error> {
    match chord {
        Some(chord) => chord.serialize(to),
        None => to.serialize_str(""),
    }
}

fn unless_empty<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Chord>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

impl Kiosk {
    /// Most chords that are blocked; each is compared with every key.
    pub const MAX_CHORDS: usize = 100;

    pub(super) fn check(&self, out: &mut Vec<Objection>) {
        let mut object = |key: &str, wrong: bool, message: String| {
            if wrong {
                out.push((format!("kiosk.{key}"), message));
            }
        };
        object(
            "zoom",
            self.zoom.is_some_and(|zoom| !(50..=400).contains(&zoom)),
            "has to be from 50 to 400 percent".to_owned(),
        );
        object(
            "blocked_chords",
            self.blocked_chords.len() > Self::MAX_CHORDS,
            format!("are more than {}", Self::MAX_CHORDS),
        );
        object(
            "admin_idle",
            !(5..=3600).contains(&self.admin_idle),
            "has to be from 5 to 3600 seconds".to_owned(),
        );
        object(
            "memory_limit",
            !(16..=8192).contains(&self.memory_limit),
            "has to be from 16 to 8192 MiB".to_owned(),
        );
        self.check_guest(&mut object);
        self.check_access(&mut object);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chords(count: usize) -> Vec<Chord> {
        vec!["Alt-F4".parse().unwrap(); count]
    }

    #[test]
    fn limits_hold_at_the_limit_and_one_past_it() {
        let wrong = |change: fn(&mut Kiosk)| {
            let mut kiosk = Kiosk::default();
            change(&mut kiosk);
            let mut out = Vec::new();
            kiosk.check(&mut out);
            out.len()
        };
        assert_eq!(wrong(|_| {}), 0);
        assert_eq!(wrong(|kiosk| kiosk.zoom = Some(50)), 0);
        assert_eq!(wrong(|kiosk| kiosk.zoom = Some(49)), 1);
        assert_eq!(wrong(|kiosk| kiosk.zoom = Some(400)), 0);
        assert_eq!(wrong(|kiosk| kiosk.zoom = Some(401)), 1);
        assert_eq!(wrong(|kiosk| kiosk.admin_idle = 5), 0);
        assert_eq!(wrong(|kiosk| kiosk.admin_idle = 4), 1);
        assert_eq!(wrong(|kiosk| kiosk.admin_idle = 3601), 1);
        assert_eq!(wrong(|kiosk| kiosk.memory_limit = 16), 0);
        assert_eq!(wrong(|kiosk| kiosk.memory_limit = 15), 1);
        assert_eq!(wrong(|kiosk| kiosk.memory_limit = 8193), 1);
        assert_eq!(wrong(|kiosk| kiosk.blocked_chords = chords(100)), 0);
        assert_eq!(wrong(|kiosk| kiosk.blocked_chords = chords(101)), 1);
    }

    #[test]
    fn no_chord_is_an_empty_text() {
        let none: Kiosk = serde_json::from_str(r#"{"admin_chord":""}"#).unwrap();
        assert_eq!(none.admin_chord, None);
        let text = serde_json::to_string(&none).unwrap();
        assert_eq!(serde_json::from_str::<Kiosk>(&text).unwrap(), none);
        let error = serde_json::from_str::<Kiosk>(r#"{"admin_chord":"Strg-A"}"#).unwrap_err();
        assert!(error.to_string().contains("no modifier"), "{error}");
    }
}
