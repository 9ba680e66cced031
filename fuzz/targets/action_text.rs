//! The text form of actions: understood or refused, and what is understood means the same after it was
//! printed.
#![no_main]

use gatepost::action::{Action, Which};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(line) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(action) = line.parse::<Action<Which>>() {
        let printed = action.to_string();
        assert_eq!(printed.parse().as_ref(), Ok(&action), "{printed:?}");
        let json = serde_json::to_vec(&action).expect("what was read can be written");
        assert_eq!(
            serde_json::from_slice::<Action<Which>>(&json).ok(),
            Some(action)
        );
    }
});
