//! How a terminal is to be kept: understood or refused, and the same after a round trip.
#![no_main]

use gatepost::wire::care::Care;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(care) = serde_json::from_slice::<Care>(input) {
        let _times = (care.idle(), care.warning());
        let written = serde_json::to_vec(&care).expect("what was read can be written");
        assert_eq!(serde_json::from_slice::<Care>(&written).ok(), Some(care));
    }
});
