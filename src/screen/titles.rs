//! The window title a program sets, and its stack of titles.

use crate::base::is_deceptive;

/// Longest title, in characters: more than any tab or window shows.
pub(super) const MAX_TITLE: usize = 256;
/// Deepest stack of titles; the oldest is dropped.
const MAX_DEPTH: usize = 10;

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Titles {
    current: Option<String>,
    stack: Vec<Option<String>>,
    /// Whether the stack was ever used.
    stacked: bool,
}

impl Titles {
    pub(super) fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// Takes what the program sent, without control and reordering characters. An empty one is none.
    pub(super) fn set(&mut self, bytes: &[u8]) {
        let text: String = String::from_utf8_lossy(bytes)
            .chars()
            .filter(|c| !is_deceptive(*c))
            .take(MAX_TITLE)
            .collect();
        self.current = Some(text).filter(|text| !text.is_empty());
    }

    pub(super) fn push(&mut self) {
        self.stacked = true;
        if self.stack.len() == MAX_DEPTH {
            self.stack.remove(0);
        }
        self.stack.push(self.current.clone());
    }

    /// Whether there was one to take back.
    pub(super) fn pop(&mut self) -> bool {
        self.stacked = true;
        let popped = self.stack.pop();
        let any = popped.is_some();
        if let Some(title) = popped {
            self.current = title;
        }
        any
    }

    /// Sequences that bring a terminal here. Resetting doesn't change a browser's title and stack.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if self.stacked {
            out.extend(b"\x1b[23;2t".repeat(MAX_DEPTH));
        }
        for title in &self.stack {
            write_title(out, title.as_deref());
            out.extend_from_slice(b"\x1b[22;2t");
        }
        write_title(out, self.current());
    }
}

fn write_title(out: &mut Vec<u8>, title: Option<&str>) {
    out.extend_from_slice(b"\x1b]2;");
    out.extend_from_slice(title.unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\x1b\\");
}
