//! A terminal's size in character cells.

use serde::{Deserialize, Deserializer, Serialize};

/// Columns and rows, always within limits: whatever a viewer asks for is clamped, never refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Size {
    cols: u16,
    rows: u16,
}

impl Size {
    /// What a terminal has before anybody said otherwise.
    pub const DEFAULT: Self = Self { cols: 80, rows: 24 };
    /// Most columns: an 8K screen in small type. With [`Self::MAX_ROWS`] it bounds the screen model to 6 MB.
    pub const MAX_COLS: u16 = 500;
    /// Most rows.
    pub const MAX_ROWS: u16 = 250;

    /// The nearest size within limits. Below 2×2 there is nothing a program could do, so it becomes
    /// the default.
    pub fn clamped(cols: u16, rows: u16) -> Self {
        if cols < 2 || rows < 2 {
            Self::DEFAULT
        } else {
            Self {
                cols: cols.min(Self::MAX_COLS),
                rows: rows.min(Self::MAX_ROWS),
            }
        }
    }

    /// Columns, 2 to [`Self::MAX_COLS`].
    pub const fn cols(self) -> u16 {
        self.cols
    }

    /// Rows, 2 to [`Self::MAX_ROWS`].
    pub const fn rows(self) -> u16 {
        self.rows
    }
}

impl Default for Size {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            cols: u16,
            rows: u16,
        }
        let Raw { cols, rows } = Raw::deserialize(deserializer)?;
        Ok(Self::clamped(cols, rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_clamped_and_never_refused() {
        assert_eq!(Size::clamped(0, 0), Size::DEFAULT);
        assert_eq!(Size::clamped(1, 50), Size::DEFAULT);
        assert_eq!(Size::clamped(2, 2), Size { cols: 2, rows: 2 });
        assert_eq!(
            Size::clamped(500, 250),
            Size {
                cols: 500,
                rows: 250
            }
        );
        assert_eq!(
            Size::clamped(u16::MAX, u16::MAX),
            Size {
                cols: 500,
                rows: 250
            }
        );
    }
}
