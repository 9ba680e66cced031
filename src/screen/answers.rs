//! Operating system commands, and answers to queries. Each query is answered here, once; the answers
//! are those of xterm.js where it has one. No answer repeats text that a program sent: whatever prints
//! a file could otherwise type into the shell.

use alacritty_terminal::term::cell::Hyperlink;

use crate::screen::csi::Csi;
use crate::screen::emulator::Emulator;
use crate::screen::palette::{self, BACKGROUND, CURSOR, FOREGROUND};

/// Longest link target, in bytes: what browsers accept of a URL.
pub(super) const MAX_URI: usize = 2083;
/// Longest link id, in bytes.
const MAX_LINK_ID: usize = 256;
/// A cell's size in pixels, for programs that ask. Nobody's real size; programs want the ratio.
const CELL: (usize, usize) = (10, 20);

impl Emulator {
    /// An operating system command.
    pub(super) fn command(&mut self, body: &[u8], bell: bool) {
        let body: Vec<u8> = body.iter().copied().filter(|b| *b >= 0x20).collect();
        let (code, rest) = match memchr::memchr(b';', &body) {
            Some(at) => (body.get(..at), body.get(at + 1..)),
            None => (Some(body.as_slice()), None),
        };
        let Some(code) = code.and_then(|code| std::str::from_utf8(code).ok()) else {
            return;
        };
        let text = String::from_utf8_lossy(rest.unwrap_or_default());
        let end = if bell { "\x07" } else { "\x1b\\" };
        match code {
            "0" | "2" if rest.is_some() => {
                self.titles.set(text.as_bytes());
                self.outbox.title_changed = true;
            }
            "4" => {
                let parts: Vec<&str> = text.split(';').collect();
                for pair in parts.chunks_exact(2) {
                    if let [index, color] = pair
                        && let Ok(index) = index.parse::<u8>()
                    {
                        self.color(&format!("4;{index}"), u16::from(index), color, end);
                    }
                }
            }
            "8" => self.link(&text),
            "10" | "11" | "12" if rest.is_some() => {
                let first = FOREGROUND + code.parse::<u16>().unwrap_or(10) - 10;
                for (index, color) in (first..=CURSOR).zip(text.split(';')) {
                    self.color(&(index - FOREGROUND + 10).to_string(), index, color, end);
                }
            }
            "104" if text.is_empty() => self.palette.reset_indexed(),
            "104" => {
                for index in text.split(';').filter_map(|index| index.parse::<u8>().ok()) {
                    self.palette.reset(u16::from(index));
                }
            }
            "110" => self.palette.reset(FOREGROUND),
            "111" => self.palette.reset(BACKGROUND),
            "112" => self.palette.reset(CURSOR),
            // 52, the clipboard, is for viewers: reading it is refused everywhere
            _ => {}
        }
    }

    fn color(&mut self, prefix: &str, index: u16, text: &str, end: &str) {
        if text == "?" {
            let c = self.palette.get(index);
            let (r, g, b) = (c.r, c.g, c.b);
            self.outbox.reply(&format!(
                "\x1b]{prefix};rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}{end}"
            ));
        } else if let Some(color) = palette::parse(text) {
            self.palette.set(index, color);
        }
    }

    fn link(&mut self, text: &str) {
        let Some((params, uri)) = text.split_once(';') else {
            return;
        };
        let id = params
            .split(':')
            .find_map(|pair| pair.strip_prefix("id="))
            .filter(|id| id.len() <= MAX_LINK_ID)
            // no id is an empty one (the grid would make one up), so that the same target is the same link
            .unwrap_or_default();
        let safe = uri.len() <= MAX_URI && !uri.chars().any(char::is_control);
        let link = (safe && !uri.is_empty()).then(|| Hyperlink::new(Some(id), uri.to_owned()));
        self.page.grid.cursor.template.set_hyperlink(link);
    }

    /// A control sequence that does nothing but ask.
    pub(super) fn answer_csi(&mut self, csi: &Csi) {
        let (rows, cols) = (self.page.rows(), self.page.cols());
        let (width, height) = CELL;
        let (x, y) = (self.page.x() + 1, self.page.y() + 1);
        let first = csi.raw(0);
        let answer = match (csi.name(), first) {
            ((0, 0, b'c'), 0) => "\x1b[?1;2c".to_owned(),
            ((b'>', 0, b'c'), 0) => "\x1b[>0;276;0c".to_owned(),
            ((0, 0, b'n'), 5) => "\x1b[0n".to_owned(),
            ((0, 0, b'n'), 6) => format!("\x1b[{y};{x}R"),
            ((b'?', 0, b'n'), 6) => format!("\x1b[?{y};{x}R"),
            ((0, b'$', b'p'), mode) => format!("\x1b[{mode};{}$y", self.modes.report_ansi(mode)),
            ((b'?', b'$', b'p'), mode) => {
                let state = self.modes.report_private(mode, self.is_alternate());
                format!("\x1b[?{mode};{state}$y")
            }
            ((b'>', 0, b'q'), 0) => "\x1bP>|gatepost\x1b\\".to_owned(),
            ((0, 0, b't'), 14) => format!("\x1b[4;{};{}t", rows * height, cols * width),
            ((0, 0, b't'), 16) => format!("\x1b[6;{height};{width}t"),
            ((0, 0, b't'), 18) => format!("\x1b[8;{rows};{cols}t"),
            // 21, the title, stays unanswered: it is text that a program sent
            _ => return,
        };
        self.outbox.reply(&answer);
    }

    /// A device control string that asks: DECRQSS and XTGETTCAP.
    pub(super) fn answer_dcs(&mut self, body: &[u8]) {
        let answer = match body {
            b"$qr" => format!("\x1bP1$r{};{}r\x1b\\", self.page.top + 1, self.page.bottom),
            b"$q q" => format!("\x1bP1$r{} q\x1b\\", self.cursor_style.max(1)),
            b"$qm" => "\x1bP1$r0m\x1b\\".to_owned(),
            b"$q\"p" => "\x1bP1$r61;1\"p\x1b\\".to_owned(),
            [b'$', b'q', ..] => "\x1bP0$r\x1b\\".to_owned(),
            [b'+', b'q', ..] => "\x1bP0+r\x1b\\".to_owned(),
            _ => return,
        };
        self.outbox.reply(&answer);
    }

    /// Sequences for title, colours, keyboard and cursor style, for a terminal that has just
    /// been reset or (`fresh` false) that is in any state.
    pub(super) fn write_settings(&self, out: &mut Vec<u8>, fresh: bool) {
        self.palette.write(out);
        self.titles.write(out);
        self.keyboard.write(out, fresh);
        if self.cursor_style != 0 || !fresh {
            out.extend_from_slice(format!("\x1b[{} q", self.cursor_style).as_bytes());
        }
    }
}
