//! A connection to a keeper: frames in, frames out, nothing decoded that need not be.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;

use crate::wire::frame::{self, FromViewer};
use crate::wire::message::{Attach, Request};

use super::holder::Holder;

/// Room made for one read, in bytes: a full default window, so that a flood is relayed in few calls.
const READ: usize = 64 << 10;
/// An idle connection keeps no buffer above this, in bytes.
const IDLE: usize = 4 << 10;

/// A connection to a keeper.
#[derive(Debug)]
pub struct KeeperStream {
    holder: Holder,
    reader: KeeperReader,
    writer: KeeperWriter,
}

impl KeeperStream {
    /// Connects and sends the first frame.
    pub(super) async fn connect(path: &Path, attach: &Attach) -> io::Result<Self> {
        let (holder, reader, socket) = Self::open(path).await?;
        let mut writer = KeeperWriter { socket };
        writer.send(&FromViewer::Attach(attach.clone())).await?;
        Ok(Self {
            holder,
            reader,
            writer,
        })
    }

    /// Connects and says nothing; the socket is what is written to.
    pub(super) async fn open(path: &Path) -> io::Result<(Holder, KeeperReader, UnixStream)> {
        let stream = tokio::net::UnixStream::connect(path).await?;
        let holder = Holder::of(path, stream.peer_cred()?.uid())?;
        let read = stream.into_std()?;
        let socket = read.try_clone()?;
        let reader = KeeperReader {
            socket: pipe::Receiver::from_owned_fd_unchecked(OwnedFd::from(read))?,
            buffer: BytesMut::new(),
        };
        Ok((holder, reader, socket))
    }

    /// Who runs the keeper.
    pub(super) fn holder(&self) -> Holder {
        self.holder
    }

    /// Sends a request.
    pub async fn request(&mut self, id: u32, request: Request) -> io::Result<()> {
        self.writer.send(&FromViewer::Request { id, request }).await
    }

    /// Both directions, to be used at the same time.
    pub fn split(self) -> (KeeperReader, KeeperWriter) {
        (self.reader, self.writer)
    }
}

/// Frames from a keeper.
#[derive(Debug)]
pub struct KeeperReader {
    /// Not a pipe, but waited for as one: only until there are bytes to read. A socket of tokio's
    /// also wakes us each time the keeper has read what we sent: for every key and every
    /// acknowledgement.
    socket: pipe::Receiver,
    buffer: BytesMut,
}

impl KeeperReader {
    /// The next frame without its length prefix, not decoded; `None` when the keeper closed the
    /// connection. Nothing is lost when the future is dropped.
    pub async fn next_frame(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let length = frame::length(&self.buffer, frame::MAX_TO_VIEWER)
                .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            let wanted = match length {
                Some(length) if self.buffer.len() >= 4 + length => {
                    self.buffer.advance(4);
                    return Ok(Some(self.buffer.split_to(length).freeze()));
                }
                Some(length) => 4 + length,
                None => 4,
            };
            if !self.fill(wanted).await? {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }

    /// Reads once, with room for a frame of `wanted` bytes; `false` at the end of the stream.
    async fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        if self.buffer.is_empty() && self.buffer.capacity() > IDLE {
            self.buffer = BytesMut::new();
        }
        self.socket.readable().await?;
        self.buffer
            .reserve(wanted.max(READ).saturating_sub(self.buffer.len()));
        match self.socket.read_buf(&mut self.buffer).await {
            Ok(read) => Ok(read > 0),
            // What a killed keeper leaves is the end, too.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Frames to a keeper.
#[derive(Debug)]
pub struct KeeperWriter {
    /// Registered with the event loop only while it is full, for the reader's reason.
    socket: UnixStream,
}

impl KeeperWriter {
    /// Sends a frame.
    pub async fn send(&mut self, frame: &FromViewer<'_>) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(64);
        frame::prefixed(&mut bytes, |out| frame.encode(out));
        self.write(&bytes).await
    }

    /// Passes on a frame that is encoded already, without its prefix. It must not be empty or
    /// longer than [`frame::MAX_FROM_VIEWER`]; the keeper checks the rest.
    pub async fn relay(&mut self, frame: &[u8]) -> io::Result<()> {
        let length = u32::try_from(frame.len())
            .map_err(|_| io::Error::from(ErrorKind::InvalidInput))?
            .to_be_bytes();
        // Keys and acknowledgements are a few bytes: one system call, from the stack.
        let mut small = [0; 64];
        match small.get_mut(..4 + frame.len()) {
            Some(bytes) => {
                let (prefix, rest) = bytes.split_at_mut(4);
                prefix.copy_from_slice(&length);
                rest.copy_from_slice(frame);
                self.write(bytes).await
            }
            None => self.write(&[&length, frame].concat()).await,
        }
    }

    async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.write_some(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(());
        }
        // Not a pipe either, but waited for as one.
        let full = pipe::Sender::from_owned_fd_unchecked(self.socket.try_clone()?.into())?;
        while !bytes.is_empty() {
            full.writable().await?;
            match full.try_write(bytes) {
                Ok(written) => bytes.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes what the socket takes now and leaves the rest in `bytes`.
    fn write_some(&self, bytes: &mut &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match io::Write::write(&mut &self.socket, bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => bytes.advance(written),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whether connecting failed because no keeper has this socket (any more).
pub(super) fn nobody_there(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused
    )
}
