//! The serializer: the emulator's state as bytes that bring another terminal to it.
//!
//! The order matters. Text is painted while all modes are default; then what moves the cursor
//! (margins, origin mode); then settings; the cursor is placed late, because placing it may have to
//! print a cell again (a pending wrap, a base for combining characters to come), and after that only
//! what neither prints nor moves. A repaint holds nothing that a terminal answers.

use alacritty_terminal::grid::{Cursor, Row};
use alacritty_terminal::index::Column;
use alacritty_terminal::term::cell::{Cell, Flags};

use crate::screen::emulator::Emulator;
use crate::screen::modes;
use crate::screen::page::{Charset, Charsets, Page};
use crate::screen::row::{self, End};
use crate::screen::style::{Pen, put};
use crate::screen::{Painted, RepaintKind};

/// Ends whatever sequence a viewer is inside of, shows its main screen and takes away everything that
/// would change how text is painted.
const CALM: &[u8] = b"\x18\x1b\\\x1b[?1049l\x1b(B\x1b)B\x1b*B\x1b+B\x0f\x1b[m\x1b]8;;\x1b\\\x1b[r";

impl Emulator {
    /// See [`crate::screen::Model::repaint`]; `pending` are the bytes of an unfinished sequence.
    pub(super) fn paint(&self, kind: RepaintKind, pending: &[u8]) -> Painted {
        let mut out = Vec::new();
        let (wanted, most, fresh) = match kind {
            RepaintKind::Full {
                history,
                max_history_bytes,
            } => {
                // a browser's reset leaves its parser, these modes and the cursor as they are
                out.extend_from_slice(b"\x18\x1b[20l\x1b[?25h");
                let held = self.archive.len();
                let wanted = held.min(u64::try_from(history).unwrap_or(u64::MAX));
                (wanted, max_history_bytes, true)
            }
            RepaintKind::CatchUp {
                since,
                max_history_bytes,
            } => {
                out.extend_from_slice(CALM);
                self.modes.write_reset(&mut out);
                let mut since = since;
                self.clear_screen(&mut out, since);
                if let Some(cleared) = self.archive.cleared()
                    && since <= cleared
                {
                    out.extend_from_slice(b"\x1b[3J");
                    since = cleared;
                }
                let wanted = self.archive.end().saturating_sub(since);
                (wanted, max_history_bytes, false)
            }
        };
        self.paint_alternate_saved(&mut out, fresh);
        let painted = self.paint_history(&mut out, wanted, most);
        if let Some(main) = &self.hidden {
            paint_cells(&mut out, main, painted > 0 && self.archive.soft_end());
            finish_hidden(&mut out, main, fresh);
            self.keyboard.write_main(&mut out, fresh);
            out.extend_from_slice(
                b"\x1b[?1049h\x1b[r\x1b(B\x1b)B\x1b*B\x1b+B\x0f\x1b[m\x1b[H\x1b[2J",
            );
            paint_cells(&mut out, &self.page, false);
        } else {
            paint_cells(&mut out, &self.page, painted > 0 && self.archive.soft_end());
        }
        paint_saved_cursor(&mut out, &self.page, fresh);
        paint_tabs(&mut out, &self.page, fresh);
        paint_margins(&mut out, &self.page);
        if self.charsets.current != self.charsets.active() {
            // nothing but restoring a cursor makes them differ, this screen's or the other one's
            write_charsets(&mut out, &self.charsets);
            let other = self.charsets.current != self.page.saved_charset && !self.is_alternate();
            out.extend_from_slice(if other {
                b"\x1b[?47h\x1b8\x1b[?47l\x1b[m"
            } else {
                b"\x1b8\x1b[m"
            });
        }
        self.write_settings(&mut out, fresh);
        self.paint_cursor(&mut out);
        out.extend_from_slice(pending);
        Painted {
            bytes: out,
            skipped: wanted - painted,
        }
    }

    /// The alternate screen keeps its saved cursor while it isn't shown.
    fn paint_alternate_saved(&self, out: &mut Vec<u8>, fresh: bool) {
        let (cursor, charset) = &self.alternate_saved;
        let default = *cursor == Cursor::default() && *charset == Charset::Ascii;
        if self.is_alternate() || fresh && default || default && !self.alternated {
            return;
        }
        out.extend_from_slice(b"\x1b[?47h");
        paint_saved(out, cursor, *charset);
        out.extend_from_slice(b"\x1b[?47l\x1b[H");
    }

