//! The JSON inside frames: whatever comes is understood or refused, and what is understood means the
//! same after being written and read again.
#![no_main]

use std::fmt::Debug;

use gatepost::wire::message::{Attach, Hello, Meta, Notice, Request};
use libfuzzer_sys::fuzz_target;
use serde::{Serialize, de::DeserializeOwned};

fuzz_target!(|input: &[u8]| {
    survives::<Attach>(input);
    survives::<Hello>(input);
    survives::<Meta>(input);
    survives::<Notice>(input);
    survives::<Request>(input);
});

fn survives<T: DeserializeOwned + Serialize + Debug>(input: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<T>(input) {
        let written = serde_json::to_string(&message).expect("what was read can be written");
        let again: T = serde_json::from_str(&written).expect("what was written can be read");
        let rewritten = serde_json::to_string(&again).expect("it can be written again");
        assert_eq!(written, rewritten);
    }
}
