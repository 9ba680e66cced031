//! The scrollback: rows that left the top of the main screen, as the bytes that paint them, mostly
//! compressed.

use std::collections::VecDeque;
use std::mem;

use alacritty_terminal::grid::Row;
use alacritty_terminal::term::cell::Cell;

use crate::screen::reflow;
use crate::screen::row::{self, End};

/// Uncompressed size at which rows become a block: large enough to compress well, small enough that
/// unpacking one to look at a line takes well under a millisecond.
const BLOCK: usize = 48 << 10;
/// Bytes a line may take on average, compressed, before the limit in bytes drops the oldest: a
/// program that colours every cell of wide lines mustn't make a terminal's memory unbounded.
const BYTES_A_LINE: usize = 512;
/// The limit in bytes is at least this.
const LEAST_BYTES: usize = 1 << 20;

/// What ends a stored row; none of these bytes occurs inside one.
const HARD: u8 = b'\n';
const SOFT: u8 = 0x1f;
const SOFT_WIDE: u8 = 0x1e;

/// Bytes of rows in blocks that aren't compressed while output keeps coming. In a flood nearly all
/// rows are gone again before anybody looks at them; compressing them was a quarter of the work.
const FRESH: usize = 1 << 20;

#[derive(Debug)]
struct Block {
    rows: u64,
    /// Bytes, not compressed.
    size: usize,
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    Packed(Box<[u8]>),
    /// Not compressed yet.
    Fresh(Vec<u8>),
}

/// Rows stored together: the absolute number of the first, and their bytes.
pub(super) struct Chunk {
    pub(super) first: u64,
    pub(super) bytes: Vec<u8>,
}

/// See the file's head. Rows have absolute numbers: 0 is the first that ever scrolled off.
#[derive(Debug)]
pub(super) struct Archive {
    blocks: VecDeque<Block>,
    /// The newest rows, not packed yet.
    tail: Vec<u8>,
    tail_rows: u64,
    /// Rows in blocks and tail; may be over `limit` by less than a block.
    rows: u64,
    /// The number after the newest row.
    end: u64,
    /// Bytes in compressed blocks.
    packed: usize,
    /// How many of the newest blocks aren't compressed, and their bytes.
    fresh: (usize, usize),
    limit: u64,
    soft_end: bool,
    cleared: Option<u64>,
}

