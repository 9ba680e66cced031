//! What a keeper is told at its start: understood or refused, and the same after a round trip.
#![no_main]

use gatepost::wire::launch::Launch;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(launch) = serde_json::from_slice::<Launch>(input) {
        let written = serde_json::to_vec(&launch).expect("what was read can be written");
        assert_eq!(
            serde_json::from_slice::<Launch>(&written).ok(),
            Some(launch)
        );
    }
});
