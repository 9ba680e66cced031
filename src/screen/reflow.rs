//! Changing the size: lines are wrapped anew, rows that don't fit go to the scrollback and come back
//! when there is room.
//!
//! The grid's own reflow does the wrapping. It is given a tall grid of the rows that may come back and
//! the screen's, with nothing scrolled off, and what comes out is cut into scrollback and screen
//! here. (Letting the grid keep history instead would allocate a thousand rows at every turn.)

use std::mem;

use alacritty_terminal::Grid;
use alacritty_terminal::grid::{Dimensions, Row};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};

use crate::base::Size;
use crate::screen::archive::Archive;
use crate::screen::emulator::Emulator;
use crate::screen::page::{self, Page};
use crate::screen::parser::Parser;
use crate::screen::row::{self, End};
use crate::screen::style;

/// Most rows taken back from the scrollback at a change of size. Bounds time and memory; a line longer
/// than that is broken where it is reached.
const MOST_ROWS: usize = 4096;

impl Emulator {
    /// Changes the size of both screens.
    pub(super) fn resize(&mut self, size: Size) {
        if size == self.size {
            return;
        }
        self.size = size;
        if let Some(main) = &mut self.hidden {
            fit_alternate(&mut self.page, size);
            refit_main(main, &mut self.archive, size);
        } else {
            refit_main(&mut self.page, &mut self.archive, size);
        }
        let point = &mut self.alternate_saved.0.point;
        point.line = point.line.min(Line(0) + (self.page.rows() - 1));
        point.column = point.column.min(Column(self.page.cols() - 1));
        self.printed = false;
    }
}

/// The alternate screen isn't wrapped anew: a program that uses it repaints.
fn fit_alternate(page: &mut Page, size: Size) {
    let mut new = Page::new(size);
    let shift = (page.y() + 1).saturating_sub(new.rows());
    for y in 0..new.rows().min(page.rows() - shift) {
        let mut row = mem::replace(page.row_mut(y + shift), Row::new(1));
        fit_row(&mut row, new.cols());
        *new.row_mut(y) = row;
    }
    take_cursors(page, &mut new, shift);
    adopt(page, new);
}

fn fit_row(row: &mut Row<Cell>, cols: usize) {
    if row.len() > cols {
        row.shrink(cols);
        page::mend(row, cols, &Cell::default());
    }
    row.grow(cols);
}

fn take_cursors(old: &mut Page, new: &mut Page, shift: usize) {
    let (rows, cols) = (new.rows(), new.cols());
    new.grid.cursor = mem::take(&mut old.grid.cursor);
    new.grid.saved_cursor = mem::take(&mut old.grid.saved_cursor);
    for cursor in [&mut new.grid.cursor, &mut new.grid.saved_cursor] {
        let y = usize::try_from(cursor.point.line.0).unwrap_or(0);
        cursor.point.line = Line(0) + y.saturating_sub(shift).min(rows - 1);
        if cursor.point.column.0 >= cols {
            cursor.point.column = Column(cols - 1);
        }
        if cursor.point.column.0 + 1 < cols {
            cursor.input_needs_wrap = false;
        }
    }
}

fn adopt(page: &mut Page, new: Page) {
    page.grid = new.grid;
    page.refit();
}

fn refit_main(page: &mut Page, archive: &mut Archive, size: Size) {
    let end = archive.end();
    let (old_rows, old_cols) = (page.rows(), page.cols());
    let (rows, cols) = (usize::from(size.rows()), usize::from(size.cols()));
    let was_full = content(page.grid.cursor.point.line, |y| page.row(y), old_rows) == old_rows;

    let back = take_back(archive, (old_rows, old_cols), (rows, cols));
    let lines_above = back.iter().filter(|row| !is_soft(row)).count();
    let mut tall = stack(page, back, old_cols);
    if cols != old_cols {
        let height = tall.screen_lines();
        // room for every row that wrapping adds
        tall.update_history(height * old_cols);
        tall.resize(true, height, cols);
    }

    let above = tall.history_size();
    let total = tall.total_lines();
    let line = |at: usize| Line(0) + at - above;
    let cursor = above + usize::try_from(tall.cursor.point.line.0).unwrap_or(0);
    let full = {
        let row = |at: usize| &tall[line(at)];
        content(Line(0) + cursor, row, total)
    };
    // The screen begins where it did, unless it was full to the last row: then it ends where it did.
    let mut start = if was_full {
        full.saturating_sub(rows)
    } else {
        start_of_line(|at| is_soft(&tall[line(at)]), total, lines_above)
    };
    start = start.max(full.saturating_sub(rows)).min(cursor);
    start = start.max((cursor + 1).saturating_sub(rows));

    for at in 0..start {
        tall[line(at)].grow(cols);
        archive.push(&tall[line(at)], cols, None);
    }
    archive.not_before(end);
    let mut new = Page::new(size);
    for (y, at) in (start..total).take(rows).enumerate() {
        mem::swap(new.row_mut(y), &mut tall[line(at)]);
        fit_row(new.row_mut(y), cols);
    }
    let template = mem::take(&mut page.grid.cursor.template);
    let mut scratch = Page::new(size);
    scratch.grid.cursor = tall.cursor.clone();
    scratch.grid.cursor.point.line = Line(0) + cursor;
    scratch.grid.cursor.template = template;
    scratch.grid.saved_cursor = tall.saved_cursor.clone();
    scratch.grid.saved_cursor.point.line += above;
    take_cursors(&mut scratch, &mut new, start);
    adopt(page, new);
}

