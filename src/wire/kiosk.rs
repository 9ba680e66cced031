//! What the kiosk's window is told by the server, and by the page in it.

use serde::{Deserialize, Serialize};

use crate::base::{Chord, Cursor, window};

/// The field (RFC 9110, section 5) with which the machine's own window asks for its page.
pub const OWN_WINDOW: &str = "gatepost-window";

/// How the window is to be. A newer server may say more; what isn't known is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowSettings {
    /// When the pointer is seen.
    pub cursor: Cursor,
    /// Size of everything, in percent; by the screen's size if absent.
    pub zoom: Option<u16>,
    /// What neither the terminal nor the toolkit gets to see.
    pub blocked_chords: Vec<Chord>,
    /// Opens and closes the administrator's page; nothing does if absent.
    pub admin_chord: Option<Chord>,
    /// Seconds without key or pointer after which that page goes.
    pub admin_idle: u32,
    /// Most memory of the page's process, in MiB; past it, it is replaced.
    pub memory_limit: u32,
    /// The keyboard on the administrator's page, when there is to be one: when and which, as in
    /// `touch-de`.
    #[serde(default)]
    pub keys: Option<String>,
}

impl Default for WindowSettings {
    fn default() -> Self {
        Self {
            cursor: Cursor::default(),
            zoom: None,
            blocked_chords: window::blocked_chords(),
            admin_chord: window::admin_chord(),
            admin_idle: window::ADMIN_IDLE,
            memory_limit: window::MEMORY_LIMIT,
            keys: None,
        }
    }
}

/// What the page in the window says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FromPage {
    /// It runs and paints.
    Beat,
    /// There is something to see on it.
    Painted,
    /// Its login is gone, and it needs a new address.
    Login,
    /// Whoever was there has gone: what they copied is to be forgotten.
    Forget,
    /// The administrator's chord was typed on the keyboard on the screen.
    Admin,
}

impl FromPage {
    /// Its word; anything else means nothing.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "beat" => Some(Self::Beat),
            "painted" => Some(Self::Painted),
            "login" => Some(Self::Login),
            "forget" => Some(Self::Forget),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_five_words() {
        assert_eq!(FromPage::parse("beat"), Some(FromPage::Beat));
        assert_eq!(FromPage::parse("painted"), Some(FromPage::Painted));
        assert_eq!(FromPage::parse("login"), Some(FromPage::Login));
        assert_eq!(FromPage::parse("forget"), Some(FromPage::Forget));
        assert_eq!(FromPage::parse("admin"), Some(FromPage::Admin));
        for other in ["", "Beat", "beat ", "open http://evil.example"] {
            assert_eq!(FromPage::parse(other), None);
        }
    }
}
