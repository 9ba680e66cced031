//! One attachment to one terminal, whatever the peer: keys go in, chunks of output come out, and the
//! peer's own flow control is told what has been worked off.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use gatepost::wire::frame::{Deframer, FromViewer, ToViewer, prefixed};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::ws::{self, Said};

/// Bytes asked for in one read; the same for every peer.
pub(crate) const READ: usize = 64 << 10;

/// A piece of output.
pub(crate) struct Chunk {
    /// The bytes for the emulator.
    pub(crate) bytes: Vec<u8>,
    /// The emulator starts from nothing before these bytes.
    pub(crate) reset: bool,
    seq: u64,
    counted: bool,
}

/// What is spoken on the wire.
pub(crate) enum Protocol {
    /// Bytes as the program wrote them.
    Raw,
    /// ttyd's, with the flow control of its own page.
    Ttyd {
        /// Output bytes since the page last asked its emulator for a call back.
        written: usize,
        /// Call backs outstanding.
        pending: usize,
    },
    /// Gatepost's `wire::frame` in WebSocket messages.
    Gatepost {
        /// The newest `seq` acknowledged.
        acked: u64,
    },
    /// The same on a keeper's own socket.
    Keeper {
        /// The newest `seq` acknowledged.
        acked: u64,
        /// Takes the frames out of the stream.
        deframer: Deframer,
    },
}

/// One attachment.
pub(crate) struct Link {
    fd: OwnedFd,
    protocol: Protocol,
    reader: ws::Reader,
    buffer: Vec<u8>,
    chunks: VecDeque<Chunk>,
    closed: Option<String>,
    /// Bytes taken off the wire so far, framing included.
    pub(crate) wire: u64,
    /// Bytes of output received as the program wrote them, repaints not included.
    pub(crate) live: u64,
    child: Option<Child>,
}

impl Link {
    /// A link over a connected, upgraded socket or a terminal; `rest` are bytes read already.
    pub(crate) fn new(
        fd: OwnedFd,
        protocol: Protocol,
        rest: &[u8],
        child: Option<Child>,
    ) -> Result<Self> {
        rustix::io::ioctl_fionbio(&fd, true)?;
        let mut link = Self {
            fd,
            protocol,
            reader: ws::Reader::default(),
            buffer: vec![0; READ],
            chunks: VecDeque::new(),
            closed: None,
            wire: 0,
            live: 0,
            child,
        };
        link.took(rest)?;
        Ok(link)
    }

    /// The descriptor, to wait on many links at once.
    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Whether the peer hung up.
    pub(crate) fn closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Types.
    pub(crate) fn send(&mut self, keys: &[u8]) -> Result<()> {
        let mut out = Vec::with_capacity(keys.len() + 16);
        match self.protocol {
            Protocol::Raw => out.extend_from_slice(keys),
            Protocol::Ttyd { .. } => ws::message(&mut out, ws::BINARY, &[b"0", keys]),
            Protocol::Gatepost { .. } => {
                let mut frame = Vec::with_capacity(keys.len() + 1);
                FromViewer::Input(keys).encode(&mut frame);
                ws::message(&mut out, ws::BINARY, &[&frame]);
            }
            Protocol::Keeper { .. } => {
                prefixed(&mut out, |out| FromViewer::Input(keys).encode(out));
            }
        }
        self.write(&out)
    }

