//! Cookie headers: what is found stands in the header, after the name asked for, and only a whole
//! secret is one.
#![no_main]

use gatepost::base::Secret;
use gatepost::wire::cookie;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &str| {
    if let Some(value) = cookie::value(header, "gatepost_login_8722") {
        assert!(!value.contains(';'));
        assert!(header.contains(&format!("gatepost_login_8722={value}")));
        if let Ok(secret) = value.parse::<Secret>() {
            assert_eq!(secret.expose_hex(), value);
        }
    }
});
