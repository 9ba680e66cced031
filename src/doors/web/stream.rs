//! The connection under HTTP and WebSocket: TCP, TLS over TCP, or a Unix socket. One enum rather than a
//! trait object: a key's echo passes here.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

/// A connection.
#[derive(Debug)]
pub(super) enum Stream {
    /// Plain, over a network.
    Tcp(TcpStream),
    /// Plain, from this machine.
    Unix(UnixStream),
    /// Encrypted. In a box, or the others would be as large.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// The TCP connection underneath, if there is one.
    pub(super) fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(stream) => Some(stream),
            Self::Tls(stream) => Some(stream.get_ref().0),
            Self::Unix(_) => None,
        }
    }

    /// Another descriptor of it, if what comes over it isn't encrypted.
    fn plain(&self) -> Option<OwnedFd> {
        let descriptor = match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
            Self::Tls(_) => return None,
        };
        descriptor.try_clone_to_owned().ok()
    }

    /// Sets it aside: nothing that happens on it wakes us. `None` if it is encrypted.
    fn set_aside(self) -> Option<io::Result<Aside>> {
        match self {
            Self::Tcp(stream) => Some(stream.into_std().map(Aside::Tcp)),
            Self::Unix(stream) => Some(stream.into_std().map(Aside::Unix)),
            Self::Tls(_) => None,
        }
    }
}

/// A connection nobody here waits for, since somebody else uses it.
#[derive(Debug)]
pub(super) enum Aside {
    /// Over a network.
    Tcp(std::net::TcpStream),
    /// From this machine.
    Unix(std::os::unix::net::UnixStream),
}

impl Aside {
    /// Another handle on it, to end it for everybody who has one.
    pub(super) fn handle(&self) -> Option<Self> {
        match self {
            Self::Tcp(stream) => stream.try_clone().map(Self::Tcp).ok(),
            Self::Unix(stream) => stream.try_clone().map(Self::Unix).ok(),
        }
    }

    /// Ends it, whoever else has it.
    pub(super) fn end(&self) {
        // Fails when it has ended already.
        let _ended = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }

    /// Waits for it again.
    pub(super) fn take_up(self) -> io::Result<Stream> {
        match self {
            Self::Tcp(stream) => TcpStream::from_std(stream).map(Stream::Tcp),
            Self::Unix(stream) => UnixStream::from_std(stream).map(Stream::Unix),
        }
    }
}

/// Most bytes remembered of what was read; more is more than a first message.
const MAX_TAPE: usize = 64 << 10;

/// A connection that remembers what was read from it, until it is told to forget or that gets too much.
#[derive(Debug)]
pub(super) struct Taped {
    stream: Stream,
    tape: Option<Vec<u8>>,
}

impl Taped {
    /// `read` was read from it before.
    pub(super) fn new(stream: Stream, read: Vec<u8>) -> Self {
        Self {
            stream,
            tape: Some(read),
        }
    }

    /// Remembers no more.
    pub(super) fn forget(&mut self) {
        self.tape = None;
    }

    /// What was read from it, and another descriptor of it, if it isn't encrypted.
    pub(super) fn plain(&self) -> Option<(OwnedFd, &[u8])> {
        Some((self.stream.plain()?, self.tape.as_deref()?))
    }

    /// Sets it aside; `None` if it can't be.
    pub(super) fn set_aside(self) -> Option<io::Result<Aside>> {
        self.stream.set_aside()
    }
}

impl AsyncRead for Taped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let this = &mut *self;
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if let Some(tape) = &mut this.tape {
            tape.extend_from_slice(buffer.filled().get(before..).unwrap_or_default());
            if tape.len() > MAX_TAPE {
                this.tape = None;
            }
        }
        polled
    }
}

impl AsyncWrite for Taped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Calls a method of whatever the stream is.
macro_rules! each {
    ($stream:expr, $method:ident($($argument:expr),*)) => {
        match $stream.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Unix(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).$method($($argument),*),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, poll_read(cx, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self, poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Unix(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
