//! DNS as the set-up access point speaks it: every name is this machine, so that whatever a phone looks for
//! leads to the set-up page. It answers what was asked and nothing more.

use std::net::Ipv4Addr;

/// Longest question that is answered, in bytes (RFC 1035, 2.3.4, for UDP).
pub const MAX_MESSAGE: usize = 512;
const HEADER: usize = 12;
/// Longest name, in bytes.
const MAX_NAME: usize = 255;
const A: [u8; 2] = [0, 1];
const ANY: [u8; 2] = [0, 255];
const IN: [u8; 2] = [0, 1];
/// Seconds for which the answer may be remembered: none, since the names mean something else a minute later.
const TTL: [u8; 4] = [0; 4];

/// The answer to a question; none to what is no question.
pub fn answer(message: &[u8], address: Ipv4Addr) -> Option<Vec<u8>> {
    if message.len() > MAX_MESSAGE {
        return None;
    }
    let [id0, id1, flags0, _flags1, count0, count1, ..] = *message.first_chunk::<HEADER>()?;
    // An answer, or no ordinary question (RFC 1035, 4.1.1), or not just one.
    if flags0 & 0b1111_1000 != 0 || [count0, count1] != [0, 1] {
        return None;
    }
    let question = message.get(HEADER..)?;
    let name = name_length(question)?;
    let question = question.get(..name + 4)?;
    let (kind, class) = (question.get(name..name + 2)?, question.get(name + 2..)?);
    let found = class == IN && (kind == A || kind == ANY);
    let mut out = vec![id0, id1, 0b1000_0100 | flags0 & 1, 0];
    out.extend([0, 1, 0, u8::from(found), 0, 0, 0, 0]);
    out.extend(question);
    if found {
        // The name is the question's.
        out.extend([0xc0, 12]);
        out.extend(A);
        out.extend(IN);
        out.extend(TTL);
        out.extend([0, 4]);
        out.extend(address.octets());
    }
    Some(out)
}

/// Bytes of the name a question begins with. Questions have no reason to point elsewhere.
fn name_length(question: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            return Some(at);
        }
        at += length;
        if length > 63 || at > MAX_NAME {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: Ipv4Addr = Ipv4Addr::new(10, 74, 0, 1);

    fn question(name: &[&str], kind: u8) -> Vec<u8> {
        let mut out = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name {
            out.push(u8::try_from(label.len()).unwrap());
            out.extend(label.bytes());
        }
        out.extend([0, 0, kind, 0, 1]);
        out
    }

    #[test]
    fn every_name_is_this_machine() {
        let asked = question(&["connectivitycheck", "gstatic", "com"], 1);
        let reply = answer(&asked, US).unwrap();
        assert_eq!(reply[..12], [0xab, 0xcd, 0x85, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
        assert_eq!(reply[12..asked.len()], asked[12..]);
        let record = &reply[asked.len()..];
        assert_eq!(
            record,
            [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 10, 74, 0, 1]
        );
        let reply = answer(&question(&["example"], 28), US).unwrap();
        assert_eq!(reply[7], 0, "it has no IPv6 address, and that is an answer");
    }

    #[test]
    fn what_is_no_question_gets_no_answer() {
        let good = question(&["a"], 1);
        assert!(answer(&good, US).is_some());
        let with = |at: usize, byte: u8| {
            let mut bad = good.clone();
            bad[at] = byte;
            bad
        };
        let pointer = with(12, 0xc0);
        for bad in [
            with(2, 0x81),
            with(2, 0x28),
            with(5, 2),
            with(5, 0),
            pointer,
        ] {
            assert_eq!(answer(&bad, US), None, "{bad:?}");
        }
        for cut in 0..good.len() {
            assert_eq!(answer(&good[..cut], US), None, "{cut}");
        }
        let mut long = good.clone();
        long.resize(MAX_MESSAGE, 0);
        assert!(answer(&long, US).is_some());
        long.push(0);
        assert_eq!(answer(&long, US), None);
        let deep: Vec<&str> = vec!["a"; 130];
        assert_eq!(answer(&question(&deep, 1), US), None);
    }
}
