//! What only `unsafe` calls can do: becoming somebody, forking, signals, limits, utmp.
//! The process has one thread from start to end, which makes forking and these calls sound.

#![expect(
    unsafe_code,
    reason = "no crate offers these calls safely; each block says why it is sound"
)]

use std::ffi::{CString, OsStr, c_char, c_int};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::ptr;

/// One past the last signal number of Linux.
const SIGNAL_END: c_int = 65;

pub(super) fn c_string(text: &OsStr) -> io::Result<CString> {
    CString::new(text.as_bytes()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))
}

pub(super) fn check(status: c_int) -> io::Result<()> {
    if status < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Kills this process after so many seconds; 0: doesn't. For PAM modules that hang.
pub(super) fn alarm(seconds: u32) {
    // SAFETY: no pointers; SIGALRM has its default action, which ends the process.
    unsafe { libc::alarm(seconds) };
}

/// Gives every signal its default action and unblocks all.
pub(super) fn default_signals() {
    // The kernel's own structure is at most 32 bytes; all zero is SIG_DFL. libc's wrapper would
    // refuse signals 32 and 33, which a parent may ignore too.
    let default = [0_u64; 4];
    for signal in 1..SIGNAL_END {
        // SAFETY: the kernel reads no more than the array holds, and no handler of ours is installed.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                default.as_ptr(),
                ptr::null::<u64>(),
                8_usize,
            )
        };
    }
    block(&[]);
}

/// Blocks exactly these signals.
fn block(signals: &[c_int]) {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the set is initialized before it is used; all calls are async-signal-safe.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for &signal in signals {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), ptr::null_mut());
    }
}

/// Signals that wake a loop.
const WATCHED: [c_int; 3] = [libc::SIGCHLD, libc::SIGTERM, libc::SIGINT];

/// Blocks the signals a loop wants to know of; they are read from the descriptor (`signalfd(2)`).
pub(super) fn watch_signals() -> io::Result<OwnedFd> {
    block(&WATCHED);
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the set is initialized before signalfd reads it.
    let fd = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in WATCHED {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    };
    check(fd)?;
    // SAFETY: a new descriptor nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Runs something that expects ordinary signals, as PAM modules that start programs do.
pub(super) fn with_signals<T>(run: impl FnOnce() -> T) -> T {
    block(&[]);
    let result = run();
    block(&WATCHED);
    result
}

/// Whether SIGTERM or SIGINT was among the signals that came; takes all.
pub(super) fn asked_to_end(signals: &OwnedFd) -> bool {
    const LENGTH: usize = size_of::<libc::signalfd_siginfo>();
    let mut asked = false;
    let mut info = [0_u8; LENGTH];
    while rustix::io::read(signals, &mut info) == Ok(LENGTH) {
        // The number is the structure's first field.
        let [a, b, c, d, ..] = info;
        asked |= u32::from_ne_bytes([a, b, c, d]) != libc::SIGCHLD.cast_unsigned();
    }
    asked
}

/// What `fork` returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fork {
    Child,
    Parent(rustix::process::Pid),
}

/// Forks. The child must end with [`exit_now`].
pub(super) fn fork() -> io::Result<Fork> {
    // SAFETY: the process has one thread, so that the child may do anything.
    let pid = unsafe { libc::fork() };
    check(pid)?;
    Ok(rustix::process::Pid::from_raw(pid).map_or(Fork::Child, Fork::Parent))
}

/// Ends a forked child at once: nothing of the parent's (a PAM handle) is closed a second time.
pub(super) fn exit_now(status: i32) -> ! {
    // SAFETY: no destructor or exit handler has to run in a forked child.
    unsafe { libc::_exit(status) }
}

/// Sets the umask and returns the one before.
pub(super) fn umask(mask: u32) -> u32 {
    // SAFETY: no pointers.
    unsafe { libc::umask(mask) }
}

