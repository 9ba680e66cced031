//! What `iw` says of networks in reach: any text is read within limits.
#![no_main]

use gatepost::wire::scan::{MAX_NETWORKS, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let seen = read(&String::from_utf8_lossy(input));
    assert!(seen.len() <= MAX_NETWORKS);
    assert!(seen.iter().all(|one| (1..=32).contains(&one.ssid.len())));
});
