//! What the terminals are made to show: files that are the same in every run.

use std::io::Write;

use anyhow::Result;

/// Bytes of the log file, the text of `cat` rows.
pub(crate) const LOG_BYTES: usize = 50 << 20;
/// Bytes of mixed text.
const MIXED_BYTES: usize = 32 << 20;
/// Bytes of text full of colours.
const COLOUR_BYTES: usize = 16 << 20;
/// Bytes of redraws.
const REDRAW_BYTES: usize = 16 << 20;
/// Lines of the short log.
pub(crate) const SHORT_LOG_LINES: usize = 10_000;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap_or(0)
    }
}

/// Lines of a web server's log, 80 to 100 columns wide, while `more(bytes, lines)` says so.
pub(crate) fn log(out: &mut dyn Write, more: impl Fn(usize, usize) -> bool) -> Result<()> {
    const LEVELS: [&str; 4] = ["INFO ", "DEBUG", "WARN ", "INFO "];
    const PATHS: [&str; 4] = ["/api/items", "/login", "/static/app.js", "/health"];
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut written, mut line) = (0, 0);
    while more(written, line) {
        let (level, path) = (LEVELS.get(dice.roll(4)), PATHS.get(dice.roll(4)));
        let text = format!(
            "2026-11-22T{:02}:{:02}:{:02}.{:03}Z {} server[{}]: GET {}/{} 200 {} bytes in {} us\n",
            line / 3_600_000 % 24,
            line / 60_000 % 60,
            line / 1000 % 60,
            line % 1000,
            level.unwrap_or(&""),
            900 + dice.roll(90),
            path.unwrap_or(&""),
            line,
            dice.roll(90_000),
            dice.roll(9_000),
        );
        out.write_all(text.as_bytes())?;
        written += text.len();
        line += 1;
    }
    Ok(())
}

/// What a day at a terminal shows, in turns: a log, a coloured listing, a compiler's diagnostics, prose
/// in several scripts, a dump. Like the text of the measurements the bounds come from, it deflates to
/// about a third.
pub(crate) fn mixed(out: &mut dyn Write) -> Result<()> {
    const WORDS: [&str; 16] = [
        "the",
        "terminal",
        "outlives",
        "Größe",
        "naïve",
        "keeper",
        "日本語",
        "and",
        "its",
        "window",
        "façade",
        "of",
        "shell",
        "→",
        "screen",
        "returned",
    ];
    let mut dice = Dice(0x0dd0_ba11_5eed_1234);
    let mut written = 0;
    while written < MIXED_BYTES {
        let mut text = String::new();
        for line in 0..8 {
            text += &format!(
                "Nov 22 03:{:02}:{:02} host service[{}]: request {:08x} from 10.0.{}.{} took {} us ({line})\n",
                dice.roll(60),
                dice.roll(60),
                dice.roll(9999),
                dice.roll(1 << 32),
                dice.roll(256),
                dice.roll(256),
                dice.roll(100_000),
            );
        }
        for _ in 0..6 {
            text += &format!(
                "-rw-r--r-- 1 user user {:>9} Nov 22 03:{:02} \x1b[01;3{}mfile-{:x}\x1b[0m\n",
                dice.roll(1 << 30),
                dice.roll(60),
                1 + dice.roll(6),
                dice.roll(1 << 24),
            );
        }
        let (row, column) = (dice.roll(900), dice.roll(70));
        text += &format!(
            "\x1b[0m\x1b[1m\x1b[38;5;11mwarning\x1b[0m\x1b[1m: unused variable: `v{:x}`\x1b[0m\n   \x1b[1m\x1b[38;5;12m--> \x1b[0msrc/room/file.rs:{row}:{column}\n\x1b[1m\x1b[38;5;12m{row:>4} |\x1b[0m     let v = call({}, {});\n",
            dice.roll(1 << 20),
            dice.roll(10_000),
            dice.roll(10_000),
        );
        for _ in 0..4 {
            for _ in 0..9 {
                text += WORDS.get(dice.roll(WORDS.len())).unwrap_or(&"");
                text.push(' ');
            }
            text.push('\n');
        }
        for _ in 0..2 {
            text += &format!(
                "{:08x}  {:016x} {:016x}  |................|\n",
                written,
                dice.roll(usize::MAX),
                dice.roll(usize::MAX),
            );
        }
        out.write_all(text.as_bytes())?;
        written += text.len();
    }
    Ok(())
}

/// Words of which a third are coloured and a third aren't ASCII: more than programs write.
pub(crate) fn colours(out: &mut dyn Write) -> Result<()> {
    const WORDS: [&str; 12] = [
        "compiling",
        "naïve",
        "warning:",
        "Größe",
        "src/lib.rs:42",
        "日本語",
        "──┬──",
        "0x7f3a",
        "finished",
        "→",
        "the",
        "test",
    ];
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut written = 0;
    while written < COLOUR_BYTES {
        let mut line = String::new();
        for _ in 0..3 + dice.roll(8) {
            let word = WORDS.get(dice.roll(WORDS.len())).unwrap_or(&"");
            match dice.roll(6) {
                0 => line += &format!("\x1b[{}m{word}\x1b[0m ", 31 + dice.roll(7)),
                1 => line += &format!("\x1b[1;38;5;{}m{word}\x1b[m ", dice.roll(256)),
                _ => line += &format!("{word} "),
            }
        }
        line.push('\n');
        out.write_all(line.as_bytes())?;
        written += line.len();
    }
    Ok(())
}

/// A full-screen program that paints everything again and again, as `top` does.
pub(crate) fn redraw(out: &mut dyn Write) -> Result<()> {
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let mut written = 0;
    while written < REDRAW_BYTES {
        let mut frame = String::from("\x1b[H");
        for row in 1..=u32::from(crate::ROWS) {
            frame += &format!(
                "\x1b[{row};1H\x1b[3{}m{:>7}\x1b[m user  20   0 {:>8} {:>7} S {:>5}.{} \x1b[7mprogram-{:02}\x1b[m\x1b[K",
                1 + dice.roll(7),
                dice.roll(99_999),
                dice.roll(9_999_999),
                dice.roll(999_999),
                dice.roll(100),
                dice.roll(10),
                dice.roll(40),
            );
        }
        out.write_all(frame.as_bytes())?;
        written += frame.len();
    }
    out.write_all(b"\x1b[H\x1b[2J")?;
    Ok(())
}
