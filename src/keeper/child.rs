//! Starting the program: what only `unsafe` calls can do (signals, the controlling terminal, packet
//! mode, the user database). The one file of the library that may contain `unsafe`.
//!
//! portable-pty opens the terminal; the spawn is our own. portable-pty's closes the pipe on which the
//! standard library reports a failed `execve`, so that a program that can't run would look like one
//! that crashed, and it resets only six signals.

#![expect(
    unsafe_code,
    reason = "no crate offers these calls safely; each block says why it is sound"
)]

use std::ffi::{CStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::ptr;

use portable_pty::{PtySize, native_pty_system};
use rustix::process::Pid;

use crate::base::Size;
use crate::wire::holder::{HOLDER_FD, LISTENER_FD, MASTER_FD};

/// Files the program creates are readable by others, as after a login.
const CHILD_UMASK: libc::mode_t = 0o022;
/// One past the last signal number of Linux.
const SIGNAL_END: libc::c_int = 65;

/// The shell that is always there.
pub(super) const FALLBACK_SHELL: &str = "/bin/sh";

/// A user's line in the user database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// Login name.
    pub name: OsString,
    /// Home folder.
    pub home: PathBuf,
    /// Login shell.
    pub shell: PathBuf,
}

impl Account {
    /// For a user the user database doesn't know.
    pub(super) fn unknown() -> Self {
        Self {
            name: OsString::new(),
            home: PathBuf::from("/"),
            shell: PathBuf::from(FALLBACK_SHELL),
        }
    }
}

/// What to execute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Executable {
    /// A path, or a name to look for in the environment's `PATH`.
    pub program: OsString,
    /// What the program sees as its own name.
    pub argv0: OsString,
    /// Further arguments.
    pub arguments: Vec<OsString>,
    /// The whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Where it starts; has to exist.
    pub directory: PathBuf,
}

/// Gives memory that was freed back to the system: small pieces of it stay with the C library
/// otherwise, a megabyte for each terminal that ever was busy.
pub(super) fn give_back_memory() {
    // SAFETY: touches only what the allocator holds free; it may be called at any time.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Closes every descriptor but the standard three, and the three an adopting keeper is given: whatever the parent forgot must neither be kept
/// open for the keeper's long life nor reach the program.
pub(super) fn close_inherited_descriptors(adopts: bool) {
    let first = if adopts {
        LISTENER_FD.cast_unsigned() + 1
    } else {
        3
    };
    // SAFETY: called first thing in `main`, when nothing in this process owns a descriptor over 2.
    // Kernels before 5.9 lack the call; then the program still starts without them (see `spawn`).
    unsafe { libc::close_range(first, libc::c_uint::MAX, 0) };
}

/// Gives every signal its default action and unblocks all: the parent's choices (a server started
/// with SIGINT ignored makes ^C useless in every shell) end here. SIGPIPE stays ignored in the keeper,
/// which reads the error of the write instead.
pub(super) fn default_signals() {
    for signal in 1..SIGNAL_END {
        if signal != libc::SIGPIPE {
            default_signal(signal);
        }
    }
    unblock_signals();
}

fn default_signal(signal: libc::c_int) {
    // The kernel's own structure (handler, flags, restorer, mask) is at most 32 bytes; all zero is
    // SIG_DFL. libc's wrapper would refuse signals 32 and 33, which a parent may ignore too.
    let default = [0_u64; 4];
    // SAFETY: the kernel reads no more than the array holds and no handler of ours is installed, so
    // nothing could run in the wrong context. Signals that can't be changed return an error.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigaction,
            signal,
            default.as_ptr(),
            ptr::null::<u64>(),
            // Bytes of the kernel's signal set.
            8_usize,
        )
    };
}

