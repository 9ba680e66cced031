//! The list of identities without a password: whatever stands in it, a line that is taken has an
//! absolute program and at most one star.
#![no_main]

use gatepost::login::identities::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(list) = parse(text)
    {
        for identity in list {
            assert!(identity.command[0].starts_with('/'));
            assert!(identity.pattern.matches('*').count() <= 1);
            assert!(!identity.account.is_empty());
        }
    }
});
