//! Splits a program's output into text, controls and escape sequences, and holds the bytes of a
//! sequence or character that hasn't ended yet, so that a repaint can hand them on.
//!
//! The rules are xterm.js's (its parser after Paul Williams' VT500 state machine, UTF-8 decoded
//! first, malformed bytes dropped): what a browser would make of the same bytes is what counts.

use std::mem;

use crate::screen::csi::Csi;

/// Longest CSI or escape sequence that is interpreted, in bytes. 32 parameters of 5 digits fit; a
/// longer one is ignored to its end.
pub(super) const MAX_SEQUENCE: usize = 512;
/// Most bytes held of an OSC, DCS, APC, PM or SOS string. A longer one is not interpreted here (it
/// still reaches viewers live): titles, links and colours are far shorter, and images are not ours.
pub(super) const MAX_STRING: usize = 64 << 10;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;

/// Takes what the parser finds.
pub(super) trait Sink {
    /// Printable ASCII.
    fn text(&mut self, run: &[u8]);
    /// Any other printable character.
    fn character(&mut self, c: char);
    /// A C0 control.
    fn control(&mut self, byte: u8);
    /// `ESC`, intermediates, a final byte.
    fn escape(&mut self, intermediates: &[u8], last: u8);
    /// A control sequence.
    fn csi(&mut self, csi: &Csi);
    /// An operating system command, without introducer and terminator; and whether BEL ended it.
    fn osc(&mut self, body: &[u8], bell: bool);
    /// A device control string, without introducer and terminator.
    fn dcs(&mut self, body: &[u8]);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Osc,
    Dcs,
    /// APC, PM, SOS: nobody here reads them.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ground,
    Escape,
    Csi,
    CsiIgnore,
    String(Kind),
}

/// The state between two bytes.
#[derive(Debug)]
pub(super) struct Parser {
    state: State,
    /// Everything since the `ESC` that began the unfinished sequence.
    held: Vec<u8>,
    /// `held` is cut: the sequence is too long to be interpreted.
    cut: bool,
    utf8: [u8; 4],
    utf8_len: usize,
}

impl Parser {
    pub(super) fn new() -> Self {
        Self {
            state: State::Ground,
            held: Vec::new(),
            cut: false,
            utf8: [0; 4],
            utf8_len: 0,
        }
    }

    /// Bytes that bring another terminal, in ground state, to where this parser is. A string that was
    /// too long to hold is re-opened as one of the same kind that every terminal ignores.
    pub(super) fn pending(&self) -> Vec<u8> {
        let mut bytes = match (self.state, self.cut) {
            (State::Ground, _) => Vec::new(),
            (State::CsiIgnore, _) => b"\x1b[0<".to_vec(),
            (State::String(Kind::Osc), true) => b"\x1b]9999;".to_vec(),
            (State::String(Kind::Dcs), true) => b"\x1bP0<".to_vec(),
            (State::String(Kind::Other), true) => {
                let mut opening: Vec<u8> = self.held.iter().take(2).copied().collect();
                opening.push(b'-');
                opening
            }
            (State::Escape, true) => b"\x1b ".to_vec(),
            _ => self.held.clone(),
        };
        bytes.extend(self.utf8.iter().take(self.utf8_len));
        bytes
    }

    /// Interprets bytes; they may end anywhere.
    pub(super) fn advance(&mut self, sink: &mut impl Sink, mut bytes: &[u8]) {
        while let Some(&first) = bytes.first() {
            let used = if self.utf8_len != 0 || first >= 0x80 {
                self.non_ascii(sink, bytes)
            } else {
                match self.state {
                    State::Ground => self.ground(sink, bytes),
                    State::String(kind) => self.string(sink, kind, bytes),
                    State::Escape => self.escape(sink, first),
                    State::Csi => self.csi(sink, first),
                    State::CsiIgnore => self.csi_ignore(sink, first),
                }
            };
            bytes = bytes.get(used..).unwrap_or_default();
        }
    }

    fn ground(&mut self, sink: &mut impl Sink, bytes: &[u8]) -> usize {
        let run = printable(bytes);
        if run > 0 {
            sink.text(bytes.get(..run).unwrap_or_default());
            return run;
        }
        match bytes.first() {
            Some(&ESC) => {
                if let Some(length) = whole_csi(sink, bytes) {
                    return length;
                }
                self.begin(State::Escape, b"\x1b");
            }
            Some(&byte) if byte < 0x20 => sink.control(byte),
            _ => {}
        }
        1
    }

    fn begin(&mut self, state: State, opening: &[u8]) {
        self.state = state;
        self.cut = false;
        self.held.clear();
        self.held.extend_from_slice(opening);
    }

