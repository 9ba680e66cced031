//! Main and alternate screen, and the three ways back to sane settings.

use std::mem;

use alacritty_terminal::grid::Cursor;
use alacritty_terminal::term::cell::Cell;

use crate::screen::emulator::Emulator;
use crate::screen::modes;
use crate::screen::page::{Charset, Charsets, Page};

impl Emulator {
    /// Shows the alternate screen, blank.
    pub(super) fn enter_alternate(&mut self) {
        if self.is_alternate() {
            return;
        }
        self.alternated = true;
        let mut page = Page::new(self.size);
        page.grid.cursor = self.page.grid.cursor.clone();
        let rows = page.rows();
        page.erase_rows(0, rows);
        (page.grid.saved_cursor, page.saved_charset) = self.alternate_saved.clone();
        if self.charsets.current != page.saved_charset {
            // Where restoring the main screen's cursor made it differ, a browser would go on with it.
            // No sequence brings another viewer there, so that nobody is.
            self.charsets.current = self.charsets.active();
        }
        self.hidden = Some(Box::new(mem::replace(&mut self.page, page)));
        self.keyboard.enter_alternate();
    }

    /// Shows the main screen again, with the alternate one's cursor and pen.
    pub(super) fn leave_alternate(&mut self) {
        if let Some(main) = self.hidden.take() {
            let alternate = mem::replace(&mut self.page, *main);
            self.page.grid.cursor = alternate.grid.cursor;
            self.alternate_saved = (alternate.grid.saved_cursor, alternate.saved_charset);
            self.keyboard.leave_alternate();
        }
    }

    /// DECSTR.
    pub(super) fn soft_reset(&mut self) {
        self.modes.set(modes::CURSOR, true);
        for (flag, on) in [
            (modes::APP_CURSOR, false),
            (modes::APP_KEYPAD, false),
            (modes::ORIGIN, false),
            (modes::REVERSE_WRAP, false),
            (modes::WRAP, true),
            (modes::INSERT, false),
        ] {
            self.modes.set(flag, on);
        }
        for number in [1004, 2004, 2026] {
            self.modes.set_private(number, false);
        }
        self.deadline = None;
        self.charsets = Charsets::default();
        self.cursor_style = 0;
        self.page.top = 0;
        self.page.bottom = self.page.rows();
        self.page.grid.cursor.template = Cell::default();
        self.page.grid.saved_cursor = Cursor::default();
        self.page.saved_charset = Charset::default();
    }

    /// RIS: everything as at first, scrollback included.
    pub(super) fn reset(&mut self) {
        self.leave_alternate();
        self.page = Page::new(self.size);
        self.archive.clear();
        self.modes.reset();
        self.charsets = Charsets::default();
        self.keyboard.reset();
        self.palette.reset_all();
        self.cursor_style = 0;
        self.deadline = None;
    }

    /// Back to sane modes, margins and character sets; text and scrollback stay.
    pub(super) fn rescue(&mut self) {
        self.leave_alternate();
        self.soft_reset();
        self.modes.reset();
        self.keyboard.reset();
        self.page.tabs = Page::new(self.size).tabs;
        self.page.set_x(self.page.x());
        self.printed = false;
    }
}