    /// Waits until there is something to read or `until`, reads at most `most` bytes, and returns how
    /// many it read.
    pub(crate) fn receive(&mut self, most: usize, until: Instant) -> Result<usize> {
        if let Some(reason) = &self.closed {
            bail!("{reason}");
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let room = buffer.get_mut(..most.min(READ)).unwrap_or_default();
        let count = self.read(room, until);
        let count = count.and_then(|count| {
            self.took(room.get(..count).unwrap_or_default())?;
            Ok(count)
        });
        self.buffer = buffer;
        count
    }

    fn read(&mut self, room: &mut [u8], until: Instant) -> Result<usize> {
        loop {
            match rustix::io::read(&self.fd, &mut *room) {
                // A terminal whose last process ended answers EIO.
                Ok(0) | Err(Errno::IO | Errno::CONNRESET) => {
                    self.closed = Some("the peer hung up".to_owned());
                    return Ok(0);
                }
                Ok(count) => return Ok(count),
                Err(Errno::AGAIN) => {
                    if !wait(&self.fd, PollFlags::IN, until)? {
                        return Ok(0);
                    }
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The next piece of output received.
    pub(crate) fn next(&mut self) -> Option<Chunk> {
        self.chunks.pop_front()
    }

    /// The emulator has worked off this piece. More of them may be in `chunks`; then the answer
    /// waits for the last, as a page's does when its emulator takes several writes in one turn.
    pub(crate) fn parsed(&mut self, chunk: &Chunk) -> Result<()> {
        let last = self.chunks.is_empty();
        let mut out = Vec::new();
        match &mut self.protocol {
            Protocol::Raw => {}
            Protocol::Ttyd { pending, .. } => {
                if chunk.counted {
                    *pending = pending.saturating_sub(1);
                    if *pending < 4 {
                        ws::message(&mut out, ws::BINARY, &[b"3"]);
                    }
                }
            }
            Protocol::Gatepost { acked } => {
                if last && chunk.seq > *acked {
                    *acked = chunk.seq;
                    let mut frame = Vec::with_capacity(9);
                    FromViewer::Ack(chunk.seq).encode(&mut frame);
                    ws::message(&mut out, ws::BINARY, &[&frame]);
                }
            }
            Protocol::Keeper { acked, .. } => {
                if last && chunk.seq > *acked {
                    *acked = chunk.seq;
                    prefixed(&mut out, |out| FromViewer::Ack(chunk.seq).encode(out));
                }
            }
        }
        if out.is_empty() {
            Ok(())
        } else {
            self.write(&out)
        }
    }

    fn took(&mut self, bytes: &[u8]) -> Result<()> {
        self.wire += bytes.len() as u64;
        match &mut self.protocol {
            Protocol::Raw if bytes.is_empty() => return Ok(()),
            Protocol::Raw => {
                self.chunks.push_back(Chunk {
                    bytes: bytes.to_vec(),
                    reset: false,
                    seq: 0,
                    counted: false,
                });
                return Ok(());
            }
            Protocol::Keeper { deframer, .. } => {
                deframer.push(bytes);
                while let Some(frame) = deframer.next_frame()? {
                    let chunk = chunk_of(frame, &mut self.live)?;
                    self.chunks.extend(chunk);
                }
                return Ok(());
            }
            Protocol::Ttyd { .. } | Protocol::Gatepost { .. } => {}
        }
        self.reader.push(bytes);
        while let Some(said) = self.reader.next()? {
            match said {
                Said::Message(message) => self.message(message)?,
                Said::Ping(payload) => {
                    let mut out = Vec::new();
                    ws::pong(&mut out, &payload);
                    self.write(&out)?;
                }
                Said::Closed(code) => {
                    self.closed = Some(format!("the peer hung up with close code {code}"));
                }
            }
        }
        Ok(())
    }

    fn message(&mut self, mut message: Vec<u8>) -> Result<()> {
        let mut pause = false;
        match &mut self.protocol {
            Protocol::Raw | Protocol::Keeper { .. } => {}
            Protocol::Ttyd { written, pending } => {
                if message.first() == Some(&b'0') {
                    message.drain(..1);
                    // ttyd's page: { limit: 100000, highWater: 10, lowWater: 4 }
                    *written += message.len();
                    let counted = *written > 100_000;
                    if counted {
                        *written = 0;
                        *pending += 1;
                        pause = *pending > 10;
                    }
                    self.chunks.push_back(Chunk {
                        bytes: message,
                        reset: false,
                        seq: 0,
                        counted,
                    });
                }
            }
            Protocol::Gatepost { .. } => {
                let chunk = chunk_of(&message, &mut self.live)?;
                self.chunks.extend(chunk);
            }
        }
        if pause {
            let mut out = Vec::new();
            ws::message(&mut out, ws::BINARY, &[b"2"]);
            self.write(&out)?;
        }
        Ok(())
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(10);
        while !bytes.is_empty() {
            match rustix::io::write(&self.fd, bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if !wait(&self.fd, PollFlags::OUT, until)? {
                        bail!("the peer has taken no input for ten seconds");
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Gone already is as good.
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// The output in one of Gatepost's frames, if it is one with output.
fn chunk_of(frame: &[u8], live: &mut u64) -> Result<Option<Chunk>> {
    let (bytes, reset, seq) = match ToViewer::decode(frame)? {
        ToViewer::Output { seq, bytes } => {
            *live += bytes.len() as u64;
            (bytes, false, seq)
        }
        ToViewer::Repaint {
            seq, keep, bytes, ..
        } => (bytes, !keep, seq),
        _ => return Ok(None),
    };
    Ok(Some(Chunk {
        bytes: bytes.to_vec(),
        reset,
        seq,
        counted: false,
    }))
}

/// Waits for a descriptor; `false` when `until` came first.
fn wait(fd: &OwnedFd, flags: PollFlags, until: Instant) -> Result<bool> {
    let left = until.saturating_duration_since(Instant::now());
    let mut fds = [PollFd::new(fd, flags)];
    match poll(&mut fds, Some(&timespec(left))) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Lets time pass: a slow viewer that is busy with something else.
pub(crate) fn pass(time: Duration) {
    // A signal ends it early; the caller looks at the clock anyway.
    poll(&mut [], Some(&timespec(time))).ok();
}

/// For `poll`.
pub(crate) fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(time.subsec_nanos()),
    }
}
