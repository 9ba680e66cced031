//! The harness itself: it finds nothing where there is nothing, and something where there is something.

use gatepost::base::Size;

use crate::browser::Browser;
use crate::recordings::{self, Random, Recording, cuts};
use crate::report::Report;
use crate::viewers::HISTORY;

#[test]
fn the_harness_finds_nothing_between_two_viewers_fed_in_different_pieces() {
    let mut browser = Browser::start();
    let mut report = Report::default();
    for Recording { name, size, bytes } in recordings::all() {
        browser.open("one", size, HISTORY);
        browser.open("two", size, HISTORY);
        let mut random = Random::named(&name);
        let mut done = 0;
        for cut in cuts(&bytes, 12, &mut random) {
            let piece = &bytes[done..cut];
            browser.feed("one", piece);
            let mut rest = piece;
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(1 + random.below(700)));
                browser.feed("two", now);
                rest = later;
            }
            done = cut;
            let differences = browser.differences("one", "two", HISTORY, &[]);
            report.add(&format!("{name} at {cut}"), &differences);
        }
    }
    report.check();
}

#[test]
fn the_harness_notices_each_thing_it_compares() {
    let base = b"one\r\ntwo \x1b[31mred\x1b[m\r\nthree\r\nfour\r\nfive\r\nsix \x1b[2;4H";
    // what is done to one of two equal viewers, and the field that has to tell
    let table: [(&str, &str); 34] = [
        ("x", "text"),
        ("\u{301}", "text"),
        ("\x1b[31m\x1b[3;1Hsix\x1b[m\x1b[2;4H", "attributes"),
        ("\x1b[4:3m\x1b[3;1Hsix\x1b[m\x1b[2;4H", "attributes"),
        ("\x1b[4;58;5;3m\x1b[3;1Hsix\x1b[m\x1b[2;4H", "attributes"),
        ("\x1b[53m\x1b[3;1Hsix\x1b[m\x1b[2;4H", "attributes"),
        ("\x1b[44m\x1b[3;9H\x1b[K\x1b[m\x1b[2;4H", "attributes"),
        (
            "\x1b]8;;http://a.example\x07\x1b[3;1Hsix\x1b]8;;\x07\x1b[2;4H",
            "attributes",
        ),
        ("\x1b[2;10Hab\x1b[2;4H", "wraps"),
        ("\x1b[C", "cursor"),
        ("\x1b[?25l", "cursor visible"),
        ("\x1b[5 q", "cursor style"),
        ("\x1b[1m", "pen"),
        ("\x1b[58;5;3m", "pen underline colour"),
        ("\x1b]8;;http://a.example\x07", "pen link"),
        ("\x1b7", "saved cursor"),
        ("\x1b[?1h", "modes"),
        ("\x1b=", "modes"),
        ("\x1b[4h", "modes"),
        ("\x1b[20h", "modes"),
        ("\x1b[?2004h", "modes"),
        ("\x1b[?2026h", "synchronized"),
        ("\x1b[?1002h", "mouse"),
        ("\x1b[?1006h", "mouse"),
        ("\x1b[2;3r\x1b[2;4H", "margins"),
        ("\x1bH", "tabs"),
        ("\x1b)0", "charsets"),
        ("\x1b)0\x0e", "active charset"),
        ("\x1b]2;title\x07", "title"),
        ("\x1b]4;1;#123456\x07", "palette"),
        ("\x1b[3", "parser"),
        ("\x1b[?1049h\x1b[2;4H", "alternate"),
        ("\x1b[3;1H\r\n\x1b[2;4H", "scrollback length"),
        ("\x1b]2;t\x07\x1b[22;2t\x1b]2;\x07", "title stack"),
    ];
    let size = Size::clamped(10, 3);
    let mut browser = Browser::start();
    for (change, field) in table {
        browser.open("one", size, 9);
        browser.open("two", size, 9);
        browser.feed("one", base);
        browser.feed("two", base);
        assert_eq!(browser.differences("one", "two", 9, &[]), []);
        browser.feed("two", change.as_bytes());
        let found = browser.differences("one", "two", 9, &[]);
        assert!(
            found.iter().any(|difference| difference.field == field),
            "{change:?} should differ in {field}: {found:?}"
        );
    }
}
