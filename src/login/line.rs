//! The connection to the server: whole frames, each within a limit of bytes and of time.

use super::best_effort;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use zeroize::Zeroizing;

use crate::wire::frame::prefixed;
use crate::wire::login::{FromHelper, MAX_TO_HELPER};

/// How long the rest of a frame may take once it has begun, and how long one may take to leave. The
/// server is on the same machine.
pub(super) const FRAME: Duration = Duration::from_secs(5);

/// A connected stream socket.
#[derive(Debug)]
pub(super) struct Line {
    socket: OwnedFd,
}

impl Line {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self { socket }
    }

    /// The uid of whoever is at the other end (`unix(7)`, `SO_PEERCRED`).
    pub(super) fn peer(&self) -> io::Result<u32> {
        let peer = rustix::net::sockopt::socket_peercred(&self.socket)?;
        Ok(peer.uid.as_raw())
    }

    /// The next frame, which has to begin within `wait`; without it, an error of kind
    /// `UnexpectedEof` (nobody there any more), `TimedOut` or `InvalidData`.
    pub(super) fn receive(&mut self, wait: Duration) -> io::Result<Zeroizing<Vec<u8>>> {
        self.wait(PollFlags::IN, Instant::now() + wait)?;
        let deadline = Instant::now() + FRAME;
        let mut length = [0; 4];
        self.fill(&mut length, deadline)?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length == 0 || length > MAX_TO_HELPER {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut frame = Zeroizing::new(vec![0; length]);
        self.fill(&mut frame, deadline)?;
        Ok(frame)
    }

    /// Sends a frame.
    pub(super) fn send(&mut self, frame: &FromHelper) -> io::Result<()> {
        let mut bytes = Vec::new();
        prefixed(&mut bytes, |out| frame.encode(out));
        self.write(&bytes)
    }

    /// Sends bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let deadline = Instant::now() + FRAME;
        let mut rest = bytes;
        while !rest.is_empty() {
            self.wait(PollFlags::OUT, deadline)?;
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            match rustix::net::send(&self.socket, rest, flags) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Bytes as they come, at most as many as fit; none: nobody there any more.
    pub(super) fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
        loop {
            self.wait(PollFlags::IN, deadline)?;
            match rustix::net::recv(&self.socket, &mut *buffer, RecvFlags::DONTWAIT) {
                Ok((read, _)) => return Ok(read),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Waits until a moment, or until the other end hangs up.
    pub(super) fn idle_until(&self, moment: Instant) {
        // Asking for nothing still reports a hang-up. Either way there is nothing more to wait for.
        best_effort(self.wait(PollFlags::empty(), moment));
    }

    fn fill(&mut self, mut buffer: &mut [u8], deadline: Instant) -> io::Result<()> {
        while !buffer.is_empty() {
            let read = self.read(buffer, deadline)?;
            if read == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            buffer = buffer.get_mut(read..).unwrap_or_default();
        }
        Ok(())
    }

    fn wait(&self, flags: PollFlags, deadline: Instant) -> io::Result<()> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut fds = [PollFd::new(&self.socket, flags)];
            match rustix::event::poll(&mut fds, Some(&timespec(left))) {
                Ok(0) if left.is_zero() => return Err(ErrorKind::TimedOut.into()),
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A duration as the kernel takes it.
pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
