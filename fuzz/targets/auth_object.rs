//! Auth objects from the network: judged without a panic, and never good with a secret that didn't
//! sign them.
#![no_main]

use gatepost::auth::AuthObject;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    if let Ok(object) = AuthObject::parse(input) {
        assert!(!object.claims().as_str().contains('/'));
        // 2^-160 at best.
        assert!(
            object
                .verify("a secret nobody signs with", true, 1_800_000_000_000)
                .is_err()
        );
    }
});
