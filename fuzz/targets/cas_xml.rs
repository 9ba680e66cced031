//! What a CAS server answers: anything is a user, a refusal or nonsense, and never more than its limits.
#![no_main]

use gatepost::auth::{read_lines, read_xml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    for user in [read_lines(text), read_xml(text, &[])]
        .into_iter()
        .flatten()
    {
        assert!(!user.user.is_empty() && user.user.len() <= 512);
        for values in user.attributes.values() {
            assert!(values.len() <= 256 && values.iter().all(|value| value.len() <= 512));
        }
    }
});
