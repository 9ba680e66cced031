//! The answer to a DNS question: never longer than asked for, never a panic, and only to questions.
#![no_main]

use gatepost::wire::dns::{MAX_MESSAGE, answer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some(reply) = answer(input, [10, 74, 0, 1].into()) {
        assert!(
            reply.len() <= MAX_MESSAGE + 16 && reply[..2] == input[..2] && reply[2] & 0x80 != 0
        );
        assert_eq!(answer(&reply, [10, 74, 0, 1].into()), None);
    }
});
