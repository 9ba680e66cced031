//! Takes queries out of a program's output.
//!
//! The model answers every query once, on the server. A viewer that is a real terminal (the command
//! line's `attach`) would answer a second time, into the program's input; so what it gets has passed
//! through here. Everything else is passed on byte for byte.

/// Longest sequence held back to be judged, in bytes: memory is bounded whatever the program writes.
/// What is longer is passed on if its beginning shows that it asks nothing, and dropped otherwise.
const MAX_HELD: usize = 4096;

/// A streaming filter: bytes may end anywhere, also inside a sequence.
#[derive(Debug, Default)]
pub struct QueryFilter {
    state: State,
    held: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    /// The first byte of a two-byte character that may be a C1 control.
    Lead,
    Escape,
    Csi,
    /// Inside OSC, DCS, APC, PM or SOS; the introducer's letter.
    Text(u8),
    /// ESC inside one of them: the first half of ST.
    TextEscape(u8),
    /// A long string that asks nothing: passed on as it comes.
    Passing(u8),
    PassingEscape(u8),
    /// A long string that may ask: dropped as it comes.
    Dropping(u8),
    /// A control sequence of absurd length: dropped to its end.
    DroppingCsi,
}

impl QueryFilter {
    /// A filter for a stream that starts outside any sequence.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends to `out` what of `bytes` may be shown. An unfinished sequence is held until its end.
    pub fn filter(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            self.step(byte, out);
        }
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) {
        // CAN and SUB end any sequence.
        if matches!(byte, 0x18 | 0x1a) && self.state != State::Ground {
            self.held.push(byte);
            self.release(out);
            return;
        }
        self.state = match (self.state, byte) {
            (State::Ground, 0x1b) => self.hold(byte, State::Escape),
            // ENQ: asks for the answerback.
            (State::Ground, 0x05) => State::Ground,
            // a C1 control in UTF-8 is the same as ESC and a letter
            (State::Ground, 0xc2) => self.hold(byte, State::Lead),
            (State::Lead, 0x80..=0x9f) => {
                self.held.clear();
                self.held.push(0x1b);
                self.state = State::Escape;
                return self.step(byte - 0x40, out);
            }
            (State::Lead, _) => {
                self.release(out);
                return self.step(byte, out);
            }
            (State::Ground, _) => {
                out.push(byte);
                State::Ground
            }
            (State::Escape, b'[') => self.hold(byte, State::Csi),
            (State::Escape, b']' | b'P' | b'_' | b'^' | b'X') => self.hold(byte, State::Text(byte)),
            (State::Escape | State::Csi, 0x1b) => {
                out.append(&mut self.held);
                self.hold(byte, State::Escape)
            }
            (State::Escape, 0x05) => State::Escape,
            (State::Escape, 0x20..=0x2f) => self.hold(byte, State::Escape),
            (State::Escape, _) => {
                self.held.push(byte);
                // DECID (ESC Z) asks what this terminal is.
                let is_query = self.held == b"\x1bZ";
                self.judge(is_query, out);
                State::Ground
            }
            (State::Csi, 0x40..=0x7e) => {
                self.held.push(byte);
                let is_query = is_csi_query(&self.held);
                self.judge(is_query, out);
                State::Ground
            }
            // Control characters inside a sequence are executed at once; only ENQ would answer.
            (State::Csi, 0x05) => State::Csi,
            (State::Csi, _) => self.hold(byte, State::Csi),
            (State::Text(kind), 0x1b) => self.hold(byte, State::TextEscape(kind)),
            (State::Text(b']'), 0x07) | (State::TextEscape(_), b'\\') => {
                self.held.push(byte);
                let is_query = is_string_query(&self.held);
                self.judge(is_query, out);
                State::Ground
            }
            (State::Text(kind), _) => self.hold(byte, State::Text(kind)),
            // An ESC that is not ST ends the string all the same and starts a new sequence.
            (State::TextEscape(_), _) => {
                self.held.pop();
                let is_query = is_string_query(&self.held);
                self.judge(is_query, out);
                self.held.push(0x1b);
                self.state = State::Escape;
                return self.step(byte, out);
            }
            (State::Dropping(_) | State::DroppingCsi, 0x1b) => {
                self.held.clear();
                self.hold(byte, State::Escape)
            }
            (State::Dropping(b']'), 0x07) | (State::DroppingCsi, 0x40..=0x7e) => State::Ground,
            (State::Dropping(_) | State::DroppingCsi, _) => self.state,
            (State::Passing(kind), 0x1b) => {
                out.push(byte);
                State::PassingEscape(kind)
            }
            (State::Passing(b']'), 0x07) => {
                out.push(byte);
                State::Ground
            }
            (State::Passing(kind), _) => {
                out.push(byte);
                State::Passing(kind)
            }
            (State::PassingEscape(_), b'\\') => {
                out.push(byte);
                State::Ground
            }
            (State::PassingEscape(_), _) => {
                // The ESC has been passed on already; what follows is judged with it.
                out.pop();
                self.held.push(0x1b);
                self.state = State::Escape;
                return self.step(byte, out);
            }
        };
        if self.held.len() >= MAX_HELD {
            self.give_up(out);
        }
    }

    fn hold(&mut self, byte: u8, state: State) -> State {
        self.held.push(byte);
        state
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.held);
        self.state = State::Ground;
    }

    /// Lets go of a whole sequence: a query is dropped, anything else passed on.
    fn judge(&mut self, is_query: bool, out: &mut Vec<u8>) {
        if is_query {
            self.drop_held();
        } else {
            self.release(out);
        }
    }

    fn drop_held(&mut self) {
        self.held.clear();
        self.state = State::Ground;
    }

    /// The sequence is too long to be held.
    fn give_up(&mut self, out: &mut Vec<u8>) {
        let asks = may_ask(&self.held);
        self.state = match self.state {
            State::Text(kind) | State::TextEscape(kind) if asks => State::Dropping(kind),
            State::Text(kind) => State::Passing(kind),
            State::TextEscape(kind) => State::PassingEscape(kind),
            State::Csi => State::DroppingCsi,
            _ => State::Ground,
        };
        match self.state {
            State::Passing(_) | State::PassingEscape(_) => out.append(&mut self.held),
            _ => self.held.clear(),
        }
    }
}

