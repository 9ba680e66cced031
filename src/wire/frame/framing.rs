//! How frames follow each other on a connection: what goes in front of each, and taking them out again.

use super::{FrameError, OUTPUT, OUTPUT_HEADER, ToViewer, take_u32};
use crate::wire::websocket::{self, Head, MAX_HEAD};

/// How frames follow each other on a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Framing {
    /// Each after its length, on a Unix socket.
    #[default]
    Prefixed,
    /// Each a binary message, on a browser's WebSocket.
    WebSocket,
}

impl Framing {
    /// What goes in front of a frame of `length` bytes.
    pub fn head(self, length: usize) -> Head {
        match self {
            Self::Prefixed => {
                let length = u32::try_from(length).unwrap_or(u32::MAX);
                Head::new(&length.to_be_bytes())
            }
            Self::WebSocket => websocket::binary(length),
        }
    }

    /// A frame with what goes in front of it.
    pub fn framed(self, frame: &ToViewer<'_>) -> Vec<u8> {
        let mut out = vec![0; MAX_HEAD];
        frame.encode(&mut out);
        let head = self.head(out.len() - MAX_HEAD);
        let unused = MAX_HEAD - head.as_slice().len();
        for (to, from) in out.iter_mut().skip(unused).zip(head.as_slice()) {
            *to = *from;
        }
        out.drain(..unused);
        out
    }
}

/// Head of an `Output` frame whose payload follows, for a writer that doesn't want to copy it.
pub fn output_head(seq: u64) -> [u8; OUTPUT_HEADER] {
    let mut head = [OUTPUT; OUTPUT_HEADER];
    let [_kind, rest @ ..] = &mut head;
    *rest = seq.to_be_bytes();
    head
}

/// Appends a frame with its length prefix; `fill` appends type byte and payload.
pub fn prefixed(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; 4]);
    fill(out);
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    if let Some(prefix) = out.get_mut(start..start + 4) {
        prefix.copy_from_slice(&length.to_be_bytes());
    }
}

/// The length of the first frame in `bytes`, without its prefix; `None` until the prefix is complete.
pub fn length(bytes: &[u8], limit: usize) -> Result<Option<usize>, FrameError> {
    let Some((length, _)) = take_u32(bytes) else {
        return Ok(None);
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    match length {
        0 => Err(FrameError::Empty),
        _ if length > limit => Err(FrameError::TooLong { length, limit }),
        _ => Ok(Some(length)),
    }
}

/// Takes frames out of a byte stream.
#[derive(Debug)]
pub struct Deframer {
    buffer: Vec<u8>,
    read: usize,
    limit: usize,
}

impl Deframer {
    /// A deframer that refuses frames over `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            read: 0,
            limit,
        }
    }

    /// Adds bytes from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.read > 0 {
            self.buffer.drain(..self.read);
            self.read = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, without its prefix. After an error the stream can't be read further.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let waiting = self.buffer.get(self.read..).unwrap_or_default();
        let Some(length) = length(waiting, self.limit)? else {
            self.release();
            return Ok(None);
        };
        let start = self.read + 4;
        if self.buffer.len() < start + length {
            return Ok(None);
        }
        self.read = start + length;
        Ok(self.buffer.get(start..start + length))
    }

    /// Gives memory back once a large frame is through: an idle viewer should cost nothing.
    fn release(&mut self) {
        if self.read == self.buffer.len() {
            self.buffer.clear();
            self.read = 0;
            if self.buffer.capacity() > 16 << 10 {
                self.buffer = Vec::new();
            }
        }
    }
}
