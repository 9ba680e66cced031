//! Strings that never end, alone in a process whose memory can be watched.

use gatepost::base::Size;
use gatepost::screen::{AlacrittyModel, Model, RepaintKind, ScreenEvent};

const FULL: RepaintKind = RepaintKind::Full {
    history: usize::MAX,
    max_history_bytes: usize::MAX,
};

fn fed(bytes: &[u8]) -> AlacrittyModel {
    let mut model = AlacrittyModel::new(Size::DEFAULT, 1000);
    model.feed(bytes);
    model
}

fn screen(model: &AlacrittyModel) -> String {
    model.text(model.scrolled(), false, usize::MAX).0
}

/// Resident memory of this process, in KiB; 0 where it can't be told.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

#[test]
fn osc_unterminated_100mb_takes_no_memory_and_never_becomes_text() {
    for opening in ["\x1b]0;", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x1b]52;c;"] {
        let mut model = fed(opening.as_bytes());
        let before = resident();
        let piece = vec![b'A'; 1 << 20];
        for _ in 0..100 {
            model.feed(&piece);
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < 20 << 10, "{opening:?}: {grown} KiB");
        let mut viewer = fed(&model.repaint(FULL).bytes);
        for model in [&mut model, &mut viewer] {
            model.feed(b"AAAA\x1b\\after");
            assert_eq!(screen(model), "after\n", "{opening:?}");
            assert!(!matches!(
                model.next_event(),
                Some(ScreenEvent::Title(Some(_)))
            ));
        }
    }
}
