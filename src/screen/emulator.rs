//! What a program's output does to the terminal's state: printing, wrapping, scrolling, the two
//! screens. The semantics are xterm.js's wherever terminals differ, because browsers show the same
//! bytes live and have to agree with the model about every cell.

use std::time::{Duration, Instant};

use alacritty_terminal::grid::Cursor;
use alacritty_terminal::index::Column;
use alacritty_terminal::term::cell::{Cell, Flags};

use crate::base::Size;
use crate::screen::archive::Archive;
use crate::screen::keyboard::Keyboard;
use crate::screen::modes::{self, Modes};
use crate::screen::outbox::Outbox;
use crate::screen::page::{self, Charset, Charsets, Page};
use crate::screen::palette::Palette;
use crate::screen::titles::Titles;
use crate::screen::width::width;

/// Most combining characters kept in a cell: "Zalgo" text has no more, and each costs memory.
pub(super) const MAX_COMBINING: usize = 16;
/// A synchronized update that isn't ended ends by itself, as in other terminals.
const SYNCHRONIZED_FOR: Duration = Duration::from_millis(150);

/// Everything there is to know about a terminal's screen.
pub(super) struct Emulator {
    pub(super) size: Size,
    /// The screen to be seen.
    pub(super) page: Page,
    /// The main screen, while the alternate one is to be seen.
    pub(super) hidden: Option<Box<Page>>,
    /// The cursor and character set the alternate screen had saved when it was left.
    pub(super) alternate_saved: (Cursor<Cell>, Charset),
    /// Whether the alternate screen was ever shown.
    pub(super) alternated: bool,
    pub(super) archive: Archive,
    pub(super) modes: Modes,
    pub(super) charsets: Charsets,
    pub(super) keyboard: Keyboard,
    pub(super) palette: Palette,
    pub(super) titles: Titles,
    /// What DECSCUSR asked for, 0 to 6.
    pub(super) cursor_style: u16,
    /// Whether the last thing that happened was printing: then a combining character joins the cell
    /// before the cursor, and REP repeats it.
    pub(super) printed: bool,
    pub(super) outbox: Outbox,
    pub(super) deadline: Option<Instant>,
}

impl Emulator {
    pub(super) fn new(size: Size, scrollback: u32) -> Self {
        Self {
            size,
            page: Page::new(size),
            hidden: None,
            alternate_saved: Default::default(),
            alternated: false,
            archive: Archive::new(scrollback),
            modes: Modes::new(),
            charsets: Charsets::default(),
            keyboard: Keyboard::default(),
            palette: Palette::default(),
            titles: Titles::default(),
            cursor_style: 0,
            printed: false,
            outbox: Outbox::default(),
            deadline: None,
        }
    }

    /// Whether the alternate screen is to be seen.
    pub(super) fn is_alternate(&self) -> bool {
        self.hidden.is_some()
    }

    /// Prints printable ASCII.
    pub(super) fn print_ascii(&mut self, run: &[u8]) {
        let simple = self.charsets.current == Charset::Ascii && !self.modes.has(modes::INSERT);
        let mut rest = run;
        while let Some(&first) = rest.first() {
            let done = if simple && !self.page.past_end() {
                self.print_in_row(rest)
            } else {
                0
            };
            if done == 0 {
                self.print(char::from(first));
                rest = rest.get(1..).unwrap_or_default();
            } else {
                rest = rest.get(done..).unwrap_or_default();
            }
        }
        self.printed = true;
    }

    /// Prints as much as fits the row in one go; 0 if there is something to be careful about.
    fn print_in_row(&mut self, run: &[u8]) -> usize {
        let (x, y, cols) = (self.page.x(), self.page.y(), self.page.cols());
        let count = run.len().min(cols - x);
        let run = run.get(..count).unwrap_or_default();
        if self.page.write_text(y, x, run) {
            self.advance(x + count);
            return count;
        }
        let pen = self.page.grid.cursor.template.clone();
        let row = self.page.row_before(y, x + count);
        let cells = &mut row[Column(x)..Column(x + count)];
        let careful = Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER;
        if cells.iter().any(|cell| cell.flags.intersects(careful)) {
            return 0;
        }
        // whether the line goes on below doesn't change by writing over its last cell
        let wrapped = cells.last().map_or(Flags::empty(), |cell| cell.flags) & Flags::WRAPLINE;
        for (cell, byte) in cells.iter_mut().zip(run) {
            cell.c = char::from(*byte);
            cell.fg = pen.fg;
            cell.bg = pen.bg;
            cell.flags = pen.flags;
            if cell.extra.is_some() || pen.extra.is_some() {
                cell.extra.clone_from(&pen.extra);
            }
        }
        if let Some(last) = cells.last_mut() {
            last.flags |= wrapped;
        }
        self.advance(x + count);
        count
    }

