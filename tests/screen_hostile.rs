//! Output that was written to do harm: to the program's input, to memory, to time, or to whoever reads
//! a title. Names follow the attacks terminals are known for.

use std::time::{Duration, Instant};

use gatepost::base::Size;
use gatepost::screen::{AlacrittyModel, Model, RepaintKind, ScreenEvent, Search};

const FULL: RepaintKind = RepaintKind::Full {
    history: usize::MAX,
    max_history_bytes: usize::MAX,
};
/// Far above what any of this takes, also unoptimised on a busy machine.
const SOON: Duration = Duration::from_secs(20);

fn model() -> AlacrittyModel {
    AlacrittyModel::new(Size::DEFAULT, 1000)
}

fn fed(bytes: &[u8]) -> AlacrittyModel {
    let mut model = model();
    model.feed(bytes);
    model
}

fn replies(model: &mut AlacrittyModel) -> String {
    let mut all = Vec::new();
    while let Some(event) = model.next_event() {
        if let ScreenEvent::Reply(bytes) = event {
            all.extend(bytes);
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

fn screen(model: &AlacrittyModel) -> String {
    model.text(model.scrolled(), false, usize::MAX).0
}

#[test]
fn answerback_enq_is_silent() {
    assert_eq!(replies(&mut fed(b"\x05\x05")), "");
}

#[test]
fn osc52_read_is_ignored() {
    assert_eq!(replies(&mut fed(b"\x1b]52;c;?\x07\x1b]52;p;?\x1b\\")), "");
}

#[test]
fn title_report_csi21t_is_silent_and_a_title_holds_nothing_deceptive() {
    let mut model = fed("\x1b]2;rm -rf \u{202e}~\u{200b}\n\x1b\\\x1b[21t\x1b[20t".as_bytes());
    assert_eq!(
        model.next_event(),
        Some(ScreenEvent::Title(Some("rm -rf ~".to_owned())))
    );
    assert_eq!(replies(&mut model), "");
}

#[test]
fn a_title_of_256_characters_is_kept_and_one_more_is_cut() {
    for length in [256, 257] {
        let title = "ä".repeat(length);
        let mut model = fed(format!("\x1b]2;{title}\x07").as_bytes());
        let Some(ScreenEvent::Title(Some(got))) = model.next_event() else {
            panic!("no title")
        };
        assert_eq!(got.chars().count(), 256);
    }
}

#[test]
fn title_stack_never_holds_more_than_ten() {
    let mut model = fed(b"\x1b]2;x\x07".as_slice());
    model.feed(&b"\x1b[22;0t".repeat(100_000));
    let painted = model.repaint(FULL).bytes;
    let pushed = painted.windows(7).filter(|w| w == b"\x1b[22;2t").count();
    assert_eq!(pushed, 10);
}

#[test]
fn queries_are_answered_once_and_without_the_programs_own_text() {
    for (query, answer) in [
        ("\x1b[c", "\x1b[?1;2c"),
        ("\x1b[>c", "\x1b[>0;276;0c"),
        ("\x1b[5n", "\x1b[0n"),
        ("\x1b[3;4H\x1b[6n", "\x1b[3;4R"),
        ("\x1b[?6n", "\x1b[?1;1R"),
        ("\x1b[?2004$p", "\x1b[?2004;2$y"),
        ("\x1b[?2026$p", "\x1b[?2026;2$y"),
        ("\x1b[4h\x1b[4$p", "\x1b[4;1$y"),
        ("\x1b[?31337$p", "\x1b[?31337;0$y"),
        ("\x1b[18t", "\x1b[8;24;80t"),
        ("\x1b]11;?\x07", "\x1b]11;rgb:1111/1313/1818\x07"),
        ("\x1b]4;196;?\x1b\\", "\x1b]4;196;rgb:ffff/0000/0000\x1b\\"),
        (
            "\x1b]11;#102030\x07\x1b]11;?\x07",
            "\x1b]11;rgb:1010/2020/3030\x07",
        ),
        ("\x1bP$q evil\x1b\\", "\x1bP0$r\x1b\\"),
        ("\x1bP+q6576696c\x1b\\", "\x1bP0+r\x1b\\"),
        ("\x1bP$qr\x1b\\", "\x1bP1$r1;24r\x1b\\"),
        // never claimed: browsers don't speak it
        ("\x1b[?u", ""),
    ] {
        assert_eq!(replies(&mut fed(query.as_bytes())), answer, "{query:?}");
    }
}

#[test]
fn answers_to_one_feed_are_bounded() {
    let mut model = fed(&b"\x1b[c".repeat(100_000));
    let all = replies(&mut model);
    assert!(all.len() <= 4096 && all.len() > 4000, "{}", all.len());
    model.feed(b"\x1b[5n");
    assert_eq!(replies(&mut model), "\x1b[0n");
}

#[test]
fn replay_reinjects_no_queries() {
    let mut first =
        fed(b"\x1b[c\x1b[6n\x1b]11;?\x07\x1b[?2026$p\x1bP+q00\x1b\\\x1b]52;c;?\x07text\x1b[?2026h");
    for kind in [
        FULL,
        RepaintKind::CatchUp {
            since: 0,
            max_history_bytes: 1000,
        },
    ] {
        assert_eq!(replies(&mut fed(&first.repaint(kind).bytes)), "");
    }
}

#[test]
fn a_string_of_64_kib_is_interpreted_and_one_byte_more_is_not() {
    for (extra, title) in [(0, true), (1, false)] {
        let body = "t".repeat((64 << 10) - 4 + extra);
        let mut model = fed(format!("\x1b]2;{body}\x07").as_bytes());
        assert_eq!(model.next_event().is_some(), title);
    }
}

#[test]
fn csi_params_1e6_are_skipped_to_their_end() {
    let start = Instant::now();
    let mut model = model();
    model.feed(b"\x1b[");
    model.feed(&b"1;".repeat(1_000_000));
    let mut viewer = fed(&model.repaint(FULL).bytes);
    for model in [&mut model, &mut viewer] {
        model.feed(b"mplain");
        assert_eq!(screen(model), "plain\n");
    }
    assert!(start.elapsed() < SOON);
}

#[test]
fn rep_csi_2_31_b_takes_no_time() {
    let start = Instant::now();
    let model = fed(&b"x\x1b[2147483648b".repeat(1000));
    assert!(start.elapsed() < SOON);
    assert!(screen(&model).starts_with("xxxx"));
}

#[test]
fn huge_counts_in_any_sequence_take_no_time() {
    let start = Instant::now();
    for last in "@ABCDEFGHIJKLMPSTXZ`abdeghlr".chars() {
        fed(format!("x\x1b[5;5H\x1b[4294967295;4294967295{last}")
            .repeat(200)
            .as_bytes());
    }
    assert!(start.elapsed() < SOON);
}

#[test]
fn resize_bomb_loses_nothing_and_ends_soon() {
    let start = Instant::now();
    let mut model = fed(b"first line\r\nsecond line\r\nthird line");
    for i in 0..60 {
        let size = if i % 2 == 0 {
            Size::clamped(2, 2)
        } else {
            Size::clamped(500, 250)
        };
        model.resize(size);
    }
    model.resize(Size::DEFAULT);
    let text = model.text(0, false, usize::MAX).0;
    assert_eq!(text, "first line\nsecond line\nthird line\n");
    assert!(start.elapsed() < SOON);
}

#[test]
fn what_a_smaller_screen_pushed_out_comes_back_with_the_larger_one() {
    let lines: Vec<String> = (1..=30).map(|i| format!("line {i}")).collect();
    let mut model = fed(lines.join("\r\n").as_bytes());
    let before = screen(&model);
    for small in [
        Size::clamped(80, 5),
        Size::clamped(4, 24),
        Size::clamped(3, 3),
    ] {
        model.resize(small);
        model.resize(Size::DEFAULT);
        assert_eq!(screen(&model), before, "{small:?}");
    }
    // also while the alternate screen hides it
    model.feed(b"\x1b[?1049h");
    model.resize(Size::clamped(10, 4));
    model.resize(Size::DEFAULT);
    model.feed(b"\x1b[?1049l");
    assert_eq!(screen(&model), before);
}

#[test]
fn combining_1e5_keeps_sixteen_in_a_cell() {
    let mut model = fed(format!("a{}b", "\u{301}".repeat(100_000)).as_bytes());
    assert_eq!(
        screen(&model).chars().filter(|c| *c == '\u{301}').count(),
        16
    );
    assert!(model.repaint(FULL).bytes.len() < 200);
}

#[test]
fn a_link_of_2083_bytes_is_kept_and_one_byte_more_is_not() {
    for (extra, kept) in [(0, true), (1, false)] {
        let uri = format!("http://{}", "x".repeat(2083 - 7 + extra));
        let mut model = fed(format!("\x1b]8;;{uri}\x07link").as_bytes());
        let painted = String::from_utf8(model.repaint(FULL).bytes).unwrap();
        assert_eq!(painted.contains(&uri), kept);
        assert_eq!(screen(&model), "link\n");
    }
}

#[test]
fn sixel_huge_and_other_images_leave_the_screen_alone() {
    let sixel = format!(
        "before\x1bP0;1q\"1;1;9999;9999#0;2;0;0;0{}\x1b\\after",
        "~".repeat(1 << 20)
    );
    assert_eq!(screen(&fed(sixel.as_bytes())), "beforeafter\n");
    let iterm = format!("\x1b]1337;File=inline=1:{}\x07text", "QUJD".repeat(1 << 16));
    assert_eq!(screen(&fed(iterm.as_bytes())), "text\n");
    assert_eq!(screen(&fed(b"\x1b_Ga=T,f=100;QUJD\x1b\\text")), "text\n");
}

#[test]
fn alt_screen_toggle_flood_ends_soon_and_on_the_main_screen() {
    let start = Instant::now();
    let mut model = fed(b"main");
    model.feed(&b"\x1b[?1049hx\x1b[?1049l".repeat(5000));
    assert_eq!(screen(&model), "main\n");
    assert!(start.elapsed() < SOON);
}

#[test]
fn keyboard_mode_flood_doesnt_panic() {
    let mut model = fed(&b"\x1b[>31u".repeat(10_000));
    model.feed(&b"\x1b[<9999u".repeat(10));
    assert!(!model.repaint(FULL).bytes.is_empty());
}

#[test]
fn utf8_split_chunks_are_put_together() {
    let text = "é 日本 👍 ─";
    let mut model = model();
    for byte in text.as_bytes() {
        model.feed(&[*byte]);
    }
    assert_eq!(screen(&model).trim_end(), text);
}

#[test]
fn scrollback_cap_holds_at_the_limit_and_one_past() {
    for (lines, held, first) in [(1000, 1000, 0), (1001, 1000, 1)] {
        let mut model = model();
        model.feed(&b"line\r\n".repeat(lines + 23));
        assert_eq!(model.scrolled(), lines as u64);
        assert_eq!((model.scrollback(), model.first_line()), (held, first));
        let text = model.text(0, false, usize::MAX).0;
        assert_eq!(text.lines().count(), 1000 + 23);
    }
}

#[test]
fn a_scrollback_of_colour_in_every_cell_is_bounded_in_bytes() {
    let mut model = AlacrittyModel::new(Size::clamped(500, 50), 10_000);
    let mut seed = 1_u32;
    for _ in 0..600 {
        let mut line = String::new();
        for _ in 0..500 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [r, g, b, c] = seed.to_be_bytes();
            let colour = format!("\x1b[38;2;{r};{g};{b}m");
            line.push_str(&colour);
            line.push(char::from(b'a' + c % 26));
        }
        model.feed(line.as_bytes());
        model.feed(b"\r\n");
    }
    assert!(
        model.scrollback_bytes() < 6 << 20,
        "{}",
        model.scrollback_bytes()
    );
    assert_eq!(model.first_line() + model.scrollback(), model.scrolled());
}

#[test]
fn ten_thousand_lines_of_log_weigh_a_megabyte_and_soon_less_than_half_of_one() {
    let mut model = AlacrittyModel::new(Size::clamped(120, 40), 10_000);
    for i in 0_u32..12_000 {
        let line = format!(
            "10.0.{}.{} - - [22/Nov/2026:03:{:02}:{:02} +0000] \"GET /page/{} HTTP/1.1\" 200 {}\r\n",
            i % 251,
            i * 31 % 253,
            i / 60 % 60,
            i % 60,
            i * 7919 % 10_007,
            i.wrapping_mul(104_729) % 65_521
        );
        model.feed(line.as_bytes());
    }
    assert_eq!(model.scrollback(), 10_000);
    let weighs = |model: &AlacrittyModel, most: usize| {
        let bytes = model.scrollback_bytes();
        assert!(bytes < most, "{bytes}");
    };
    // Compressed when there is time for it, and the text stays the same.
    weighs(&model, (1 << 20) + (256 << 10));
    let before = model.text(0, true, usize::MAX);
    while model.tidy() {}
    weighs(&model, 512 << 10);
    assert_eq!(model.text(0, true, usize::MAX), before);
    // In a flood of lines that all stay, what is put off is bounded, too.
    let mut model = AlacrittyModel::new(Size::clamped(120, 40), 1_000_000);
    for _ in 0..100_000 {
        model.feed(b"one line like any other, again and again and again\r\n");
    }
    weighs(&model, 2 << 20);
}

#[test]
fn ed3_and_ris_clear_the_scrollback_and_numbers_go_on() {
    for clear in ["\x1b[3J", "\x1bc"] {
        let mut model = fed(&b"line\r\n".repeat(100));
        let since = model.scrolled();
        model.feed(clear.as_bytes());
        assert_eq!((model.scrollback(), model.first_line()), (0, since));
        model.feed(&b"new\r\n".repeat(50));
        assert!(model.scrolled() > since);
        let caught = model.repaint(RepaintKind::CatchUp {
            since: since - 10,
            max_history_bytes: usize::MAX,
        });
        assert!(caught.bytes.windows(4).any(|w| w == b"\x1b[3J"));
        assert_eq!(caught.skipped, 0);
    }
}

#[test]
fn bytes_for_history_are_respected_and_what_is_left_out_is_counted() {
    let mut model = fed(&b"0123456789\r\n".repeat(123));
    assert_eq!(model.scrollback(), 100);
    for (bytes, skipped) in [(0, 100), (11, 100), (12, 99), (1199, 1), (1200, 0)] {
        let painted = model.repaint(RepaintKind::Full {
            history: 1000,
            max_history_bytes: bytes,
        });
        assert_eq!(painted.skipped, skipped, "{bytes}");
    }
}

#[test]
fn search_finds_lines_newest_first_across_wraps_and_pages_on() {
    let mut model = AlacrittyModel::new(Size::clamped(10, 4), 1000);
    for i in 0..50 {
        model.feed(format!("number {i} is in a Long line\r\n").as_bytes());
    }
    let find = Search::plain("is in a long").unwrap();
    let (found, more) = model.search(&find, None, 3);
    let texts: Vec<&str> = found.iter().map(|m| m.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "number 49 is in a Long line",
            "number 48 is in a Long line",
            "number 47 is in a Long line"
        ]
    );
    assert!(more);
    assert_eq!((found[0].start, found[0].length), (10, 12));
    let (next, _) = model.search(&find, Some(found[2].line), 1);
    assert_eq!(next[0].text, "number 46 is in a Long line");
    let (all, more) = model.search(&find, None, 1000);
    assert_eq!((all.len(), more), (50, false));
    assert!(
        model
            .search(&Search::plain("is in a LONG").unwrap(), None, 9)
            .0
            .is_empty()
    );
    assert_eq!(
        model
            .search(&Search::regex(r"number \d is").unwrap(), None, 99)
            .0
            .len(),
        10
    );
    assert!(Search::regex("(").is_err() && Search::plain("").is_err());
}

#[test]
fn text_pages_on_to_the_same_whole() {
    let mut model = AlacrittyModel::new(Size::clamped(10, 4), 10_000);
    for i in 0..500 {
        model.feed(format!("\x1b[3{}mline {i} goes on and on\r\n", i % 8).as_bytes());
    }
    let (whole, end) = model.text(0, false, usize::MAX);
    assert_eq!(end, None);
    assert_eq!(whole.lines().count(), 500);
    let (mut pages, mut from) = (String::new(), Some(0));
    while let Some(line) = from {
        let (page, next) = model.text(line, false, 100);
        assert!(page.len() < 200);
        pages.push_str(&page);
        from = next;
    }
    assert_eq!(pages, whole);
    assert!(model.text(0, true, usize::MAX).0.contains("\x1b[0;31m"));
}

#[test]
fn rescue_brings_back_sane_modes_and_keeps_the_text() {
    let mut model =
        fed(b"kept\x1b[?1049h\x1b(0\x1b[?1003h\x1b[?25l\x1b[4h\x1b[5;6r\x1b[7m\x1b]2;unfinished");
    model.rescue();
    model.feed(b"\r\nlqk");
    assert_eq!(screen(&model), "kept\nlqk\n");
    let mut clean = fed(b"kept\r\nlqk");
    assert_eq!(
        model.repaint(FULL).bytes.len() / 40,
        clean.repaint(FULL).bytes.len() / 40
    );
}

#[test]
fn a_synchronized_update_has_a_deadline_and_can_be_ended() {
    let mut model = fed(b"\x1b[?2026h");
    assert!(model.synchronized_update_deadline().is_some());
    assert!(model.repaint(FULL).bytes.ends_with(b"\x1b[?2026h"));
    model.end_synchronized_update();
    assert!(model.synchronized_update_deadline().is_none());
    model.feed(b"\x1b[?2026h\x1b[?2026l");
    assert!(model.synchronized_update_deadline().is_none());
}
