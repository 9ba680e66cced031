//! The sockets the web door listens on: TCP, Unix, or opened by systemd.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::policy::settings::server::FileMode;

use super::tls::Tls;

/// Connections the kernel may keep until we accept them.
const BACKLOG: i32 = 1024;

/// What is spoken on a listener.
#[derive(Debug, Clone)]
pub enum Speaks {
    /// Plain HTTP.
    Http,
    /// HTTPS.
    Https(Tls),
    /// Plain HTTP that only leads to HTTPS.
    Redirect,
}

/// A socket that accepts.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: Accepts,
    pub(super) speaks: Speaks,
}

#[derive(Debug)]
pub(super) enum Accepts {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection that was just accepted.
pub(super) enum Accepted {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

impl Accepts {
    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok(Accepted::Tcp(stream, peer))
            }
            Self::Unix(listener) => Ok(Accepted::Unix(listener.accept().await?.0)),
        }
    }
}

impl Listener {
    /// Listens on an address. `[::]` takes IPv4 connections, too, unless `only_v6`.
    pub fn bind(address: SocketAddr, only_v6: bool, speaks: Speaks) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        // Or a restart would have to wait until the last connections of the old server are forgotten.
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(only_v6)?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Self::tcp(socket.into(), speaks)
    }

    /// Takes over a TCP socket that listens already, as systemd passes one.
    pub fn tcp(listener: std::net::TcpListener, speaks: Speaks) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let socket = Accepts::Tcp(TcpListener::from_std(listener)?);
        Ok(Self { socket, speaks })
    }

    /// Takes over a Unix socket that listens already. Always plain: it doesn't leave the machine.
    pub fn unix(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let socket = Accepts::Unix(UnixListener::from_std(listener)?);
        Ok(Self {
            socket,
            speaks: Speaks::Http,
        })
    }

    /// The address listened on; `None` for a Unix socket.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Accepts::Tcp(listener) => listener.local_addr().ok(),
            Accepts::Unix(_) => None,
        }
    }

    /// What is spoken there.
    pub fn speaks(&self) -> &Speaks {
        &self.speaks
    }

    /// The specific address listened on, if it is one.
    pub(super) fn own_address(&self) -> Option<IpAddr> {
        let address = self.address()?.ip();
        (!address.is_unspecified()).then_some(address)
    }
}

/// The file of a Unix socket of ours; removed with it.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    // Which file it is: another server may have put its own there meanwhile.
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours =
            std::fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode);
        if ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, path = %self.path.display(), "socket file");
        }
    }
}

/// Listens on a Unix socket at `path`. A dead socket in its place is replaced; anything else that is
/// there is left alone and an error. The file appears with its permissions, never without.
pub fn bind_unix(path: &Path, mode: FileMode) -> io::Result<(Listener, SocketFile)> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(
                ErrorKind::AlreadyExists,
                "something that is not a socket is there; remove it or choose another path",
            ));
        }
        Ok(_) => match std::os::unix::net::UnixStream::connect(path) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path)?;
            }
            _ => {
                return Err(io::Error::new(
                    ErrorKind::AddrInUse,
                    "another program listens there already",
                ));
            }
        },
    }
    // A socket is made with whatever permissions the process gives by default, so it is made where
    // nobody can reach it, and moved.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let private = path.with_file_name(format!(".{name}.{}", std::process::id()));
    std::fs::DirBuilder::new().mode(0o700).create(&private)?;
    let made = make(&private.join("s"), path, mode);
    let removed = std::fs::remove_dir_all(&private);
    let (listener, inode) = made?;
    removed?;
    let file = SocketFile {
        path: path.to_owned(),
        inode,
    };
    Ok((Listener::unix(listener)?, file))
}

fn make(
    new: &Path,
    path: &Path,
    mode: FileMode,
) -> io::Result<(std::os::unix::net::UnixListener, u64)> {
    let listener = std::os::unix::net::UnixListener::bind(new)?;
    std::fs::set_permissions(new, std::fs::Permissions::from_mode(mode.bits()))?;
    let inode = std::fs::symlink_metadata(new)?.ino();
    // Whatever came to be there in the meantime stays, and no link is followed.
    let flags = rustix::fs::RenameFlags::NOREPLACE;
    rustix::fs::renameat_with(rustix::fs::CWD, new, rustix::fs::CWD, path, flags)?;
    Ok((listener, inode))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(path: &Path) -> io::Result<(Listener, SocketFile)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let _inside = runtime.enter();
        bind_unix(path, "0640".parse().unwrap())
    }

    #[test]
    fn the_socket_has_its_mode_and_leaves_nothing_beside_it_and_goes_with_its_server() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("web.sock");
        let (_listener, file) = bind(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
        assert_eq!(bind(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn unix_preexisting_file_and_unix_symlink_race_lose_and_a_dead_socket_is_replaced() {
        let temp = tempfile::tempdir().unwrap();
        let (file, link, dead) = (
            temp.path().join("file"),
            temp.path().join("link"),
            temp.path().join("dead"),
        );
        std::fs::write(&file, "precious").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
        for path in [&file, &link] {
            assert_eq!(bind(path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
        assert_eq!(std::fs::read(&file).unwrap(), b"precious");
        bind(&dead).unwrap();
        // What appears between the look and the move stays.
        let new = temp.path().join("new");
        assert!(make(&new, &link, "0600".parse().unwrap()).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), b"precious");
        assert!(link.is_symlink());
    }
}
