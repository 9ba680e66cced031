//! The keeper's socket in the file system: bound safely, open only to those who may attach, removed at the end.

use std::fs;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};

use super::{KeeperError, best_effort};
use crate::base::TerminalId;

/// The listening socket; its file goes away with it.
#[derive(Debug)]
pub(super) struct Listener {
    socket: UnixListener,
    /// Our file, with its device and inode so that another keeper's is never removed; none if whoever
    /// bound it removes it.
    file: Option<(PathBuf, (u64, u64))>,
    peers: Vec<u32>,
}

impl Listener {
    /// Binds `<folder>/<id>.sock`. A socket nobody answers on is replaced; one that answers, and any
    /// other kind of file, is left alone and refused.
    pub(super) fn bind(
        folder: &Path,
        id: TerminalId,
        peers: Vec<u32>,
    ) -> Result<Self, KeeperError> {
        let path = folder.join(format!("{id}.sock"));
        let failed = |source| KeeperError::Socket {
            path: path.clone(),
            source,
        };
        // Two keepers that find the same stale socket must not both replace it.
        let lock = rustix::fs::open(
            folder,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|errno| failed(errno.into()))?;
        rustix::fs::flock(&lock, FlockOperation::LockExclusive)
            .map_err(|errno| failed(errno.into()))?;

        match fs::symlink_metadata(&path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(KeeperError::NotASocket(path));
            }
            Ok(_) => {
                if UnixStream::connect(&path).is_ok() {
                    return Err(KeeperError::Taken(path));
                }
                fs::remove_file(&path).map_err(failed)?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        // The umask (077) keeps everybody out until the mode is set.
        let socket = UnixListener::bind(&path).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let mode = if peers.is_empty() {
            0o600
        } else {
            // Who gets this far is decided by the folder and then by the peer's uid.
            0o666
        };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(failed)?;
        let metadata = fs::symlink_metadata(&path).map_err(failed)?;
        Ok(Self {
            socket,
            file: Some((path, (metadata.dev(), metadata.ino()))),
            peers,
        })
    }

    /// Takes over a socket that is bound already.
    pub(super) fn adopt(socket: UnixListener, peers: Vec<u32>) -> Self {
        Self {
            socket,
            file: None,
            peers,
        }
    }

    /// The next waiting connection from somebody who may connect; `None` when none waits. Others are
    /// closed without a word.
    pub(super) fn accept(&self) -> Option<UnixStream> {
        loop {
            match self.socket.accept() {
                Ok((stream, _)) => {
                    if self.may_connect(&stream) && stream.set_nonblocking(true).is_ok() {
                        return Some(stream);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }

    fn may_connect(&self, stream: &UnixStream) -> bool {
        rustix::net::sockopt::socket_peercred(stream).is_ok_and(|peer| {
            let uid = peer.uid;
            uid == rustix::process::geteuid() || uid.is_root() || self.peers.contains(&uid.as_raw())
        })
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let Some((path, identity)) = &self.file else {
            return;
        };
        let ours =
            fs::symlink_metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == *identity);
        if ours {
            // Nobody is left to tell; a stale socket is replaced by the next keeper.
            best_effort(fs::remove_file(path));
        }
    }
}
