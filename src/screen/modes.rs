//! Modes: switches a program turns with `CSI h` and `CSI l`, `ESC =` and `ESC >`.

/// A switch. The table below says what each is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flag(u32);

/// Cursor keys send application sequences (DECCKM).
pub(super) const APP_CURSOR: Flag = Flag(1);
/// Rows are counted from the top margin (DECOM).
pub(super) const ORIGIN: Flag = Flag(1 << 1);
/// Text wraps at the last column (DECAWM).
pub(super) const WRAP: Flag = Flag(1 << 2);
/// The cursor is to be seen (DECTCEM).
pub(super) const CURSOR: Flag = Flag(1 << 3);
/// Backspace goes back over a soft wrap.
pub(super) const REVERSE_WRAP: Flag = Flag(1 << 4);
/// The keypad sends application sequences (DECNKM).
pub(super) const APP_KEYPAD: Flag = Flag(1 << 5);
/// Output between set and reset is shown at once.
pub(super) const SYNCHRONIZED: Flag = Flag(1 << 6);
/// Characters push the rest of the row to the right (IRM).
pub(super) const INSERT: Flag = Flag(1 << 7);
/// A line feed returns the carriage too (LNM).
pub(super) const NEW_LINE: Flag = Flag(1 << 8);
const FOCUS: Flag = Flag(1 << 9);
const PASTE: Flag = Flag(1 << 10);
const BLINK: Flag = Flag(1 << 11);
const REVERSE_VIDEO: Flag = Flag(1 << 12);
const MOUSE_UTF8: Flag = Flag(1 << 13);
const ALTERNATE_SCROLL: Flag = Flag(1 << 14);
const MOUSE_URXVT: Flag = Flag(1 << 15);

const DEFAULT: u32 = WRAP.0 | CURSOR.0;

/// DEC private modes that are plain switches; `true`: every terminal knows it, so that a catch-up sets
/// it in any case (the others only if the program ever touched them).
const PRIVATE: [(u16, Flag, bool); 13] = [
    (1, APP_CURSOR, true),
    (5, REVERSE_VIDEO, false),
    (6, ORIGIN, true),
    (7, WRAP, true),
    (12, BLINK, false),
    (25, CURSOR, true),
    (45, REVERSE_WRAP, true),
    (66, APP_KEYPAD, true),
    (1004, FOCUS, true),
    (1005, MOUSE_UTF8, false),
    (1007, ALTERNATE_SCROLL, false),
    (1015, MOUSE_URXVT, false),
    (2004, PASTE, true),
];

/// All of them.
#[derive(Debug, Clone)]
pub(super) struct Modes {
    on: u32,
    touched: u32,
    /// 0, 9, 1000, 1002 or 1003: one at a time, as in xterm.js.
    mouse: u16,
    /// 0, 1006 or 1016.
    encoding: u16,
}

impl Modes {
    pub(super) fn new() -> Self {
        Self {
            on: DEFAULT,
            touched: 0,
            mouse: 0,
            encoding: 0,
        }
    }

    /// Everything back to what it was at first; what the program ever touched stays known.
    pub(super) fn reset(&mut self) {
        *self = Self {
            touched: self.touched,
            ..Self::new()
        };
    }

    pub(super) fn has(&self, flag: Flag) -> bool {
        self.on & flag.0 != 0
    }

    pub(super) fn set(&mut self, flag: Flag, on: bool) {
        self.touched |= flag.0;
        if on {
            self.on |= flag.0;
        } else {
            self.on &= !flag.0;
        }
    }

    /// Sets or resets a private mode that is only a switch. (Origin, alternate screen and cursor
    /// saving have effects and are the emulator's.)
    pub(super) fn set_private(&mut self, number: u16, on: bool) {
        match number {
            9 | 1000 | 1002 | 1003 => self.mouse = if on { number } else { 0 },
            1006 | 1016 => self.encoding = if on { number } else { 0 },
            2026 => self.set(SYNCHRONIZED, on),
            _ => {
                if let Some((_, flag, _)) = PRIVATE.iter().find(|(n, ..)| *n == number) {
                    self.set(*flag, on);
                }
            }
        }
    }

