//! A program somebody else started: the login helper's, as another user. Its end is told and asked for
//! over a connection, since a keeper may not signal another user's processes.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use super::{KeeperError, best_effort, child};
use crate::wire::holder::{LENGTH, ToHolder, ToKeeper};

/// What a keeper is given when it adopts a terminal.
#[derive(Debug)]
pub(super) struct Given {
    /// Master side of the pseudo-terminal.
    pub(super) master: OwnedFd,
    /// Who holds its program.
    pub(super) holder: Holder,
    /// Where viewers connect.
    pub(super) listener: UnixListener,
}

impl Given {
    /// Takes the descriptors the helper has put in their places.
    pub(super) fn take() -> Result<Self, KeeperError> {
        let failed = |source| KeeperError::System {
            what: "taking over the terminal",
            source,
        };
        let [master, holder, listener] = child::given_descriptors();
        let (holder, listener) = (UnixStream::from(holder), UnixListener::from(listener));
        for fd in [master.as_fd(), holder.as_fd(), listener.as_fd()] {
            rustix::io::ioctl_fionbio(fd, true).map_err(|errno| failed(errno.into()))?;
            rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::CLOEXEC)
                .map_err(|errno| failed(errno.into()))?;
        }
        child::packet_mode(&master).map_err(failed)?;
        Ok(Self {
            master,
            holder: Holder {
                socket: holder,
                partial: Vec::new(),
                gone: false,
            },
            listener,
        })
    }
}

/// The connection to whoever holds the program.
#[derive(Debug)]
pub(super) struct Holder {
    socket: UnixStream,
    partial: Vec<u8>,
    gone: bool,
}

impl Holder {
    /// What it says next; `None` when it says nothing more for now.
    pub(super) fn hear(&mut self) -> Option<ToKeeper> {
        while !self.gone && self.partial.len() < LENGTH {
            let mut bytes = [0; LENGTH];
            let room = bytes.get_mut(self.partial.len()..).unwrap_or_default();
            match self.socket.read(room) {
                Ok(0) => self.gone = true,
                Ok(read) => self.partial.extend(room.iter().take(read)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.gone = true,
            }
        }
        let message = self.partial.first_chunk::<LENGTH>().copied()?;
        self.partial.clear();
        ToKeeper::decode(message)
    }

    /// Whether it is gone, and with it everything the program started.
    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    /// Asks it to end the program and everything it started.
    pub(super) fn close(&mut self) {
        // One that is gone has nothing left to end.
        best_effort(self.socket.write_all(&ToHolder::Close.encode()));
    }
}

impl AsFd for Holder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
