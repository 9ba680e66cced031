//! Query strings and forms: `a=b&c=d`, percent-encoded.

use std::fmt::Write as _;

/// Most parameters in a query; logging in needs five.
const MAX_PARAMETERS: usize = 32;

/// Writes parameters as a form or query.
pub(super) fn encode(parameters: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in parameters {
        if !out.is_empty() {
            out.push('&');
        }
        escape(&mut out, name);
        out.push('=');
        escape(&mut out, value);
    }
    out
}

/// Appends a text, everything escaped but RFC 3986's unreserved characters.
pub(super) fn escape(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
}

/// An address with these parameters added to its query.
pub(super) fn add(address: &str, parameters: &[(&str, &str)]) -> String {
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}{}", encode(parameters))
}

/// The parameters of a query. None when it is broken, has too many, or says something twice: who
/// sends two states hopes that two readers take different ones.
pub(super) fn decode(query: &str) -> Option<Vec<(String, String)>> {
    let mut out: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (unescape(name)?, unescape(value)?);
        if out.len() >= MAX_PARAMETERS || out.iter().any(|(known, _)| *known == name) {
            return None;
        }
        out.push((name, value));
    }
    Some(out)
}

fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                out.push(u8::try_from(high * 16 + low).ok()?);
            }
            b'+' => out.push(b' '),
            other => out.push(other),
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again(names in proptest::collection::hash_set(".*", 0..20), value in ".*") {
            let pairs: Vec<_> = names.iter().map(|name| (name.as_str(), value.as_str())).collect();
            let expected: Vec<_> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            prop_assert_eq!(decode(&encode(&pairs)), Some(expected));
        }

        #[test]
        fn anything_is_read_or_refused(query in ".*") {
            drop(decode(&query));
        }
    }

    #[test]
    fn broken_and_ambiguous_queries_are_refused() {
        for bad in ["a=%", "a=%4", "a=%zz", "a=%ff", "state=1&state=2", "a&a"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        let many = |count: usize| {
            let names: Vec<_> = (0..count).map(|number| format!("p{number}=1")).collect();
            decode(&names.join("&"))
        };
        assert!(many(MAX_PARAMETERS).is_some());
        assert!(many(MAX_PARAMETERS + 1).is_none());
    }
}