/// Who a child becomes. Without root nothing is changed, and it has to be us already.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) groups: Vec<u32>,
}

impl Identity {
    /// Becomes it for good, and proves that there is no way back. Async-signal-safe.
    fn assume(&self) -> io::Result<()> {
        // SAFETY: pointer and length are of one slice; the other calls have no pointers.
        unsafe {
            if libc::geteuid() == 0 {
                check(libc::setgroups(self.groups.len(), self.groups.as_ptr()))?;
                check(libc::setresgid(self.gid, self.gid, self.gid))?;
                check(libc::setresuid(self.uid, self.uid, self.uid))?;
                if self.uid != 0 && (libc::setuid(0) == 0 || libc::setgid(0) == 0 && self.gid != 0)
                {
                    return Err(io::Error::from_raw_os_error(libc::EPERM));
                }
            }
            if libc::getuid() != self.uid || libc::geteuid() != self.uid {
                return Err(io::Error::from_raw_os_error(libc::EPERM));
            }
        }
        Ok(())
    }
}

/// How the user's program is prepared between fork and exec.
#[derive(Debug)]
pub(super) struct Shell {
    pub(super) who: Identity,
    pub(super) umask: u32,
    /// Where to start: the first of them that can be entered.
    pub(super) folders: Vec<CString>,
    /// Written to the terminal when that isn't the first.
    pub(super) complaint: Vec<u8>,
}

/// Makes a command start as leader of a session on the terminal that is its standard input, as `shell`
/// says, with default signals and no descriptor but the standard three.
pub(super) fn prepare_shell(command: &mut Command, shell: Shell) {
    let prepare = move || {
        default_signals();
        // SAFETY: descriptor 0 is the terminal; the strings end with NUL; all calls are
        // async-signal-safe. CLOEXEC instead of closing keeps the pipe that reports a failed exec.
        unsafe {
            check(libc::setsid())?;
            check(libc::ioctl(0, libc::TIOCSCTTY, 0))?;
            shell.who.assume()?;
            libc::umask(shell.umask);
            let mut entered = shell.folders.iter();
            match entered.position(|folder| libc::chdir(folder.as_ptr()) == 0) {
                Some(0) => {}
                Some(_) => {
                    let (text, length) = (shell.complaint.as_ptr(), shell.complaint.len());
                    libc::write(1, text.cast(), length);
                }
                None => return Err(io::Error::from_raw_os_error(libc::EACCES)),
            }
        }
        close_on_exec()
    };
    // SAFETY: the closure runs in the child of a process with one thread and allocates nothing.
    unsafe { command.pre_exec(prepare) };
}

/// Marks everything but the standard three to be closed by exec.
fn close_on_exec() -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe {
        #[expect(clippy::cast_possible_wrap, reason = "the flag is 4")]
        libc::close_range(
            3,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC as libc::c_int,
        )
    })
}

/// Resource limits as they were before PAM modules changed them, each with its number.
pub(super) type Limits = Vec<(u32, libc::rlimit)>;

/// The resource limits in force.
pub(super) fn limits() -> Limits {
    (0..16)
        .filter_map(|which| {
            let mut limit = MaybeUninit::<libc::rlimit>::uninit();
            // SAFETY: the structure is filled in when the call succeeds, and only then read.
            unsafe {
                (libc::getrlimit(which, limit.as_mut_ptr()) == 0)
                    .then(|| (which, limit.assume_init()))
            }
        })
        .collect()
}

