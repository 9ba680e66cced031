//! Where the window may go: whatever is allowed is the page itself, by an independent reading.
#![no_main]

use gatepost::kiosk::navigation::{BLANK, Home};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let home = Home::of("http://127.0.0.1:8722/gatepost/#token=0").unwrap();
    if home.may_go(text) && text != BLANK {
        let rest = text
            .strip_prefix("http://127.0.0.1:8722/gatepost/")
            .unwrap();
        assert!(rest.is_empty() || rest.starts_with('#'));
        assert!(!text.chars().any(char::is_control));
    }
    // What a server could hand out is never a way elsewhere.
    if let Some(home) = Home::of(text) {
        assert!(home.may_go(text));
        for elsewhere in [
            "file:///etc/passwd",
            "https://evil.example/",
            "javascript:1",
            "data:,x",
        ] {
            assert!(elsewhere.starts_with(home.page()) || !home.may_go(elsewhere));
        }
    }
});
