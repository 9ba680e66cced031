//! The master side of the pseudo-terminal: reading what is waiting, writing without ever waiting.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::{self, InputModes, OptionalActions, Winsize};

use super::{best_effort, child};
use crate::base::Size;

/// Most bytes a read of the master gives.
pub(super) const PIECE: usize = 4 << 10;
/// Most bytes of input waiting for the program. Past it, sockets that bring more aren't read.
pub(super) const MAX_INPUT_QUEUE: usize = 1 << 20;
/// Most bytes of answers to queries waiting in front of a program that doesn't read them; more are
/// dropped.
pub(super) const MAX_REPLY_QUEUE: usize = 64 << 10;

/// Status bits of packet mode (`ioctl_tty(2)`).
const STOPPED: u8 = 4;
const STARTED: u8 = 8;

/// What a read found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Output, or only news of it being stopped or started; more may be waiting.
    Output,
    /// Nothing (more) is waiting.
    Drained,
    /// No process has the terminal open.
    HungUp,
}

/// The master side of a pseudo-terminal.
#[derive(Debug)]
pub(super) struct Pty {
    master: OwnedFd,
    input: VecDeque<u8>,
    stopped: bool,
}

impl Pty {
    /// Opens a pseudo-terminal; also returns its slave side, for the program.
    pub(super) fn open(size: Size) -> io::Result<(Self, OwnedFd)> {
        let master = child::open_pty(size)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        let slave = rustix::pty::ioctl_tiocgptpeer(
            &master,
            OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC,
        )?;
        let mut modes = termios::tcgetattr(&slave)?;
        // Backspace erases whole characters; only Ctrl-Q resumes after Ctrl-S, so that typing ahead
        // doesn't restart the output by accident.
        modes.input_modes.insert(InputModes::IUTF8);
        modes.input_modes.remove(InputModes::IXANY);
        termios::tcsetattr(&slave, OptionalActions::Now, &modes)?;
        let pty = Self {
            master,
            input: VecDeque::new(),
            stopped: false,
        };
        Ok((pty, slave))
    }

    /// One somebody else opened: in packet mode, and not blocking.
    pub(super) fn adopt(master: OwnedFd) -> Self {
        Self {
            master,
            input: VecDeque::new(),
            stopped: false,
        }
    }

    /// Reads once into `piece`, at most [`PIECE`] bytes, instead of what it held.
    pub(super) fn read(&mut self, piece: &mut Vec<u8>) -> Found {
        loop {
            // Set to zeros once; the buffer stays.
            piece.resize(PIECE, 0);
            let mut status = [0];
            let read = rustix::io::readv(
                &self.master,
                &mut [IoSliceMut::new(&mut status), IoSliceMut::new(piece)],
            );
            piece.truncate(read.unwrap_or(0).saturating_sub(1));
            match (read, status) {
                (Ok(0), _) => return Found::HungUp,
                (Ok(_), [change]) => {
                    if change & STOPPED != 0 {
                        self.stopped = true;
                    }
                    if change & STARTED != 0 {
                        self.stopped = false;
                    }
                    return Found::Output;
                }
                (Err(Errno::INTR), _) => {}
                (Err(Errno::AGAIN), _) => return Found::Drained,
                // EIO: the last process closed the terminal.
                (Err(_), _) => return Found::HungUp,
            }
        }
    }

    /// Whether Ctrl-S has stopped the output.
    pub(super) fn stopped(&self) -> bool {
        self.stopped
    }

    /// Bytes of input the program hasn't taken yet.
    pub(super) fn waiting(&self) -> usize {
        self.input.len()
    }

    /// Queues input and writes what fits now.
    pub(super) fn type_in(&mut self, bytes: &[u8]) {
        self.input.extend(bytes);
        self.flush();
    }

    /// Queues the answer to a query, unless the program doesn't read its answers.
    pub(super) fn reply(&mut self, bytes: &[u8]) {
        if self.input.len() + bytes.len() <= MAX_REPLY_QUEUE {
            self.type_in(bytes);
        }
    }

    /// Writes as much queued input as fits.
    pub(super) fn flush(&mut self) {
        while !self.input.is_empty() {
            let (first, _) = self.input.as_slices();
            match rustix::io::write(&self.master, first) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Ok(written) => drop(self.input.drain(..written)),
                Err(Errno::INTR) => {}
                // Nobody has the terminal open: nobody will read it.
                Err(_) => self.input.clear(),
            }
        }
        if self.input.is_empty() && self.input.capacity() > 4096 {
            self.input = VecDeque::new();
        }
    }

    /// Tells the program the size.
    pub(super) fn resize(&self, size: Size) {
        let size = Winsize {
            ws_row: size.rows(),
            ws_col: size.cols(),
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // Only fails on a terminal that has hung up, which has no use for a size.
        best_effort(termios::tcsetwinsize(&self.master, size));
    }
}

impl AsFd for Pty {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }
}