/// Makes a command start as `who` with these descriptors at these numbers and no others, with the
/// resource limits given, and unable to gain privileges.
pub(super) fn prepare_keeper(
    command: &mut Command,
    who: Identity,
    limits: Limits,
    descriptors: [(OwnedFd, RawFd); 3],
) {
    let prepare = move || {
        default_signals();
        // SAFETY: all pointers are to values that live in the closure; async-signal-safe calls only.
        // The numbers dup2 takes are held by the parent (see `reserve_descriptors`), so none of them
        // is the pipe that reports a failed exec.
        unsafe {
            libc::setsid();
            libc::umask(0o077);
            for (which, limit) in &limits {
                // One that can't be set stays as it is.
                libc::setrlimit(*which, limit);
            }
            close_on_exec()?;
            for (from, to) in &descriptors {
                check(libc::dup2(from.as_raw_fd(), *to))?;
            }
            check(libc::chdir(c"/".as_ptr()))?;
            who.assume()?;
            check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        }
    };
    // SAFETY: the closure runs in the child of a process with one thread and allocates nothing.
    unsafe { command.pre_exec(prepare) };
}

/// Closes every descriptor but the standard three and takes the next three, so that nothing else
/// ever gets their numbers. Returns them; they have to live as long as the process.
pub(super) fn reserve_descriptors() -> io::Result<Vec<OwnedFd>> {
    // SAFETY: called first thing, when nothing in this process owns a descriptor over 2.
    unsafe { libc::close_range(3, libc::c_uint::MAX, 0) };
    let mut held = Vec::new();
    while held.len() < 3 {
        let null = rustix::fs::open(
            "/dev/null",
            rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )?;
        held.push(null);
    }
    Ok(held)
}

/// One line of utmp (`utmp(5)`): somebody is there, or was.
#[derive(Debug)]
pub(super) struct Presence<'a> {
    pub(super) file: &'a std::path::Path,
    /// Without `/dev/`.
    pub(super) line: &'a str,
    /// Empty: nobody any more.
    pub(super) user: &'a str,
    pub(super) host: &'a str,
    pub(super) pid: i32,
}

/// Writes it. Only call this where the file exists: glibc would make it.
pub(super) fn write_utmp(presence: &Presence<'_>) -> io::Result<()> {
    let file = c_string(presence.file.as_os_str())?;
    // SAFETY: all zero is a valid utmpx.
    let mut entry: libc::utmpx = unsafe { MaybeUninit::zeroed().assume_init() };
    entry.ut_type = if presence.user.is_empty() {
        libc::DEAD_PROCESS
    } else {
        libc::USER_PROCESS
    };
    entry.ut_pid = presence.pid;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    // Of another width on arm64.
    entry.ut_tv.tv_sec = seconds.try_into().unwrap_or_default();
    fill(&mut entry.ut_line, presence.line);
    fill(
        &mut entry.ut_id,
        presence.line.strip_prefix("pts").unwrap_or(presence.line),
    );
    fill(&mut entry.ut_user, presence.user);
    fill(&mut entry.ut_host, presence.host);
    // SAFETY: the name ends with NUL, the entry lives through the calls, and there is one thread.
    unsafe {
        check(libc::utmpxname(file.as_ptr()))?;
        libc::setutxent();
        let written = libc::pututxline(&raw const entry);
        let error = io::Error::last_os_error();
        libc::endutxent();
        if written.is_null() {
            return Err(error);
        }
    }
    Ok(())
}

fn fill(field: &mut [c_char], text: &str) {
    for (place, byte) in field.iter_mut().zip(text.bytes()) {
        // Signed or not, by architecture.
        *place = c_char::from_ne_bytes([byte]);
    }
}

/// Closes every descriptor but the standard three and these, in a forked child that uses no other.
pub(super) fn close_all_but(kept: &[RawFd]) {
    let mut kept: Vec<libc::c_uint> = kept.iter().map(|fd| fd.cast_unsigned()).collect();
    kept.sort_unstable();
    let mut first = 3;
    for fd in kept {
        if fd > first {
            // SAFETY: whatever owns these descriptors is never used nor dropped in this process,
            // which ends with `_exit`.
            unsafe { libc::close_range(first, fd - 1, 0) };
        }
        first = first.max(fd + 1);
    }
    // SAFETY: as above.
    unsafe { libc::close_range(first, libc::c_uint::MAX, 0) };
}
