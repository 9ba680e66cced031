//! Random output made of what programs send: text of every width, all the sequences a terminal knows with
//! sensible and silly parameters, and a little nonsense.

use std::fmt;

use gatepost::base::Size;
use proptest::collection::vec;
use proptest::prelude::*;

/// A piece of output, shown readably.
#[derive(Clone)]
pub(crate) struct Piece(Vec<u8>);

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// What a case of the property tests is about.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The terminal's size.
    pub(crate) size: Size,
    /// Output, in pieces so that a failing case shrinks well.
    pub(crate) pieces: Vec<Piece>,
    /// Where to cut, as a share of the output in 1/65536.
    pub(crate) cuts: Vec<u16>,
}

impl Case {
    /// The output.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.pieces
            .iter()
            .flat_map(|Piece(bytes)| bytes.clone())
            .collect()
    }

    /// The cuts as places in the output, in order, the end included.
    pub(crate) fn places(&self) -> Vec<usize> {
        let length = self.bytes().len();
        let mut places: Vec<usize> = self
            .cuts
            .iter()
            .map(|&cut| usize::from(cut) * length / 65536)
            .collect();
        places.push(length);
        places.sort_unstable();
        places.dedup();
        places
    }
}

/// Cases with output of up to `most` pieces.
pub(crate) fn cases(most: usize) -> impl Strategy<Value = Case> {
    (
        (2u16..60, 2u16..20),
        vec(piece(), 1..most),
        vec(any::<u16>(), 1..6),
    )
        .prop_map(|((cols, rows), pieces, cuts)| Case {
            size: Size::clamped(cols, rows),
            pieces: pieces.into_iter().map(Piece).collect(),
            cuts,
        })
}

fn bytes(strategy: impl Strategy<Value = String> + 'static) -> BoxedStrategy<Vec<u8>> {
    strategy.prop_map(String::into_bytes).boxed()
}

fn one_of(choices: &'static [&'static str]) -> BoxedStrategy<Vec<u8>> {
    proptest::sample::select(choices)
        .prop_map(|choice| choice.as_bytes().to_vec())
        .boxed()
}

/// Something simple, or something that is taken back: another screen, a saved cursor.
///
/// These come in pairs, because xterm.js counts a saved cursor's row from the top of its scrollback: restored
/// after lines have scrolled it is somewhere else than in other terminals. And they begin and end without
/// underline, link and character sets, because xterm.js saves and restores half of those.
fn piece() -> BoxedStrategy<Vec<u8>> {
    const PLAIN: &[u8] = b"\x1b[m\x1b]8;;\x07\x1b(B\x0f";
    let screens = proptest::sample::select(&["1049", "1049", "1049", "47", "1047"][..]);
    let saves = proptest::sample::select(
        &[
            ("\x1b7", "\x1b8"),
            ("\x1b[s", "\x1b[u"),
            ("\x1b[?1048h", "\x1b[?1048l"),
        ][..],
    );
    let harmless = prop_oneof![
        movement(),
        charsets(),
        one_of(&[
            "\x1b[1m",
            "\x1b[3;7m",
            "\x1b[m",
            "\x1b[31m",
            "\x1b[48;5;99m",
            "\x1b[22;9m"
        ]),
    ];
    prop_oneof![
        90 => simple(),
        5 => (screens, vec(simple(), 0..8)).prop_map(|(screen, inside)| {
            let (on, off) = (format!("\x1b[?{screen}h"), format!("\x1b[?{screen}l"));
            [PLAIN, on.as_bytes(), &inside.concat(), PLAIN, off.as_bytes()].concat()
        }),
        5 => (saves, vec(harmless, 0..5)).prop_map(|((save, restore), inside)| {
            [PLAIN, b"\x1b[34;2m", save.as_bytes(), &inside.concat(), restore.as_bytes()].concat()
        }),
        // switched off before anything puts the cursor outside the margins: no sequence could put it there again
        2 => (vec(prop_oneof![movement(), one_of(&["x", "\r\n", "word", "\x1b[K"])], 0..5)).prop_map(|inside| {
            [b"\x1b[?6h", &inside.concat()[..], b"\x1b[?6l"].concat()
        }),
        // xterm.js leaves half of a wide character where one doesn't fit without wrapping: only narrow ones
        2 => proptest::sample::select(&["word and more", "x", "─│┌"][..])
            .prop_map(|text| format!("\x1b[?7l\x1b[99C{text}\x1b[?7h").into_bytes()),
    ]
    .boxed()
}

