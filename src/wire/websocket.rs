//! WebSocket frames (RFC 6455, section 5), for a server whose messages are binary: heads to write, and
//! what a browser sends read as the frames of [`super::frame`]. The handshake is not here.

use super::frame::Deframer;

/// Longest head of a frame to a browser, in bytes: without a mask.
pub const MAX_HEAD: usize = 10;
/// Longest payload of a control frame, in bytes (section 5.5).
pub const MAX_CONTROL: usize = 125;

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A few bytes in front of a payload.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    bytes: [u8; MAX_HEAD],
    used: usize,
}

impl Head {
    /// A head of these bytes; what is past [`MAX_HEAD`] is left out.
    pub fn new(of: &[u8]) -> Self {
        let used = of.len().min(MAX_HEAD);
        let mut bytes = [0; MAX_HEAD];
        for (to, from) in bytes.iter_mut().zip(of) {
            *to = *from;
        }
        Self { bytes, used }
    }

    /// Its bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }
}

/// The head of a whole binary message of `length` bytes.
pub fn binary(length: usize) -> Head {
    head(BINARY, length)
}

/// A ping without a payload.
pub fn ping() -> Vec<u8> {
    control(PING, &[])
}

/// The answer to a ping.
pub fn pong(payload: &[u8]) -> Vec<u8> {
    control(PONG, payload)
}

/// The answer to a close, with its code.
pub fn close(code: Option<[u8; 2]>) -> Vec<u8> {
    control(CLOSE, code.as_ref().map_or(&[], |code| code))
}

fn control(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let payload = payload.get(..MAX_CONTROL).unwrap_or(payload);
    let mut out = head(opcode, payload.len()).as_slice().to_vec();
    out.extend_from_slice(payload);
    out
}

fn head(opcode: u8, length: usize) -> Head {
    let first = FIN | opcode;
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => Head::new(&[first, short]),
        (_, Ok(middle)) => {
            let [a, b] = middle.to_be_bytes();
            Head::new(&[first, 126, a, b])
        }
        _ => {
            let long = u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes();
            let mut bytes = [first; MAX_HEAD];
            let [_, kind, rest @ ..] = &mut bytes;
            *kind = 127;
            *rest = long;
            Head::new(&bytes)
        }
    }
}

/// Where the first text message ends in what a browser has sent, pings before it included; `None` if
/// it isn't complete. For bytes that were found to be in order before.
pub fn after_text(sent: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut inside = false;
    loop {
        let (found, length) = ClientHead::read(sent.get(at..)?)?;
        at = at.checked_add(length)?.checked_add(found.length)?;
        inside = inside || found.opcode == TEXT;
        if inside && found.last && matches!(found.opcode, TEXT | CONTINUATION) {
            return (at <= sent.len()).then_some(at);
        }
    }
}

/// Why what a browser sent ends the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not a frame, or not where it may be; or a message without a byte.
    #[error("not a WebSocket frame")]
    Protocol,
    /// Text.
    #[error("text where binary is spoken")]
    Kind,
    /// Over the limit.
    #[error("too long")]
    TooLong,
}

/// What came besides messages.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// The payload of the latest ping, which is the one to answer (section 5.5.3).
    pub ping: Option<Vec<u8>>,
    /// It closes, with this code if with any. Nothing after it is read.
    pub close: Option<Option<[u8; 2]>>,
}

/// A frame's head, from a browser.
#[derive(Debug, Clone, Copy)]
struct ClientHead {
    last: bool,
    reserved: bool,
    opcode: u8,
    mask: Option<[u8; 4]>,
    length: usize,
}

impl ClientHead {
    /// Longest, in bytes.
    const MAX: usize = 14;

    /// The head at the start of `bytes`, and its length; `None` until it is complete.
    fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let (&[first, second], rest) = bytes.split_first_chunk()?;
        let (length, rest) = match second & !MASKED {
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*length)), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk()?;
                let length = u64::from_be_bytes(*length);
                (usize::try_from(length).unwrap_or(usize::MAX), rest)
            }
            short => (usize::from(short), rest),
        };
        let (mask, rest) = if second & MASKED == 0 {
            (None, rest)
        } else {
            let (mask, rest) = rest.split_first_chunk()?;
            (Some(*mask), rest)
        };
        let head = Self {
            last: first & FIN != 0,
            reserved: first & 0x70 != 0,
            opcode: first & 0x0f,
            mask,
            length,
        };
        Some((head, bytes.len() - rest.len()))
    }
}

/// What becomes of a payload that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Into {
    /// A whole message, given on as it comes.
    Message,
    /// A part of one, kept until it is whole.
    Part {
        last: bool,
    },
    Ping,
    Pong,
    Close,
}

#[derive(Debug, Clone, Copy)]
struct Payload {
    into: Into,
    left: usize,
    mask: [u8; 4],
}

