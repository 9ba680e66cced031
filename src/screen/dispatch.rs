//! What each control, escape and control sequence means.

use crate::screen::csi::Csi;
use crate::screen::emulator::Emulator;
use crate::screen::modes;
use crate::screen::page::Charset;
use crate::screen::parser::Sink;
use crate::screen::style;

/// REP repeats a character this often at least, if asked to, and a screenful of times at most.
const LEAST_REPEAT: usize = 4096;

impl Sink for Emulator {
    fn text(&mut self, run: &[u8]) {
        self.print_ascii(run);
    }

    fn character(&mut self, c: char) {
        self.print(c);
    }

    fn control(&mut self, byte: u8) {
        self.printed = false;
        match byte {
            0x07 => self.outbox.bell(),
            0x08 => self.backspace(),
            b'\t' if !self.page.past_end() => self.page.set_x(self.page.next_tab()),
            b'\n' | 0x0b | 0x0c => self.line_feed(),
            b'\r' => self.page.set_x(0),
            0x0e => self.charsets.invoke(1),
            0x0f => self.charsets.invoke(0),
            // ENQ has no answer, on purpose; the others no meaning
            _ => {}
        }
    }

    fn escape(&mut self, intermediates: &[u8], last: u8) {
        self.printed = false;
        match (intermediates, last) {
            ([], b'7') => self.save_cursor(),
            ([], b'8') => self.restore_cursor(),
            ([], b'D') => self.index(),
            ([], b'E') => {
                self.page.set_x(0);
                self.index();
            }
            ([], b'H') => self.page.set_tab(true),
            ([], b'M') => self.reverse_index(),
            ([], b'=') => self.modes.set(modes::APP_KEYPAD, true),
            ([], b'>') => self.modes.set(modes::APP_KEYPAD, false),
            ([], b'c') => self.reset(),
            ([], b'~') => self.charsets.invoke(1),
            ([], b'n' | b'}') => self.charsets.invoke(2),
            ([], b'o' | b'|') => self.charsets.invoke(3),
            ([b'#'], b'8') => self.fill_with_e(),
            ([b'%'], b'@' | b'G') => {
                self.charsets.invoke(0);
                self.charsets.designate(0, Charset::Ascii);
            }
            ([slot @ (b'(' | b')' | b'*' | b'+' | b'-' | b'.')], set) => {
                let slot = match slot {
                    b'(' => 0,
                    b')' | b'-' => 1,
                    b'*' | b'.' => 2,
                    _ => 3,
                };
                let set = match set {
                    b'0' => Charset::Graphics,
                    b'A' => Charset::British,
                    // known to browsers; national sets nobody uses any more count as ASCII
                    b'B' | b'4' | b'C' | b'5' | b'R' | b'Q' | b'K' | b'Y' | b'E' | b'6' | b'Z'
                    | b'H' | b'7' | b'=' => Charset::Ascii,
                    _ => return,
                };
                self.charsets.designate(slot, set);
            }
            _ => {}
        }
    }

    fn csi(&mut self, csi: &Csi) {
        let printed = std::mem::take(&mut self.printed);
        match csi.name() {
            (0, 0, b'm') => style::apply(&mut self.page.grid.cursor.template, csi),
            (0, 0, b'b') if printed => self.repeat(csi.count(0)),
            (0, 0, b'b') => {}
            (0, 0, b'@' | b'K' | b'P' | b'X') | (b'?', 0, b'K') => self.edit_row(csi),
            (0, 0, b'L' | b'M' | b'S' | b'T' | b'J') | (b'?', 0, b'J') => self.edit_screen(csi),
            (0, b' ', b'@' | b'A') | (0, b'\'', b'}' | b'~') => self.edit_columns(csi),
            (0, 0, b'g' | b'r' | b's' | b't' | b'u' | b'h' | b'l' | b'n' | b'c') => {
                self.manage(csi);
            }
            (0, 0, _) => self.travel(csi),
            (b'?', 0, b'h' | b'l') => {
                for group in csi.groups() {
                    self.private_mode(group.first().copied().unwrap_or(0), csi.name().2 == b'h');
                }
            }
            (0, b' ', b'q') => self.cursor_style = csi.raw(0).min(6),
            (0, b'!', b'p') => self.soft_reset(),
            (b'>', 0, b'u') => self.keyboard.push(csi.raw(0)),
            (b'<', 0, b'u') => self.keyboard.pop(csi.count(0)),
            (b'=', 0, b'u') => self.keyboard.set(csi.raw(0), csi.raw(1)),
            (b'>', 0, b'm') if csi.raw(0) == 4 => self.keyboard.set_modify_other_keys(csi.raw(1)),
            _ => self.answer_csi(csi),
        }
    }

