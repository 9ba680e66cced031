//! Keyboard protocols a program switched on: kitty's progressive enhancement and xterm's
//! modifyOtherKeys. Only kept, to be handed on to terminals that know them; that there is such a
//! protocol is never claimed (the query stays unanswered), because browsers don't speak it.

use std::mem;

use crate::screen::style::put;

/// Deepest stack of kitty flags kept; the oldest is dropped.
const MAX_DEPTH: usize = 16;
/// The flags there are.
const FLAGS: u8 = 31;

/// One stack for each screen.
#[derive(Debug, Default)]
pub(super) struct Keyboard {
    stack: Vec<u8>,
    /// The main screen's, while the alternate one is to be seen.
    main: Vec<u8>,
    modify_other_keys: u8,
    /// Whether a program ever used one of the protocols.
    touched: bool,
}

impl Keyboard {
    pub(super) fn push(&mut self, flags: u16) {
        self.touched = true;
        if self.stack.len() == MAX_DEPTH {
            self.stack.remove(0);
        }
        self.stack.push(u8::try_from(flags).unwrap_or(0) & FLAGS);
    }

    pub(super) fn pop(&mut self, count: usize) {
        self.touched = true;
        self.stack.truncate(self.stack.len().saturating_sub(count));
    }

    /// `how`: 1 replaces, 2 adds, 3 removes.
    pub(super) fn set(&mut self, flags: u16, how: u16) {
        self.touched = true;
        let flags = u8::try_from(flags).unwrap_or(0) & FLAGS;
        let old = self.stack.pop().unwrap_or(0);
        self.stack.push(match how {
            2 => old | flags,
            3 => old & !flags,
            _ => flags,
        });
    }

    pub(super) fn set_modify_other_keys(&mut self, value: u16) {
        self.touched = true;
        self.modify_other_keys = u8::try_from(value.min(2)).unwrap_or(0);
    }

    /// The alternate screen has its own stack, empty at first.
    pub(super) fn enter_alternate(&mut self) {
        self.main = mem::take(&mut self.stack);
    }

    /// Back to the main screen's stack.
    pub(super) fn leave_alternate(&mut self) {
        self.stack = mem::take(&mut self.main);
    }

    /// What [`Keyboard::write`] writes, for the hidden main screen.
    pub(super) fn write_main(&self, out: &mut Vec<u8>, fresh: bool) {
        self.write_flags(out, &self.main, fresh);
    }

    pub(super) fn reset(&mut self) {
        *self = Self {
            touched: self.touched,
            ..Self::default()
        };
    }

    /// Sequences that bring a terminal here; `fresh`: one that has just been reset.
    pub(super) fn write(&self, out: &mut Vec<u8>, fresh: bool) {
        self.write_flags(out, &self.stack, fresh);
        if self.modify_other_keys != 0 || self.touched && !fresh {
            put(out, format_args!("\x1b[>4;{}m", self.modify_other_keys));
        }
    }

    fn write_flags(&self, out: &mut Vec<u8>, stack: &[u8], fresh: bool) {
        let flags = stack.last().copied().unwrap_or(0);
        if flags != 0 || self.touched && !fresh {
            put(out, format_args!("\x1b[={flags};1u"));
        }
    }
}