/// Reads what a browser sends: its binary messages become frames with their length in front of them,
/// as they are on a Unix socket. Holds at most one message that came in parts.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    head: Vec<u8>,
    payload: Option<Payload>,
    parts: Option<Vec<u8>>,
    control: Vec<u8>,
    closed: bool,
}

impl Decoder {
    /// A decoder that refuses messages over `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            head: Vec::new(),
            payload: None,
            parts: None,
            control: Vec::new(),
            closed: false,
        }
    }

    /// Takes in what was read, which it unmasks in place, and gives messages to `out`. After a fault
    /// the connection can't be read further.
    pub fn take_in(&mut self, mut bytes: &mut [u8], out: &mut Deframer) -> Result<News, Fault> {
        let mut news = News::default();
        while !self.closed {
            if let Some(payload) = self.payload {
                let (now, later) = bytes.split_at_mut(payload.left.min(bytes.len()));
                bytes = later;
                self.give_on(payload, now, out, &mut news);
                if self.payload.is_some() {
                    break;
                }
            } else if bytes.is_empty() {
                break;
            } else {
                let before = self.head.len();
                let more = ClientHead::MAX - before;
                self.head
                    .extend_from_slice(bytes.get(..more).unwrap_or(bytes));
                let Some((head, length)) = ClientHead::read(&self.head) else {
                    break;
                };
                bytes = bytes
                    .get_mut(length.saturating_sub(before)..)
                    .unwrap_or_default();
                self.head.clear();
                self.payload = Some(self.begin(head, out)?);
            }
        }
        Ok(news)
    }

    /// Judges a head.
    fn begin(&self, head: ClientHead, out: &mut Deframer) -> Result<Payload, Fault> {
        let (Some(mask), false) = (head.mask, head.reserved) else {
            return Err(Fault::Protocol);
        };
        let short = head.last && head.length <= MAX_CONTROL;
        let into = match (head.opcode, &self.parts) {
            (TEXT, None) => return Err(Fault::Kind),
            (BINARY | CONTINUATION, _) if head.length > self.limit => return Err(Fault::TooLong),
            (BINARY, None) if head.last && head.length == 0 => return Err(Fault::Protocol),
            (BINARY, None) if head.last => {
                let length = u32::try_from(head.length).unwrap_or(u32::MAX);
                out.push(&length.to_be_bytes());
                Into::Message
            }
            (BINARY, None) => Into::Part { last: false },
            (CONTINUATION, Some(parts)) => {
                let length = parts.len() + head.length;
                if length > self.limit {
                    return Err(Fault::TooLong);
                }
                if head.last && length == 0 {
                    return Err(Fault::Protocol);
                }
                Into::Part { last: head.last }
            }
            (PING, _) if short => Into::Ping,
            (PONG, _) if short => Into::Pong,
            (CLOSE, _) if short => Into::Close,
            _ => return Err(Fault::Protocol),
        };
        Ok(Payload {
            into,
            left: head.length,
            mask,
        })
    }

    /// Gives on what has come of a payload.
    fn give_on(
        &mut self,
        mut payload: Payload,
        bytes: &mut [u8],
        out: &mut Deframer,
        news: &mut News,
    ) {
        for (byte, mask) in bytes.iter_mut().zip(payload.mask.iter().cycle()) {
            *byte ^= mask;
        }
        payload.left -= bytes.len();
        payload.mask.rotate_left(bytes.len() % 4);
        let whole = payload.left == 0;
        self.payload = (!whole).then_some(payload);
        match payload.into {
            Into::Message => out.push(bytes),
            Into::Part { last } => {
                let mut parts = self.parts.take().unwrap_or_default();
                parts.extend_from_slice(bytes);
                if last && whole {
                    let length = u32::try_from(parts.len()).unwrap_or(u32::MAX);
                    out.push(&length.to_be_bytes());
                    out.push(&parts);
                } else {
                    self.parts = Some(parts);
                }
            }
            Into::Ping | Into::Pong | Into::Close => {
                self.control.extend_from_slice(bytes);
                if whole {
                    let control = std::mem::take(&mut self.control);
                    match payload.into {
                        Into::Ping => news.ping = Some(control),
                        Into::Close => {
                            self.closed = true;
                            news.close = Some(control.first_chunk().copied());
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a browser sends it.
    fn sent(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = head(first & 0x0f, payload.len()).as_slice().to_vec();
        out[0] = first;
        out[1] |= MASKED;
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        out.extend(mask);
        let masked = payload.iter().zip(mask.iter().cycle());
        out.extend(masked.map(|(byte, mask)| byte ^ mask));
        out
    }

    /// What comes of bytes that arrive in pieces of this size.
    fn read(bytes: &[u8], piece: usize, limit: usize) -> Result<(Vec<Vec<u8>>, News), Fault> {
        let (mut decoder, mut deframer) = (Decoder::new(limit), Deframer::new(limit));
        let (mut messages, mut all) = (Vec::new(), News::default());
        for piece in bytes.to_vec().chunks_mut(piece) {
            let news = decoder.take_in(piece, &mut deframer)?;
            all.ping = news.ping.or(all.ping);
            all.close = news.close.or(all.close);
            while let Some(message) = deframer.next_frame().unwrap() {
                messages.push(message.to_vec());
            }
        }
        Ok((messages, all))
    }

    #[test]
    fn messages_pings_and_a_close_are_the_same_however_the_stream_is_cut() {
        let long: Vec<u8> = (0..70_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let stream = [
            sent(FIN | BINARY, b"key"),
            sent(BINARY, b"in "),
            sent(FIN | PING, b"there?"),
            sent(CONTINUATION, b"three "),
            sent(FIN | CONTINUATION, b"parts"),
            sent(FIN | PONG, b""),
            sent(FIN | BINARY, &long[..300]),
            sent(FIN | BINARY, &long),
            sent(FIN | CLOSE, &[0x03, 0xe8, b'b', b'y', b'e']),
            sent(FIN | BINARY, b"too late"),
        ]
        .concat();
        let expected = [b"key".to_vec(), b"in three parts".to_vec()];
        let expected = [&expected[..], &[long[..300].to_vec(), long.clone()]].concat();
        for piece in [1, 2, 3, 5, 7, 13, 14, 64, 4096, stream.len()] {
            let (messages, news) = read(&stream, piece, 1 << 20).unwrap();
            assert_eq!(messages, expected, "in pieces of {piece}");
            assert_eq!(news.ping.as_deref(), Some(&b"there?"[..]));
            assert_eq!(news.close, Some(Some([0x03, 0xe8])));
        }
    }

    #[test]
    fn what_is_not_a_frame_of_a_browser_is_refused() {
        let mut bare = sent(FIN | BINARY, b"");
        bare[1] &= !MASKED;
        let cases = [
            (sent(FIN | TEXT, b"text"), Fault::Kind),
            (bare, Fault::Protocol),
            (sent(FIN | 0x40 | BINARY, b"compressed"), Fault::Protocol),
            (sent(FIN | CONTINUATION, b"of nothing"), Fault::Protocol),
            (sent(FIN | BINARY, b""), Fault::Protocol),
            (sent(FIN | 3, b"?"), Fault::Protocol),
            (sent(PING, b"in parts"), Fault::Protocol),
            (sent(FIN | CLOSE, &[0; 126]), Fault::Protocol),
            (
                [sent(BINARY, b"a"), sent(FIN | BINARY, b"b")].concat(),
                Fault::Protocol,
            ),
            (
                [sent(BINARY, b""), sent(FIN | CONTINUATION, b"")].concat(),
                Fault::Protocol,
            ),
            (sent(FIN | BINARY, &[0; 1001]), Fault::TooLong),
            (
                [sent(BINARY, &[0; 600]), sent(CONTINUATION, &[0; 600])].concat(),
                Fault::TooLong,
            ),
            // Sixteen exabytes: refused before a byte of it has come.
            (
                [[FIN | BINARY, 0xff].to_vec(), vec![0xff; 12]].concat(),
                Fault::TooLong,
            ),
        ];
        for (bytes, fault) in cases {
            assert_eq!(read(&bytes, 3, 1000), Err(fault), "{bytes:02x?}");
        }
    }

    #[test]
    fn heads_are_as_long_as_they_have_to_be() {
        assert_eq!(binary(5).as_slice(), [0x82, 5]);
        assert_eq!(binary(125).as_slice(), [0x82, 125]);
        assert_eq!(binary(126).as_slice(), [0x82, 126, 0, 126]);
        assert_eq!(binary(256).as_slice(), [0x82, 126, 1, 0]);
        let long = [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0];
        assert_eq!(binary(65536).as_slice(), long);
        assert_eq!(close(Some([3, 0xe8])), [0x88, 2, 3, 0xe8]);
        assert_eq!(pong(b"Hello"), b"\x8a\x05Hello");
    }

    #[test]
    fn the_first_text_ends_where_its_last_part_does() {
        let first = [
            sent(FIN | PING, b""),
            sent(TEXT, b"{"),
            sent(FIN | PING, b"x"),
            sent(FIN | CONTINUATION, b"}"),
        ]
        .concat();
        let all = [first.clone(), sent(FIN | BINARY, b"key")].concat();
        assert_eq!(after_text(&all), Some(first.len()));
        assert_eq!(after_text(&first), Some(first.len()));
        for cut in 0..first.len() {
            assert_eq!(after_text(&first[..cut]), None);
        }
    }
}
