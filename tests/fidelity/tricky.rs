//! Short output, each piece with something that a repaint gets wrong easily.

use gatepost::base::Size;

use crate::browser::Browser;
use crate::recordings::Recording;
use crate::report::Report;
use crate::viewers::cut_and_compare;

/// What it is about, and the output for a terminal of 10×4.
const TRICKY: [(&str, &[u8]); 35] = [
    ("a repeated character", b"ab\x1b[3bc\x1b[mx\x1b[2b\r\x1b[2b"),
    ("combining marks", "e\u{301}\u{323} 日\u{301}x\u{336}\u{1b}[31my\u{301}".as_bytes()),
    ("a full row", b"0123456789\x1b[1mab\r\n0123456789\r\nx"),
    ("a full row, then a movement", b"0123456789\x1b[A\x1b[Bx\r\n0123456789\x08y"),
    ("a full row, then an erasure", b"0123456789\x1b[K\x1b[31mx0123456789\x1b[Jy"),
    ("a wide character that doesn't fit", "012345678日x\r\n01234567日y".as_bytes()),
    ("wide rows", "日本語日本語日本語".as_bytes()),
    ("half of a wide character overwritten", "日本語\r\u{1b}[Cx\u{1b}[2Cy\u{1b}[2D\u{1b}[X".as_bytes()),
    ("rows of blanks that wrap", b"          x         y          \r\n          "),
    ("rows that wrap into the scrollback", b"one two three four five six seven eight nine ten eleven twelve\r\n\nx"),
    ("insert mode", "0123456\r\u{1b}[4hab日c\u{1b}[4ld".as_bytes()),
    ("no wrapping", "\u{1b}[?7l0123456789abc日\u{1b}[?7hx".as_bytes()),
    ("a link over two rows", b"\x1b]8;id=1;http://a.example/?x;y\x1b\\0123456789ab\x1b]8;;\x07c\r\n\x1b]8;;http://b.example\x07d"),
    ("titles", "\u{1b}]2;one\u{7}\u{1b}[22;0t\u{1b}]0;zwei ü\u{1b}\\\u{1b}[22;2t\u{1b}]2;\u{7}x\u{1b}[23;2t\u{1b}[23;0ty".as_bytes()),
    ("the alternate screen", b"main\x1b[31m\x1b7\r\nx\x1b[?1049h\x1b[2;2Halt\x1b[4m\x1b7\x1b[Hz\x1b8y\x1b[?1049lback\x1b8saved"),
    ("the old alternate screen", b"main\x1b[?47halt\x1b[2;2H\x1b[?47lx\x1b[?1047h\x1b[3;3Hy\x1b[?1047lz\x1b[?1048h\x1b[Ha\x1b[?1048lb"),
    ("margins on both screens", b"\x1b[2;3r\x1b[2;1Ha\r\nb\r\nc\x1b[?1049h\r\n\n\n\nd\x1b[1;2re\r\n\n\nf\x1b[?1049l\r\n\n\ng\x1b[rh"),
    ("origin mode", b"\x1b[2;3r\x1b[?6h\x1b[2;5Hx\x1b7\x1b[1;1Hy\x1b[?6l\x1b[1;1Hz\x1b8w"),
    ("a soft reset", b"\x1b[?6h\x1b[2;3r\x1b[?25l\x1b[31;4mx\x1b[4h\x1b)0\x0e\x1b[?1h\x1b=\x1b[!py\x1b8z"),
    ("a synchronized update", b"a\x1b[?2026hb\x1b[2;2Hc\x1b[31md\x1b[?2026le"),
    ("character sets", b"\x1b(0lqk\x1b(B\x1b)0q\x0eq\x0fq\x1b*0\x1bnq\x1b+0\x1boq\x0fq\x1b%G\x1b(A#"),
    ("a saved cursor with its pen and characters", b"\x1b[1;32m\x1b(0\x1b7\x1b(B\x1b[m\x1b[3;3Hx\x1b8qz"),
    ("tab stops", b"\x1b[3g\x1b[4G\x1bH\x1b[7G\x1bH\r\ta\tb\tc\x1b[7G\x1b[g\r\t\td\x1b[Ze"),
    ("mouse", b"\x1b[?1000h\x1b[?1006h\x1b[?1002hx\x1b[?1003h\x1b[?9hy\x1b[?1016h\x1b[?1000lz\x1b[?1006l\x1b[?1005h\x1b[?1015h"),
    ("keys, cursor and paste", b"\x1b[?1h\x1b=\x1b[?2004h\x1b[?1004h\x1b[?25l\x1b[5 qx\x1b[?12h\x1b[4 q\x1b[0 q\x1b[?12ly\x1b[?66l\x1b[20h\na\x1b[20l\nb\x1b[?45h"),
    ("coloured erasures", b"\x1b[44mab\x1b[K\r\n\x1b[42mcd\x1b[1K\x1b[3G\x1b[41m\x1b[2X\x1b[m\r\n\x1b[45m\n\n\x1b[2J\x1b[mx"),
    ("underlines", b"\x1b[4ma\x1b[4:2mb\x1b[4:3;58;5;9mc\x1b[58:2::1:2:3md\x1b[4:4me\x1b[4:5mf\x1b[24mg\x1b[21;53mh\x1b[m \x1b[4m  "),
    ("every attribute", b"\x1b[1ma\x1b[2mb\x1b[3mc\x1b[5md\x1b[7me\x1b[8mf\x1b[9mg\x1b[22mh\x1b[25;28mi\x1b[38;5;200mj\x1b[48;2;1;2;3mk\x1b[97;100ml\x1b[39mm\x1b[;49mn"),
    ("palette", b"\x1b]4;1;rgb:12/34/56;2;#abc\x07\x1b]10;#111111\x07\x1b]11;rgb:ffff/0000/8080\x1b\\\x1b]12;#00ff00\x07\x1b[31mx\x1b]104;1\x07\x1b]110\x07\x1b]104\x07"),
    ("strings nobody reads", b"a\x1bP1;2|data\x1b\\b\x1b_app\x1b\\c\x1b^pm\x1b\\d\x1bXsos\x1b\\e\x1b]777;x\x07f\x1b]52;c;aGk=\x1b\\g"),
    ("sequences broken off", b"a\x1b[31\x18b\x1b]2;no\x1ac\x1b[4\x1b[1md\x1b]2;yes\x1b[me\x1b[3\r\n1mf\x1b[1;2\x08Hg\x1b[?<5mh\x1b[1$%zi"),
    ("bytes that are no characters", b"a\xffb\xc3(c\xe6\x97d\xf0\x9f\x98e\xc0\x80f\xed\xa0\x80g\x80h\xc2\x9b31mi\xef\xbb\xbfj"),
    ("inserted and deleted rows and columns", b"1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[2;5H\x1b[La\x1b[3;5H\x1b[Mb\x1b[2S\x1b[T\x1bMc\x1b[r\x1bMd\x1b[2@e\x1b[P"),
    ("resets", b"\x1b[31m\x1b[2;3r\x1b[?1049hx\x1bcy\x1b#8z\x1b[3Jw"),
    (
        "insertion into a wide character",
        "日本語日本\r\u{1b}[4h日\u{8}\u{1b}[7mword\u{1b}[9m\u{1b}[?7l\u{1b}[9Cxy\u{1b}[?7h\u{1b}[4l".as_bytes(),
    ),
];

#[test]
fn tricky_output_cut_at_every_byte_and_repainted_looks_as_if_never_cut() {
    let mut browser = Browser::start();
    let mut report = Report::default();
    for (name, bytes) in TRICKY {
        let recording = Recording {
            name: name.to_owned(),
            size: Size::clamped(10, 4),
            bytes: bytes.to_vec(),
        };
        let every: Vec<usize> = (0..=bytes.len()).collect();
        let before = report.failed;
        cut_and_compare(&mut browser, &recording, &every, &mut report);
        if report.failed > before {
            println!("{name}: {} failed", report.failed - before);
        }
    }
    println!("{} comparisons, {} failed", report.compared, report.failed);
    report.check();
}