fn charsets() -> BoxedStrategy<Vec<u8>> {
    one_of(&[
        "\x1b(0", "\x1b(B", "\x1b)0", "\x1b)B", "\x1b*0", "\x1b+0", "\x0e", "\x0f", "\x1bn",
        "\x1bo", "\x1b(A",
    ])
}

fn simple() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![
        24 => text(),
        10 => one_of(&["\r\n", "\n", "\r", "\t", "\x08", "\x07", "\x0b", "\x0c", "\r\n\n", "\t\t"]),
        14 => movement(),
        10 => editing(),
        12 => bytes(rendition()),
        6 => margins_and_tabs(),
        10 => modes(),
        4 => charsets(),
        5 => strings(),
        1 => one_of(&["\x1b[m\x1b#8", "\x1b[!p"]),
        3 => nonsense(),
    ]
    .boxed()
}

fn text() -> BoxedStrategy<Vec<u8>> {
    let words = &[
        "word ",
        "x",
        "lqqqk",
        "a longer piece of text, ",
        "日本語",
        "日",
        "é",
        "e\u{301}",
        "😀",
        "─│┌",
        "~`{|}",
        "한국 ",
        "  ",
        "\u{a0}",
        "1",
        "ß",
    ];
    let word = proptest::sample::select(&words[..]);
    prop_oneof![
        6 => bytes(vec(word, 1..6).prop_map(|words| words.concat())),
        1 => bytes((proptest::sample::select(&["x", "日", "é"][..]), 1usize..130).prop_map(|(one, count)| one.repeat(count))),
    ]
    .boxed()
}

/// A number a program may send: mostly one that fits, sometimes none, 0 or far too large.
fn number() -> BoxedStrategy<String> {
    prop_oneof![
        8 => (1u16..25).prop_map(|number| number.to_string()),
        2 => Just(String::new()),
        1 => Just("0".to_owned()),
        1 => (25u16..200).prop_map(|number| number.to_string()),
    ]
    .boxed()
}

fn movement() -> BoxedStrategy<Vec<u8>> {
    let one =
        proptest::sample::select(&["A", "B", "C", "D", "E", "F", "G", "d", "a", "e", "`"][..]);
    prop_oneof![
        bytes((number(), number()).prop_map(|(row, column)| format!("\x1b[{row};{column}H"))),
        bytes((number(), one).prop_map(|(count, end)| format!("\x1b[{count}{end}"))),
    ]
    .boxed()
}

fn editing() -> BoxedStrategy<Vec<u8>> {
    let counted = proptest::sample::select(&["@", "P", "X", "L", "M", "S", "T", "b"][..]);
    prop_oneof![
        2 => one_of(&["\x1b[J", "\x1b[1J", "\x1b[2J", "\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[3J"]),
        2 => bytes((number(), counted).prop_map(|(count, end)| format!("\x1b[{count}{end}"))),
        1 => one_of(&["\x1bD", "\x1bM", "\x1bE", "\x1bM\x1bM", "\x1bD\x1bD"]),
    ]
    .boxed()
}

fn colour() -> BoxedStrategy<String> {
    prop_oneof![
        any::<u8>().prop_map(|index| format!("5;{index}")),
        any::<[u8; 3]>().prop_map(|[red, green, blue]| format!("2;{red};{green};{blue}")),
    ]
    .boxed()
}

fn rendition() -> BoxedStrategy<String> {
    let simple = prop_oneof![
        3 => proptest::sample::select(&["0", "1", "2", "3", "4", "5", "7", "8", "9", "21", "53", "4:2", "4:3", "4:4", "4:5"][..]).prop_map(str::to_owned),
        2 => proptest::sample::select(&["22", "23", "24", "25", "27", "28", "29", "39", "49", "55", "4:0", ""][..]).prop_map(str::to_owned),
        3 => (30u8..38).prop_map(|colour| colour.to_string()),
        3 => (40u8..48).prop_map(|colour| colour.to_string()),
        1 => (90u8..98).prop_map(|colour| colour.to_string()),
        1 => (100u8..108).prop_map(|colour| colour.to_string()),
        2 => colour().prop_map(|colour| format!("38;{colour}")),
        2 => colour().prop_map(|colour| format!("48;{colour}")),
        1 => colour().prop_map(|colour| format!("58;{colour}")),
        1 => any::<[u8; 3]>().prop_map(|[red, green, blue]| format!("48:2::{red}:{green}:{blue}")),
        1 => any::<u8>().prop_map(|index| format!("38:5:{index}")),
    ];
    vec(simple, 0..4)
        .prop_map(|parts| format!("\x1b[{}m", parts.join(";")))
        .boxed()
}

