//! One of a terminal's two screens: cells, cursor, margins and tab stops, and what editing does to
//! them. Scrolling tells the caller which rows leave.

use alacritty_terminal::Grid;
use alacritty_terminal::grid::{Dimensions, Row};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};

use crate::base::Size;
use crate::screen::style;

/// Columns between tab stops, until a program sets its own.
const TAB: usize = 8;

/// Character sets designated as G0 to G3, and which of them is in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Charsets {
    pub(super) sets: [Charset; 4],
    pub(super) active: usize,
    /// The set characters are taken from. Not always the active one: restoring a cursor restores
    /// only this, in browsers.
    pub(super) current: Charset,
}

impl Charsets {
    pub(super) fn designate(&mut self, slot: usize, set: Charset) {
        if let Some(old) = self.sets.get_mut(slot) {
            *old = set;
        }
        if slot == self.active {
            self.current = set;
        }
    }

    pub(super) fn invoke(&mut self, slot: usize) {
        self.active = slot;
        self.current = self.active();
    }

    /// The set designated for the slot in use.
    pub(super) fn active(&self) -> Charset {
        self.sets.get(self.active).copied().unwrap_or_default()
    }
}

/// A character set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Charset {
    /// US ASCII, and whatever isn't known here.
    #[default]
    Ascii,
    /// DEC special graphics: lines and corners for small letters.
    Graphics,
    /// United Kingdom: a pound sign for `#`.
    British,
}

/// See the file's head.
#[derive(Debug)]
pub(super) struct Page {
    /// Cells and cursor. It never keeps history; rows that leave go to the archive.
    pub(super) grid: Grid<Cell>,
    /// First row of the scrolling region.
    pub(super) top: usize,
    /// The row after its last.
    pub(super) bottom: usize,
    /// Whether each column is a tab stop.
    pub(super) tabs: Vec<bool>,
    /// The character set saved with the cursor.
    pub(super) saved_charset: Charset,
    /// What is known about each row without looking at its cells.
    notes: Vec<Note>,
}

/// What makes a row quick to store when it leaves the screen.
#[derive(Debug, Default)]
struct Note {
    /// A column from which on every cell is empty in the default colours. Only ever too large.
    reach: usize,
    /// If `is_text`: the row's characters, all of them ASCII without attributes or colours. The cells
    /// after them are empty in the default colours.
    text: Vec<u8>,
    is_text: bool,
}

impl Note {
    fn empty() -> Self {
        Self {
            is_text: true,
            ..Self::default()
        }
    }

    /// Nothing is known.
    fn unknown(cols: usize) -> Self {
        Self {
            reach: cols,
            ..Self::default()
        }
    }
}

impl Page {
    pub(super) fn new(size: Size) -> Self {
        let (cols, rows) = (usize::from(size.cols()), usize::from(size.rows()));
        Self {
            grid: Grid::new(rows, cols, 0),
            top: 0,
            bottom: rows,
            tabs: (0..cols).map(|col| col % TAB == 0).collect(),
            saved_charset: Charset::default(),
            notes: (0..rows).map(|_| Note::empty()).collect(),
        }
    }

    pub(super) fn cols(&self) -> usize {
        self.grid.columns()
    }

    pub(super) fn rows(&self) -> usize {
        self.grid.screen_lines()
    }

    /// The cursor's row.
    pub(super) fn y(&self) -> usize {
        usize::try_from(self.grid.cursor.point.line.0).unwrap_or(0)
    }

    /// The cursor's column. When the next character wraps, this is still the last one.
    pub(super) fn x(&self) -> usize {
        self.grid.cursor.point.column.0
    }

    /// Whether the cursor is past the last column: the next character wraps.
    pub(super) fn past_end(&self) -> bool {
        self.grid.cursor.input_needs_wrap
    }

    /// The column an erasure starts at, which is past the last one when the cursor is.
    pub(super) fn erase_x(&self) -> usize {
        self.x() + usize::from(self.past_end())
    }

    pub(super) fn set_x(&mut self, x: usize) {
        self.grid.cursor.point.column = Column(x.min(self.cols() - 1));
        self.grid.cursor.input_needs_wrap = false;
    }

    pub(super) fn set_y(&mut self, y: usize) {
        self.grid.cursor.point.line = Line(0) + y.min(self.rows() - 1);
    }

    /// What erased cells become: blank, in the pen's background.
    pub(super) fn blank(&self) -> Cell {
        Cell::from(self.grid.cursor.template.bg)
    }

    pub(super) fn row(&self, y: usize) -> &Row<Cell> {
        &self.grid[Line(0) + y]
    }

    pub(super) fn row_mut(&mut self, y: usize) -> &mut Row<Cell> {
        self.row_before(y, self.cols())
    }

