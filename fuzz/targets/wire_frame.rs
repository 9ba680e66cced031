//! Frames in both directions: whatever comes is decoded or refused, what is decoded survives being
//! written and read again, and a stream gives the same frames however it is cut.
#![no_main]

use gatepost::wire::frame::{Deframer, FromViewer, MAX_FROM_VIEWER, ToViewer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(frame) = ToViewer::decode(input) {
        let mut written = Vec::new();
        frame.encode(&mut written);
        assert_eq!(ToViewer::decode(&written), Ok(frame));
    }
    if let Ok(frame) = FromViewer::decode(input) {
        let mut written = Vec::new();
        frame.encode(&mut written);
        assert_eq!(FromViewer::decode(&written), Ok(frame));
    }
    // The first byte says where the stream is cut.
    if let Some((&cut, stream)) = input.split_first() {
        let whole = frames(&[stream]);
        let (left, right) = stream.split_at(usize::from(cut).min(stream.len()));
        assert_eq!(whole, frames(&[left, right]));
    }
});

fn frames(parts: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut deframer = Deframer::new(MAX_FROM_VIEWER);
    let mut out = Vec::new();
    for part in parts {
        deframer.push(part);
        while let Ok(Some(frame)) = deframer.next_frame() {
            assert!(!frame.is_empty() && frame.len() <= MAX_FROM_VIEWER);
            out.push(frame.to_vec());
        }
    }
    out
}
