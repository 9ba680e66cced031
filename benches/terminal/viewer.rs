//! A person's screen: takes output off a link at some pace and shows it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::link::{Chunk, Link, READ, pass};

/// What a slow viewer works off, in bytes a second.
pub(crate) const SLOW: f64 = 1e6;
/// Bytes a slow viewer takes at a time: 4 ms of work.
const SLICE: usize = 4 << 10;

/// How quickly output is worked off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// At once.
    Fast,
    /// The line is slow: [`SLOW`] off the socket, then at once.
    SlowSocket,
    /// The emulator is slow: everything off the socket at once, as browsers do, then [`SLOW`] through
    /// the emulator, which answers with the peer's own flow control.
    SlowEmulator,
}

/// What the viewer shows output to; `true` ends the watching.
pub(crate) type See<'a> = dyn FnMut(&[u8], bool) -> bool + 'a;

/// See the file's head.
pub(crate) struct Viewer {
    pub(crate) link: Link,
    pub(crate) pace: Pace,
    queue: VecDeque<Chunk>,
    /// Bytes of the first chunk in the queue that are worked off.
    done: usize,
    busy_until: Instant,
}

impl Viewer {
    /// A viewer that is quick at first.
    pub(crate) fn new(link: Link) -> Self {
        Self {
            link,
            pace: Pace::Fast,
            queue: VecDeque::new(),
            done: 0,
            busy_until: Instant::now(),
        }
    }

    /// Works off output until `see` is content; `false` when `limit` passed before that.
    pub(crate) fn watch(&mut self, limit: Duration, see: &mut See) -> Result<bool> {
        let until = Instant::now() + limit;
        loop {
            let content = match self.pace {
                Pace::Fast => self.fast(until, see)?,
                Pace::SlowSocket => self.slow_socket(until, see)?,
                Pace::SlowEmulator => self.slow_emulator(until, see)?,
            };
            if content {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
        }
    }

    /// Watches until the output contains `text`.
    pub(crate) fn until_text(&mut self, text: &str, limit: Duration) -> Result<bool> {
        let mut find = Find::new(text);
        self.watch(limit, &mut |bytes, _| find.seen(bytes))
    }

    fn fast(&mut self, until: Instant, see: &mut See) -> Result<bool> {
        self.link.receive(READ, until)?;
        self.show_received(see)
    }

    fn slow_socket(&mut self, until: Instant, see: &mut See) -> Result<bool> {
        let count = self.link.receive(SLICE, until)?;
        self.busy(count);
        while let left = self.busy_until.saturating_duration_since(Instant::now())
            && !left.is_zero()
        {
            pass(left);
        }
        self.show_received(see)
    }

    fn show_received(&mut self, see: &mut See) -> Result<bool> {
        let mut content = false;
        while let Some(chunk) = self.link.next() {
            content |= see(&chunk.bytes, chunk.reset);
            self.link.parsed(&chunk)?;
        }
        Ok(content)
    }

    fn slow_emulator(&mut self, until: Instant, see: &mut See) -> Result<bool> {
        if self.queue.is_empty() {
            self.link.receive(READ, until)?;
            self.enqueue();
        }
        let Some(front) = self.queue.front() else {
            return Ok(false);
        };
        let end = front.bytes.len().min(self.done + SLICE);
        self.busy(end - self.done);
        while Instant::now() < self.busy_until {
            self.link.receive(READ, self.busy_until)?;
            self.enqueue();
        }
        let Some(front) = self.queue.front() else {
            return Ok(false);
        };
        let content = see(
            front.bytes.get(self.done..end).unwrap_or_default(),
            front.reset && self.done == 0,
        );
        self.done = end;
        if end == front.bytes.len()
            && let Some(chunk) = self.queue.pop_front()
        {
            self.link.parsed(&chunk)?;
            self.done = 0;
        }
        Ok(content)
    }

    fn enqueue(&mut self) {
        while let Some(chunk) = self.link.next() {
            self.queue.push_back(chunk);
        }
    }

    /// Charges the time that this many bytes take, after whatever is being worked off.
    fn busy(&mut self, bytes: usize) {
        let start = self.busy_until.max(Instant::now());
        #[expect(clippy::cast_precision_loss, reason = "at most 64 KiB")]
        let work = Duration::from_secs_f64(bytes as f64 / SLOW);
        self.busy_until = start + work;
    }
}

/// Finds a text in a stream, also across the ends of chunks.
pub(crate) struct Find {
    text: Vec<u8>,
    tail: Vec<u8>,
}

impl Find {
    /// Looks for `text`.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.as_bytes().to_vec(),
            tail: Vec::new(),
        }
    }

    /// Whether the text was completed by these bytes.
    pub(crate) fn seen(&mut self, bytes: &[u8]) -> bool {
        let keep = self.text.len() - 1;
        let head = bytes.get(..keep.min(bytes.len())).unwrap_or_default();
        self.tail.extend_from_slice(head);
        let found = memchr::memmem::find(&self.tail, &self.text).is_some()
            || memchr::memmem::find(bytes, &self.text).is_some();
        if bytes.len() >= keep {
            self.tail.clear();
            self.tail
                .extend_from_slice(bytes.get(bytes.len() - keep..).unwrap_or_default());
        } else {
            let surplus = self.tail.len().saturating_sub(keep);
            self.tail.drain(..surplus);
        }
        found
    }
}