fn is_soft(row: &Row<Cell>) -> bool {
    row.last()
        .is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE))
}

/// Rows up to the cursor's or the last that isn't blank, whichever is later.
fn content<'a>(cursor: Line, row: impl Fn(usize) -> &'a Row<Cell>, rows: usize) -> usize {
    let cursor = usize::try_from(cursor.0).unwrap_or(0) + 1;
    let visible = |cell: &Cell| !style::is_blank(cell) || !style::has_default_background(cell);
    (cursor..rows)
        .rev()
        .find(|at| row(*at)[..].iter().any(visible))
        .map_or(cursor, |at| at + 1)
        .min(rows)
}

/// The row at which the line after `lines` whole lines begins.
fn start_of_line(is_soft: impl Fn(usize) -> bool, total: usize, lines: usize) -> usize {
    let mut ended = 0;
    (0..total)
        .find(|at| {
            let here = ended == lines;
            ended += usize::from(!is_soft(*at));
            here
        })
        .unwrap_or(0)
}

/// Takes rows back from the scrollback: enough to fill the new screen, then on to the beginning of
/// their line.
fn take_back(
    archive: &mut Archive,
    (old_rows, old_cols): (usize, usize),
    (rows, cols): (usize, usize),
) -> Vec<Row<Cell>> {
    let wanted = if cols > old_cols {
        rows * cols.div_ceil(old_cols)
    } else {
        rows.saturating_sub(old_rows)
    };
    let wanted = wanted.min(MOST_ROWS);
    let mut taken = Vec::new();
    // to the beginning of a line: one that is partly in the scrollback, broken at another width, and
    // partly on the screen couldn't be painted
    while taken.len() < wanted || archive.soft_end() && (cols != old_cols || !taken.is_empty()) {
        if taken.len() >= MOST_ROWS {
            archive.break_line();
            break;
        }
        let Some(row) = archive.pop() else { break };
        taken.push(row);
    }
    taken.reverse();
    decode(&taken, old_cols)
}

/// Rows of cells from their bytes. One that is wider than the grid (from before an earlier change of
/// size) becomes several.
fn decode(rows: &[(Vec<u8>, End)], cols: usize) -> Vec<Row<Cell>> {
    let mut out = Vec::with_capacity(rows.len());
    if rows.is_empty() {
        return out;
    }
    let wide = usize::from(Size::MAX_COLS);
    let mut scratch = Emulator::new(Size::clamped(Size::MAX_COLS, 2), 0);
    let mut parser = Parser::new();
    for (bytes, end) in rows {
        parser.advance(&mut scratch, bytes);
        let text = scratch.page.erase_x();
        let row = mem::replace(scratch.page.row_mut(0), Row::new(wide));
        scratch.page.set_x(0);
        scratch.page.set_y(0);
        let length = text.max(cols).div_ceil(cols) * cols;
        let cells: Vec<Cell> = row[..]
            .iter()
            .cloned()
            .chain(std::iter::repeat_with(Cell::default))
            .take(length)
            .collect();
        for part in cells.chunks(cols) {
            let mut row = Row::from_vec(part.to_vec(), cols);
            page::mend(&mut row, 0, &Cell::default());
            page::mend(&mut row, cols, &Cell::default());
            row[Column(cols - 1)].flags.insert(Flags::WRAPLINE);
            out.push(row);
        }
        // a line broken at another width than this one's ends here
        let last = out.last_mut().map(|row| &mut row[Column(cols - 1)]);
        if let Some(last) = last {
            match end {
                End::Soft if text.is_multiple_of(cols) && text > 0 => {}
                End::SoftWide if text.is_multiple_of(cols) && text > 0 => {
                    last.flags.insert(Flags::LEADING_WIDE_CHAR_SPACER);
                }
                _ => last.flags.remove(Flags::WRAPLINE),
            }
        }
    }
    out
}

/// The bytes of a row that was written to its last column, as of one that isn't.
pub(super) fn without_blanks(bytes: &[u8], wrapped: bool) -> Vec<u8> {
    let mut scratch = Emulator::new(Size::clamped(Size::MAX_COLS, 2), 0);
    Parser::new().advance(&mut scratch, bytes);
    let text = scratch.page.erase_x().max(1);
    let mut row = mem::replace(scratch.page.row_mut(0), Row::new(1));
    row.shrink(text);
    let mut out = Vec::new();
    row::write(&mut out, &row, false, wrapped);
    out
}

/// A grid of the rows taken back with the screen's below.
fn stack(page: &mut Page, back: Vec<Row<Cell>>, cols: usize) -> Grid<Cell> {
    let (above, rows) = (back.len(), page.rows());
    let mut tall: Grid<Cell> = Grid::new(above + rows, cols, 0);
    for (at, row) in back.into_iter().enumerate() {
        tall[Line(0) + at] = row;
    }
    for y in 0..rows {
        mem::swap(&mut tall[Line(0) + (above + y)], page.row_mut(y));
    }
    tall.cursor = page.grid.cursor.clone();
    tall.cursor.point.line += above;
    tall.saved_cursor = page.grid.saved_cursor.clone();
    tall.saved_cursor.point.line += above;
    tall
}