impl Archive {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            blocks: VecDeque::new(),
            tail: Vec::new(),
            tail_rows: 0,
            rows: 0,
            end: 0,
            packed: 0,
            fresh: (0, 0),
            limit: u64::from(limit),
            soft_end: false,
            cleared: None,
        }
    }

    /// The number after the newest row: how many rows were ever put in.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Rows held.
    pub(super) fn len(&self) -> u64 {
        self.rows.min(self.limit)
    }

    /// The oldest row held.
    pub(super) fn first(&self) -> u64 {
        self.end - self.len()
    }

    /// Whether the newest row goes on in the next.
    pub(super) fn soft_end(&self) -> bool {
        self.soft_end
    }

    /// What `end` was when everything was last cleared.
    pub(super) fn cleared(&self) -> Option<u64> {
        self.cleared
    }

    /// Memory taken, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.packed + self.fresh.1 + self.tail.capacity()
    }

    /// Stores the row that leaves the screen. From column `reach` on, its cells are empty in the
    /// default colours; `text` is the row as [`Page::text`](crate::screen::page::Page::text) has it.
    pub(super) fn push(&mut self, row: &Row<Cell>, reach: usize, text: Option<&[u8]>) {
        self.end += 1;
        if self.limit == 0 {
            return;
        }
        let end = row::end(row);
        let (whole, wrapped) = (end.is_soft(), self.soft_end);
        match text {
            Some(text) => {
                let start = self.tail.len();
                row::write_text(&mut self.tail, text, row.len(), whole, wrapped);
                debug_assert!({
                    let mut long_way = Vec::new();
                    row::write_up_to(&mut long_way, row, reach, whole, wrapped);
                    self.tail.get(start..) == Some(&long_way[..])
                });
            }
            None => row::write_up_to(&mut self.tail, row, reach, whole, wrapped),
        }
        self.tail.push(match end {
            End::Hard => HARD,
            End::Soft => SOFT,
            End::SoftWide => SOFT_WIDE,
        });
        self.soft_end = end.is_soft();
        self.rows += 1;
        self.tail_rows += 1;
        if self.tail.len() >= BLOCK {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        let room = BLOCK + (BLOCK >> 2);
        let mut bytes = mem::take(&mut self.tail);
        let size = bytes.len();
        // one huge row doesn't stay allocated
        bytes.shrink_to(room);
        self.fresh.0 += 1;
        self.fresh.1 += size;
        self.blocks.push_back(Block {
            rows: self.tail_rows,
            size,
            bytes: Bytes::Fresh(bytes),
        });
        self.tail_rows = 0;
        let most = usize::try_from(self.limit)
            .unwrap_or(usize::MAX)
            .saturating_mul(BYTES_A_LINE)
            .max(LEAST_BYTES);
        while let Some(oldest) = self.blocks.front() {
            if self.rows - oldest.rows < self.limit && self.packed <= most {
                break;
            }
            self.rows -= oldest.rows;
            match self.blocks.pop_front().map(|block| block.bytes) {
                Some(Bytes::Packed(bytes)) => self.packed -= bytes.len(),
                Some(Bytes::Fresh(mut bytes)) => {
                    self.fresh.0 -= 1;
                    self.fresh.1 -= bytes.len();
                    // its memory goes on as the new tail's
                    bytes.clear();
                    self.tail = bytes;
                }
                None => {}
            }
        }
        while self.fresh.1 > FRESH {
            self.pack();
        }
        self.tail.reserve(room);
    }

    /// Compresses one block that isn't yet; whether there are more.
    pub(super) fn pack(&mut self) -> bool {
        let Some(index) = self.blocks.len().checked_sub(self.fresh.0) else {
            return false;
        };
        if let Some(block) = self.blocks.get_mut(index)
            && let Bytes::Fresh(bytes) = &block.bytes
        {
            let packed = lz4_flex::block::compress(bytes).into_boxed_slice();
            self.fresh.0 -= 1;
            self.fresh.1 -= block.size;
            self.packed += packed.len();
            block.bytes = Bytes::Packed(packed);
        }
        self.fresh.0 > 0
    }

    /// Forgets everything; numbers go on.
    pub(super) fn clear(&mut self) {
        self.blocks = VecDeque::new();
        self.tail = Vec::new();
        self.tail_rows = 0;
        self.rows = 0;
        self.packed = 0;
        self.fresh = (0, 0);
        self.soft_end = false;
        self.cleared = Some(self.end);
    }

    /// The chunk that holds this row; `None` when it isn't held. Its first row may be an earlier one,
    /// also one over the limit.
    pub(super) fn chunk(&self, row: u64) -> Option<Chunk> {
        if row >= self.end || row < self.first() {
            return None;
        }
        let mut first = self.end - self.tail_rows;
        if row >= first {
            return Some(Chunk {
                first,
                bytes: self.tail.clone(),
            });
        }
        for block in self.blocks.iter().rev() {
            first -= block.rows;
            if row >= first {
                return Some(Chunk {
                    first,
                    bytes: unpack(block),
                });
            }
        }
        None
    }

    /// Whether a row goes on in the next; no if it isn't held.
    pub(super) fn is_soft(&self, row: u64) -> bool {
        self.chunk(row).is_some_and(|chunk| {
            chunk
                .rows()
                .any(|(number, _, end)| number == row && end.is_soft())
        })
    }

    /// Takes the newest row out again.
    pub(super) fn pop(&mut self) -> Option<(Vec<u8>, End)> {
        if self.len() == 0 {
            return None;
        }
        self.unpack_newest();
        let end = match self.tail.pop() {
            Some(SOFT) => End::Soft,
            Some(SOFT_WIDE) => End::SoftWide,
            _ => End::Hard,
        };
        let start = memchr::memrchr3(HARD, SOFT, SOFT_WIDE, &self.tail).map_or(0, |at| at + 1);
        let bytes = self.tail.split_off(start);
        self.tail_rows -= 1;
        self.rows -= 1;
        self.end -= 1;
        self.unpack_newest();
        self.soft_end = !matches!(self.tail.last(), None | Some(&HARD));
        Some((bytes, end))
    }

    fn unpack_newest(&mut self) {
        if self.tail_rows == 0
            && let Some(block) = self.blocks.pop_back()
        {
            self.tail_rows = block.rows;
            self.tail = unpack(&block);
            match block.bytes {
                Bytes::Packed(bytes) => self.packed -= bytes.len(),
                Bytes::Fresh(_) => {
                    self.fresh.0 -= 1;
                    self.fresh.1 -= block.size;
                }
            }
        }
    }

    /// Makes the newest row the end of its line.
    pub(super) fn break_line(&mut self) {
        if mem::take(&mut self.soft_end) {
            let (end, rows) = (self.end, self.rows);
            if let Some((bytes, _)) = self.pop() {
                let wrapped = self.soft_end;
                self.tail.extend(reflow::without_blanks(&bytes, wrapped));
                self.tail.push(HARD);
                self.tail_rows += 1;
                self.soft_end = false;
            }
            (self.end, self.rows) = (end, rows);
        }
    }

    /// Renumbers what is held so that `end` is at least this: numbers never go back, also when rows
    /// return to the screen.
    pub(super) fn not_before(&mut self, end: u64) {
        self.end = self.end.max(end);
    }
}

fn unpack(block: &Block) -> Vec<u8> {
    match &block.bytes {
        // what was compressed here decompresses
        Bytes::Packed(bytes) => lz4_flex::block::decompress(bytes, block.size).unwrap_or_default(),
        Bytes::Fresh(bytes) => bytes.clone(),
    }
}

impl Chunk {
    /// Its rows, in order, with numbers.
    pub(super) fn rows(&self) -> impl Iterator<Item = (u64, &[u8], End)> {
        let mut start = 0;
        let ends = memchr::memchr3_iter(HARD, SOFT, SOFT_WIDE, &self.bytes);
        ends.zip(self.first..).map(move |(at, number)| {
            let row = self.bytes.get(start..at).unwrap_or_default();
            start = at + 1;
            let end = match self.bytes.get(at) {
                Some(&SOFT) => End::Soft,
                Some(&SOFT_WIDE) => End::SoftWide,
                _ => End::Hard,
            };
            (number, row, end)
        })
    }
}