    fn finish(&mut self) {
        self.state = State::Ground;
        self.cut = false;
        self.held.clear();
        // a long string's buffer isn't kept for ever
        if self.held.capacity() > MAX_SEQUENCE {
            self.held = Vec::new();
        }
    }

    fn hold(&mut self, byte: u8) {
        if self.held.len() < MAX_SEQUENCE {
            self.held.push(byte);
        } else {
            self.cut = true;
        }
    }

    /// What every state does with CAN, SUB and ESC. `true` if it was one of them.
    fn anywhere(&mut self, sink: &mut impl Sink, byte: u8) -> bool {
        match byte {
            ESC => self.begin(State::Escape, b"\x1b"),
            CAN | SUB => {
                sink.control(byte);
                self.finish();
            }
            _ => return false,
        }
        true
    }

    fn escape(&mut self, sink: &mut impl Sink, byte: u8) -> usize {
        let first = self.held.len() == 1;
        match byte {
            _ if self.anywhere(sink, byte) => {}
            0x00..=0x1f => sink.control(byte),
            0x20..=0x2f => self.hold(byte),
            b'[' if first => self.begin(State::Csi, b"\x1b["),
            b']' if first => self.begin(State::String(Kind::Osc), b"\x1b]"),
            b'P' if first => self.begin(State::String(Kind::Dcs), b"\x1bP"),
            b'X' | b'^' | b'_' if first => {
                self.begin(State::String(Kind::Other), &[ESC, byte]);
            }
            0x30..=0x7e => {
                if !self.cut {
                    sink.escape(self.held.get(1..).unwrap_or_default(), byte);
                }
                self.finish();
            }
            _ => {}
        }
        1
    }

    fn csi(&mut self, sink: &mut impl Sink, byte: u8) -> usize {
        match byte {
            _ if self.anywhere(sink, byte) => {}
            0x00..=0x1f => sink.control(byte),
            0x20..=0x3f => {
                let previous = self.held.last().copied().unwrap_or(0);
                let intermediate = (0x20..0x30).contains(&previous);
                let misplaced = if byte >= 0x3c {
                    self.held.len() != 2
                } else {
                    byte >= 0x30 && intermediate
                };
                self.hold(byte);
                if misplaced || self.cut {
                    self.state = State::CsiIgnore;
                }
            }
            0x40..=0x7e => {
                let csi = Csi::parse(self.held.get(2..).unwrap_or_default(), byte);
                sink.csi(&csi);
                self.finish();
            }
            _ => {}
        }
        1
    }

    fn csi_ignore(&mut self, sink: &mut impl Sink, byte: u8) -> usize {
        match byte {
            _ if self.anywhere(sink, byte) => {}
            0x00..=0x1f => sink.control(byte),
            0x40..=0x7e => self.finish(),
            _ => {}
        }
        1
    }

    fn string(&mut self, sink: &mut impl Sink, kind: Kind, bytes: &[u8]) -> usize {
        let run = bytes
            .iter()
            .position(|&b| {
                matches!(b, ESC | CAN | SUB) || b >= 0x80 || b == BEL && kind == Kind::Osc
            })
            .unwrap_or(bytes.len());
        if run > 0 {
            self.keep(bytes.get(..run).unwrap_or_default());
            return run;
        }
        match bytes.first() {
            Some(&BEL) => {
                self.end_string(sink, kind, true);
                self.finish();
            }
            Some(&byte) => {
                if byte == ESC {
                    self.end_string(sink, kind, false);
                }
                self.anywhere(sink, byte);
            }
            None => {}
        }
        1
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.cut || self.held.len() + bytes.len() > MAX_STRING {
            self.cut = true;
            self.held.truncate(2);
            self.held.shrink_to(MAX_SEQUENCE);
        } else {
            self.held.extend_from_slice(bytes);
        }
    }

    fn end_string(&mut self, sink: &mut impl Sink, kind: Kind, bell: bool) {
        if self.cut {
            return;
        }
        let held = mem::take(&mut self.held);
        let body = held.get(2..).unwrap_or_default();
        match kind {
            Kind::Osc => sink.osc(body, bell),
            Kind::Dcs => sink.dcs(body),
            Kind::Other => {}
        }
    }

