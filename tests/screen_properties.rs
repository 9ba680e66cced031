//! Whatever a program writes, however it is cut: the model never panics, and its repaint brings
//! another terminal to the same state.

use gatepost::base::Size;
use gatepost::screen::{AlacrittyModel, Model, RepaintKind, ScreenEvent};
use proptest::prelude::*;

const FULL: RepaintKind = RepaintKind::Full {
    history: usize::MAX,
    max_history_bytes: usize::MAX,
};
const SCREEN: RepaintKind = RepaintKind::Full {
    history: 0,
    max_history_bytes: 0,
};

/// Sequences that make sense, and some whose effects meet.
const SEQUENCES: [&str; 64] = [
    "\x1b[?1049h",
    "\x1b[?1049l",
    "\x1b[?47h",
    "\x1b[?47l",
    "\x1b[?6h",
    "\x1b[?6l",
    "\x1b[?7l",
    "\x1b[?7h",
    "\x1b[4h",
    "\x1b[4l",
    "\x1b[20h",
    "\x1b[?25l",
    "\x1b[?1002h",
    "\x1b[?1006h",
    "\x1b[?2004h",
    "\x1b[?2026h",
    "\x1b[?2026l",
    "\x1b[?45h",
    "\x1b[2;5r",
    "\x1b[r",
    "\x1b[31m",
    "\x1b[48;5;4m",
    "\x1b[38;2;1;2;3m",
    "\x1b[4:3m",
    "\x1b[58:5:9m",
    "\x1b[53m",
    "\x1b[m",
    "\x1b[7m",
    "\x1b(0",
    "\x1b(B",
    "\x1b)0",
    "\x1b7",
    "\x1b8",
    "\x1bM",
    "\x1bD",
    "\x1bE",
    "\x1bH",
    "\x1b[3g",
    "\x1b#8",
    "\x1bc",
    "\x1b[3J",
    "\x1b[2J",
    "\x1b[3b",
    "\x1b]2;title\x07",
    "\x1b]8;;http://a/\x1b\\",
    "\x1b]8;id=x;http://b/\x1b\\",
    "\x1b]8;;\x1b\\",
    "\x1b]4;1;rgb:11/22/33\x07",
    "\x1b]11;?\x07",
    "\x1b]104\x07",
    "\x1b[22t",
    "\x1b[23t",
    "\x1b[>1u",
    "\x1b[=5u",
    "\x1bP$qm\x1b\\",
    "\x1b_Gabc\x1b\\",
    "\x1bPq#0;2;0;0;0~~\x1b\\",
    "\x1b[3 q",
    "\x1b[?1004h",
    "\u{9b}5n",
    "\x1b[2K",
    "\x1b[1J",
    "\x1b[5;7;9m",
    "\x1b[?12h",
];

/// A piece of a program's output: text, controls, sequences that make sense and ones that don't.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let bytes = |text: &str| text.as_bytes().to_vec();
    let wide = [
        "日本",
        "é",
        "e\u{301}",
        "👍",
        "─│",
        "a\u{300}\u{301}",
        "\u{301}",
    ];
    let controls = ["\r\n", "\n", "\r", "\t", "\x08", "\x07", "\x0e", "\x0f"];
    let last: Vec<char> = "ABCDEFGHIJKLMPSTXZ@`abcdefghlmnrstuq".chars().collect();
    prop_oneof![
        4 => "[ -~]{1,30}".prop_map(String::into_bytes),
        3 => "\\PC{1,8}".prop_map(String::into_bytes),
        3 => prop::sample::select(wide.to_vec()).prop_map(bytes),
        4 => prop::sample::select(controls.to_vec()).prop_map(bytes),
        8 => (
            prop_oneof![6 => Just(""), 1 => Just("?"), 1 => Just(">"), 1 => Just("=")],
            prop::collection::vec(prop_oneof![6 => 0u32..12, 1 => 0u32..120, 1 => any::<u32>()], 0..4),
            prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("$"), 1 => Just("!")],
            prop::sample::select(last),
        )
            .prop_map(|(prefix, params, inter, last)| {
                let params: Vec<String> = params.iter().map(u32::to_string).collect();
                format!("\x1b[{prefix}{}{inter}{last}", params.join(";")).into_bytes()
            }),
        4 => prop::sample::select(SEQUENCES.to_vec()).prop_map(bytes),
        1 => prop::collection::vec(any::<u8>(), 1..12),
    ]
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..60).prop_map(|pieces| pieces.concat())
}

