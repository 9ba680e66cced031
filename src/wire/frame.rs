//! Frames between a keeper and a viewer: one type byte, then the payload, numbers big-endian.
//!
//! On a Unix socket each frame follows its length (`u32`, type byte included); on a WebSocket each is
//! one binary message. `seq` counts, per viewer, the payload bytes of every `Output` and `Repaint`
//! sent to it so far, this frame included. A viewer acknowledges the `seq` it has *parsed*.

use crate::base::Size;
use crate::wire::PROTOCOL;
use crate::wire::message::{Attach, Hello, Meta, Notice, Request};

/// Largest frame to a viewer, in bytes: a repaint with all the history a viewer may ask for.
pub const MAX_TO_VIEWER: usize = 4 << 20;
/// Largest frame from a viewer, in bytes. Bounds what a hostile viewer makes the keeper hold.
pub const MAX_FROM_VIEWER: usize = MAX_INPUT + 16;
/// Most bytes of input in one frame; a longer paste goes in several.
pub const MAX_INPUT: usize = 64 << 10;
/// Bytes of an `Output` frame before its payload.
pub const OUTPUT_HEADER: usize = 9;

const HELLO: u8 = 0x01;
const OUTPUT: u8 = 0x02;
const REPAINT: u8 = 0x03;
const META: u8 = 0x04;
const NOTICE: u8 = 0x05;
const PONG: u8 = 0x06;
const REPLY: u8 = 0x07;

const ATTACH: u8 = 0x41;
const INPUT: u8 = 0x42;
const RESIZE: u8 = 0x43;
const ACK: u8 = 0x44;
const TAKE_SIZE: u8 = 0x45;
const RESTART: u8 = 0x46;
const REQUEST: u8 = 0x47;
const PING: u8 = 0x48;

/// What a keeper sends.
#[derive(Debug, Clone, PartialEq)]
pub enum ToViewer<'a> {
    /// First frame: what this attachment is.
    Hello(Hello),
    /// Bytes the program wrote, unchanged.
    Output {
        /// See the file's head.
        seq: u64,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// Instead of output the viewer had no credit for: bytes that paint the exact state.
    Repaint {
        /// See the file's head.
        seq: u64,
        /// The terminal's size; the viewer takes it before painting.
        size: Size,
        /// `true`: the viewer keeps its scrollback, and the bytes first bring the lines that scrolled
        /// off since (a catch-up). `false`: the viewer resets itself and starts from nothing.
        keep: bool,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// Something about the terminal changed; only the changed keys are set.
    Meta(Meta),
    /// A sentence for the person watching.
    Notice(Notice),
    /// Answer to `Ping`, same value. Never queued behind output.
    Pong(u64),
    /// Part of the answer to a `Request`.
    Reply {
        /// The request's number.
        request: u32,
        /// Whether this is the last part.
        last: bool,
        /// JSON, or text for `Request::Text` (UTF-8, parts may end inside a character).
        body: &'a [u8],
    },
}

/// What a viewer sends.
#[derive(Debug, Clone, PartialEq)]
pub enum FromViewer<'a> {
    /// First frame.
    Attach(Attach),
    /// Bytes for the program. Refused unless the attachment's access is `type`.
    Input(&'a [u8]),
    /// The size of this viewer's own screen. Takes effect when the viewer owns the size.
    Resize(Size),
    /// Everything up to this `seq` has been parsed.
    Ack(u64),
    /// Make this viewer the owner of the size.
    TakeSize,
    /// Start the ended program again. Ignored while it runs.
    Restart,
    /// Ask something; see [`Request`].
    Request {
        /// Chosen by the viewer, repeated in the reply.
        id: u32,
        /// The question.
        request: Request,
    },
    /// Answered by `Pong` at once.
    Ping(u64),
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than the limit for its direction.
    #[error("frame of {length} bytes is over the limit of {limit}")]
    TooLong {
        /// Announced length.
        length: usize,
        /// The limit it broke.
        limit: usize,
    },
    /// No type byte.
    #[error("empty frame")]
    Empty,
    /// A type byte this version doesn't know.
    #[error("unknown frame type {0:#04x}")]
    Type(u8),
    /// The payload is shorter or longer than its type says.
    #[error("frame type {0:#04x} has a payload of the wrong length")]
    Payload(u8),
    /// JSON inside the frame doesn't parse or doesn't fit.
    #[error("frame type {kind:#04x}: {reason}")]
    Json {
        /// Which type.
        kind: u8,
        /// The parser's words.
        reason: String,
    },
    /// The other side speaks a version this one doesn't.
    #[error("protocol version {0} is not spoken here (this is version {PROTOCOL})")]
    Version(u8),
}

impl ToViewer<'_> {
    /// Appends type byte and payload to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello(hello) => {
                out.extend([HELLO, PROTOCOL]);
                json(out, hello);
            }
            Self::Output { seq, bytes } => {
                out.push(OUTPUT);
                out.extend(seq.to_be_bytes());
                out.extend_from_slice(bytes);
            }
            Self::Repaint {
                seq,
                size,
                keep,
                bytes,
            } => {
                out.push(REPAINT);
                out.extend(seq.to_be_bytes());
                put_size(out, *size);
                out.push(u8::from(*keep));
                out.extend_from_slice(bytes);
            }
            Self::Meta(meta) => {
                out.push(META);
                json(out, meta);
            }
            Self::Notice(notice) => {
                out.push(NOTICE);
                json(out, notice);
            }
            Self::Pong(value) => {
                out.push(PONG);
                out.extend(value.to_be_bytes());
            }
            Self::Reply {
                request,
                last,
                body,
            } => {
                out.push(REPLY);
                out.extend(request.to_be_bytes());
                out.push(u8::from(*last));
                out.extend_from_slice(body);
            }
        }
    }
}