/// Whether the beginning of a long string leaves open that it asks.
fn may_ask(held: &[u8]) -> bool {
    let body = held.get(2..).unwrap_or_default();
    match held.get(1) {
        // Clipboard and file transfers are long and ask with a single `?`; colours can go on for ever.
        Some(b']') => !matches!(
            osc_number(body),
            Some(0 | 1 | 2 | 7 | 8 | 9 | 52 | 133 | 777 | 1337)
        ),
        Some(b'P') => is_dcs_query(body),
        Some(b'_') => is_graphics_query(body),
        _ => false,
    }
}

fn osc_number(body: &[u8]) -> Option<u16> {
    let first = body.split(|byte| *byte == b';').next()?;
    std::str::from_utf8(first).ok()?.parse().ok()
}

/// DECRQSS ($q), XTGETTCAP (+q), XTGETXRES (+Q), whatever parameters stand in front.
fn is_dcs_query(body: &[u8]) -> bool {
    let header = body
        .iter()
        .position(|byte| !matches!(byte, b'0'..=b'?'))
        .unwrap_or(body.len());
    let rest = body.get(header..).unwrap_or_default();
    rest.starts_with(b"$q") || rest.starts_with(b"+q") || rest.starts_with(b"+Q")
}

/// Kitty's graphics protocol answers whatever has an id, unless it is told to be quiet.
fn is_graphics_query(body: &[u8]) -> bool {
    let control = body.split(|byte| *byte == b';').next().unwrap_or_default();
    let Some(keys) = control.strip_prefix(b"G") else {
        return false;
    };
    let has = |key: &[u8]| {
        keys.split(|byte| *byte == b',')
            .any(|pair| pair.starts_with(key))
    };
    has(b"a=q") || (has(b"i=") || has(b"I=")) && !has(b"q=2")
}

