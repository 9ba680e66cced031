//! Rows that move, and which of them go on with the line above: what soft wrapping makes of one long
//! line has to be told from several lines, for copying, searching and wrapping anew.

use crate::screen::emulator::Emulator;
use crate::screen::modes;

impl Emulator {
    /// Whether a row goes on with the line of the one above, which may be in the scrollback.
    pub(super) fn joined(&self, y: usize) -> bool {
        match y.checked_sub(1) {
            Some(above) => self.page.is_soft(above),
            None => self.hidden.is_none() && self.archive.soft_end(),
        }
    }

    /// Says whether a row goes on with the line of the one above.
    pub(super) fn set_joined(&mut self, y: usize, joined: bool) {
        match y.checked_sub(1) {
            Some(above) => self.page.set_soft(above, joined),
            None if !joined && self.hidden.is_none() => self.archive.break_line(),
            None => {}
        }
    }

    /// One row down; at the bottom margin everything scrolls. `wrapped`: the new row goes on with the
    /// line of the one above.
    pub(super) fn down(&mut self, wrapped: bool) {
        let (top, bottom) = (self.page.top, self.page.bottom);
        let y = self.page.y() + 1;
        if y != bottom {
            self.page.set_y(y);
            return;
        }
        let below = self.joined(bottom);
        if top == 0 && self.hidden.is_none() {
            let (row, reach) = (self.page.row(0), self.page.reach(0));
            self.archive.push(row, reach, self.page.text(0));
            self.page.shift_up(0, 1);
        } else {
            self.shift_up(top, 1);
        }
        self.set_joined(bottom - 1, wrapped);
        self.set_joined(bottom, below);
    }

    /// Moves rows up to the bottom margin; those that leave are gone.
    pub(super) fn shift_up(&mut self, from: usize, count: usize) {
        let bottom = self.page.bottom;
        let count = count.min(bottom.saturating_sub(from));
        if count == 0 {
            return;
        }
        let below = self.joined(bottom);
        let first = from + count < bottom && self.joined(from + count);
        self.page.shift_up(from, count);
        self.set_joined(from, first);
        if from + count < bottom {
            self.set_joined(bottom - count, false);
        }
        self.set_joined(bottom, below);
    }

    /// Moves rows down to the bottom margin; those that leave are gone.
    pub(super) fn shift_down(&mut self, from: usize, count: usize) {
        let bottom = self.page.bottom;
        let count = count.min(bottom.saturating_sub(from));
        if count == 0 {
            return;
        }
        let (first, below) = (self.joined(from), self.joined(bottom));
        self.page.shift_down(from, count);
        self.set_joined(from, false);
        if from + count < bottom {
            self.set_joined(from + count, first);
        }
        self.set_joined(bottom, below);
    }

    pub(super) fn line_feed(&mut self) {
        let y = self.page.y();
        self.down(false);
        if self.page.y() != y {
            self.set_joined(y + 1, false);
        }
        let x = if self.modes.has(modes::NEW_LINE) {
            0
        } else {
            self.page.x()
        };
        self.page.set_x(x);
    }

    pub(super) fn reverse_index(&mut self) {
        self.restrict();
        let y = self.page.y();
        if y == self.page.top {
            self.shift_down(y, 1);
        } else {
            self.page.set_y(y.saturating_sub(1));
        }
    }
}