fn margins_and_tabs() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![
        3 => bytes((number(), number()).prop_map(|(top, bottom)| format!("\x1b[{top};{bottom}r"))),
        1 => one_of(&["\x1b[r", "\x1bH", "\x1b[g", "\x1b[3g", "\x1b[I", "\x1b[Z", "\x1b[2I", "\x1b[3Z"]),
    ]
    .boxed()
}

fn modes() -> BoxedStrategy<Vec<u8>> {
    let private = proptest::sample::select(
        &[
            "1",
            "12",
            "25",
            "1000",
            "1002",
            "1003",
            "9",
            "1004",
            "1006",
            "1016",
            "1005",
            "1015",
            "2004",
            "2026",
            "1;25",
            "1002;1006",
            "5",
            "2031",
        ][..],
    );
    let ends = proptest::sample::select(&["h", "l"][..]);
    prop_oneof![
        8 => bytes((private, ends).prop_map(|(mode, end)| format!("\x1b[?{mode}{end}"))),
        2 => one_of(&["\x1b[4h", "\x1b[4l", "\x1b[20h", "\x1b[20l", "\x1b=", "\x1b>"]),
        1 => one_of(&["\x1b[ q", "\x1b[0 q", "\x1b[1 q", "\x1b[2 q", "\x1b[3 q", "\x1b[4 q", "\x1b[5 q", "\x1b[6 q"]),
    ]
    .boxed()
}

fn strings() -> BoxedStrategy<Vec<u8>> {
    one_of(&[
        "\x1b]2;a title\x07",
        "\x1b]0;Ünïcödé 日本\x1b\\",
        "\x1b]2;\x07",
        "\x1b[22;0t",
        "\x1b[23;0t",
        "\x1b[22;2t",
        "\x1b[23;2t",
        "\x1b]8;;https://example.org/a\x1b\\",
        "\x1b]8;id=1;https://example.org/b;c\x07",
        "\x1b]8;;\x1b\\",
        "\x1b]8;;\x07",
        "\x1b]4;1;rgb:12/34/56\x07",
        "\x1b]4;17;#abcdef;18;#123456\x1b\\",
        "\x1b]104;1\x07",
        "\x1b]104\x07",
        "\x1b]10;#102030\x07",
        "\x1b]11;rgb:ff/00/80\x1b\\",
        "\x1b]12;#ffffff\x07",
        "\x1b]110\x07",
        "\x1b]111\x07",
        "\x1b]112\x07",
        "\x1b]7;file:///tmp\x07",
        "\x1b]133;A\x1b\\",
        "\x1b]52;c;aGk=\x07",
        "\x1bP$qm\x1b\\",
        "\x1bP1;2|data\x1b\\",
        "\x1b_application\x1b\\",
        "\x1b^private\x1b\\",
        "\x1bXstring\x1b\\",
    ])
}

fn nonsense() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![
        2 => one_of(&["\x1b[3\x18", "\x1b[\x1a", "\x1b]2;lost\x18", "\x1b\x1b[m", "\x1b[?", "\x1b[1;", "\x1b]", "\x1b", "\x1b(", "\x1b[38;5", "\x1b[>1c", "\x1b[99z", "\x1b[1;2;3;4;5;6;7;8y", "\x00", "\x7f"]),
        1 => proptest::sample::select(vec![b"\xe6".to_vec(), b"\xe6\x97".to_vec(), b"\xf0\x9f".to_vec(), b"\xc3".to_vec()]),
        1 => Just(b"\x1b[6n\x1b[c\x1b[>c\x1b[5n\x1b[?6n\x1b]11;?\x07".to_vec()),
    ]
    .boxed()
}
