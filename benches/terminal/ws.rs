//! A WebSocket client small enough to cost nothing: one for every peer that speaks WebSocket, so that
//! differences between rows are the servers' and not the client's.

use anyhow::{Result, bail};

/// Text message.
pub(crate) const TEXT: u8 = 1;
/// Binary message.
pub(crate) const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The request that asks for the upgrade.
pub(crate) fn upgrade(host: &str, path: &str, protocol: &str, cookie: Option<&str>) -> String {
    let cookie = cookie.map_or_else(String::new, |cookie| format!("Cookie: {cookie}\r\n"));
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {protocol}\r\n{cookie}\r\n"
    )
}

/// Appends one masked message. The mask is zero: legal, and no work.
pub(crate) fn message(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    out.push(0x80 | kind);
    let length: usize = parts.iter().map(|part| part.len()).sum();
    if length < 126 {
        out.push(0x80 | u8::try_from(length).unwrap_or(0));
    } else if let Ok(short) = u16::try_from(length) {
        out.push(0x80 | 0x7e);
        out.extend(short.to_be_bytes());
    } else {
        out.push(0x80 | 0x7f);
        out.extend((length as u64).to_be_bytes());
    }
    out.extend([0; 4]);
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// One thing a server said.
pub(crate) enum Said {
    /// A whole message.
    Message(Vec<u8>),
    /// A ping to answer with this pong.
    Ping(Vec<u8>),
    /// Goodbye, with the close code.
    Closed(u16),
}

/// Puts messages together from bytes off the wire.
#[derive(Default)]
pub(crate) struct Reader {
    buffer: Vec<u8>,
    read: usize,
    partial: Option<Vec<u8>>,
}

impl Reader {
    /// Adds bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.read > 0 {
            self.buffer.drain(..self.read);
            self.read = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next thing said, if it is complete.
    pub(crate) fn next(&mut self) -> Result<Option<Said>> {
        loop {
            let bytes = self.buffer.get(self.read..).unwrap_or_default();
            let [first, second, rest @ ..] = bytes else {
                return Ok(None);
            };
            let (length, head) = match second & 0x7f {
                126 => match rest.first_chunk() {
                    Some(short) => (usize::from(u16::from_be_bytes(*short)), 4),
                    None => return Ok(None),
                },
                127 => match rest.first_chunk() {
                    Some(long) => (usize::try_from(u64::from_be_bytes(*long))?, 10),
                    None => return Ok(None),
                },
                short => (usize::from(short), 2),
            };
            let Some(payload) = bytes.get(head..head + length) else {
                return Ok(None);
            };
            let (fin, kind) = (first & 0x80 != 0, first & 0x0f);
            let payload = payload.to_vec();
            self.read += head + length;
            match kind {
                CLOSE => {
                    let code = payload
                        .first_chunk()
                        .map_or(1005, |c| u16::from_be_bytes(*c));
                    return Ok(Some(Said::Closed(code)));
                }
                PING => return Ok(Some(Said::Ping(payload))),
                PONG => {}
                0 => match self.partial.take() {
                    Some(mut whole) => {
                        whole.extend(payload);
                        if fin {
                            return Ok(Some(Said::Message(whole)));
                        }
                        self.partial = Some(whole);
                    }
                    None => bail!("a continuation of nothing"),
                },
                TEXT | BINARY if fin => return Ok(Some(Said::Message(payload))),
                TEXT | BINARY => self.partial = Some(payload),
                other => bail!("WebSocket frame of unknown kind {other}"),
            }
        }
    }
}

/// Appends the pong for a ping.
pub(crate) fn pong(out: &mut Vec<u8>, payload: &[u8]) {
    message(out, PONG, &[payload]);
}