    /// A row of which only columns before `end` are going to be changed.
    pub(super) fn row_before(&mut self, y: usize, end: usize) -> &mut Row<Cell> {
        if let Some(note) = self.notes.get_mut(y) {
            note.reach = end.max(note.reach);
            note.is_text = false;
        }
        &mut self.grid[Line(0) + y]
    }

    /// Writes printable ASCII that fits into a row, if the row is text and the pen leaves it so.
    pub(super) fn write_text(&mut self, y: usize, x: usize, run: &[u8]) -> bool {
        let plain = style::is_plain(&self.grid.cursor.template);
        let Some(note) = self.notes.get_mut(y).filter(|note| plain && note.is_text) else {
            return false;
        };
        let end = x + run.len();
        note.reach = end.max(note.reach);
        if note.text.len() < end {
            note.text.truncate(x);
            note.text.resize(x, b' ');
            note.text.extend_from_slice(run);
        } else if let Some(part) = note.text.get_mut(x..end) {
            part.copy_from_slice(run);
        }
        // all else is in these cells as it has to be
        let row = &mut self.grid[Line(0) + y];
        for (cell, byte) in row[Column(x)..Column(end)].iter_mut().zip(run) {
            cell.c = char::from(*byte);
        }
        true
    }

    /// The row's characters, if it is known to be text without attributes or colours. Blanks may
    /// follow.
    pub(super) fn text(&self, y: usize) -> Option<&[u8]> {
        let note = self.notes.get(y).filter(|note| note.is_text)?;
        Some(&note.text)
    }

    /// A column from which on every cell of a row is empty in the default colours.
    pub(super) fn reach(&self, y: usize) -> usize {
        self.notes.get(y).map_or(self.cols(), |note| note.reach)
    }

    /// Rows have become blank in the pen's background.
    fn blanked(&mut self, from: usize, to: usize) {
        let default = Cell::default().bg == self.grid.cursor.template.bg;
        let reach = if default { 0 } else { self.cols() };
        for note in self.notes.get_mut(from..to).unwrap_or_default() {
            note.reach = reach;
            note.is_text = default;
            note.text.clear();
        }
    }

    /// Whether the cursor's row is between the margins.
    pub(super) fn in_region(&self) -> bool {
        (self.top..self.bottom).contains(&self.y())
    }

    /// Blanks columns `from..to` of a row. Whether it goes on in the next stays.
    pub(super) fn erase(&mut self, y: usize, from: usize, to: usize) {
        let (blank, to, soft) = (self.blank(), to.min(self.cols()), self.is_soft(y));
        if from >= to {
            return;
        }
        let row = self.row_mut(y);
        for cell in &mut row[Column(from)..Column(to)] {
            *cell = blank.clone();
        }
        mend(row, from, &blank);
        mend(row, to, &blank);
        self.set_soft(y, soft);
    }

    /// Blanks whole rows.
    pub(super) fn erase_rows(&mut self, from: usize, to: usize) {
        if from < to {
            self.grid.reset_region(Line(0) + from..Line(0) + to);
            self.blanked(from, to.min(self.rows()));
        }
    }

    /// Whether the row goes on in the next.
    pub(super) fn is_soft(&self, y: usize) -> bool {
        let last = Column(self.cols() - 1);
        self.row(y)[last].flags.contains(Flags::WRAPLINE)
    }

    /// Says whether the row goes on in the next.
    pub(super) fn set_soft(&mut self, y: usize, soft: bool) {
        if self.is_soft(y) != soft {
            let cols = self.cols();
            if let Some(note) = self.notes.get_mut(y) {
                note.reach = cols;
            }
            self.grid[Line(0) + y][Column(cols - 1)]
                .flags
                .set(Flags::WRAPLINE, soft);
        }
    }

    /// Moves `from..bottom margin` up by `count` rows; what leaves at `from` is gone.
    pub(super) fn shift_up(&mut self, from: usize, count: usize) {
        let count = count.min(self.bottom.saturating_sub(from));
        if count > 0 {
            let region = Line(0) + from..Line(0) + self.bottom;
            self.grid.scroll_up(&region, count);
            let bottom = self.bottom;
            if let Some(rows) = self.notes.get_mut(from..bottom) {
                rows.rotate_left(count);
            }
            self.blanked(bottom - count, bottom);
        }
    }

    /// Moves `from..bottom margin` down by `count` rows.
    pub(super) fn shift_down(&mut self, from: usize, count: usize) {
        let count = count.min(self.bottom.saturating_sub(from));
        if count > 0 {
            let region = Line(0) + from..Line(0) + self.bottom;
            self.grid.scroll_down(&region, count);
            let bottom = self.bottom;
            if let Some(rows) = self.notes.get_mut(from..bottom) {
                rows.rotate_right(count);
            }
            self.blanked(from, from + count);
        }
    }

