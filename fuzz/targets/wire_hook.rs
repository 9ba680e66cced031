//! The conversation about a hook: what is read is the same after being written and read again, and
//! what it puts into an environment and behind a program keeps to the rules.
#![no_main]

use gatepost::wire::hook::{HookCall, HookEnd, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(call) = HookCall::decode(input) {
        let line = encode(&call).expect("can be written");
        assert_eq!(HookCall::decode(&line).expect("is read again"), call);
        assert!(!call.hook.as_str().contains(['/', '.', '\0']));
        assert!(
            call.arguments
                .iter()
                .all(|word| !word.as_str().starts_with('-'))
        );
        for (name, value) in call.environment() {
            assert!(name.starts_with("GATEPOST_") && !value.contains(char::is_control));
        }
    }
    if let Ok(end) = HookEnd::decode(input) {
        let line = encode(&end).expect("can be written");
        assert_eq!(HookEnd::decode(&line).expect("is read again"), end);
    }
});
