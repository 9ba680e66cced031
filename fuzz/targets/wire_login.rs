//! The conversation with the login helper, both ways: whatever comes is read or refused, and what is
//! read is the same after being written and read again.
#![no_main]

use gatepost::wire::login::{FromHelper, ToHelper};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(frame) = ToHelper::decode(input) {
        let mut written = Vec::new();
        frame.encode(&mut written);
        assert_eq!(ToHelper::decode(&written), Ok(frame));
    }
    if let Ok(frame) = FromHelper::decode(input) {
        let mut written = Vec::new();
        frame.encode(&mut written);
        assert_eq!(FromHelper::decode(&written), Ok(frame));
    }
});