    fn advance(&mut self, x: usize) {
        let cols = self.page.cols();
        self.page.set_x(x);
        self.page.grid.cursor.input_needs_wrap = x >= cols;
    }

    /// Prints one character.
    pub(super) fn print(&mut self, c: char) {
        let c = self.mapped(c);
        let alone = width(c);
        if alone == 0 && (self.combine(c) || self.page.past_end()) {
            return;
        }
        if alone == 1 && self.print_narrow(c) {
            return;
        }
        let (width, cols) = (alone.max(1), self.page.cols());
        if self.page.past_end() || self.page.x() + width > cols {
            if self.modes.has(modes::WRAP) {
                self.wrap();
            } else {
                self.page.set_x(cols - 1);
                if width == 2 {
                    self.printed = true;
                    return;
                }
            }
        }
        let (x, y) = (self.page.x(), self.page.y());
        if self.modes.has(modes::INSERT) {
            // halves of wide characters that this leaves get the whole pen, not only its background
            let pen = self.page.grid.cursor.template.clone();
            self.page.insert_cells(y, x, width, &pen);
        }
        let pen = self.page.grid.cursor.template.clone();
        let mut cell = pen.clone();
        cell.c = c;
        // one more column: half of a wide character there may have to be mended
        let row = self.page.row_before(y, cols.min(x + width + 1));
        if x + width == cols {
            // whether the line goes on below doesn't change by writing over its last cell
            cell.flags |= row[Column(cols - 1)].flags & Flags::WRAPLINE;
        }
        if width == 2 {
            let mut spacer = cell.clone();
            spacer.c = ' ';
            spacer.flags.insert(Flags::WIDE_CHAR_SPACER);
            row[Column(x + 1)] = spacer;
            cell.flags.remove(Flags::WRAPLINE);
            cell.flags.insert(Flags::WIDE_CHAR);
        } else if alone == 0 {
            // nothing to join: it takes a cell of its own
            cell.c = ' ';
            cell.push_zerowidth(c);
        }
        row[Column(x)] = cell;
        page::mend(row, x, &pen);
        page::mend(row, x + width, &pen);
        self.advance(x + width);
        // what had nothing to join is nothing to join either
        self.printed = alone > 0;
    }

    /// Prints a character that takes one column where nothing else changes by it; `false` if there is
    /// something to be careful about.
    fn print_narrow(&mut self, c: char) -> bool {
        let (x, y) = (self.page.x(), self.page.y());
        let pen = &self.page.grid.cursor.template;
        let (fg, bg, flags) = (pen.fg, pen.bg, pen.flags);
        if pen.extra.is_some()
            || self.page.past_end()
            || x + 1 >= self.page.cols()
            || self.modes.has(modes::INSERT)
        {
            return false;
        }
        let cell = &mut self.page.row_before(y, x + 1)[Column(x)];
        let careful = Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER;
        if cell.flags.intersects(careful) || cell.extra.is_some() {
            return false;
        }
        cell.c = c;
        cell.fg = fg;
        cell.bg = bg;
        cell.flags = flags;
        self.advance(x + 1);
        self.printed = true;
        true
    }

    /// What a character is in the character set in use.
    pub(super) fn mapped(&self, c: char) -> char {
        match self.charsets.current {
            Charset::Graphics => graphics(c),
            Charset::British if c == '#' => '£',
            _ => c,
        }
    }

    /// Adds a character of no width to the one printed just before.
    fn combine(&mut self, c: char) -> bool {
        let (mut x, y) = (self.page.x(), self.page.y());
        if !self.printed || x == 0 && !self.page.past_end() {
            return false;
        }
        if !self.page.past_end() {
            x -= 1;
        }
        let row = self.page.row_mut(y);
        if row[Column(x)].flags.contains(Flags::WIDE_CHAR_SPACER) {
            x = x.saturating_sub(1);
        }
        let cell = &mut row[Column(x)];
        if cell.zerowidth().map_or(0, <[char]>::len) < MAX_COMBINING {
            cell.push_zerowidth(c);
        }
        true
    }

    fn wrap(&mut self) {
        let (y, last) = (self.page.y(), self.page.cols() - 1);
        if !self.page.past_end() {
            // a wide character that doesn't fit leaves the last column empty
            let pen = self.page.grid.cursor.template.clone();
            let mut empty = pen.clone();
            empty.flags.insert(Flags::LEADING_WIDE_CHAR_SPACER);
            let row = self.page.row_mut(y);
            row[Column(last)] = empty;
            page::mend(row, last, &pen);
        }
        self.down(true);
        self.set_joined(self.page.y(), true);
        self.page.set_x(0);
    }

