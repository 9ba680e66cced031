//! The conversation with whoever writes to the other slot: the same after being written and read again.
#![no_main]

use gatepost::wire::update::{UpdateCall, UpdateEnd, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(call) = serde_json::from_slice::<UpdateCall>(input) {
        let line = encode(&call).expect("can be written");
        assert_eq!(serde_json::from_slice::<UpdateCall>(&line).ok(), Some(call));
    }
    if let Ok(end) = serde_json::from_slice::<UpdateEnd>(input) {
        let line = encode(&end).expect("can be written");
        assert_eq!(serde_json::from_slice::<UpdateEnd>(&line).ok(), Some(end));
    }
});
