//! The screen model: whatever a program writes, however it is cut and resized, nothing panics, and a
//! full repaint brings another model to the same text.
#![no_main]

use gatepost::base::Size;
use gatepost::screen::{AlacrittyModel, Model, RepaintKind};
use libfuzzer_sys::fuzz_target;

/// Few lines, so that the archive behind the grid is reached.
const SCROLLBACK: u32 = 200;
const FULL: RepaintKind = RepaintKind::Full {
    history: SCROLLBACK as usize,
    max_history_bytes: usize::MAX,
};

fuzz_target!(|input: &[u8]| {
    // The first bytes say how large the screen is and where the stream is cut.
    let Some((&[cols, rows, cut, then], stream)) = input.split_first_chunk() else {
        return;
    };
    // Small, where lines wrap and scroll soon.
    let [cols, rows] = [u16::from(cols % 100), u16::from(rows % 40)];
    let size = Size::clamped(cols, rows);
    let mut model = AlacrittyModel::new(size, SCROLLBACK);
    let (before, after) = stream.split_at(usize::from(cut).min(stream.len()));
    model.feed(before);
    while model.next_event().is_some() {}
    let since = model.scrolled();
    match then % 4 {
        0 => model.resize(Size::clamped(rows, cols)),
        1 => model.rescue(),
        2 => model.end_synchronized_update(),
        _ => {}
    }
    model.feed(after);
    while model.next_event().is_some() {}
    let catch_up = model.repaint(RepaintKind::CatchUp {
        since,
        max_history_bytes: 64 << 10,
    });
    assert!(model.scrolled() >= since && model.first_line() <= model.scrolled());

    let painted = model.repaint(FULL);
    let mut viewer = AlacrittyModel::new(model.size(), SCROLLBACK);
    viewer.feed(&painted.bytes);
    assert_eq!(screen_text(&model), screen_text(&viewer));
    // Another viewer, in a state of its own.
    viewer.feed(&catch_up.bytes);
    assert_eq!(screen_text(&model), screen_text(&viewer));
});

/// The text of the screen itself.
fn screen_text(model: &AlacrittyModel) -> String {
    model.text(model.scrolled(), false, usize::MAX).0
}
