//! Searching the scrollback and the screen, line by line, and handing out their text.

use memchr::memmem;

use crate::base::Match;
use crate::screen::SearchError;
use crate::screen::emulator::Emulator;
use crate::screen::paint::fits_by_itself;
use crate::screen::row::{self, End};

/// Most characters of a line handed out with a match.
const MAX_TEXT: usize = 4096;
/// Longest line searched as one, in bytes; what is longer is searched in pieces.
const MAX_LINE: usize = 64 << 10;
/// Memory a regular expression may take compiled, in bytes.
const MAX_REGEX: usize = 256 << 10;

/// Something to search for.
#[derive(Debug)]
pub struct Search(How);

#[derive(Debug)]
enum How {
    Exact(String),
    /// Case doesn't matter. The regular expression is for text that isn't ASCII; for the rest there is
    /// a way ten times as fast.
    Folded(String, regex_lite::Regex),
    Regex(regex_lite::Regex),
}

impl Search {
    /// Looks for this text. Without capitals in it, case doesn't matter.
    pub fn plain(text: &str) -> Result<Self, SearchError> {
        if text.is_empty() {
            return Err(SearchError::Empty);
        }
        if text.chars().any(char::is_uppercase) {
            return Ok(Self(How::Exact(text.to_owned())));
        }
        let regex = Self::compile(&regex_lite::escape(text), true)?;
        Ok(Self(How::Folded(text.to_owned(), regex)))
    }

    /// Looks for this regular expression. Without capitals in it, case doesn't matter.
    pub fn regex(text: &str) -> Result<Self, SearchError> {
        if text.is_empty() {
            return Err(SearchError::Empty);
        }
        Self::compile(text, !has_capitals(text)).map(|regex| Self(How::Regex(regex)))
    }

    fn compile(pattern: &str, ignore_case: bool) -> Result<regex_lite::Regex, SearchError> {
        regex_lite::RegexBuilder::new(pattern)
            .case_insensitive(ignore_case)
            .size_limit(MAX_REGEX)
            .build()
            .map_err(|error| SearchError::Regex(error.to_string()))
    }

    /// Whether it is in this text.
    pub fn is_in(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    /// Where it first is in this text: start and length in bytes.
    fn find(&self, text: &str) -> Option<(usize, usize)> {
        match &self.0 {
            How::Exact(needle) => {
                memmem::find(text.as_bytes(), needle.as_bytes()).map(|at| (at, needle.len()))
            }
            How::Folded(needle, _) if text.is_ascii() => {
                let folded = text.to_ascii_lowercase();
                memmem::find(folded.as_bytes(), needle.as_bytes()).map(|at| (at, needle.len()))
            }
            How::Folded(_, regex) | How::Regex(regex) => {
                regex.find(text).map(|m| (m.start(), m.len()))
            }
        }
    }

    fn in_line(&self, line: u64, text: &str) -> Option<Match> {
        let (start, length) = self.find(text)?;
        let chars = |text: Option<&str>| {
            u32::try_from(text.unwrap_or_default().chars().count()).unwrap_or(u32::MAX)
        };
        // a long line is handed out around the match
        let before = text.get(..start).unwrap_or_default();
        let skip = before.chars().count().saturating_sub(MAX_TEXT / 2);
        let skip = if text.len() > MAX_TEXT { skip } else { 0 };
        Some(Match {
            line,
            text: text.chars().skip(skip).take(MAX_TEXT).collect(),
            start: chars(Some(before)) - u32::try_from(skip).unwrap_or(0),
            length: chars(text.get(start..start + length)),
        })
    }
}

/// Capitals that aren't part of a class like `\W`.
fn has_capitals(pattern: &str) -> bool {
    let mut escaped = false;
    pattern.chars().any(|c| {
        let capital = !escaped && c.is_uppercase();
        escaped = c == '\\' && !escaped;
        capital
    })
}

/// One row on its way out.
struct Piece {
    number: u64,
    text: String,
    soft: bool,
}

impl Emulator {
    /// The screen's rows that have anything on them, as bytes.
    fn screen_rows(&self) -> Vec<(u64, Vec<u8>, End)> {
        let mut rows = Vec::new();
        let mut used = 0;
        for (y, number) in (0..self.page.rows()).zip(self.archive.end()..) {
            let cells = self.page.row(y);
            let end = if y + 1 == self.page.rows() {
                End::Hard
            } else {
                match row::end(cells) {
                    End::SoftWide if !fits_by_itself(cells, self.page.row(y + 1)) => End::Soft,
                    end => end,
                }
            };
            let mut bytes = Vec::new();
            row::write(&mut bytes, cells, end.is_soft(), false);
            if !row::text(&bytes, end).trim_end().is_empty() {
                used = y + 1;
            }
            rows.push((number, bytes, end));
        }
        rows.truncate(used);
        rows
    }

