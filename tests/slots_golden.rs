//! What the boot loader makes of the two slots' state, held still for its twin: image/test/slots.py has U-Boot
//! itself do the same starts.

#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

use gatepost::base::SlotState;
use gatepost::base::slots::Slot;
use serde::Deserialize;

#[derive(Deserialize)]
struct Copy {
    #[serde(flatten)]
    state: SlotState,
    #[serde(default)]
    torn: bool,
}

#[derive(Deserialize)]
struct Start {
    what: String,
    copies: [Option<Copy>; 2],
    starts: Slot,
    after: Option<SlotState>,
}

#[test]
fn each_start_is_what_the_golden_file_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/slots.json");
    let starts: Vec<Start> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for start in starts {
        let copies = start.copies.map(|copy| {
            let copy = copy?;
            let mut sector = copy.state.encode();
            if copy.torn {
                sector[8] ^= 0x10;
            }
            SlotState::decode(&sector)
        });
        let (state, _) = SlotState::newer(copies);
        let after = state.started();
        assert_eq!(after, start.after, "{}", start.what);
        assert_eq!(after.unwrap_or(state).slot, start.starts, "{}", start.what);
    }
}
