//! Giving a keeper a browser's connection, so that keys and output pass one process less; and the line
//! that is left between the two of us, on which each says that it is over.

use std::io::{self, IoSlice, Write as _};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use crate::wire::frame::{self, End, FromViewer, ToViewer};
use crate::wire::message::{Attach, Handover};

use super::stream::{KeeperReader, KeeperStream};

/// Most bytes of a browser's that were read already and go along; more stay with us.
const MAX_READ: usize = 32 << 10;

/// A browser's connection, after its first message.
#[derive(Debug)]
pub struct Browser {
    /// The connection: plain, or the keeper couldn't read it.
    pub socket: OwnedFd,
    /// What was read from it already.
    pub read: Vec<u8>,
    /// How often it is pinged.
    pub ping: Duration,
    /// After which silence it is gone.
    pub dead: Duration,
}

/// What attaching a browser led to.
#[derive(Debug)]
pub enum Attached {
    /// The keeper has its connection.
    Handed(KeeperLine),
    /// We pass its frames on.
    Relayed(KeeperStream),
}

/// The line to a keeper that has a browser's connection.
#[derive(Debug)]
pub struct KeeperLine {
    reader: KeeperReader,
    socket: UnixStream,
}

impl KeeperLine {
    /// Connects and hands over; `None` if that keeper can't take it. Nothing is lost then.
    pub(super) async fn connect(
        path: &Path,
        attach: &Attach,
        browser: &Browser,
    ) -> io::Result<Option<Self>> {
        if browser.read.len() > MAX_READ {
            return Ok(None);
        }
        let (_holder, mut reader, socket) = KeeperStream::open(path).await?;
        let milliseconds = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        let handover = Handover {
            attach: attach.clone(),
            ping: milliseconds(browser.ping),
            dead: milliseconds(browser.dead),
        };
        let mut bytes = Vec::new();
        frame::prefixed(&mut bytes, |out| {
            FromViewer::Handover {
                handover,
                read: &browser.read,
            }
            .encode(out);
        });
        send(&socket, &bytes, &browser.socket)?;
        // One that is older says that it doesn't know this; one that is full, that it is.
        let answer = reader.next_frame().await?;
        let taken = answer.is_some_and(|frame| ToViewer::decode(&frame) == Ok(ToViewer::Taken));
        Ok(taken.then_some(Self { reader, socket }))
    }

    /// Waits until the keeper has let go of the connection, and says why, and whether what was sent on
    /// it ends with a whole message.
    pub async fn ended(&mut self) -> (End, bool) {
        loop {
            match self.reader.next_frame().await {
                Ok(Some(frame)) => {
                    if let Ok(ToViewer::End { why, whole }) = ToViewer::decode(&frame) {
                        return (why, whole);
                    }
                }
                // It was killed.
                Ok(None) => return (End::Over, true),
                Err(error) => {
                    tracing::warn!(%error, "connection to the keeper failed");
                    return (End::Over, true);
                }
            }
        }
    }

    /// Asks for the connection back; [`KeeperLine::ended`] says when it is.
    pub fn ask_back(&self) {
        // Fails when the keeper is gone already.
        let _gone = self.socket.shutdown(Shutdown::Write);
    }
}

/// Sends a frame and, with its first byte, a descriptor. The socket is new: it takes all of it.
fn send(socket: &UnixStream, bytes: &[u8], descriptor: &OwnedFd) -> io::Result<()> {
    let descriptors = [descriptor.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut message = SendAncillaryBuffer::new(&mut space);
    if !message.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::Error::other("no room for a descriptor"));
    }
    let parts = [IoSlice::new(bytes)];
    let sent = rustix::net::sendmsg(socket, &parts, &mut message, SendFlags::NOSIGNAL)?;
    (&mut &*socket).write_all(bytes.get(sent..).unwrap_or_default())
}
