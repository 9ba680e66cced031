//! What `gatepost logins` and its like ask: understood or refused, and the same after a round trip.
#![no_main]

use gatepost::wire::logins::{LoginsCall, LoginsReply};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(call) = serde_json::from_slice::<LoginsCall>(input) {
        let written = serde_json::to_vec(&call).expect("what was read can be written");
        assert_eq!(
            serde_json::from_slice::<LoginsCall>(&written).ok(),
            Some(call)
        );
    }
    if let Ok(reply) = serde_json::from_slice::<LoginsReply>(input) {
        let written = serde_json::to_vec(&reply).expect("what was read can be written");
        assert_eq!(
            serde_json::from_slice::<LoginsReply>(&written).ok(),
            Some(reply)
        );
    }
});