/// Whether a whole control sequence (ESC [ … final) makes a terminal answer.
fn is_csi_query(sequence: &[u8]) -> bool {
    let Some((&last, body)) = sequence.get(2..).unwrap_or_default().split_last() else {
        return false;
    };
    let body: Vec<u8> = body.iter().copied().filter(|byte| *byte >= 0x20).collect();
    let private = body
        .first()
        .copied()
        .filter(|byte| matches!(byte, b'<'..=b'?'));
    let intermediates: &[u8] = body
        .iter()
        .position(|byte| matches!(byte, 0x20..=0x2f))
        .and_then(|start| body.get(start..))
        .unwrap_or_default();
    match (last, intermediates) {
        // DA1, DA2, DA3; XTVERSION is CSI > q.
        (b'c', b"") => true,
        (b'q', b"") => private == Some(b'>'),
        // DSR and CPR, ANSI and DEC. CSI > n is xterm's modifier setting.
        (b'n', b"") => private != Some(b'>'),
        // DECRQM.
        (b'p', b"$") => true,
        // DECREQTPARM; DECRQCRA and other rectangle checksums; DECRQDE, DECRQUPSS, DECRQPSR, DECRQTSR.
        (b'x', b"") => private.is_none(),
        (b'y', b"*") | (b'v', b"\"") | (b'u', b"&") | (b'w' | b'u', b"$") => true,
        // DECRQLP, XTREPORTSGR, XTREPORTCOLORS.
        (b'|', b"'" | b"#") | (b'R', b"#") => true,
        // In-band resize reports, which start with one at once.
        (b'h', b"") => {
            private == Some(b'?') && body.split(|b| !b.is_ascii_digit()).any(|n| n == b"2048")
        }
        // XTWINOPS reports: 11, 13 to 16, 18 to 21.
        (b't', b"") => {
            let first = body.split(|byte| *byte == b';').next().unwrap_or_default();
            matches!(
                std::str::from_utf8(first)
                    .ok()
                    .and_then(|text| text.parse::<u16>().ok()),
                Some(11 | 13..=16 | 18..=21)
            )
        }
        // Kitty keyboard: CSI ? u. xterm: modifyOtherKeys CSI ? m, XTSMGRAPHICS CSI ? S.
        (b'u' | b'm' | b'S', b"") => private == Some(b'?'),
        _ => false,
    }
}

