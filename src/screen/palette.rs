//! Colours: the ones a program changed, and the ones reported to a program that asks.

use std::collections::BTreeMap;

use alacritty_terminal::vte::ansi::Rgb;

use crate::screen::style::put;

/// Where foreground, background and cursor stand after the 256 indexed colours.
pub(super) const FOREGROUND: u16 = 256;
/// See [`FOREGROUND`].
pub(super) const BACKGROUND: u16 = 257;
/// See [`FOREGROUND`].
pub(super) const CURSOR: u16 = 258;

/// The first sixteen, as xterm.js paints them.
const SIXTEEN: [u32; 16] = [
    0x2e_34_36, 0xcc_00_00, 0x4e_9a_06, 0xc4_a0_00, 0x34_65_a4, 0x75_50_7b, 0x06_98_9a, 0xd3_d7_cf,
    0x55_57_53, 0xef_29_29, 0x8a_e2_34, 0xfc_e9_4f, 0x72_9f_cf, 0xad_7f_a8, 0x34_e2_e2, 0xee_ee_ec,
];
/// Light text on a dark background: programs choose their colours by the answer.
const LIGHT: u32 = 0xe6_e6_e6;
const DARK: u32 = 0x11_13_18;

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Palette {
    changed: BTreeMap<u16, Rgb>,
    touched: bool,
}

impl Palette {
    pub(super) fn set(&mut self, index: u16, color: Rgb) {
        self.touched = true;
        self.changed.insert(index, color);
    }

    pub(super) fn reset(&mut self, index: u16) {
        self.touched = true;
        self.changed.remove(&index);
    }

    /// The 256 indexed ones.
    pub(super) fn reset_indexed(&mut self) {
        self.touched = true;
        self.changed.retain(|index, _| *index >= FOREGROUND);
    }

    pub(super) fn reset_all(&mut self) {
        self.changed.clear();
    }

    /// What to report.
    pub(super) fn get(&self, index: u16) -> Rgb {
        self.changed
            .get(&index)
            .copied()
            .unwrap_or_else(|| default(index))
    }

    /// Sequences that bring a terminal here. Resetting doesn't change a browser's colours.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if self.touched {
            out.extend_from_slice(b"\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\");
        }
        for (index, Rgb { r, g, b }) in &self.changed {
            match *index {
                FOREGROUND..=CURSOR => put(out, format_args!("\x1b]{}", index - FOREGROUND + 10)),
                _ => put(out, format_args!("\x1b]4;{index}")),
            }
            put(out, format_args!(";rgb:{r:02x}/{g:02x}/{b:02x}\x1b\\"));
        }
    }
}

fn default(index: u16) -> Rgb {
    let packed = |value: u32| {
        let [_, r, g, b] = value.to_be_bytes();
        Rgb { r, g, b }
    };
    match index {
        BACKGROUND => packed(DARK),
        FOREGROUND.. => packed(LIGHT),
        0..16 => packed(SIXTEEN.get(usize::from(index)).copied().unwrap_or(LIGHT)),
        // a cube of 6×6×6, then 24 greys
        16..232 => {
            let level = |step: u16| match step % 6 {
                0 => 0,
                step => u8::try_from(55 + 40 * step).unwrap_or(u8::MAX),
            };
            let at = index - 16;
            Rgb {
                r: level(at / 36),
                g: level(at / 6),
                b: level(at),
            }
        }
        _ => {
            let grey = u8::try_from(8 + 10 * (index - 232)).unwrap_or(u8::MAX);
            Rgb {
                r: grey,
                g: grey,
                b: grey,
            }
        }
    }
}

/// `rgb:r/g/b` with one to four hexadecimal digits each, or `#` and three equal parts.
pub(super) fn parse(text: &str) -> Option<Rgb> {
    let parts: Vec<&str> = if let Some(list) = text.strip_prefix("rgb:") {
        list.split('/').collect()
    } else {
        let digits = text.strip_prefix('#')?;
        let part = digits.len() / 3;
        if !digits.len().is_multiple_of(3) {
            return None;
        }
        vec![
            digits.get(..part)?,
            digits.get(part..2 * part)?,
            digits.get(2 * part..)?,
        ]
    };
    let [r, g, b] = parts.as_slice() else {
        return None;
    };
    let scale = text.starts_with('r');
    let channel = |digits: &str| {
        if digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let value = u32::from_str_radix(digits, 16).ok()?;
        let bits = 4 * u32::try_from(digits.len()).ok()?;
        let value = if scale {
            value * 0xff / ((1 << bits) - 1)
        } else {
            value << 8 >> bits
        };
        u8::try_from(value & 0xff).ok()
    };
    Some(Rgb {
        r: channel(r)?,
        g: channel(g)?,
        b: channel(b)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_in_both_notations() {
        let rgb = |r, g, b| Some(Rgb { r, g, b });
        assert_eq!(parse("rgb:ff/00/80"), rgb(255, 0, 128));
        assert_eq!(parse("rgb:f/0/8"), rgb(255, 0, 136));
        assert_eq!(parse("rgb:ffff/0000/8080"), rgb(255, 0, 128));
        assert_eq!(parse("#ff0080"), rgb(255, 0, 128));
        assert_eq!(parse("#f08"), rgb(0xf0, 0, 0x80));
        for bad in [
            "",
            "#",
            "red",
            "rgb:1/2",
            "rgb:1/2/3/4",
            "#12345",
            "rgb:12345/1/1",
            "#é12",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_colour_nobody_changed_is_the_standard_one() {
        let palette = Palette::default();
        assert_eq!(palette.get(196), Rgb { r: 255, g: 0, b: 0 });
        assert_eq!(
            palette.get(255),
            Rgb {
                r: 238,
                g: 238,
                b: 238
            }
        );
        assert_eq!(palette.get(BACKGROUND).r, 0x11);
    }
}
