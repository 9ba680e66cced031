//! What the window is told: read again as it was written, and chords only as they are written.
#![no_main]

use gatepost::base::Chord;
use gatepost::wire::kiosk::{FromPage, WindowSettings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(chord) = text.parse::<Chord>() {
        assert_eq!(chord.to_string().parse(), Ok(chord));
    }
    let _word = FromPage::parse(text);
    if let Ok(settings) = serde_json::from_str::<WindowSettings>(text) {
        let again = serde_json::to_string(&settings).unwrap();
        assert_eq!(
            serde_json::from_str::<WindowSettings>(&again).unwrap(),
            settings
        );
    }
});