    /// Blanks a viewer's screen, whose first row was `first`. If that goes on with the line above,
    /// the only way to leave it so is an erasure up to the cursor.
    fn clear_screen(&self, out: &mut Vec<u8>, first: u64) {
        let above = first.checked_sub(1);
        let joined = if first == self.archive.end() {
            self.archive.soft_end()
        } else {
            above.is_some_and(|row| self.archive.is_soft(row))
        };
        if joined {
            put(
                out,
                format_args!("\x1b[2;1H\x1b[J\x1b[1;{}H\x1b[1K\x1b[H", self.page.cols()),
            );
        } else {
            out.extend_from_slice(b"\x1b[H\x1b[J");
        }
    }

    /// The newest `wanted` rows of the scrollback, as many as `most` bytes hold. Returns how many.
    fn paint_history(&self, out: &mut Vec<u8>, wanted: u64, most: usize) -> u64 {
        let oldest =
            (self.archive.end() - wanted.min(self.archive.end())).max(self.archive.first());
        let mut chunks = Vec::new();
        let mut next = self.archive.end();
        let (mut start, mut bytes) = (next, 0);
        while start > oldest
            && let Some(chunk) = next.checked_sub(1).and_then(|row| self.archive.chunk(row))
        {
            next = chunk.first;
            let rows: Vec<(u64, usize)> = chunk
                .rows()
                .map(|(number, row, _)| (number, row.len() + 2))
                .collect();
            let mut full = false;
            for (number, length) in rows.into_iter().rev() {
                full = number < oldest || bytes + length > most;
                if full {
                    break;
                }
                bytes += length;
                start = number;
            }
            chunks.push(chunk);
            if full {
                break;
            }
        }
        out.reserve(bytes);
        for chunk in chunks.iter().rev() {
            for (number, row, end) in chunk.rows() {
                if number >= start {
                    out.extend_from_slice(row);
                    if !end.is_soft() {
                        out.extend_from_slice(b"\r\n");
                    }
                }
            }
        }
        self.archive.end() - start
    }

    /// A cursor past the last column is brought there by printing that column again. Scrolling can
    /// bring a row under it where that changes something; so that everybody has the same, it changes
    /// here, too.
    pub(super) fn settle_end(&mut self) {
        if !self.page.past_end() {
            return;
        }
        let (x, y) = (self.page.x(), self.page.y());
        // what wrapping a wide character left becomes an ordinary blank
        let last = &mut self.page.row_mut(y)[Column(x)];
        last.flags.remove(Flags::LEADING_WIDE_CHAR_SPACER);
        let c = last.c;
        // a restored character set has to be in force before the cursor is placed
        if self.mapped(c) != c {
            self.charsets.current = self.charsets.active();
        }
    }

    /// Pen, character sets, modes, and the cursor with all it remembers.
    fn paint_cursor(&self, out: &mut Vec<u8>) {
        let page = &self.page;
        let cursor = &page.grid.cursor;
        let origin = self.modes.has(modes::ORIGIN);
        let (x, y) = (page.x(), page.y());
        let mut pen = Pen::default();
        // The cell before the cursor is printed again when the cursor is past the last column, which
        // nothing but printing can do. If it looks like the pen, that is the very last thing, so that
        // what comes next can join it.
        let past_end = page.past_end();
        let again = self.cell_before();
        let joins = self.printed
            && again.is_some_and(|(_, cell)| {
                like_pen(cell, &cursor.template) && self.mapped(cell.c) == cell.c
            });
        let again = again.filter(|_| past_end || joins);
        let at = again.map_or(x, |(from, _)| from);
        if joins && !past_end && self.modes.has(modes::INSERT) {
            // printing it again will push the rest of the row to the right again
            put(
                out,
                format_args!("\x1b[{};{}H\x1b[{}P", y + 1, at + 1, x - at),
            );
        }
        if origin {
            out.extend_from_slice(b"\x1b[?6h");
        }
        if origin && !page.in_region() {
            // Out of reach for cursor movements: it came here from the other screen.
            put(
                out,
                format_args!("\x1b[?47h\x1b[{};{}H\x1b[?47l", y + 1, at + 1),
            );
        } else {
            let top = if origin { page.top } else { 0 };
            put(out, format_args!("\x1b[{};{}H", y + 1 - top, at + 1));
        }
        if let (Some((_, cell)), false) = (again, joins) {
            row::write_cell(out, cell, &mut pen);
            // a control, which means nothing, so that what comes next doesn't join it
            out.push(0);
        }
        pen.take(out, &cursor.template);
        if self.charsets.current == self.charsets.active() {
            write_charsets(out, &self.charsets);
        }
        self.modes.write(out);
        if let (Some((_, cell)), true) = (again, joins) {
            row::write_cell(out, cell, &mut pen);
        }
    }
}