    /// DECRQM's answer for a private mode: 0 unknown, 1 set, 2 reset, 3 and 4 the same for ever.
    pub(super) fn report_private(&self, number: u16, alternate: bool) -> u8 {
        let state = |on: bool| if on { 1 } else { 2 };
        match number {
            9 | 1000 | 1002 | 1003 => state(self.mouse == number),
            1006 | 1016 => state(self.encoding == number),
            47 | 1047 | 1049 => state(alternate),
            2026 => state(self.has(SYNCHRONIZED)),
            8 => 3,
            // browsers have neither
            67 | 1005 | 1015 => 4,
            1048 => 1,
            5 | 1007 => 0,
            _ => PRIVATE
                .iter()
                .find(|(n, ..)| *n == number)
                .map_or(0, |(_, flag, _)| state(self.has(*flag))),
        }
    }

    /// DECRQM's answer for an ANSI mode.
    pub(super) fn report_ansi(&self, number: u16) -> u8 {
        match number {
            2 => 4,
            4 => {
                if self.has(INSERT) {
                    1
                } else {
                    2
                }
            }
            12 => 3,
            20 => {
                if self.has(NEW_LINE) {
                    1
                } else {
                    2
                }
            }
            _ => 0,
        }
    }

    /// Whether a viewer keeps this mode through its own reset, so that it has to be said in any case:
    /// a blinking cursor is a setting in browsers.
    fn keeps(&self, flag: Flag) -> bool {
        flag == BLINK && self.touched & flag.0 != 0
    }

    /// Sequences that bring a terminal with default modes here, except origin mode, which moves the
    /// cursor and is set before it is placed.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let differing = |want_on: bool| {
            PRIVATE
                .iter()
                .filter(move |(_, flag, _)| {
                    *flag != ORIGIN
                        && self.has(*flag) == want_on
                        && ((DEFAULT & flag.0 != 0) != want_on || self.keeps(*flag))
                })
                .map(|(number, ..)| *number)
        };
        let mouse = [self.mouse, self.encoding].into_iter().filter(|n| *n != 0);
        write_list(out, differing(true).chain(mouse), 'h');
        write_list(out, differing(false), 'l');
        if self.has(INSERT) {
            out.extend_from_slice(b"\x1b[4h");
        }
        if self.has(NEW_LINE) {
            out.extend_from_slice(b"\x1b[20h");
        }
        if self.has(SYNCHRONIZED) {
            out.extend_from_slice(b"\x1b[?2026h");
        }
    }

    /// Sequences that bring a terminal with any modes to the default ones.
    pub(super) fn write_reset(&self, out: &mut Vec<u8>) {
        let known = |on: bool| {
            PRIVATE
                .iter()
                .filter(move |(_, flag, sure)| {
                    (*sure || self.touched & flag.0 != 0) && (DEFAULT & flag.0 != 0) == on
                })
                .map(|(number, ..)| *number)
        };
        let mouse = [9, 1000, 1002, 1003, 1006, 1016];
        write_list(out, known(false).chain(mouse), 'l');
        write_list(out, known(true), 'h');
        out.extend_from_slice(b"\x1b[4;20l\x1b[?2026l");
    }
}

fn write_list(out: &mut Vec<u8>, numbers: impl Iterator<Item = u16>, action: char) {
    let list: Vec<String> = numbers.map(|n| n.to_string()).collect();
    if !list.is_empty() {
        out.extend_from_slice(format!("\x1b[?{}{action}", list.join(";")).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_from_the_default_is_written() {
        let mut modes = Modes::new();
        let mut out = Vec::new();
        modes.write(&mut out);
        assert!(out.is_empty());
        modes.set_private(25, false);
        modes.set_private(1002, true);
        modes.set_private(1006, true);
        modes.set_private(2004, true);
        modes.write(&mut out);
        assert_eq!(out, b"\x1b[?2004;1002;1006h\x1b[?25l");
    }

    #[test]
    fn switching_any_mouse_mode_off_switches_the_mouse_off() {
        let mut modes = Modes::new();
        modes.set_private(1003, true);
        assert_eq!(modes.report_private(1003, false), 1);
        modes.set_private(1000, false);
        assert_eq!(modes.report_private(1003, false), 2);
    }
}
