//! Frames between a keeper and a viewer: one type byte, then the payload, numbers big-endian.
//!
//! On a Unix socket each frame follows its length (`u32`, type byte included); on a WebSocket each is
//! one binary message. `seq` counts, per viewer, the payload bytes of every `Output` and `Repaint`
//! sent to it so far, this frame included. A viewer acknowledges the `seq` it has *parsed*.

use crate::base::Size;
use crate::wire::PROTOCOL;
use crate::wire::message::{Attach, Handover, Hello, Meta, Notice, Request};

mod framing;

pub use framing::{Deframer, Framing, length, output_head, prefixed};

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
const TAKEN: u8 = 0x08;
const END: u8 = 0x09;

const ATTACH: u8 = 0x41;
const INPUT: u8 = 0x42;
const RESIZE: u8 = 0x43;
const ACK: u8 = 0x44;
const TAKE_SIZE: u8 = 0x45;
const RESTART: u8 = 0x46;
const REQUEST: u8 = 0x47;
const PING: u8 = 0x48;
const HANDOVER: u8 = 0x49;

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
    /// Answer to `Handover`: the keeper has the browser's connection.
    Taken,
    /// The last frame after `Taken`: the keeper has let go of the browser's connection.
    End {
        /// Why.
        why: End,
        /// Whether what was sent on it ends with a whole message, so that another may follow.
        whole: bool,
    },
}

/// Why a keeper lets go of a browser's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The terminal is gone, or the server wants the connection back.
    Over = 0,
    /// The browser has closed it, or is gone.
    Gone = 1,
    /// What came was not a WebSocket frame, or not one of ours.
    Protocol = 2,
    /// Text came.
    Kind = 3,
    /// Something too long came.
    TooLong = 4,
    /// The viewer broke the rules; a `Notice` has said which.
    Violation = 5,
    /// There is no place for another viewer.
    TooMany = 6,
}

impl End {
    fn from_byte(byte: u8) -> Option<Self> {
        let all = [
            Self::Over,
            Self::Gone,
            Self::Protocol,
            Self::Kind,
            Self::TooLong,
            Self::Violation,
            Self::TooMany,
        ];
        all.into_iter().find(|end| *end as u8 == byte)
    }
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
    /// Instead of `Attach`, and only with a browser's connection (`SCM_RIGHTS`): its WebSocket is the
    /// viewer from now on, and this one only says when that ends.
    Handover {
        /// How it attaches, and what the keeper has to know to look after it.
        handover: Handover,
        /// What was read from it already, after the first message.
        read: &'a [u8],
    },
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
            Self::Taken => out.push(TAKEN),
            Self::End { why, whole } => out.extend([END, *why as u8, u8::from(*whole)]),
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
            TAKEN if payload.is_empty() => Self::Taken,
            TAKEN => return Err(short),
            END => match payload {
                [why, whole] => Self::End {
                    why: End::from_byte(*why).ok_or(short)?,
                    whole: whole & 1 != 0,
                },
                _ => return Err(short),
            },
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
            Self::Handover { handover, read } => {
                out.extend([HANDOVER, PROTOCOL]);
                prefixed(out, |out| json(out, handover));
                out.extend_from_slice(read);
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
            HANDOVER => {
                let (length, rest) =
                    take_u32(version(payload, short.clone())?).ok_or(short.clone())?;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let (handover, read) = rest.split_at_checked(length).ok_or(short)?;
                Self::Handover {
                    handover: from_json(kind, handover)?,
                    read,
                }
            }
            other => return Err(FrameError::Type(other)),
        })
    }
}

/// Whether a frame from a viewer, without its prefix, is a request. The server looks at no other.
pub fn is_request(frame: &[u8]) -> bool {
    frame.first() == Some(&REQUEST)
}

/// The number of a `Request` frame whose JSON this version doesn't understand, so that a newer
/// viewer's question gets an answer instead of a closed connection.
pub fn request_id(frame: &[u8]) -> Option<u32> {
    match frame.split_first() {
        Some((&REQUEST, payload)) => take_u32(payload).map(|(id, _)| id),
        _ => None,
    }
}

/// Whether what a `Request` frame asks is JSON at all, be it of a newer version.
pub fn is_json_request(frame: &[u8]) -> bool {
    let payload = frame.get(1..).and_then(take_u32);
    payload.is_some_and(|(_, json)| serde_json::from_slice::<serde::de::IgnoredAny>(json).is_ok())
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
