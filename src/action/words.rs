//! Words of a line: cut apart, unquoted, and quoted again. No shell, no variables, no patterns.
//!
//! Blanks part words. `'…'` and `"…"` keep blanks together and mean the same. A backslash begins an
//! escape inside and outside of quotes: `\n \r \t \e \\ \' \"`, `\ ` (a blank), `\xHH` (00 to 7f) and
//! `\u{HEX}`. A word with any of these is text whatever it looks like; an option is only what is
//! written plainly.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use crate::base::is_deceptive;

use super::text::ParseError;

/// Longest line, in bytes: the longest text to send, every byte of it written as an escape.
pub const MAX_LINE: usize = 272 << 10;
/// Most words in a line: a long command line has a few dozen.
pub const MAX_WORDS: usize = 1024;

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// What it means.
    pub(super) text: String,
    /// Written without quotes and escapes, so that it can be an option.
    pub(super) plain: bool,
    /// Where it begins: the number of its first character in the line, from 1.
    pub(super) at: usize,
}

impl Word {
    /// Whether it is written as an option.
    pub(super) fn is_option(&self) -> bool {
        self.plain && self.text.len() > 1 && self.text.starts_with('-')
    }
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.at += usize::from(next.is_some());
        next
    }
}

/// Cuts a line into words.
pub(super) fn split(line: &str) -> Result<Vec<Word>, ParseError> {
    if line.len() > MAX_LINE {
        return Err(ParseError::TooLong);
    }
    let mut reader = Reader {
        rest: line.trim_end_matches(['\r', '\n']).chars().peekable(),
        at: 0,
    };
    let mut words = Vec::new();
    loop {
        while reader.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {
            reader.at += 1;
        }
        if reader.rest.peek().is_none() {
            return Ok(words);
        }
        if words.len() >= MAX_WORDS {
            return Err(ParseError::TooMany);
        }
        words.push(word(&mut reader)?);
    }
}

fn word(reader: &mut Reader<'_>) -> Result<Word, ParseError> {
    let mut word = Word {
        text: String::new(),
        plain: true,
        at: reader.at + 1,
    };
    // The open quote, and where it was opened.
    let mut quote: Option<(char, usize)> = None;
    while let Some(&next) = reader.rest.peek() {
        if quote.is_none() && matches!(next, ' ' | '\t') {
            break;
        }
        reader.next();
        match (next, quote) {
            ('\\', _) => {
                word.plain = false;
                word.text.push(escape(reader)?);
            }
            (c, Some((open, _))) if c == open => quote = None,
            ('\'' | '"', None) => {
                word.plain = false;
                quote = Some((next, reader.at));
            }
            ('\n' | '\r' | '\0', None) => return Err(ParseError::Control { at: reader.at }),
            (c, _) => word.text.push(c),
        }
    }
    match quote {
        Some((_, at)) => Err(ParseError::Quote { at }),
        None => Ok(word),
    }
}

fn escape(reader: &mut Reader<'_>) -> Result<char, ParseError> {
    let at = reader.at;
    let wrong = |found: String| ParseError::Escape { found, at };
    let Some(letter) = reader.next() else {
        return Err(wrong(String::new()));
    };
    Ok(match letter {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'e' => '\u{1b}',
        '\\' | '\'' | '"' | ' ' => letter,
        'x' => {
            let digits: String = [reader.next(), reader.next()].iter().flatten().collect();
            match hex(&digits) {
                Some(code @ 0..=0x7f) if digits.len() == 2 => char::from_u32(code),
                _ => None,
            }
            .ok_or_else(|| wrong(format!("x{digits}")))?
        }
        'u' => {
            let mut digits = String::new();
            let mut closed = false;
            if reader.rest.peek() == Some(&'{') {
                reader.next();
                // Six digits name every character there is.
                while digits.len() <= 6 && !closed {
                    match reader.next() {
                        Some('}') => closed = true,
                        Some(c) => digits.push(c),
                        None => break,
                    }
                }
            }
            hex(&digits)
                .filter(|_| closed && digits.len() <= 6)
                .and_then(char::from_u32)
                .ok_or_else(|| wrong("u".to_owned()))?
        }
        other => return Err(wrong(other.to_string())),
    })
}

/// A number in hexadecimal digits, without a sign.
fn hex(digits: &str) -> Option<u32> {
    let all = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| all)
}

/// Appends a word so that it is read back as exactly this text.
pub(super) fn quote(out: &mut String, text: &str) {
    let safe = "_./:@%+,=-";
    let is_plain = !text.is_empty()
        && !text.starts_with('-')
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || safe.contains(c));
    if is_plain {
        out.push_str(text);
        return;
    }
    out.push('\'');
    for c in text.chars() {
        // Writing to a String can't fail.
        let _infallible = match c {
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\t' => out.write_str("\\t"),
            '\u{1b}' => out.write_str("\\e"),
            '\\' => out.write_str("\\\\"),
            '\'' => out.write_str("\\'"),
            ' ' => out.write_char(' '),
            c if c.is_ascii_control() => write!(out, "\\x{:02x}", u32::from(c)),
            // What can't be seen, or makes other text look like what it isn't.
            c if is_deceptive(c) || c.is_whitespace() => {
                write!(out, "\\u{{{:x}}}", u32::from(c))
            }
            c => out.write_char(c),
        };
    }
    out.push('\'');
}
