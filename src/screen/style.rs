//! Character attributes: read from SGR parameters into the grid's cells, and written back as SGR.

use std::io::Write;

use alacritty_terminal::term::cell::{Cell, Flags, Hyperlink};
use alacritty_terminal::vte::ansi::{Color, NamedColor, Rgb};

use crate::screen::csi::Csi;

/// Blinking. The grid's cells have one flag bit to spare.
pub(super) const BLINK: Flags = Flags::from_bits_retain(0x8000);
/// Overlined. Cells have no bit left for it; since a cell has one kind of underline at most, dashed is
/// written as curled and dotted together and its bit is free for this.
const OVERLINE: Flags = Flags::DASHED_UNDERLINE;
const DASHED: Flags = Flags::UNDERCURL.union(Flags::DOTTED_UNDERLINE);
const UNDERLINES: Flags = Flags::UNDERLINE
    .union(Flags::DOUBLE_UNDERLINE)
    .union(DASHED);
/// Everything SGR sets, besides colours.
const ATTRIBUTES: Flags = BLINK
    .union(OVERLINE)
    .union(UNDERLINES)
    .union(Flags::INVERSE)
    .union(Flags::BOLD_ITALIC)
    .union(Flags::DIM)
    .union(Flags::HIDDEN)
    .union(Flags::STRIKEOUT);
/// Attributes that show on a blank.
const VISIBLE: Flags = OVERLINE
    .union(UNDERLINES)
    .union(Flags::INVERSE)
    .union(Flags::STRIKEOUT);

const DEFAULT_FG: Color = Color::Named(NamedColor::Foreground);
const DEFAULT_BG: Color = Color::Named(NamedColor::Background);

/// Whether a cell has no attributes, colours, link or combining characters at all.
pub(super) fn is_plain(cell: &Cell) -> bool {
    cell.flags.is_empty() && cell.extra.is_none() && cell.fg == DEFAULT_FG && cell.bg == DEFAULT_BG
}

/// The same, and its character is ASCII. No branches, so that a row is quick to go through.
pub(super) fn is_plain_ascii(cell: &Cell) -> bool {
    has_default_colors(cell) & cell.c.is_ascii()
}

/// Whether a cell is as a cleared one in the default colours.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a branch for each cell costs more"
)]
pub(super) fn is_empty(cell: &Cell) -> bool {
    has_default_colors(cell) & (cell.c == ' ')
}

fn has_default_colors(cell: &Cell) -> bool {
    cell.flags.is_empty()
        & cell.extra.is_none()
        & matches!(cell.fg, Color::Named(NamedColor::Foreground))
        & matches!(cell.bg, Color::Named(NamedColor::Background))
}

/// Whether nothing is to be seen in a cell but its background.
pub(super) fn is_blank(cell: &Cell) -> bool {
    cell.c == ' '
        && cell.extra.is_none()
        && !cell
            .flags
            .intersects(VISIBLE.union(Flags::WIDE_CHAR_SPACER))
}

/// Whether the background is the default one.
pub(super) fn has_default_background(cell: &Cell) -> bool {
    cell.bg == DEFAULT_BG
}

/// Applies SGR.
pub(super) fn apply(pen: &mut Cell, csi: &Csi) {
    let mut groups = csi.groups();
    while let Some(group) = groups.next() {
        let (&code, subs) = group.split_first().unwrap_or((&0, &[]));
        match code {
            38 | 48 | 58 => {
                let color = if subs.is_empty() {
                    let mut next = || groups.next().and_then(|g| g.first().copied());
                    extended(&mut next)
                } else {
                    colon(subs)
                };
                match (code, color) {
                    (_, None) => {}
                    (38, Some(color)) => pen.fg = color,
                    (48, Some(color)) => pen.bg = color,
                    (_, color) => pen.set_underline_color(color),
                }
            }
            4 => underline(pen, subs.first().copied().unwrap_or(1)),
            _ => simple(pen, code),
        }
    }
}