fn unblock_signals() {
    let mut none = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` initializes the set before `sigprocmask` reads it; both are
    // async-signal-safe, and this process has one thread.
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
    }
}

/// Opens a pseudo-terminal and returns its master side in packet mode: each read begins with a byte
/// that is 0 for data or tells of a change such as a stop by Ctrl-S.
pub(super) fn open_pty(size: Size) -> io::Result<OwnedFd> {
    let pair = native_pty_system()
        .openpty(PtySize {
            rows: size.rows(),
            cols: size.cols(),
            pixel_width: 0,
            pixel_height: 0,
        })
        .map_err(|error| io::Error::other(error.to_string()))?;
    let raw = pair
        .master
        .as_raw_fd()
        .ok_or_else(|| io::Error::other("the pseudo-terminal has no descriptor"))?;
    // SAFETY: `pair.master` owns the descriptor and outlives this borrow.
    let master = unsafe { BorrowedFd::borrow_raw(raw) }.try_clone_to_owned()?;
    packet_mode(&master)?;
    Ok(master)
}

/// Puts a master into packet mode.
pub(super) fn packet_mode(master: &OwnedFd) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: TIOCPKT reads one int through the pointer, which is valid for the call.
    if unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCPKT, &raw const on) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The descriptors a login helper has put in their places. Called once, and only when it says so.
pub(super) fn given_descriptors() -> [OwnedFd; 3] {
    // SAFETY: `close_inherited_descriptors` has left these alone and nothing else owns them; one that
    // isn't open is found out by the first use.
    [MASTER_FD, HOLDER_FD, LISTENER_FD].map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Starts a program as leader of a new session whose controlling terminal is `slave`, with every
/// signal at its default, nothing blocked, no descriptor but the terminal, and a umask of 022.
pub(super) fn spawn(executable: &Executable, slave: OwnedFd) -> io::Result<Pid> {
    let mut command = Command::new(&executable.program);
    command
        .arg0(&executable.argv0)
        .args(&executable.arguments)
        .env_clear()
        .envs(
            executable
                .environment
                .iter()
                .map(|(key, value)| (key, value)),
        )
        .current_dir(&executable.directory)
        .stdin(Stdio::from(slave.as_fd().try_clone_to_owned()?))
        .stdout(Stdio::from(slave.as_fd().try_clone_to_owned()?))
        .stderr(Stdio::from(slave));
    // SAFETY: the closure runs between fork and exec of a process with one thread, allocates nothing
    // and makes only async-signal-safe calls (signal, sigprocmask, setsid, ioctl, umask, close_range).
    unsafe { command.pre_exec(prepare_child) };
    let child = command.spawn()?;
    // The keeper reaps all its children in one place; `Child` has no destructor that would wait.
    Ok(Pid::from_child(&child))
}

fn prepare_child() -> io::Result<()> {
    for signal in 1..SIGNAL_END {
        default_signal(signal);
    }
    unblock_signals();
    // SAFETY: no pointers; descriptor 0 is the slave side, put there by `Command`. CLOEXEC instead of
    // closing keeps the pipe that reports a failed exec.
    unsafe {
        if libc::setsid() == -1 || libc::ioctl(0, libc::TIOCSCTTY, 0) == -1 {
            return Err(io::Error::last_os_error());
        }
        libc::umask(CHILD_UMASK);
        #[expect(clippy::cast_possible_wrap, reason = "the flag is 4")]
        libc::close_range(
            3,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC as libc::c_int,
        );
    }
    Ok(())
}

/// The keeper's own user in the user database; `None` if it isn't there.
pub(super) fn account() -> Option<Account> {
    let mut entry = MaybeUninit::<libc::passwd>::uninit();
    let mut found = ptr::null_mut();
    // Long enough for any real entry; LDAP entries with an ERANGE beyond it count as absent.
    let mut strings = vec![0_u8; 16 << 10];
    // SAFETY: all pointers are valid for the call and the length is that of the buffer.
    let status = unsafe {
        libc::getpwuid_r(
            libc::getuid(),
            entry.as_mut_ptr(),
            strings.as_mut_ptr().cast(),
            strings.len(),
            &raw mut found,
        )
    };
    if status != 0 || found.is_null() {
        return None;
    }
    let text = |pointer: *const libc::c_char| {
        if pointer.is_null() {
            return OsString::new();
        }
        // SAFETY: a successful getpwuid_r leaves NUL-terminated strings inside `strings`, which lives
        // until the end of this function; the bytes are copied.
        OsString::from_vec(unsafe { CStr::from_ptr(pointer) }.to_bytes().to_vec())
    };
    // SAFETY: a non-null result means the entry was filled in.
    let entry = unsafe { entry.assume_init() };
    Some(Account {
        name: text(entry.pw_name),
        home: text(entry.pw_dir).into(),
        shell: text(entry.pw_shell).into(),
    })
}
