//! What the kiosk's window goes by as long as nobody says otherwise.

use super::Chord;

/// Chords no program in a terminal can be sent, and toolkits or browsers act on.
pub const BLOCKED_CHORDS: &[&str] = &[
    "Alt-F4",
    "Alt-Tab",
    "Alt-Shift-Tab",
    "Alt-Escape",
    "Alt-Space",
    "Ctrl-Shift-D",
    "Ctrl-Shift-I",
    "Ctrl-Shift-J",
    "Ctrl-.",
    "Ctrl-;",
    "Shift-F10",
    "Menu",
    "Super",
];
/// Opens and closes the administrator's page.
const ADMIN_CHORD: &str = "Ctrl-Alt-Shift-A";
/// Seconds without key or pointer until that page goes by itself.
pub const ADMIN_IDLE: u32 = 60;
/// Most memory of the page's process that it shares with nobody, in MiB. A terminal's page takes 40 to
/// 80; a Pi 3 has 1024 for everything.
pub const MEMORY_LIMIT: u32 = 256;

/// [`BLOCKED_CHORDS`] as chords.
pub fn blocked_chords() -> Vec<Chord> {
    let chord = |text: &&str| text.parse().ok();
    BLOCKED_CHORDS.iter().filter_map(chord).collect()
}

/// The chord that opens and closes the administrator's page.
pub fn admin_chord() -> Option<Chord> {
    ADMIN_CHORD.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_chord() {
        let texts: Vec<String> = blocked_chords().iter().map(Chord::to_string).collect();
        assert_eq!(texts, BLOCKED_CHORDS);
        assert!(admin_chord().is_some());
    }
}