fn like_pen(cell: &Cell, pen: &Cell) -> bool {
    let mut taken = Pen::default();
    taken.take(&mut Vec::new(), pen);
    taken.is_like(cell)
}

/// All rows of a page from the cursor on, which is at the beginning of a row. `soft`: the row above
/// goes on in the first.
fn paint_cells(out: &mut Vec<u8>, page: &Page, mut soft: bool) {
    let last = page.rows() - 1;
    for y in 0..=last {
        let cells = page.row(y);
        let end = if y < last { row::end(cells) } else { End::Hard };
        if end == End::SoftWide && fits_by_itself(cells, page.row(y + 1)) {
            let mut short = cells.clone();
            short.shrink(page.cols() - 1);
            row::write(out, &short, true, soft);
        } else {
            row::write(out, cells, end.is_soft(), soft);
        }
        soft = end.is_soft();
        if y < last && !soft {
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Whether the blank where a wide character didn't fit is what wrapping that character makes anyway.
/// Then it isn't painted, so that the viewer knows it for what it is.
pub(super) fn fits_by_itself(row: &Row<Cell>, next: &Row<Cell>) -> bool {
    let first = &next[Column(0)];
    first.flags.contains(Flags::WIDE_CHAR)
        && next[Column(1)].flags.contains(Flags::WIDE_CHAR_SPACER)
        && row.last().is_some_and(|blank| like_pen(blank, first))
}

/// Of a hidden main screen: its saved cursor is where and as what the terminal is when the
/// alternate screen is switched on, for that saves it.
fn finish_hidden(out: &mut Vec<u8>, page: &Page, fresh: bool) {
    paint_tabs(out, page, fresh);
    paint_margins(out, page);
    place(out, &page.grid.saved_cursor);
    let mut pen = Pen::default();
    pen.take(out, &page.grid.saved_cursor.template);
    write_designation(out, b'(', page.saved_charset);
}

fn paint_saved_cursor(out: &mut Vec<u8>, page: &Page, fresh: bool) {
    let cursor = &page.grid.saved_cursor;
    if !fresh || *cursor != Cursor::default() || page.saved_charset != Charset::Ascii {
        paint_saved(out, cursor, page.saved_charset);
    }
}

fn paint_saved(out: &mut Vec<u8>, cursor: &Cursor<Cell>, charset: Charset) {
    place(out, cursor);
    let mut pen = Pen::default();
    pen.take(out, &cursor.template);
    write_designation(out, b'(', charset);
    out.extend_from_slice(b"\x1b7\x1b(B");
    pen.rest(out);
}

fn place(out: &mut Vec<u8>, cursor: &Cursor<Cell>) {
    let (x, y) = (cursor.point.column.0 + 1, cursor.point.line.0 + 1);
    put(out, format_args!("\x1b[{y};{x}H"));
}

fn paint_tabs(out: &mut Vec<u8>, page: &Page, fresh: bool) {
    if fresh && page.has_default_tabs() {
        return;
    }
    out.extend_from_slice(b"\x1b[3g");
    for (x, _) in page.tabs.iter().enumerate().filter(|(_, stop)| **stop) {
        put(out, format_args!("\x1b[{}G\x1bH", x + 1));
    }
}

fn paint_margins(out: &mut Vec<u8>, page: &Page) {
    if page.top != 0 || page.bottom != page.rows() {
        put(out, format_args!("\x1b[{};{}r", page.top + 1, page.bottom));
    }
}

/// Designates a character set other than ASCII.
fn write_designation(out: &mut Vec<u8>, slot: u8, set: Charset) {
    let set = match set {
        Charset::Ascii => return,
        Charset::Graphics => b'0',
        Charset::British => b'A',
    };
    out.extend_from_slice(&[0x1b, slot, set]);
}

fn write_charsets(out: &mut Vec<u8>, charsets: &Charsets) {
    for (slot, set) in b"()*+".iter().zip(charsets.sets) {
        write_designation(out, *slot, set);
    }
    out.extend_from_slice(match charsets.active {
        0 => b"",
        1 => b"\x0e",
        2 => b"\x1bn",
        _ => b"\x1bo",
    });
}