fn simple(pen: &mut Cell, code: u16) {
    let flags = &mut pen.flags;
    match code {
        0 => {
            flags.remove(ATTRIBUTES);
            pen.fg = DEFAULT_FG;
            pen.bg = DEFAULT_BG;
            pen.set_underline_color(None);
        }
        1 => flags.insert(Flags::BOLD),
        2 => flags.insert(Flags::DIM),
        3 => flags.insert(Flags::ITALIC),
        5 => flags.insert(BLINK),
        7 => flags.insert(Flags::INVERSE),
        8 => flags.insert(Flags::HIDDEN),
        9 => flags.insert(Flags::STRIKEOUT),
        21 => underline(pen, 2),
        22 => flags.remove(Flags::BOLD | Flags::DIM),
        23 => flags.remove(Flags::ITALIC),
        24 => underline(pen, 0),
        25 => flags.remove(BLINK),
        27 => flags.remove(Flags::INVERSE),
        28 => flags.remove(Flags::HIDDEN),
        29 => flags.remove(Flags::STRIKEOUT),
        30..=37 => pen.fg = basic(code - 30),
        39 => pen.fg = DEFAULT_FG,
        40..=47 => pen.bg = basic(code - 40),
        49 => pen.bg = DEFAULT_BG,
        53 => flags.insert(OVERLINE),
        55 => flags.remove(OVERLINE),
        59 => pen.set_underline_color(None),
        90..=97 => pen.fg = basic(code - 90 + 8),
        100..=107 => pen.bg = basic(code - 100 + 8),
        _ => {}
    }
}

fn underline(pen: &mut Cell, style: u16) {
    pen.flags.remove(UNDERLINES);
    pen.flags.insert(match style {
        0 => Flags::empty(),
        2 => Flags::DOUBLE_UNDERLINE,
        3 => Flags::UNDERCURL,
        4 => Flags::DOTTED_UNDERLINE,
        5 => DASHED,
        _ => Flags::UNDERLINE,
    });
}

fn basic(index: u16) -> Color {
    use NamedColor::{
        Black, Blue, BrightBlack, BrightBlue, BrightCyan, BrightGreen, BrightMagenta, BrightRed,
        BrightWhite, BrightYellow, Cyan, Green, Magenta, Red, White, Yellow,
    };
    const NAMES: [NamedColor; 16] = [
        Black,
        Red,
        Green,
        Yellow,
        Blue,
        Magenta,
        Cyan,
        White,
        BrightBlack,
        BrightRed,
        BrightGreen,
        BrightYellow,
        BrightBlue,
        BrightMagenta,
        BrightCyan,
        BrightWhite,
    ];
    Color::Named(NAMES.get(usize::from(index)).copied().unwrap_or(Black))
}

/// `5;index` or `2;red;green;blue`.
fn extended(next: &mut dyn FnMut() -> Option<u16>) -> Option<Color> {
    let byte = |value: Option<u16>| u8::try_from(value.unwrap_or(0)).ok();
    match next()? {
        5 => Some(Color::Indexed(byte(next())?)),
        2 => {
            let (r, g, b) = (next(), next(), next());
            Some(Color::Spec(Rgb {
                r: byte(r)?,
                g: byte(g)?,
                b: byte(b)?,
            }))
        }
        _ => None,
    }
}

/// The same with colons, where `2` may be followed by a colour space.
fn colon(subs: &[u16]) -> Option<Color> {
    let rgb_with_space = subs.first() == Some(&2) && subs.len() > 4;
    let mut values = subs
        .iter()
        .enumerate()
        .filter(|(at, _)| !(rgb_with_space && *at == 1))
        .map(|(_, value)| *value);
    extended(&mut || values.next())
}

/// The attributes another terminal has while it is being painted.
#[derive(Debug, Default)]
pub(super) struct Pen {
    style: Cell,
    link: Option<Hyperlink>,
}

impl Pen {
    /// Whether it has no attributes and no link.
    pub(super) fn is_plain(&self) -> bool {
        self.link.is_none() && is_plain(&self.style)
    }

    /// Whether this cell can be written without changing anything.
    pub(super) fn is_like(&self, cell: &Cell) -> bool {
        same_style(&self.style, cell) && self.link == cell.hyperlink()
    }

    /// Whether this cell is one character and nothing else, in the pen's attributes, without link.
    pub(super) fn goes_on(&self, cell: &Cell) -> bool {
        const WIDE: Flags = Flags::WIDE_CHAR.union(Flags::WIDE_CHAR_SPACER);
        cell.extra.is_none()
            && self.link.is_none()
            && self.style.extra.is_none()
            && !cell.flags.intersects(WIDE)
            && (self.style.flags ^ cell.flags) & ATTRIBUTES == Flags::empty()
            && self.style.fg == cell.fg
            && self.style.bg == cell.bg
    }

    /// Writes what changes the pen to a cell's attributes and link.
    pub(super) fn take(&mut self, out: &mut Vec<u8>, cell: &Cell) {
        self.take_style(out, cell);
        let link = cell.hyperlink();
        if self.link != link {
            write_link(out, link.as_ref());
            self.link = link;
        }
    }

