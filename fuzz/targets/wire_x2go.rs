//! X2Go's line: what is read is the same after being written and read again, and nothing that is
//! written is more than one request.
#![no_main]

use gatepost::wire::x2go::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(request) = Request::decode(input)
        && let Ok(line) = request.encode()
    {
        let (end, rest) = line.split_last().expect("a line has an end");
        assert_eq!(*end, b'\n');
        assert_eq!(rest, input);
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (user, password) = text.split_once('|').unwrap_or((text, ""));
    let service = "x2gobroker";
    if let Ok(line) = (Request {
        user,
        password,
        service,
    })
    .encode()
    {
        let feeds = line.iter().filter(|byte| **byte == b'\n').count();
        let returns = line.iter().filter(|byte| **byte == b'\r').count();
        assert_eq!((feeds, returns), (1, 2));
    }
});
