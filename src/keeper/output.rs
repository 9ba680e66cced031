//! Output on its way from the program to the viewers and into the model, and what it asks for.

use std::time::{Duration, Instant};

use super::facts::Changes;
use super::pty::Found;
use super::run::{Keeper, unix_seconds};
use super::viewer::Viewer;
use crate::screen::{Model, ScreenEvent};

/// Most bytes of output dealt with before anything else is looked at, and handed on at once. A read
/// gives 4 KiB; each hand-over wakes the server and each viewer, so that fewer are cheaper for all.
const TURN: usize = 16 << 10;
/// Output after a pause like this isn't held back: somebody may be typing.
const PAUSED: Duration = Duration::from_millis(1);

impl<M: Model> Keeper<M> {
    /// Reads what is waiting, up to a turn of it.
    pub(super) fn read_output(&mut self, now: Instant) {
        let mut piece = std::mem::take(&mut self.piece);
        let holds = now < self.last_output + PAUSED;
        let mut total = 0;
        while total < TURN {
            let found = self.program.read(&mut piece, now);
            if !piece.is_empty() {
                total += piece.len();
                self.deliver(&piece, holds);
            }
            // While a piece is fed to the model, the kernel makes the next one ready.
            if found != Found::Output || !holds && !piece.is_empty() {
                break;
            }
        }
        if total > 0 {
            if holds {
                self.viewers.iter_mut().for_each(Viewer::flush);
            }
            let end = Instant::now();
            self.last_output = end;
            self.facts.last_output = Some(unix_seconds());
            self.untidy = true;
            self.pacing.worked(now, end);
        }
        if self.facts.stopped != self.program.stopped() {
            self.facts.stopped = self.program.stopped();
            self.tell_all(Changes::STOPPED);
        }
        self.piece = piece;
    }

    /// Output goes to the viewers first (their sockets, unless it is to be held for more to come) and
    /// then into the model. Where a viewer's credit ends, the model tells how far it had scrolled:
    /// the viewer's catch-up begins there.
    fn deliver(&mut self, chunk: &[u8], hold: bool) {
        let mut cuts: Vec<(usize, usize)> = Vec::new();
        for (index, viewer) in self.viewers.iter_mut().enumerate() {
            if let Some(cut) = viewer.output(chunk, hold) {
                cuts.push((cut, index));
            }
        }
        cuts.sort_unstable();
        let mut fed = 0;
        for (cut, index) in cuts {
            self.model.feed(chunk.get(fed..cut).unwrap_or_default());
            fed = cut;
            let scrolled = self.model.scrolled();
            if let Some(viewer) = self.viewers.get_mut(index) {
                viewer.mark(scrolled);
            }
        }
        self.model.feed(chunk.get(fed..).unwrap_or_default());
        self.take_events();
    }

    pub(super) fn take_events(&mut self) {
        while let Some(event) = self.model.next_event() {
            match event {
                ScreenEvent::Reply(bytes) => {
                    if let Some(pty) = self.program.pty() {
                        pty.reply(&bytes);
                    }
                }
                ScreenEvent::Title(title) => {
                    self.facts.title = title;
                    self.tell_all(Changes::TITLE);
                }
                ScreenEvent::Bell => {
                    self.facts.bells += 1;
                    self.tell_all(Changes::BELLS);
                }
            }
        }
    }
}
