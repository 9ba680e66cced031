//! The head of a bundle: with a good signature or without, nothing it says goes past its limits.
#![no_main]

use gatepost::wire::bundle::{PartName, RawHead};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut rest = input;
    if let Ok(head) = RawHead::read(&mut rest) {
        assert!(
            head.clone().verify(|_, _| false).is_err(),
            "nobody signed it"
        );
        if let Ok(manifest) = head.verify(|signed, _| {
            assert!(input.starts_with(signed), "what is signed is what was read");
            true
        }) {
            let names: Vec<_> = manifest.parts.iter().map(|part| part.name).collect();
            assert_eq!(names, [PartName::Root, PartName::Boot]);
            for part in manifest.parts {
                assert!(part.size > 0 && part.size <= part.name.most());
            }
        }
    }
});
