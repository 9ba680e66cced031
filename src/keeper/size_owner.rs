//! Whose screen decides the terminal's size. Pure.

use crate::base::Size;
use crate::wire::message::Mode;

/// A viewer that could own the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Candidate {
    viewer: u32,
    size: Option<Size>,
    kiosk: bool,
}

/// One size for all viewers, decided by one of them: whoever took it last, else the machine's own
/// screen, else who came first.
#[derive(Debug, Default)]
pub(super) struct SizeOwner {
    /// In order of arrival.
    candidates: Vec<Candidate>,
    taken_by: Option<u32>,
}

impl SizeOwner {
    /// A viewer comes. One that only watches never decides, unless it is the machine's own screen.
    pub(super) fn join(&mut self, viewer: u32, mode: Mode, size: Option<Size>, kiosk: bool) {
        let may = match mode {
            Mode::Type => true,
            Mode::View => kiosk,
            Mode::Manage => false,
        };
        if may {
            self.candidates.push(Candidate {
                viewer,
                size,
                kiosk,
            });
        }
    }

    /// A viewer goes.
    pub(super) fn leave(&mut self, viewer: u32) {
        self.candidates
            .retain(|candidate| candidate.viewer != viewer);
        if self.taken_by == Some(viewer) {
            self.taken_by = None;
        }
    }

    /// A viewer's own screen has this size now.
    pub(super) fn report(&mut self, viewer: u32, size: Size) {
        if let Some(candidate) = self.find(viewer) {
            candidate.size = Some(size);
        }
    }

    /// A viewer takes the size; `false` if it may not.
    pub(super) fn take(&mut self, viewer: u32) -> bool {
        let may = self.find(viewer).is_some();
        if may {
            self.taken_by = Some(viewer);
        }
        may
    }

    fn find(&mut self, viewer: u32) -> Option<&mut Candidate> {
        let mut candidates = self.candidates.iter_mut();
        candidates.find(|candidate| candidate.viewer == viewer)
    }

    /// Who decides, and what; nobody if no viewer has said its size.
    pub(super) fn current(&self) -> Option<(u32, Size)> {
        let sized = || {
            self.candidates
                .iter()
                .filter_map(|candidate| Some((candidate, candidate.size?)))
        };
        sized()
            .find(|(candidate, _)| Some(candidate.viewer) == self.taken_by)
            .or_else(|| sized().find(|(candidate, _)| candidate.kiosk))
            .or_else(|| sized().next())
            .map(|(candidate, size)| (candidate.viewer, size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "what `join` takes")]
    fn size(cols: u16) -> Option<Size> {
        Some(Size::clamped(cols, 24))
    }

    fn owner(owner: &SizeOwner) -> Option<(u32, u16)> {
        owner.current().map(|(viewer, size)| (viewer, size.cols()))
    }

    #[test]
    fn who_types_first_decides_and_the_next_one_inherits_with_its_own_size() {
        let mut seats = SizeOwner::default();
        assert_eq!(owner(&seats), None);
        seats.join(1, Mode::View, size(10), false);
        assert_eq!(owner(&seats), None, "watching decides nothing");
        seats.join(2, Mode::Type, size(20), false);
        seats.join(3, Mode::Type, size(30), false);
        assert_eq!(owner(&seats), Some((2, 20)));
        seats.report(3, Size::clamped(33, 24));
        assert_eq!(owner(&seats), Some((2, 20)));
        seats.leave(2);
        assert_eq!(owner(&seats), Some((3, 33)));
        seats.leave(3);
        assert_eq!(owner(&seats), None);
    }

    #[test]
    fn the_machines_own_screen_decides_unless_somebody_takes_it() {
        let mut seats = SizeOwner::default();
        seats.join(1, Mode::Type, size(10), false);
        seats.join(2, Mode::View, size(20), true);
        assert_eq!(owner(&seats), Some((2, 20)));
        assert!(seats.take(1));
        assert_eq!(owner(&seats), Some((1, 10)));
        seats.leave(1);
        assert_eq!(owner(&seats), Some((2, 20)));
    }

    #[test]
    fn who_only_watches_or_manages_can_not_take_it() {
        let mut seats = SizeOwner::default();
        seats.join(1, Mode::View, size(10), false);
        seats.join(2, Mode::Manage, size(20), true);
        assert!(!seats.take(1) && !seats.take(2) && !seats.take(99));
    }

    #[test]
    fn a_viewer_without_a_screen_decides_once_it_has_one() {
        let mut seats = SizeOwner::default();
        seats.join(1, Mode::Type, None, false);
        assert_eq!(owner(&seats), None);
        seats.report(1, Size::clamped(50, 24));
        assert_eq!(owner(&seats), Some((1, 50)));
    }
}
