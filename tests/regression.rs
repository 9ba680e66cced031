//! What was once wrong with a repaint, each as short as it could be made.

use gatepost::base::Size;
use gatepost::screen::{AlacrittyModel, Model as _, RepaintKind};

/// Streams after which a repaint used to leave a viewer with another screen, and the screen's size.
const STREAMS: &[(&str, (u16, u16), &[u8])] = &[
    (
        "a cursor outside the margins in origin mode, come from the alternate screen",
        (20, 5),
        b"\x1b[2;4r\x1b[?6h\n\x1b[?47h\x1b[?47lx\xcc\x81",
    ),
    (
        "the same in insert mode",
        (20, 5),
        b"\x1b[2;4r\x1b[?6h\x1b[?1049h\x1b8\x1b[?47l\x1b[4he",
    ),
    (
        "a character set restored with the alternate screen's cursor",
        (10, 5),
        b"\x1b(0\x1b7\x1b[?47h\x1b8\x1b[?47ld",
    ),
    (
        "a character set restored with the main screen's cursor, then the alternate screen",
        (10, 5),
        b"\x1b[?1049h\x1b(0\x1b[?1049h\x1b[?1049l\x1b[?1049hg",
    ),
    (
        "a row that ends in the blank before a wide character, under a cursor past the end",
        (6, 8),
        b"qqqqqqqqqqq\xf0\x9f\x91\xa9qqqqqqq[3\x1b[2T",
    ),
    (
        "a restored character set, and a cursor past the end of a row it would change",
        (25, 6),
        b"\ncccccccccc ldefault again\x1b(0\x1b7\x1b(B\x1b8\x1b[2T\x1b[H\nccccccccccccccccccccccccc\x1b[2S",
    ),
];

fn text(model: &AlacrittyModel) -> String {
    model.text(model.scrolled(), false, usize::MAX).0
}

#[test]
fn a_repaint_and_a_catch_up_show_what_the_model_shows() {
    for &(name, (cols, rows), stream) in STREAMS {
        let mut model = AlacrittyModel::new(Size::clamped(cols, rows), 200);
        model.feed(stream);
        let full = model.repaint(RepaintKind::Full {
            history: 200,
            max_history_bytes: usize::MAX,
        });
        let catch_up = model.repaint(RepaintKind::CatchUp {
            since: model.scrolled(),
            max_history_bytes: 64 << 10,
        });
        let mut viewer = AlacrittyModel::new(model.size(), 200);
        viewer.feed(&full.bytes);
        assert_eq!(text(&model), text(&viewer), "{name}: full repaint");
        viewer.feed(&catch_up.bytes);
        assert_eq!(text(&model), text(&viewer), "{name}: catch-up");
        // What comes next goes to the same place in the same characters.
        for more in [&b"q"[..], b"\x1b[2Cab\xcc\x81"] {
            model.feed(more);
            viewer.feed(more);
            assert_eq!(text(&model), text(&viewer), "{name}: what comes next");
        }
    }
}
