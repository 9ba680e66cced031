//! Orders to and reports from the machine's own screen: understood or refused, and the same after a
//! round trip.
#![no_main]

use gatepost::wire::display::{Order, Report};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(order) = serde_json::from_slice::<Order>(input) {
        let written = serde_json::to_vec(&order).expect("what was read can be written");
        assert_eq!(serde_json::from_slice::<Order>(&written).ok(), Some(order));
    }
    if let Ok(report) = serde_json::from_slice::<Report>(input) {
        let written = serde_json::to_vec(&report).expect("what was read can be written");
        assert_eq!(
            serde_json::from_slice::<Report>(&written).ok(),
            Some(report)
        );
    }
});
