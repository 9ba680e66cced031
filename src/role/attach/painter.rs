//! What is waiting to be written to this terminal, and how far it has been.

use std::collections::VecDeque;

use rustix::io::Errno;

use crate::role::attach::own_terminal::OwnTerminal;
use crate::role::exit::Failure;
use crate::role::output::doing;
use crate::screen::QueryFilter;

/// Bytes written at once: small enough that a key typed meanwhile is looked at soon.
const WRITE: usize = 4096;

/// Brings any terminal to a known state without clearing its scrollback (as RIS would): end of any
/// string, soft reset (DECSTR), main screen, mouse, focus and paste modes off, whole-screen margins,
/// ASCII, no attributes, cursor shown.
const KNOWN_STATE: &str = "\x18\x1b[!p\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[4l\x1b[20l\x1b[?6l\x1b[?7h\x1b[r\x1b(B\x1b)B\x0f\x1b[m\x1b[?25h\x1b[0 q";

/// The queue. Bounded by the keeper's window: nothing is read while anything waits here.
pub(super) struct Painter {
    waiting: VecDeque<u8>,
    filter: QueryFilter,
    /// The `seq` to acknowledge when everything waiting is written.
    seq: Option<u64>,
    painted: bool,
}

impl Painter {
    pub(super) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            filter: QueryFilter::new(),
            seq: None,
            painted: false,
        }
    }

    pub(super) fn output(&mut self, seq: u64, bytes: &[u8]) {
        let mut kept = Vec::with_capacity(bytes.len());
        self.filter.filter(bytes, &mut kept);
        self.waiting.extend(kept);
        self.seq = Some(seq);
    }

    pub(super) fn repaint(&mut self, seq: u64, bytes: &[u8]) {
        // A repaint may come in the middle of a sequence: the filter starts anew with it.
        self.filter = QueryFilter::new();
        self.waiting.extend(KNOWN_STATE.as_bytes());
        if !std::mem::replace(&mut self.painted, true) {
            // The first one: push what was on this terminal's screen into its scrollback.
            self.waiting.extend("\x1b[999;1H".as_bytes());
            self.waiting.extend(std::iter::repeat_n(b'\n', 200));
        }
        self.waiting.extend("\x1b[H\x1b[J".as_bytes());
        self.output(seq, bytes);
    }

    pub(super) fn notice(&mut self, text: &str) {
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        // Above the cursor line's screen there is no place that is surely free: show it as the title.
        self.waiting
            .extend(format!("\x1b]2;gatepost: {text}\x1b\\").into_bytes());
    }

    /// Shows what a person says at the top, whatever is there: the repaint asked for afterwards brings
    /// it back.
    pub(super) fn message(&mut self, lines: &[String], columns: usize) {
        self.waiting.extend(KNOWN_STATE.as_bytes());
        self.waiting.extend(b"\x1b[H\x07");
        for line in lines {
            let line: String = line
                .chars()
                .filter(|c| !c.is_control())
                .take(columns)
                .collect();
            let line = format!("\x1b[7m{line:columns$}\x1b[m\r\n");
            self.waiting.extend(line.into_bytes());
        }
        self.painted = true;
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Writes a piece; gives the `seq` to acknowledge once all is written.
    pub(super) fn write_some(&mut self, own: &OwnTerminal) -> Result<Option<u64>, Failure> {
        let (front, _) = self.waiting.as_slices();
        let piece = front.get(..front.len().min(WRITE)).unwrap_or_default();
        match rustix::io::write(own.output(), piece) {
            Ok(count) => {
                self.waiting.drain(..count);
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => return Err(doing("writing to this terminal")(error.into())),
        }
        Ok(if self.waiting.is_empty() {
            self.seq.take()
        } else {
            None
        })
    }

    /// Bytes that leave this terminal usable, below what was last painted.
    pub(super) fn goodbye(&self) -> Vec<u8> {
        if self.painted {
            format!("{KNOWN_STATE}\x1b[999;1H\r\n").into_bytes()
        } else {
            Vec::new()
        }
    }
}