    /// Inserts cells like `fill`, a blank, at a column of a row; what leaves at the end is gone.
    pub(super) fn insert_cells(&mut self, y: usize, x: usize, count: usize, fill: &Cell) {
        let soft = self.is_soft(y);
        let row = self.row_mut(y);
        mend_before_move(row, x, fill);
        if let Some(cells) = row[..].get_mut(x..) {
            let count = count.min(cells.len());
            cells.rotate_right(count);
            cells
                .iter_mut()
                .take(count)
                .for_each(|cell| *cell = fill.clone());
        }
        self.mend_all(y, x, count, soft, fill);
    }

    /// Deletes cells at a column of a row; blanks come in at the end.
    pub(super) fn delete_cells(&mut self, y: usize, x: usize, count: usize) {
        let (blank, soft) = (self.blank(), self.is_soft(y));
        let row = self.row_mut(y);
        mend_before_move(row, x, &blank);
        if let Some(cells) = row[..].get_mut(x..) {
            let count = count.min(cells.len());
            cells.rotate_left(count);
            cells
                .iter_mut()
                .rev()
                .take(count)
                .for_each(|cell| *cell = blank.clone());
        }
        self.mend_all(y, x, count, soft, &blank);
    }

    fn mend_all(&mut self, y: usize, x: usize, count: usize, soft: bool, fill: &Cell) {
        let cols = self.cols();
        let row = self.row_mut(y);
        mend(row, x, fill);
        mend(row, (x + count).min(cols), fill);
        mend(row, cols, fill);
        // the wrap flag belongs to the last column, not to the cell that was there
        for cell in &mut row[..] {
            cell.flags
                .remove(Flags::WRAPLINE | Flags::LEADING_WIDE_CHAR_SPACER);
        }
        row[Column(cols - 1)].flags.set(Flags::WRAPLINE, soft);
    }

    /// The next tab stop after the cursor, or the last column.
    pub(super) fn next_tab(&self) -> usize {
        let after = self.x() + 1;
        self.tabs
            .iter()
            .skip(after)
            .position(|stop| *stop)
            .map_or(self.cols() - 1, |more| after + more)
    }

    /// The tab stop before the cursor, or the first column.
    pub(super) fn previous_tab(&self) -> usize {
        self.tabs
            .iter()
            .take(self.x())
            .rposition(|stop| *stop)
            .unwrap_or(0)
    }

    /// Sets or clears a tab stop at the cursor.
    pub(super) fn set_tab(&mut self, on: bool) {
        let x = self.erase_x();
        if let Some(stop) = self.tabs.get_mut(x) {
            *stop = on;
        }
    }

    /// Whether the tab stops are the first ones.
    pub(super) fn has_default_tabs(&self) -> bool {
        self.tabs
            .iter()
            .enumerate()
            .all(|(col, stop)| *stop == (col % TAB == 0))
    }

    /// Fits margins and tab stops to a new size of the grid.
    pub(super) fn refit(&mut self) {
        self.top = 0;
        self.bottom = self.rows();
        let cols = self.cols();
        self.notes = (0..self.rows()).map(|_| Note::unknown(cols)).collect();
        let (old, cols) = (self.tabs.len(), self.cols());
        self.tabs.resize(cols, false);
        for (col, stop) in self.tabs.iter_mut().enumerate().skip(old) {
            *stop = col % TAB == 0;
        }
    }
}

/// Makes sure that no half of a wide character is left on either side of a column boundary; `fill` is
/// what takes its place.
pub(super) fn mend(row: &mut Row<Cell>, at: usize, fill: &Cell) {
    let has = |at: Option<usize>, flag| {
        at.and_then(|at| row[..].get(at))
            .is_some_and(|cell: &Cell| cell.flags.contains(flag))
    };
    let left = has(at.checked_sub(1), Flags::WIDE_CHAR);
    let right = has(Some(at), Flags::WIDE_CHAR_SPACER);
    if left && !right {
        blank(&mut row[Column(at - 1)], fill);
    } else if right && !left {
        blank(&mut row[Column(at)], fill);
    }
}

fn blank(cell: &mut Cell, fill: &Cell) {
    let soft = cell.flags & Flags::WRAPLINE;
    cell.clone_from(fill);
    cell.c = ' ';
    cell.flags |= soft;
}

/// Before cells from a column on move: a wide character across it is lost.
fn mend_before_move(row: &mut Row<Cell>, at: usize, fill: &Cell) {
    let across = row[..]
        .get(at)
        .is_some_and(|cell| cell.flags.contains(Flags::WIDE_CHAR_SPACER));
    if across {
        blank(&mut row[Column(at)], fill);
        mend(row, at, fill);
    }
}
