//! Setting up by hand: whatever is typed in arrives as it was typed, and no text becomes another key.
#![no_main]

use gatepost::wire::setup::{Form, SetupCall, SetupEnd};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _call = SetupCall::decode(input);
    if let Ok(form) = serde_json::from_slice::<Form>(input) {
        let call = SetupCall::decode(&form.encode());
        assert!(
            input.len() > 8192 || call.is_some_and(|call| call.password == form.admin_password)
        );
    }
    if let Ok(end) = serde_json::from_slice::<SetupEnd>(input) {
        assert_eq!(
            serde_json::from_slice::<SetupEnd>(&end.encode()).ok(),
            Some(end)
        );
    }
});