    fn osc(&mut self, body: &[u8], bell: bool) {
        self.printed = false;
        self.command(body, bell);
    }

    fn dcs(&mut self, body: &[u8]) {
        self.printed = false;
        self.answer_dcs(body);
    }
}

impl Emulator {
    fn index(&mut self) {
        self.restrict();
        self.down(false);
        self.restrict();
    }

    /// REP. Not as often as anybody asks: a few bytes mustn't buy unbounded time.
    fn repeat(&mut self, count: usize) {
        let Some((_, cell)) = self.cell_before() else {
            return;
        };
        let c = cell.c;
        let marks = cell.zerowidth().unwrap_or_default().to_vec();
        // they are already what their character set made of them
        let charsets = std::mem::take(&mut self.charsets);
        let most = (self.page.cols() * self.page.rows()).max(LEAST_REPEAT);
        for _ in 0..count.min(most) {
            self.print(c);
            for mark in &marks {
                self.print(*mark);
            }
        }
        self.charsets = charsets;
        self.printed = false;
    }

    fn edit_row(&mut self, csi: &Csi) {
        let (_, _, last) = csi.name();
        let count = csi.count(0);
        if last == b'K' {
            let (x, y, cols) = (self.page.erase_x(), self.page.y(), self.page.cols());
            let (from, to) = match csi.raw(0) {
                0 => (x, cols),
                1 => (0, x + 1),
                2 => (0, cols),
                _ => return,
            };
            self.page.erase(y, from, to);
            if from == 0 && csi.raw(0) != 1 {
                self.set_joined(y, false);
            }
            return;
        }
        self.restrict();
        let (x, y) = (self.page.x(), self.page.y());
        match last {
            b'@' => self.page.insert_cells(y, x, count, &self.page.blank()),
            b'P' => self.page.delete_cells(y, x, count),
            _ => self.page.erase(y, x, x.saturating_add(count)),
        }
    }

    fn edit_screen(&mut self, csi: &Csi) {
        let (_, _, last) = csi.name();
        let count = csi.count(0);
        let (y, top) = (self.page.y(), self.page.top);
        match last {
            b'J' => self.erase_display(csi.raw(0)),
            // rows that leave this way don't enter the scrollback, as in xterm.js
            b'S' => self.shift_up(top, count),
            b'T' => {
                let pen = std::mem::take(&mut self.page.grid.cursor.template);
                self.shift_down(top, count);
                self.page.grid.cursor.template = pen;
            }
            _ => {
                self.restrict();
                if self.page.in_region() {
                    if last == b'L' {
                        self.shift_down(y, count);
                    } else {
                        self.shift_up(y, count);
                    }
                    self.page.set_x(0);
                }
            }
        }
    }

    fn erase_display(&mut self, what: u16) {
        let (x, y) = (self.page.erase_x(), self.page.y());
        let (cols, rows) = (self.page.cols(), self.page.rows());
        match what {
            0 => {
                self.page.erase(y, x, cols);
                self.page.erase_rows(y + 1, rows);
                self.page.set_soft(y, false);
                if x == 0 {
                    self.set_joined(y, false);
                }
            }
            1 => {
                self.page.erase(y, 0, x + 1);
                self.page.erase_rows(0, y);
                self.set_joined(0, false);
                self.set_joined(y, false);
                if x + 1 >= cols {
                    self.page.set_soft(y, false);
                }
            }
            2 => {
                self.page.erase_rows(0, rows);
                self.set_joined(0, false);
            }
            3 if !self.is_alternate() => self.archive.clear(),
            _ => {}
        }
    }

