//! One terminal: its pseudo-terminal, the holder that starts the user's program on it, and the keeper
//! that gets the master side.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::Pid;
use rustix::pty::OpenptFlags;
use rustix::termios::{InputModes, OptionalActions, Winsize};

use super::best_effort;
use super::holder::{self, Job};
use super::line::timespec;
use super::unix::{self, Fork, Identity, Limits};
use super::users;
use crate::base::{Size, TerminalId};
use crate::wire::holder::{ADOPT, HOLDER_FD, LISTENER_FD, MASTER_FD};

/// How long the user's program may take to be executed (its folder may be on a network), and how
/// long the keeper may take to be ready.
const START: Duration = Duration::from_secs(15);
/// Longest line read from either, in bytes.
const MAX_LINE: usize = 4096;

/// A pseudo-terminal whose terminal side belongs to the user.
#[derive(Debug)]
pub(super) struct Pty {
    master: OwnedFd,
    slave: OwnedFd,
    /// As `/dev/pts/7`.
    pub(super) path: String,
}

impl Pty {
    /// Opens one. Its group is `tty`, where there is one, so that `write(1)` works.
    pub(super) fn open(size: Size, owner: u32) -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = rustix::pty::openpt(flags)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let mut modes = rustix::termios::tcgetattr(&slave)?;
        // Backspace erases whole characters; only Ctrl-Q resumes after Ctrl-S.
        modes.input_modes.insert(InputModes::IUTF8);
        modes.input_modes.remove(InputModes::IXANY);
        rustix::termios::tcsetattr(&slave, OptionalActions::Now, &modes)?;
        let size = Winsize {
            ws_row: size.rows(),
            ws_col: size.cols(),
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&master, size)?;
        if rustix::process::geteuid().is_root() {
            let group = users::group_named("tty");
            let mode = if group.is_some() { 0o620 } else { 0o600 };
            let (owner, group) = (Uid::from_raw(owner), group.map(Gid::from_raw));
            rustix::fs::fchown(&slave, Some(owner), group)?;
            rustix::fs::fchmod(&slave, Mode::from_raw_mode(mode))?;
        }
        Ok(Self {
            master,
            slave,
            path: name.to_string_lossy().into_owned(),
        })
    }

    /// Shows a text on it before the program does; short enough not to wait for a reader.
    pub(super) fn show(&self, text: &str) {
        best_effort(rustix::io::write(&self.slave, text.as_bytes()));
    }
}

/// The folder of sockets, which belongs to the server.
#[derive(Debug)]
pub(super) struct Folder {
    handle: OwnedFd,
    server: u32,
}

impl Folder {
    /// Opens it. The server may have put anything in its place: a symbolic link and a folder of
    /// somebody else's are refused.
    pub(super) fn open(path: &Path, server: u32) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = rustix::fs::open(path, flags, Mode::empty())?;
        let owner = rustix::fs::fstat(&handle)?.st_uid;
        if owner != server && owner != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other("it doesn't belong to the server"));
        }
        Ok(Self { handle, server })
    }

    /// Binds a socket in it that only the server (and root) can connect to.
    fn bind(&self, terminal: TerminalId) -> io::Result<UnixListener> {
        let name = name(terminal);
        // Through the open folder: its path may lead elsewhere by now. The umask keeps others out.
        let path = format!("/proc/self/fd/{}/{name}", self.handle.as_raw_fd());
        let listener = UnixListener::bind(path)?;
        if rustix::process::geteuid().is_root()
            && let Err(error) = self.give_away(&name)
        {
            self.remove(terminal);
            return Err(error);
        }
        Ok(listener)
    }

    /// Makes the socket just bound the server's. By now the server may have put something else in its
    /// place, a second name of a file of root's, say: only a socket with this one name is given away, and
    /// what was looked at is what is given.
    fn give_away(&self, name: &str) -> io::Result<()> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let socket = rustix::fs::openat(&self.handle, name, flags, Mode::empty())?;
        let found = rustix::fs::fstat(&socket)?;
        if !FileType::from_raw_mode(found.st_mode).is_socket() || found.st_nlink != 1 {
            return Err(io::Error::other("something else is in its place"));
        }
        let owner = Some(Uid::from_raw(self.server));
        let flags = AtFlags::EMPTY_PATH;
        rustix::fs::chownat(&socket, "", owner, None, flags)?;
        Ok(())
    }

    /// Removes a terminal's socket, if it is still there.
    pub(super) fn remove(&self, terminal: TerminalId) {
        best_effort(rustix::fs::unlinkat(
            &self.handle,
            name(terminal),
            AtFlags::empty(),
        ));
    }
}

fn name(terminal: TerminalId) -> String {
    format!("{terminal}.sock")
}

/// How keepers are started.
#[derive(Debug)]
pub(super) struct Keepers {
    pub(super) executable: PathBuf,
    pub(super) who: Identity,
    pub(super) limits: Limits,
}

/// What the user's program is.
#[derive(Debug)]
pub(super) struct Program {
    /// Program and arguments.
    pub(super) command: Vec<OsString>,
    /// What it sees as its own name.
    pub(super) argv0: OsString,
    pub(super) environment: Vec<(OsString, OsString)>,
    pub(super) who: Identity,
    pub(super) umask: u32,
    pub(super) folders: Vec<PathBuf>,
    pub(super) utmp: PathBuf,
    pub(super) user: String,
    pub(super) host: String,
}