    /// See [`crate::screen::Model::text`].
    pub(super) fn text(&self, from: u64, ansi: bool, max_bytes: usize) -> (String, Option<u64>) {
        let mut out = String::new();
        let mut next = from.max(self.archive.first());
        let mut put = |bytes: &[u8], end: End| {
            let text = if ansi {
                String::from_utf8_lossy(bytes).into_owned()
            } else {
                row::text(bytes, end)
            };
            if end.is_soft() {
                out.push_str(&text);
            } else {
                out.push_str(text.trim_end_matches(' '));
                out.push('\n');
            }
            out.len() >= max_bytes
        };
        while next < self.archive.end() {
            let Some(chunk) = self.archive.chunk(next) else {
                break;
            };
            for (number, bytes, mut end) in chunk.rows() {
                if number < next {
                    continue;
                }
                next = number + 1;
                // the alternate screen doesn't go on with the main one's last line
                if next == self.archive.end() && self.is_alternate() {
                    end = End::Hard;
                }
                if put(bytes, end) {
                    return (out, Some(next));
                }
            }
        }
        for (number, bytes, end) in self.screen_rows() {
            if number >= next && put(&bytes, end) {
                return (out, Some(number + 1));
            }
        }
        (out, None)
    }

    /// See [`crate::screen::Model::search_part`].
    pub(super) fn search_part(
        &self,
        find: &Search,
        before: Option<u64>,
        limit: usize,
        max_rows: usize,
    ) -> (Vec<Match>, Option<u64>) {
        let before = before.unwrap_or(u64::MAX);
        let mut search = Part {
            find,
            found: Vec::new(),
            limit,
            rows_left: max_rows,
            line: Vec::new(),
        };
        let screen = self.screen_rows().into_iter().rev();
        for (number, bytes, end) in screen.filter(|(number, ..)| *number < before) {
            if let Some(next) = search.add(piece(number, &bytes, end)) {
                return (search.found, Some(next));
            }
        }
        let mut next = self.archive.end().min(before);
        while let Some(chunk) = next.checked_sub(1).and_then(|row| self.archive.chunk(row)) {
            let rows: Vec<_> = chunk
                .rows()
                .filter(|(n, ..)| *n >= self.archive.first() && *n < next)
                .collect();
            next = chunk.first;
            for (number, bytes, mut end) in rows.into_iter().rev() {
                if self.is_alternate() && number + 1 == self.archive.end() {
                    end = End::Hard;
                }
                if let Some(next) = search.add(piece(number, bytes, end)) {
                    return (search.found, Some(next));
                }
            }
        }
        search.take();
        (search.found, None)
    }
}

/// One part of a search.
struct Part<'a> {
    find: &'a Search,
    found: Vec<Match>,
    limit: usize,
    rows_left: usize,
    /// Rows of the line being put together, the last first.
    line: Vec<Piece>,
}

impl Part<'_> {
    /// Adds the row above the last one. If this part is over, tells where to go on.
    fn add(&mut self, piece: Piece) -> Option<u64> {
        let length: usize = self.line.iter().map(|piece| piece.text.len()).sum();
        if !piece.soft || length > MAX_LINE {
            let line = self.take();
            if line.is_some() && (self.rows_left == 0 || self.found.len() >= self.limit) {
                // Parts meet between lines, so that none is cut in two.
                return line;
            }
        }
        self.rows_left = self.rows_left.saturating_sub(1);
        self.line.push(piece);
        None
    }

    /// Looks at the line put together so far, and tells its number.
    fn take(&mut self) -> Option<u64> {
        let first = self.line.last()?.number;
        let pieces = self.line.drain(..).rev();
        let text: String = pieces.map(|piece| piece.text).collect();
        let found = self.find.in_line(first, text.trim_end());
        self.found.extend(found);
        Some(first)
    }
}

fn piece(number: u64, bytes: &[u8], end: End) -> Piece {
    Piece {
        number,
        text: row::text(bytes, end),
        soft: end.is_soft(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Size;
    use crate::screen::{AlacrittyModel, Model as _};

    #[test]
    fn a_search_in_parts_finds_what_a_search_at_once_finds() {
        let mut model = AlacrittyModel::new(Size::clamped(10, 4), 1000);
        for n in 0..120_usize {
            let line = format!("{n} {}{}\r\n", "x".repeat(n * 7 % 45), n % 10);
            model.feed(line.as_bytes());
        }
        for pattern in ["9$", "x9", "^1.*7$", "nothing"] {
            let search = Search::regex(pattern).unwrap();
            let (whole, more) = model.search(&search, None, 1000);
            assert!(!more);
            for rows in [0, 1, 2, 3, 7, 100] {
                let (mut parts, mut before) = (Vec::new(), None);
                loop {
                    let (found, next) = model.search_part(&search, before, 3, rows);
                    parts.extend(found);
                    let Some(next) = next else { break };
                    assert!(before.is_none_or(|before| next < before), "it gets on");
                    before = Some(next);
                }
                assert_eq!(parts, whole, "{pattern} by {rows} rows");
            }
            // Paging by the last match's line is the same.
            let (mut pages, mut before) = (Vec::new(), None);
            loop {
                let (found, more) = model.search(&search, before, 4);
                before = found.last().map(|found| found.line);
                pages.extend(found);
                if !more {
                    break;
                }
            }
            assert_eq!(pages, whole, "{pattern} by pages");
        }
    }
}
