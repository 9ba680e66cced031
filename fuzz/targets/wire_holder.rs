//! Messages between a keeper and the helper that started its program: none means two things.
#![no_main]

use gatepost::wire::holder::{LENGTH, ToHolder, ToKeeper};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some(message) = input.first_chunk::<LENGTH>() else {
        return;
    };
    if let Some(meant) = ToKeeper::decode(*message) {
        assert_eq!(meant.encode(), *message);
    }
    if let Some(meant) = ToHolder::decode(*message) {
        assert_eq!(meant.encode(), *message);
    }
});