/// Whether a whole string sequence makes a terminal answer.
fn is_string_query(sequence: &[u8]) -> bool {
    let body = sequence.get(2..).unwrap_or_default();
    let body = body
        .strip_suffix(b"\x1b\\")
        .or_else(|| body.strip_suffix(b"\x07"))
        .unwrap_or(body);
    // terminals skip controls inside a string
    let body: Vec<u8> = body.iter().copied().filter(|byte| *byte >= 0x20).collect();
    let body = body.as_slice();
    match sequence.get(1) {
        // OSC: a colour, font or clipboard query has `?` for a value. A title that merely is "?" is
        // not one, nor is a link.
        Some(b']') => {
            let mut fields = body.split(|byte| *byte == b';').skip(1);
            match osc_number(body) {
                Some(4 | 5 | 10..=19 | 21 | 22 | 50 | 52 | 60 | 61 | 99 | 1337) => {
                    fields.any(|field| field == b"?" || field.ends_with(b"=?"))
                        || body.starts_with(b"1337;ReportCellSize")
                        || body.starts_with(b"1337;ReportVariable")
                        || body.starts_with(b"1337;Capabilities")
                        || body.starts_with(b"60")
                        || body.starts_with(b"61")
                }
                _ => false,
            }
        }
        Some(b'P') => is_dcs_query(body),
        Some(b'_') => is_graphics_query(body),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(bytes: &[u8], piece: usize) -> Vec<u8> {
        let mut filter = QueryFilter::new();
        let mut out = Vec::new();
        for bytes in bytes.chunks(piece) {
            filter.filter(bytes, &mut out);
        }
        out
    }

    #[test]
    fn every_query_is_taken_out_wherever_it_is_cut() {
        for query in [
            "\x05",
            "\x1bZ",
            "\x1b[c",
            "\x1b[0c",
            "\x1b[>c",
            "\x1b[=c",
            "\x1b[5n",
            "\x1b[6n",
            "\x1b[?6n",
            "\x1b[?996n",
            "\x1b[?2026$p",
            "\x1b[4$p",
            "\x1b[x",
            "\x1b[1;1;1;1;1;1*y",
            "\x1b[21t",
            "\x1b[14;2t",
            "\x1b[18t",
            "\x1b[?u",
            "\x1b[>q",
            "\x1b[>0q",
            "\x1b[?4m",
            "\x1b[?1;1;0S",
            "\x1b]10;?\x07",
            "\x1b]11;?\x1b\\",
            "\x1b]4;1;?;2;?\x07",
            "\x1b]52;c;?\x07",
            "\x1b]52;;?\x1b\\",
            "\x1bP$qm\x1b\\",
            "\x1bP+q544e\x1b\\",
            "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\",
            "\x1b[\x056n",
            "\x1b\x05[6n",
            "\u{9b}6n",
            "\u{9d}11;?\u{1b}\\",
            "\x1b]11;\x01?\x07",
            "\x1bP1$qm\x1b\\",
            "\x1b['|",
            "\x1b[?2048h",
            "\x1b_Gi=7,a=T,f=24;AAAA\x1b\\",
        ] {
            let stream = format!("before {query}after\x1b[31m");
            for piece in [1, 2, 3, 1000] {
                let got = String::from_utf8(filtered(stream.as_bytes(), piece)).unwrap();
                assert_eq!(
                    got, "before after\x1b[31m",
                    "{query:?} in pieces of {piece}"
                );
            }
        }
    }

    #[test]
    fn everything_else_passes_unchanged() {
        for plain in [
            "text ä 漢 🙂\r\n",
            "\x1b[31;1m",
            "\x1b[?25l",
            "\x1b[2J\x1b[H",
            "\x1b]0;title?\x07",
            "\x1b]8;;https://example.org/?\x1b\\link\x1b]8;;\x1b\\",
            "\x1b]52;c;aGVsbG8=\x07",
            "\x1b]11;#000000\x07",
            "\x1bP0;1q#0;2;0;0;0~-\x1b\\",
            "\x1b(0",
            "\x1b[>4;2m",
            "\x1b[>4n",
            "\x1b[ q",
            "\x1b[2 q",
            "\x1b[!p",
            "\x1b[22;0t",
            "\x1b[8;24;80t",
            "\x1b[1;5u",
            "\x1b[>1u",
            "\x1b7",
            "\x1b=",
            "\x1b\x1b[A",
            "\x1b[31\x18m",
            "\u{a0}\u{bf}ÿ",
            "\x1b_Gi=7,q=2,a=T,f=24;AAAA\x1b\\",
        ] {
            for piece in [1, 2, 1000] {
                assert_eq!(
                    filtered(plain.as_bytes(), piece),
                    plain.as_bytes(),
                    "{plain:?}"
                );
            }
        }
    }

    #[test]
    fn a_string_without_end_is_passed_on_and_not_kept() {
        let mut filter = QueryFilter::new();
        let mut out = Vec::new();
        filter.filter(b"\x1b]1337;File=:", &mut out);
        for _ in 0..1000 {
            filter.filter(&[b'A'; 1000], &mut out);
            assert!(filter.held.capacity() <= 4 * MAX_HELD);
        }
        filter.filter(b"\x07after\x1b[6n", &mut out);
        assert!(out.ends_with(b"A\x07after"));
        assert_eq!(out.len(), 13 + 1_000_000 + 6);
    }

    #[test]
    fn a_query_drawn_out_beyond_all_length_is_dropped() {
        let filler = "0;".repeat(MAX_HELD);
        let colours = "1;#000000;".repeat(MAX_HELD / 10);
        for query in [
            format!("\x1b[6;{filler}n"),
            format!("\x1b]4;{colours}2;?\x07"),
            format!("\x1bP+q{filler}\x1b\\"),
            format!("\x1b_Gi=1;{filler}\x1b\\"),
        ] {
            for piece in [1, 1000] {
                let got = filtered(format!("a{query}b").as_bytes(), piece);
                let got = got.iter().filter(|byte| **byte != 0x1b && **byte != b'\\');
                assert!(got.eq(b"ab"), "{:?}", query.get(..8));
            }
        }
    }

    #[test]
    fn a_query_started_inside_an_unfinished_string_is_taken_out() {
        assert_eq!(filtered(b"\x1b]0;t\x1b[6nx", 1), b"\x1b]0;tx");
    }
}