    fn take_style(&mut self, out: &mut Vec<u8>, cell: &Cell) {
        if same_style(&self.style, cell) {
            return;
        }
        write_sgr(out, cell);
        self.style = Cell {
            fg: cell.fg,
            bg: cell.bg,
            flags: cell.flags & ATTRIBUTES,
            ..Cell::default()
        };
        self.style.set_underline_color(cell.underline_color());
    }

    /// Paints the rest of the row in a cell's background.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>, cell: &Cell) {
        let background = Cell {
            bg: cell.bg,
            ..Cell::default()
        };
        self.take_style(out, &background);
        out.extend_from_slice(b"\x1b[K");
    }

    /// Back to no attributes, no link.
    pub(super) fn rest(&mut self, out: &mut Vec<u8>) {
        self.take(out, &Cell::default());
    }
}

fn same_style(a: &Cell, b: &Cell) -> bool {
    a.fg == b.fg
        && a.bg == b.bg
        && (a.flags ^ b.flags) & ATTRIBUTES == Flags::empty()
        && (a.extra.is_none() && b.extra.is_none() || a.underline_color() == b.underline_color())
}

fn write_link(out: &mut Vec<u8>, link: Option<&Hyperlink>) {
    out.extend_from_slice(b"\x1b]8;");
    if let Some(link) = link {
        if !link.id().is_empty() {
            out.extend_from_slice(b"id=");
            out.extend_from_slice(link.id().as_bytes());
        }
        out.push(b';');
        out.extend_from_slice(link.uri().as_bytes());
    } else {
        out.push(b';');
    }
    out.extend_from_slice(b"\x1b\\");
}

fn write_sgr(out: &mut Vec<u8>, cell: &Cell) {
    if same_style(cell, &Cell::default()) {
        out.extend_from_slice(b"\x1b[m");
        return;
    }
    out.extend_from_slice(b"\x1b[0");
    for (flag, code) in [
        (Flags::BOLD, "1"),
        (Flags::DIM, "2"),
        (Flags::ITALIC, "3"),
        (BLINK, "5"),
        (Flags::INVERSE, "7"),
        (Flags::HIDDEN, "8"),
        (Flags::STRIKEOUT, "9"),
        (OVERLINE, "53"),
    ] {
        if cell.flags.contains(flag) {
            out.push(b';');
            out.extend_from_slice(code.as_bytes());
        }
    }
    let kind = cell.flags & UNDERLINES;
    if kind == Flags::UNDERLINE {
        out.extend_from_slice(b";4");
    } else if !kind.is_empty() {
        let style = if kind == DASHED {
            5
        } else if kind == Flags::DOTTED_UNDERLINE {
            4
        } else if kind == Flags::UNDERCURL {
            3
        } else {
            2
        };
        put(out, format_args!(";4:{style}"));
    }
    write_color(out, cell.fg, 30);
    write_color(out, cell.bg, 40);
    // with colons, so that a terminal that doesn't know 58 skips it as one parameter
    match cell.underline_color() {
        Some(Color::Indexed(i)) => put(out, format_args!(";58:5:{i}")),
        Some(Color::Spec(c)) => put(out, format_args!(";58:2::{}:{}:{}", c.r, c.g, c.b)),
        _ => {}
    }
    out.push(b'm');
}

fn write_color(out: &mut Vec<u8>, color: Color, base: u16) {
    match color {
        Color::Named(name) => match name as u16 {
            i @ 0..=7 => parameter(out, base + i),
            i @ 8..=15 => parameter(out, base + 60 + i - 8),
            _ => {}
        },
        Color::Indexed(i) => {
            parameter(out, base + 8);
            out.extend_from_slice(b";5");
            parameter(out, u16::from(i));
        }
        Color::Spec(c) => put(out, format_args!(";{};2;{};{};{}", base + 8, c.r, c.g, c.b)),
    }
}

/// Appends `;` and a number below 1000. Coloured output writes many, and formatting is slow.
fn parameter(out: &mut Vec<u8>, number: u16) {
    out.push(b';');
    let digits = [number / 100, number / 10 % 10, number % 10];
    let leading = if number > 99 {
        0
    } else {
        2 - usize::from(number > 9)
    };
    for digit in digits.iter().skip(leading) {
        out.push(b'0' + u8::try_from(*digit).unwrap_or(0));
    }
}

/// Appends formatted text.
pub(super) fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    match out.write_fmt(text) {
        // writing to a Vec can't fail
        Ok(()) | Err(_) => {}
    }
}
