//! Reports of what came of provisioning: understood or refused, and the same after a round trip.
#![no_main]

use gatepost::wire::provision::Report;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some(report) = Report::read(input) {
        let written = serde_json::to_vec(&report).expect("what was read can be written");
        assert_eq!(Report::read(&written), Some(report));
    }
});