    /// SL, SR, DECIC, DECDC: columns of every row between the margins.
    fn edit_columns(&mut self, csi: &Csi) {
        if !self.page.in_region() {
            return;
        }
        let (_, intermediate, last) = csi.name();
        let x = if intermediate == b' ' {
            0
        } else {
            self.page.x()
        };
        for y in self.page.top..self.page.bottom {
            if matches!(last, b'@' | b'~') {
                self.page.delete_cells(y, x, csi.count(0));
            } else {
                let blank = self.page.blank();
                self.page.insert_cells(y, x, csi.count(0), &blank);
            }
            self.set_joined(y, false);
        }
    }

    /// Moves the cursor.
    fn travel(&mut self, csi: &Csi) {
        let (_, _, last) = csi.name();
        let count = csi.count(0);
        let (x, y) = (self.page.x(), self.page.y());
        let (top, bottom) = (self.page.top, self.page.bottom - 1);
        let up = y.saturating_sub(if y >= top { count.min(y - top) } else { count });
        let down = y + if y <= bottom {
            count.min(bottom - y)
        } else {
            count
        };
        match last {
            b'A' => self.step(x, up),
            b'B' => self.step(x, down),
            b'C' | b'a' => self.step(x + count, y),
            b'D' => self.step(x.saturating_sub(count), y),
            b'E' => self.step(0, down),
            b'F' => self.step(0, up),
            b'G' | b'`' => self.place(count - 1, y),
            b'H' | b'f' => self.place(csi.count(1) - 1, count - 1),
            b'd' => self.place(x, count - 1),
            b'e' => self.step(x, y + count),
            b'I' if !self.page.past_end() => {
                for _ in 0..count.min(self.page.cols()) {
                    self.page.set_x(self.page.next_tab());
                }
            }
            b'Z' if !self.page.past_end() => {
                for _ in 0..count.min(self.page.cols()) {
                    self.page.set_x(self.page.previous_tab());
                }
            }
            _ => {}
        }
    }

    fn manage(&mut self, csi: &Csi) {
        let (_, _, last) = csi.name();
        match (last, csi.raw(0)) {
            (b'g', 0) => self.page.set_tab(false),
            (b'g', 3) => self.page.tabs.fill(false),
            (b'r', _) => self.set_margins(csi.count(0), usize::from(csi.raw(1))),
            (b's', _) => self.save_cursor(),
            (b'u', _) => self.restore_cursor(),
            (b't', 22) if matches!(csi.raw(1), 0 | 2) => self.titles.push(),
            (b't', 23) if matches!(csi.raw(1), 0 | 2) => {
                self.outbox.title_changed |= self.titles.pop();
            }
            (b'h' | b'l', _) => {
                for group in csi.groups() {
                    match group.first() {
                        Some(4) => self.modes.set(modes::INSERT, last == b'h'),
                        Some(20) => self.modes.set(modes::NEW_LINE, last == b'h'),
                        _ => {}
                    }
                }
            }
            _ => self.answer_csi(csi),
        }
    }

    fn private_mode(&mut self, number: u16, on: bool) {
        match (number, on) {
            (2, true) => (0..4).for_each(|slot| self.charsets.designate(slot, Charset::Ascii)),
            (6, _) => {
                self.modes.set(modes::ORIGIN, on);
                self.place(0, 0);
            }
            (1048, true) => self.save_cursor(),
            (1048, false) => self.restore_cursor(),
            (1049, true) => {
                self.save_cursor();
                self.enter_alternate();
            }
            (47 | 1047, true) => self.enter_alternate(),
            (47 | 1047 | 1049, false) => {
                self.leave_alternate();
                if number == 1049 {
                    self.restore_cursor();
                }
            }
            (2026, _) => self.set_synchronized(on),
            _ => self.modes.set_private(number, on),
        }
    }
}
