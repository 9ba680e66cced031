//! The viewer's emulator, to judge what a person would see in the end.

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::test::TermSize;
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::{Processor, StdSyncHandler};

use crate::{COLS, ROWS};

/// Lines of scrollback it keeps.
const HISTORY: usize = 5000;

/// See the file's head.
pub(crate) struct Emulator {
    term: Term<VoidListener>,
    parser: Processor<StdSyncHandler>,
}

impl Emulator {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let config = Config {
            scrolling_history: HISTORY,
            ..Config::default()
        };
        let size = TermSize::new(usize::from(COLS), usize::from(ROWS));
        Self {
            term: Term::new(config, &size, VoidListener),
            parser: Processor::new(),
        }
    }

    /// Interprets output, after starting from nothing if `reset`.
    pub(crate) fn feed(&mut self, bytes: &[u8], reset: bool) {
        if reset {
            *self = Self::new();
        }
        self.parser.advance(&mut self.term, bytes);
    }

    /// The text of the row the cursor is in.
    pub(crate) fn cursor_row(&self) -> String {
        self.row(self.term.grid().cursor.point.line)
    }

    /// The text of the cursor's row and `count` rows above it, scrollback included.
    pub(crate) fn last_rows(&self, count: usize) -> Vec<String> {
        let cursor = self.term.grid().cursor.point.line.0;
        let top = self.term.grid().topmost_line().0;
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        (top.max(cursor.saturating_sub(count))..=cursor)
            .map(|line| self.row(Line(line)))
            .collect()
    }

    fn row(&self, line: Line) -> String {
        let row = &self.term.grid()[line];
        let spacer = Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER;
        let text: String = (0..usize::from(COLS))
            .map(|column| &row[Column(column)])
            .filter(|cell| !cell.flags.intersects(spacer))
            .map(|cell| cell.c)
            .collect();
        text.trim_end().to_owned()
    }
}
