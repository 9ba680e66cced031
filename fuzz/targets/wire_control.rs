//! The control socket's calls and answers: understood or refused, and the same after a round trip.
#![no_main]

use gatepost::wire::control::{Answer, Call};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(call) = serde_json::from_slice::<Call>(input) {
        let written = serde_json::to_vec(&call).expect("what was read can be written");
        assert_eq!(serde_json::from_slice::<Call>(&written).ok(), Some(call));
    }
    if let Ok(answer) = serde_json::from_slice::<Answer>(input) {
        let written = serde_json::to_vec(&answer).expect("what was read can be written");
        assert_eq!(
            serde_json::from_slice::<Answer>(&written).ok(),
            Some(answer)
        );
    }
});
