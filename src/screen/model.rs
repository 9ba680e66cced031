//! The one implementation of [`Model`], on alacritty_terminal's grid.

use std::time::Instant;

use crate::base::{Match, Size};
use crate::screen::emulator::Emulator;
use crate::screen::parser::Parser;
use crate::screen::{Model, Painted, RepaintKind, ScreenEvent, Search};

/// Grid, cells and reflow are alacritty_terminal's; parsing, the emulator's rules (xterm.js's), the
/// compressed scrollback and the serializer are ours.
pub struct AlacrittyModel {
    emulator: Emulator,
    parser: Parser,
}

impl AlacrittyModel {
    /// A blank screen of this size that keeps this many lines of scrollback.
    pub fn new(size: Size, scrollback: u32) -> Self {
        Self {
            emulator: Emulator::new(size, scrollback),
            parser: Parser::new(),
        }
    }

    /// Memory the scrollback takes, in bytes.
    pub fn scrollback_bytes(&self) -> usize {
        self.emulator.archive.bytes()
    }
}

impl Model for AlacrittyModel {
    fn feed(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.emulator, bytes);
    }

    fn tidy(&mut self) -> bool {
        self.emulator.archive.pack()
    }

    fn next_event(&mut self) -> Option<ScreenEvent> {
        let title = self.emulator.titles.current();
        self.emulator.outbox.next(title)
    }

    fn synchronized_update_deadline(&self) -> Option<Instant> {
        self.emulator.deadline
    }

    fn end_synchronized_update(&mut self) {
        self.emulator.set_synchronized(false);
    }

    fn size(&self) -> Size {
        self.emulator.size
    }

    fn resize(&mut self, size: Size) {
        self.emulator.resize(size);
    }

    fn repaint(&mut self, kind: RepaintKind) -> Painted {
        self.emulator.settle_end();
        self.emulator.paint(kind, &self.parser.pending())
    }

    fn scrolled(&self) -> u64 {
        self.emulator.archive.end()
    }

    fn scrollback(&self) -> u64 {
        self.emulator.archive.len()
    }

    fn first_line(&self) -> u64 {
        self.emulator.archive.first()
    }

    fn text(&self, from: u64, ansi: bool, max_bytes: usize) -> (String, Option<u64>) {
        self.emulator.text(from, ansi, max_bytes)
    }

    fn search(&self, find: &Search, before: Option<u64>, limit: usize) -> (Vec<Match>, bool) {
        let (mut found, _) = self.search_part(find, before, limit + 1, usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        (found, more)
    }

    fn search_part(
        &self,
        find: &Search,
        before: Option<u64>,
        limit: usize,
        max_rows: usize,
    ) -> (Vec<Match>, Option<u64>) {
        self.emulator.search_part(find, before, limit, max_rows)
    }

    fn rescue(&mut self) {
        self.parser = Parser::new();
        self.emulator.rescue();
    }
}