fn size() -> impl Strategy<Value = Size> {
    (2u16..40, 2u16..12).prop_map(|(cols, rows)| Size::clamped(cols, rows))
}

fn model(size: Size, bytes: &[u8]) -> AlacrittyModel {
    let mut model = AlacrittyModel::new(size, 200);
    model.feed(bytes);
    model
}

/// Printable, for a failure's message.
fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn feeding_in_pieces_is_the_same_as_feeding_at_once(
        size in size(),
        bytes in stream(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut whole = model(size, &bytes);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let mut pieces = AlacrittyModel::new(size, 200);
        let mut start = 0;
        for cut in cuts {
            pieces.feed(&bytes[start..cut]);
            start = cut;
        }
        pieces.feed(&bytes[start..]);
        prop_assert_eq!(shown(&whole.repaint(FULL).bytes), shown(&pieces.repaint(FULL).bytes));
        prop_assert_eq!(whole.scrolled(), pieces.scrolled());
    }

    #[test]
    fn a_repaint_of_a_repaint_is_the_same(size in size(), bytes in stream()) {
        let mut first = model(size, &bytes);
        let painted = first.repaint(FULL).bytes;
        let mut second = model(size, &painted);
        prop_assert_eq!(
            shown(&painted),
            shown(&second.repaint(FULL).bytes),
            "from {}",
            shown(&bytes)
        );
    }

    #[test]
    fn a_repaint_then_more_is_the_same_as_never_having_been_repainted(
        size in size(),
        bytes in stream(),
        more in stream(),
    ) {
        let mut first = model(size, &bytes);
        let painted = first.repaint(FULL).bytes;
        let mut second = model(size, &painted);
        first.feed(&more);
        second.feed(&more);
        prop_assert_eq!(
            shown(&first.repaint(SCREEN).bytes),
            shown(&second.repaint(SCREEN).bytes),
            "painted {} then {}",
            shown(&painted),
            shown(&more)
        );
    }

    #[test]
    fn catching_up_brings_a_viewer_that_stopped_anywhere_to_the_same_state(
        size in size(),
        bytes in stream(),
        more in stream(),
    ) {
        let mut first = model(size, &bytes);
        let since = first.scrolled();
        let mut viewer = model(size, &bytes);
        first.feed(&more);
        let caught = first.repaint(RepaintKind::CatchUp { since, max_history_bytes: usize::MAX });
        viewer.feed(&caught.bytes);
        prop_assert_eq!(
            shown(&first.repaint(SCREEN).bytes),
            shown(&viewer.repaint(SCREEN).bytes),
            "painted {}",
            shown(&caught.bytes)
        );
    }

    #[test]
    fn a_repaint_holds_nothing_that_is_answered(
        size in size(),
        bytes in stream(),
        since in 0u64..20,
    ) {
        let mut first = model(size, &bytes);
        let catch_up = RepaintKind::CatchUp { since, max_history_bytes: usize::MAX };
        for kind in [FULL, catch_up] {
            let mut second = model(size, &first.repaint(kind).bytes);
            while let Some(event) = second.next_event() {
                prop_assert!(!matches!(event, ScreenEvent::Reply(_)), "{event:?}");
            }
        }
    }

    #[test]
    fn any_changes_of_size_keep_numbers_in_order(
        sizes in prop::collection::vec(size(), 1..6),
        streams in prop::collection::vec(stream(), 1..6),
    ) {
        let mut model = AlacrittyModel::new(Size::DEFAULT, 50);
        let mut scrolled = 0;
        for (size, bytes) in sizes.iter().zip(&streams) {
            model.feed(bytes);
            model.resize(*size);
            prop_assert!(model.scrolled() >= scrolled);
            scrolled = model.scrolled();
            prop_assert!(model.scrollback() <= 50);
            prop_assert_eq!(model.first_line() + model.scrollback(), scrolled);
            let painted = model.repaint(FULL).bytes;
            let mut second = AlacrittyModel::new(*size, 200);
            second.feed(&painted);
            prop_assert_eq!(
                shown(&model.repaint(SCREEN).bytes),
                shown(&second.repaint(SCREEN).bytes)
            );
        }
    }
}