impl<'a> ToViewer<'a> {
    /// Reads one frame, without its length prefix.
    pub fn decode(frame: &'a [u8]) -> Result<Self, FrameError> {
        let (&kind, payload) = frame.split_first().ok_or(FrameError::Empty)?;
        let short = FrameError::Payload(kind);
        Ok(match kind {
            HELLO => Self::Hello(from_json(kind, version(payload, short)?)?),
            OUTPUT => {
                let (seq, bytes) = take_u64(payload).ok_or(short)?;
                Self::Output { seq, bytes }
            }
            REPAINT => {
                let (seq, rest) = take_u64(payload).ok_or(short.clone())?;
                let (size, rest) = take_size(rest).ok_or(short.clone())?;
                let (&keep, bytes) = rest.split_first().ok_or(short)?;
                Self::Repaint {
                    seq,
                    size,
                    keep: keep & 1 != 0,
                    bytes,
                }
            }
            META => Self::Meta(from_json(kind, payload)?),
            NOTICE => Self::Notice(from_json(kind, payload)?),
            PONG => Self::Pong(exact_u64(payload).ok_or(short)?),
            REPLY => {
                let (request, rest) = take_u32(payload).ok_or(short.clone())?;
                let (&last, body) = rest.split_first().ok_or(short)?;
                Self::Reply {
                    request,
                    last: last & 1 != 0,
                    body,
                }
            }
            other => return Err(FrameError::Type(other)),
        })
    }
}

impl FromViewer<'_> {
    /// Appends type byte and payload to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Attach(attach) => {
                out.extend([ATTACH, PROTOCOL]);
                json(out, attach);
            }
            Self::Input(bytes) => {
                out.push(INPUT);
                out.extend_from_slice(bytes);
            }
            Self::Resize(size) => {
                out.push(RESIZE);
                put_size(out, *size);
            }
            Self::Ack(seq) => {
                out.push(ACK);
                out.extend(seq.to_be_bytes());
            }
            Self::TakeSize => out.push(TAKE_SIZE),
            Self::Restart => out.push(RESTART),
            Self::Request { id, request } => {
                out.push(REQUEST);
                out.extend(id.to_be_bytes());
                json(out, request);
            }
            Self::Ping(value) => {
                out.push(PING);
                out.extend(value.to_be_bytes());
            }
        }
    }
}

