//! What a viewer is connected by: the Unix socket it came on, with a frame after another; or a browser's
//! WebSocket that the server has handed over, beside that socket, on which the server then only waits to
//! hear that it is over. So a key passes one process less.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read as _, Write};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};

use super::best_effort;
use crate::wire::frame::{Deframer, End, Framing, MAX_FROM_VIEWER, ToViewer};
use crate::wire::message::Handover;
use crate::wire::websocket::{Decoder, Fault, News};

/// Shortest time between two pings.
const MIN_PING: Duration = Duration::from_millis(10);

/// A viewer's connection.
#[derive(Debug)]
pub(super) struct Line {
    /// From the server, or from whoever attaches.
    socket: UnixStream,
    /// Came with the first bytes.
    passed: Option<OwnedFd>,
    browser: Option<Box<Browser>>,
}

/// A browser's connection, and what its WebSocket needs.
#[derive(Debug)]
struct Browser {
    /// TCP or Unix; the calls are the same.
    socket: TcpStream,
    decoder: Decoder,
    /// Read by the server, after the first message.
    early: Vec<u8>,
    pulse: Pulse,
}

/// Signs of life, and the pings that ask for them.
#[derive(Debug)]
struct Pulse {
    every: Duration,
    dead: Duration,
    next: Instant,
    unanswered: u32,
}

/// What is to be done about a browser's silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing yet.
    Rest,
    /// It is to be asked.
    Ping,
    /// It is gone.
    Dead,
}

/// What a read found.
#[derive(Debug)]
pub(super) enum Heard {
    /// Nothing (more) for now.
    Nothing,
    /// Frames, or parts of them, are in the deframer; and this came besides.
    Some(News),
    /// The connection has ended, for this reason.
    End(End),
}

impl Line {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self {
            socket,
            passed: None,
            browser: None,
        }
    }

    /// Whether it is a browser's.
    pub(super) fn is_browsers(&self) -> bool {
        self.browser.is_some()
    }

    /// Whether bytes wait that were read before the connection came.
    pub(super) fn has_early(&self) -> bool {
        self.browser.as_ref().is_some_and(|b| !b.early.is_empty())
    }

    /// The server's side of a browser's connection, which is polled too: it wants the connection back
    /// when anything comes on it, or its end.
    pub(super) fn server(&self) -> Option<&UnixStream> {
        self.browser.as_ref().map(|_| &self.socket)
    }

    /// Takes the browser's connection that came with the frame. `read` was read from it before.
    pub(super) fn take_over(
        &mut self,
        handover: &Handover,
        read: &[u8],
        now: Instant,
    ) -> Result<(), String> {
        let passed = self.passed.take();
        let browser = TcpStream::from(passed.ok_or("a handover without a connection")?);
        // As it is already; one that isn't must not hold up everybody.
        let unblocked = browser.set_nonblocking(true);
        unblocked.map_err(|error| error.to_string())?;
        // Small, and the first thing on this socket: it is taken whole.
        self.say(&ToViewer::Taken);
        let every = Duration::from_millis(handover.ping.into()).max(MIN_PING);
        self.browser = Some(Box::new(Browser {
            socket: browser,
            decoder: Decoder::new(MAX_FROM_VIEWER),
            early: read.to_vec(),
            pulse: Pulse {
                every,
                dead: Duration::from_millis(handover.dead.into()),
                next: now + every,
                unanswered: 0,
            },
        }));
        Ok(())
    }

    /// Tells the server that the browser's connection is let go of; `whole`: between two messages.
    pub(super) fn let_go(&mut self, why: End, whole: bool) {
        if self.browser.take().is_some() {
            self.say(&ToViewer::End { why, whole });
        }
    }

    fn say(&mut self, frame: &ToViewer<'_>) {
        // A server that is gone has taken the browser's connection with it.
        best_effort(self.socket.write_all(&Framing::Prefixed.framed(frame)));
    }

    /// Reads what is waiting, at most one `scratch` full. A `stranger`'s bytes may bring a connection.
    pub(super) fn read(
        &mut self,
        scratch: &mut [u8],
        deframer: &mut Deframer,
        stranger: bool,
    ) -> Heard {
        let read = match &mut self.browser {
            Some(browser) => browser.socket.read(scratch),
            None if stranger => self.receive(scratch),
            None => self.socket.read(scratch),
        };
        match read {
            Ok(0) => Heard::End(End::Gone),
            Ok(read) => {
                let read = scratch.get_mut(..read).unwrap_or_default();
                match &mut self.browser {
                    Some(browser) => browser.take_in(read, deframer),
                    None => {
                        deframer.push(read);
                        Heard::Some(News::default())
                    }
                }
            }
            Err(error) if is_temporary(error.kind()) => Heard::Nothing,
            Err(_) => Heard::End(End::Gone),
        }
    }

    /// Takes in what was read before the connection came.
    pub(super) fn read_early(&mut self, deframer: &mut Deframer) -> Heard {
        match &mut self.browser {
            Some(browser) => {
                let mut early = std::mem::take(&mut browser.early);
                browser.take_in(&mut early, deframer)
            }
            None => Heard::Nothing,
        }
    }

    /// Reads bytes and the descriptor that came with them.
    fn receive(&mut self, scratch: &mut [u8]) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut buffer = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::net::recvmsg(
            &self.socket,
            &mut [IoSliceMut::new(scratch)],
            &mut buffer,
            RecvFlags::CMSG_CLOEXEC,
        )?;
        for message in buffer.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.passed = descriptors.last().or(self.passed.take());
            }
        }
        Ok(received.bytes)
    }

    /// The browser did something: it sent, or it took what was sent to it.
    pub(super) fn alive(&mut self) {
        if let Some(browser) = &mut self.browser {
            browser.pulse.unanswered = 0;
        }
    }

    /// What is to be done about a browser's silence now. One that isn't `heard` can't be silent.
    pub(super) fn beat(&mut self, now: Instant, heard: bool) -> Beat {
        let Some(browser) = &mut self.browser else {
            return Beat::Rest;
        };
        let pulse = &mut browser.pulse;
        if now < pulse.next {
            return Beat::Rest;
        }
        pulse.next = now + pulse.every;
        if !heard {
            pulse.unanswered = 0;
        }
        if pulse.every.saturating_mul(pulse.unanswered) >= pulse.dead {
            return Beat::Dead;
        }
        pulse.unanswered += 1;
        Beat::Ping
    }

    /// When the next beat is.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.browser.as_ref().map(|browser| browser.pulse.next)
    }
}

impl Browser {
    fn take_in(&mut self, read: &mut [u8], deframer: &mut Deframer) -> Heard {
        self.pulse.unanswered = 0;
        match self.decoder.take_in(read, deframer) {
            Ok(news) => Heard::Some(news),
            Err(Fault::Protocol) => Heard::End(End::Protocol),
            Err(Fault::Kind) => Heard::End(End::Kind),
            Err(Fault::TooLong) => Heard::End(End::TooLong),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.browser {
            Some(browser) => browser.socket.write(bytes),
            None => self.socket.write(bytes),
        }
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.browser {
            Some(browser) => browser.socket.write_vectored(parts),
            None => self.socket.write_vectored(parts),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.browser {
            Some(browser) => browser.socket.as_fd(),
            None => self.socket.as_fd(),
        }
    }
}

fn is_temporary(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
