//! What a browser sends: read or refused, the same however it is cut, and never more than the limit.
#![no_main]

use gatepost::wire::frame::{Deframer, MAX_FROM_VIEWER};
use gatepost::wire::websocket::{Decoder, Fault, News, after_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some(end) = after_text(input) {
        assert!(end <= input.len());
    }
    // The first byte says where the stream is cut.
    if let Some((&cut, stream)) = input.split_first() {
        let (left, right) = stream.split_at(usize::from(cut).min(stream.len()));
        assert_eq!(read(&[stream]), read(&[left, right]));
    }
});

fn read(parts: &[&[u8]]) -> (Vec<Vec<u8>>, Option<Fault>, News) {
    let (mut decoder, mut deframer) = (
        Decoder::new(MAX_FROM_VIEWER),
        Deframer::new(MAX_FROM_VIEWER),
    );
    let (mut messages, mut all) = (Vec::new(), News::default());
    for part in parts {
        let fault = match decoder.take_in(&mut part.to_vec(), &mut deframer) {
            Ok(news) => {
                all.ping = news.ping.or(all.ping);
                all.close = all.close.or(news.close);
                None
            }
            Err(fault) => Some(fault),
        };
        while let Ok(Some(message)) = deframer.next_frame() {
            assert!(!message.is_empty() && message.len() <= MAX_FROM_VIEWER);
            messages.push(message.to_vec());
        }
        if fault.is_some() {
            // What came before the fault in the same part may or may not have been told.
            return (messages, fault, News::default());
        }
    }
    (messages, None, all)
}