    pub(super) fn backspace(&mut self) {
        let reverse = self.modes.has(modes::REVERSE_WRAP);
        let (x, y) = (self.page.erase_x(), self.page.y());
        if !reverse {
            self.restrict();
            self.page.set_x(self.page.x().saturating_sub(1));
        } else if x > 0 {
            self.page.set_x(x - 1);
        } else if y > self.page.top && y < self.page.bottom {
            let last = Column(self.page.cols() - 1);
            let flags = self.page.row(y - 1)[last].flags;
            if flags.contains(Flags::WRAPLINE) {
                self.set_joined(y, false);
                self.page.set_y(y - 1);
                let leading = flags.contains(Flags::LEADING_WIDE_CHAR_SPACER);
                self.page.set_x(last.0 - usize::from(leading));
            }
        }
    }

    /// The cell before the cursor, and its column.
    pub(super) fn cell_before(&self) -> Option<(usize, &Cell)> {
        let cells = &self.page.row(self.page.y())[..];
        let mut at = self.page.erase_x().checked_sub(1)?;
        if cells.get(at)?.flags.contains(Flags::WIDE_CHAR_SPACER) {
            at = at.checked_sub(1)?;
        }
        Some((at, cells.get(at)?))
    }

    /// Takes the cursor back from past the last column, and between the margins in origin mode.
    pub(super) fn restrict(&mut self) {
        self.page.set_x(self.page.x());
        if self.modes.has(modes::ORIGIN) {
            let (top, bottom) = (self.page.top, self.page.bottom);
            self.page.set_y(self.page.y().clamp(top, bottom - 1));
        }
    }

    /// Moves the cursor; in origin mode `y` counts from the top margin.
    pub(super) fn place(&mut self, x: usize, y: usize) {
        let top = if self.modes.has(modes::ORIGIN) {
            self.page.top
        } else {
            0
        };
        self.page.set_x(x);
        self.page.set_y(y.saturating_add(top));
        self.restrict();
    }

    /// Moves the cursor from where it is. (In origin mode xterm.js adds the top margin again; a
    /// browser has to be agreed with.)
    pub(super) fn step(&mut self, x: usize, y: usize) {
        self.restrict();
        self.place(x, y);
    }

    pub(super) fn save_cursor(&mut self) {
        let mut cursor = self.page.grid.cursor.clone();
        // not part of what is saved: the link, and being past the last column
        cursor.template.set_hyperlink(None);
        cursor.input_needs_wrap = false;
        self.page.grid.saved_cursor = cursor;
        self.page.saved_charset = self.charsets.current;
    }

    pub(super) fn restore_cursor(&mut self) {
        let link = self.page.grid.cursor.template.hyperlink();
        self.page.grid.cursor = self.page.grid.saved_cursor.clone();
        self.page.grid.cursor.template.set_hyperlink(link);
        self.charsets.current = self.page.saved_charset;
        self.page.set_y(self.page.y());
        self.restrict();
    }

    pub(super) fn set_margins(&mut self, top: usize, bottom: usize) {
        let rows = self.page.rows();
        let bottom = if bottom == 0 { rows } else { bottom.min(rows) };
        if top < bottom {
            self.page.top = top - 1;
            self.page.bottom = bottom;
            self.place(0, 0);
        }
    }

    /// DECALN.
    pub(super) fn fill_with_e(&mut self) {
        self.place(0, 0);
        let pen = &self.page.grid.cursor.template;
        let cell = Cell {
            c: 'E',
            fg: pen.fg,
            bg: pen.bg,
            flags: pen.flags,
            extra: None,
        };
        for y in self.page.y()..self.page.rows() {
            for each in &mut self.page.row_mut(y)[..] {
                *each = cell.clone();
            }
        }
        self.set_joined(0, false);
        self.place(0, 0);
    }

    pub(super) fn set_synchronized(&mut self, on: bool) {
        self.modes.set(modes::SYNCHRONIZED, on);
        self.deadline = on.then(|| Instant::now() + SYNCHRONIZED_FOR);
    }
}

/// DEC special graphics.
fn graphics(c: char) -> char {
    const GRAPHICS: [char; 32] = [
        ' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻',
        '─', '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
    ];
    match c {
        '`'..='~' => u32::from(c)
            .checked_sub(0x5f)
            .and_then(|at| GRAPHICS.get(usize::try_from(at).ok()?))
            .copied()
            .unwrap_or(c),
        _ => c,
    }
}