impl<'a> FromViewer<'a> {
    /// Reads one frame, without its length prefix.
    pub fn decode(frame: &'a [u8]) -> Result<Self, FrameError> {
        if frame.len() > MAX_FROM_VIEWER {
            return Err(FrameError::TooLong {
                length: frame.len(),
                limit: MAX_FROM_VIEWER,
            });
        }
        let (&kind, payload) = frame.split_first().ok_or(FrameError::Empty)?;
        let short = FrameError::Payload(kind);
        Ok(match kind {
            ATTACH => Self::Attach(from_json(kind, version(payload, short)?)?),
            INPUT if payload.len() > MAX_INPUT => {
                return Err(FrameError::TooLong {
                    length: payload.len(),
                    limit: MAX_INPUT,
                });
            }
            INPUT => Self::Input(payload),
            RESIZE => match take_size(payload) {
                Some((size, [])) => Self::Resize(size),
                _ => return Err(short),
            },
            ACK => Self::Ack(exact_u64(payload).ok_or(short)?),
            TAKE_SIZE if payload.is_empty() => Self::TakeSize,
            RESTART if payload.is_empty() => Self::Restart,
            TAKE_SIZE | RESTART => return Err(short),
            REQUEST => {
                let (id, rest) = take_u32(payload).ok_or(short)?;
                Self::Request {
                    id,
                    request: from_json(kind, rest)?,
                }
            }
            PING => Self::Ping(exact_u64(payload).ok_or(short)?),
            other => return Err(FrameError::Type(other)),
        })
    }
}

/// Whether a frame from a viewer, without its prefix, is a request. The server looks at no other.
pub fn is_request(frame: &[u8]) -> bool {
    frame.first() == Some(&REQUEST)
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

/// Length prefix and head of an `Output` frame whose payload of `length` bytes follows, for a writer
/// that doesn't want to copy the payload.
pub fn output_head(seq: u64, length: usize) -> [u8; 4 + OUTPUT_HEADER] {
    let total = u32::try_from(OUTPUT_HEADER + length).unwrap_or(u32::MAX);
    let mut head = [0; 4 + OUTPUT_HEADER];
    let [a, b, c, d, kind, rest @ ..] = &mut head;
    [*a, *b, *c, *d] = total.to_be_bytes();
    *kind = OUTPUT;
    *rest = seq.to_be_bytes();
    head
}

/// The number of a `Request` frame whose JSON this version doesn't understand, so that a newer
/// viewer's question gets an answer instead of a closed connection.
pub fn request_id(frame: &[u8]) -> Option<u32> {
    match frame.split_first() {
        Some((&REQUEST, payload)) => take_u32(payload).map(|(id, _)| id),
        _ => None,
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

fn json(out: &mut Vec<u8>, value: &impl serde::Serialize) {
    // Serializing our own plain structs can't fail; an empty payload would be refused by the reader.
    if let Ok(bytes) = serde_json::to_vec(value) {
        out.extend(bytes);
    }
}

fn from_json<'a, T: serde::Deserialize<'a>>(kind: u8, bytes: &'a [u8]) -> Result<T, FrameError> {
    serde_json::from_slice(bytes).map_err(|error| FrameError::Json {
        kind,
        reason: error.to_string(),
    })
}

fn version(payload: &[u8], short: FrameError) -> Result<&[u8], FrameError> {
    match payload.split_first() {
        Some((&PROTOCOL, rest)) => Ok(rest),
        Some((&other, _)) => Err(FrameError::Version(other)),
        None => Err(short),
    }
}

fn put_size(out: &mut Vec<u8>, size: Size) {
    out.extend(size.cols().to_be_bytes());
    out.extend(size.rows().to_be_bytes());
}

fn take_size(bytes: &[u8]) -> Option<(Size, &[u8])> {
    let (cols, rest) = bytes.split_first_chunk()?;
    let (rows, rest) = rest.split_first_chunk()?;
    Some((
        Size::clamped(u16::from_be_bytes(*cols), u16::from_be_bytes(*rows)),
        rest,
    ))
}

fn take_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (head, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*head), rest))
}

fn take_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (head, rest) = bytes.split_first_chunk()?;
    Some((u64::from_be_bytes(*head), rest))
}

fn exact_u64(bytes: &[u8]) -> Option<u64> {
    match take_u64(bytes) {
        Some((value, [])) => Some(value),
        _ => None,
    }
}
