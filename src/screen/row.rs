//! One row of cells as bytes that paint it, and back.
//!
//! A row's bytes start and end without attributes or link, and hold no control but escape sequences,
//! so that rows can be stored, cut and put together anywhere.

use alacritty_terminal::grid::Row;
use alacritty_terminal::term::cell::{Cell, Flags};

use crate::screen::style::{self, Pen};

/// How a row ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// A new line follows.
    Hard,
    /// The next row goes on with the same line.
    Soft,
    /// The same, but the last cell is a blank because a wide character didn't fit.
    SoftWide,
}

impl End {
    /// Whether the next row goes on with the same line.
    pub(super) fn is_soft(self) -> bool {
        self != Self::Hard
    }
}

/// How this row ends.
pub(super) fn end(row: &Row<Cell>) -> End {
    match row.last().map(|cell| cell.flags) {
        Some(flags) if !flags.contains(Flags::WRAPLINE) => End::Hard,
        Some(flags) if flags.contains(Flags::LEADING_WIDE_CHAR_SPACER) => End::SoftWide,
        Some(_) => End::Soft,
        None => End::Hard,
    }
}

/// Appends a row, without anything that ends it. `whole`: up to the last column, not only up to the
/// last visible cell. `wrapped`: the terminal comes from the row above by wrapping, so that something
/// has to be printed to make it.
pub(super) fn write(out: &mut Vec<u8>, row: &Row<Cell>, whole: bool, wrapped: bool) {
    write_up_to(out, row, row.len(), whole, wrapped);
}

/// The same for a row whose cells are empty in the default colours from column `reach` on.
pub(super) fn write_up_to(
    out: &mut Vec<u8>,
    row: &Row<Cell>,
    reach: usize,
    whole: bool,
    wrapped: bool,
) {
    let cells: &[Cell] = &row[..];
    let Some(tail) = cells.last() else {
        return;
    };
    let text = if whole {
        cells.len()
    } else {
        let maybe = without_empty_tail(cells.get(..reach).unwrap_or(cells));
        maybe
            .iter()
            .rposition(|cell| !style::is_blank(cell) || cell.bg != tail.bg)
            .map_or(0, |last| last + 1)
            .max(usize::from(wrapped))
    };
    let mut pen = Pen::default();
    let cells = cells.get(..text).unwrap_or_default();
    out.reserve(text);
    let rest = write_plain(out, cells);
    let mut after_wide = false;
    for (at, cell) in rest.iter().enumerate() {
        if pen.goes_on(cell) {
            push(out, cell.c);
            after_wide = false;
            continue;
        }
        let next = rest.get(at + 1).map_or(Flags::empty(), |next| next.flags);
        if after_wide && cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
            after_wide = false;
        } else if cell.flags.contains(Flags::WIDE_CHAR) && !next.contains(Flags::WIDE_CHAR_SPACER) {
            // half a character can't be painted
            write_cell(
                out,
                &Cell {
                    c: ' ',
                    ..cell.clone()
                },
                &mut pen,
            );
        } else {
            after_wide = cell.flags.contains(Flags::WIDE_CHAR);
            write_cell(out, cell, &mut pen);
        }
    }
    // wrapping may have scrolled a new row in, in the background of the row's first cell
    let scrolled_in = wrapped && cells.first().is_some_and(|cell| cell.bg != tail.bg);
    if text < row.len() && (scrolled_in || !style::has_default_background(tail)) {
        pen.fill(out, tail);
    }
    if !pen.is_plain() {
        pen.rest(out);
    }
}

/// The same for a row that is this text, ASCII without attributes or colours, and then empty up to
/// column `cols`.
pub(super) fn write_text(out: &mut Vec<u8>, text: &[u8], cols: usize, whole: bool, wrapped: bool) {
    let end = text.iter().rposition(|byte| *byte != b' ');
    let end = end.map_or(0, |last| last + 1);
    out.extend_from_slice(text.get(..end).unwrap_or(text));
    let wanted = if whole { cols } else { usize::from(wrapped) };
    out.extend(std::iter::repeat_n(b' ', wanted.saturating_sub(end)));
}

/// The cells up to the last that isn't empty, give or take seven. Eight at a time and without
/// branches between them: every line that scrolls off comes through here.
fn without_empty_tail(cells: &[Cell]) -> &[Cell] {
    let mut end = cells.len();
    for eight in cells.rchunks_exact(8) {
        if !eight
            .iter()
            .fold(true, |all, cell| all & style::is_empty(cell))
        {
            break;
        }
        end -= 8;
    }
    if end == cells.len() {
        cells
    } else {
        cells.get(..end).unwrap_or_default()
    }
}

/// Appends the characters of the cells that are plain; returns the rest, which begins with one that
/// isn't.
fn write_plain<'a>(out: &mut Vec<u8>, cells: &'a [Cell]) -> &'a [Cell] {
    let (eights, _) = cells.as_chunks::<8>();
    let mut done = 0;
    for eight in eights {
        if !eight
            .iter()
            .fold(true, |all, cell| all & style::is_plain_ascii(cell))
        {
            break;
        }
        out.extend_from_slice(&eight.each_ref().map(|cell| {
            let [byte, ..] = u32::from(cell.c).to_le_bytes();
            byte
        }));
        done += 8;
    }
    let rest = cells.get(done..).unwrap_or_default();
    let plain = rest
        .iter()
        .position(|cell| !style::is_plain(cell))
        .unwrap_or(rest.len());
    let (plain, rest) = rest.split_at_checked(plain).unwrap_or_default();
    for cell in plain {
        push(out, cell.c);
    }
    rest
}

/// Appends one cell's character in its attributes.
pub(super) fn write_cell(out: &mut Vec<u8>, cell: &Cell, pen: &mut Pen) {
    pen.take(out, cell);
    push(out, cell.c);
    for &c in cell.zerowidth().unwrap_or_default() {
        push(out, c);
    }
}

#[inline]
fn push(out: &mut Vec<u8>, c: char) {
    if let Ok(byte @ 0..0x80) = u8::try_from(u32::from(c)) {
        out.push(byte);
    } else {
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// The text of a row's bytes, without a blank that only stands where a wide character didn't fit.
pub(super) fn text(bytes: &[u8], end: End) -> String {
    let mut text = plain(bytes);
    if end == End::SoftWide && text.ends_with(' ') {
        text.pop();
    }
    text
}

/// The characters in a row's bytes.
fn plain(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(0x1b, rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        let sequence = rest.get(at + 1..).unwrap_or_default();
        let length = if sequence.first() == Some(&b']') {
            memchr::memmem::find(sequence, b"\x1b\\").map(|end| end + 2)
        } else {
            sequence
                .iter()
                .skip(1)
                .position(|b| (0x40..0x7f).contains(b))
                .map(|last| last + 2)
        };
        rest = length
            .and_then(|length| sequence.get(length..))
            .unwrap_or_default();
    }
    out.extend_from_slice(rest);
    String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}