/// A terminal that is there.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) terminal: TerminalId,
    /// The holder, until it has ended.
    pub(super) holder: Option<Pid>,
    /// The keeper, until it has ended.
    pub(super) keeper: Option<Pid>,
}

/// Starts the program and its keeper. The error is a sentence for a person.
pub(super) fn start(
    terminal: TerminalId,
    pty: Pty,
    program: Program,
    folder: &Folder,
    keepers: &Keepers,
    launch: &[u8],
) -> Result<Running, String> {
    let failed = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
    let listener = folder.bind(terminal).map_err(failed("its socket"))?;
    let result = start_both(terminal, pty, program, listener, keepers, launch);
    if result.is_err() {
        folder.remove(terminal);
    }
    result
}

fn start_both(
    terminal: TerminalId,
    pty: Pty,
    program: Program,
    listener: UnixListener,
    keepers: &Keepers,
    launch: &[u8],
) -> Result<Running, String> {
    let failed = |what: &'static str| move |errno: Errno| format!("{what}: {errno}");
    let (to_keeper, to_holder) = rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(failed("a connection"))?;
    let (reported, report) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(failed("a pipe"))?;
    let mut words = program.command.into_iter();
    let job = Job {
        slave: pty.slave,
        keeper: to_keeper,
        report,
        program: words.next().unwrap_or_default(),
        argv0: program.argv0,
        arguments: words.collect(),
        environment: program.environment,
        who: program.who,
        umask: program.umask,
        folders: program.folders,
        utmp: program.utmp,
        line: pty.path.trim_start_matches("/dev/").to_owned(),
        user: program.user,
        host: program.host,
    };
    let holder = match unix::fork().map_err(|error| format!("fork: {error}"))? {
        Fork::Child => holder::run(job),
        Fork::Parent(pid) => pid,
    };
    // Our copies: the holder has its own, and its end must be seen.
    drop(job);
    match read_line(&reported).as_deref() {
        Some("ok") => {}
        Some(reason) => return Err(reason.to_owned()),
        None => return Err("its program was not started in time".to_owned()),
    }
    // Dropping `to_holder` on failure ends what the holder has started.
    let keeper = start_keeper(keepers, pty.master, to_holder, listener.into(), launch)?;
    Ok(Running {
        terminal,
        holder: Some(holder),
        keeper: Some(keeper),
    })
}

fn start_keeper(
    keepers: &Keepers,
    master: OwnedFd,
    holder: OwnedFd,
    listener: OwnedFd,
    launch: &[u8],
) -> Result<Pid, String> {
    let mut command = Command::new(&keepers.executable);
    command
        .arg(ADOPT)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let descriptors = [
        (master, MASTER_FD),
        (holder, HOLDER_FD),
        (listener, LISTENER_FD),
    ];
    let limits = keepers.limits.clone();
    unix::prepare_keeper(&mut command, keepers.who.clone(), limits, descriptors);
    let mut child = command.spawn().map_err(|error| {
        let path = keepers.executable.display();
        format!("its keeper {path} can't be started: {error}")
    })?;
    let pid = Pid::from_child(&child);
    // Closes our copies of the descriptors.
    drop(command);
    let sent = child.stdin.take().map(|mut input| input.write_all(launch));
    let line = match (sent, &child.stdout) {
        (Some(Ok(())), Some(output)) => read_line(output),
        _ => None,
    };
    match line.as_deref() {
        Some("ready") => Ok(pid),
        other => {
            let reason = other.map(|line| line.strip_prefix("failed ").unwrap_or(line).to_owned());
            // It may have ended by itself; either way the loop reaps it.
            best_effort(child.kill());
            Err(reason.unwrap_or_else(|| "its keeper wasn't ready in time".to_owned()))
        }
    }
}

/// One line, without its end, within [`START`]; none if there was none.
fn read_line(from: &impl std::os::fd::AsFd) -> Option<String> {
    let deadline = Instant::now() + START;
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') && line.len() < MAX_LINE {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(from, PollFlags::IN)];
        match rustix::event::poll(&mut fds, Some(&timespec(left))) {
            Ok(0) if left.is_zero() => return None,
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(_) => return None,
        }
        let mut buffer = [0; 512];
        match rustix::io::read(from, &mut buffer) {
            Ok(0) => break,
            Ok(read) => line.extend(buffer.iter().take(read)),
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
    let text = String::from_utf8_lossy(&line).trim_end().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_symlink_race_only_the_socket_itself_is_given_to_the_server() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder {
            handle: rustix::fs::open(temp.path(), OFlags::DIRECTORY, Mode::empty()).unwrap(),
            server: 54_321,
        };
        let path = |name: &str| temp.path().join(name);
        let owner = |name: &str| rustix::fs::lstat(path(name)).unwrap().st_uid;
        let _socket = UnixListener::bind(path("good")).unwrap();
        folder.give_away("good").unwrap();
        assert_eq!(owner("good"), 54_321);
        let _roots = UnixListener::bind(path("roots")).unwrap();
        std::fs::hard_link(path("roots"), path("second-name")).unwrap();
        std::fs::write(path("shadow"), "").unwrap();
        std::os::unix::fs::symlink(path("roots"), path("link")).unwrap();
        for bad in ["second-name", "shadow", "link", "missing"] {
            assert!(folder.give_away(bad).is_err(), "{bad}");
        }
        for untouched in ["roots", "second-name", "shadow", "link"] {
            assert_eq!(owner(untouched), 0, "{untouched}");
        }
    }
}