    /// One character that isn't ASCII, or the next byte of one.
    fn non_ascii(&mut self, sink: &mut impl Sink, bytes: &[u8]) -> usize {
        if self.utf8_len == 0
            && let Some((c, length)) = whole_character(bytes)
        {
            self.character(sink, c);
            return length;
        }
        let mut used = 0;
        loop {
            let Some(&byte) = bytes.get(used) else {
                return used;
            };
            if self.utf8_len == 0 {
                used += 1;
                // continuation bytes and 0xf8.. begin nothing: dropped
                if !(0xc0..0xf8).contains(&byte) {
                    return used;
                }
            } else if (0x80..0xc0).contains(&byte) {
                used += 1;
            } else {
                // cut short by something else: the beginning is dropped
                self.utf8_len = 0;
                return used;
            }
            if let Some(slot) = self.utf8.get_mut(self.utf8_len) {
                *slot = byte;
                self.utf8_len += 1;
            }
            let wanted = match self.utf8.first() {
                Some(0xf0..) => 4,
                Some(0xe0..) => 3,
                _ => 2,
            };
            if self.utf8_len == wanted {
                self.utf8_len = 0;
                let whole = self.utf8;
                let text = std::str::from_utf8(whole.get(..wanted).unwrap_or_default());
                if let Some(c) = text.ok().and_then(|text| text.chars().next()) {
                    self.character(sink, c);
                }
                return used;
            }
        }
    }

    fn character(&mut self, sink: &mut impl Sink, c: char) {
        // a byte-order mark is no character, as in xterm.js
        if c == '\u{feff}' {
            return;
        }
        if let c1 @ '\u{80}'..='\u{9f}' = c {
            self.c1(sink, u32::from(c1));
            return;
        }
        match self.state {
            State::Ground => sink.character(c),
            State::String(_) => self.keep(c.encode_utf8(&mut [0; 4]).as_bytes()),
            State::CsiIgnore => {}
            // no such sequence: xterm.js gives up on it and drops the character
            State::Escape | State::Csi => self.finish(),
        }
    }

    /// C1 controls, which mean `ESC` and a letter.
    fn c1(&mut self, sink: &mut impl Sink, code: u32) {
        if let State::String(kind) = self.state {
            self.end_string(sink, kind, false);
        }
        let letter = u8::try_from(code.saturating_sub(0x40)).unwrap_or(0);
        match letter {
            b'[' => self.begin(State::Csi, b"\x1b["),
            b']' => self.begin(State::String(Kind::Osc), b"\x1b]"),
            b'P' => self.begin(State::String(Kind::Dcs), b"\x1bP"),
            b'X' | b'^' | b'_' => self.begin(State::String(Kind::Other), &[ESC, letter]),
            // the only others xterm.js knows: index, next line, set tab
            b'D' | b'E' | b'H' => {
                sink.escape(&[], letter);
                self.finish();
            }
            _ => self.finish(),
        }
    }
}

/// How many printable ASCII bytes `bytes` begins with. Looks at eight at a time: this is where all
/// plain text comes through.
fn printable(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let mut run = 0;
    let (eights, rest) = bytes.as_chunks::<8>();
    for eight in eights {
        let word = u64::from_le_bytes(*eight);
        // The high bit of a byte ends up set below 0x20 by the borrow, at 0x7f by the addition, and
        // from 0x80 on anyway. Carries only reach bytes after one that is found already.
        let stop = (word | word.wrapping_sub(ONES * 0x20) | word.wrapping_add(ONES)) & (ONES << 7);
        if stop != 0 {
            return run + (stop.trailing_zeros() >> 3) as usize;
        }
        run += 8;
    }
    let last = rest.iter().position(|b| !(0x20..0x7f).contains(b));
    run + last.unwrap_or(rest.len())
}

/// Handles a control sequence that is all there and has only numbers in it, as nearly every one is;
/// its length.
fn whole_csi(sink: &mut impl Sink, bytes: &[u8]) -> Option<usize> {
    let body = bytes.strip_prefix(b"\x1b[")?;
    let length = body
        .iter()
        .take(MAX_SEQUENCE - 2)
        .position(|b| !(b'0'..=b';').contains(b))?;
    let last = *body.get(length)?;
    if !(0x40..=0x7e).contains(&last) {
        return None;
    }
    sink.csi(&Csi::parse(body.get(..length)?, last));
    Some(length + 3)
}

/// The character `bytes` begins with and its length, if it is a valid one and all there.
fn whole_character(bytes: &[u8]) -> Option<(char, usize)> {
    let length = match bytes.first()? {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let text = std::str::from_utf8(bytes.get(..length)?).ok()?;
    Some((text.chars().next()?, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_ends_a_printable_run_or_does_not_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                let mut bytes = [b'x'; 20];
                bytes[at] = byte;
                let expected = if (0x20..0x7f).contains(&byte) { 20 } else { at };
                assert_eq!(printable(&bytes), expected, "{byte:#x} at {at}");
            }
        }
    }
}
