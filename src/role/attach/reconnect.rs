//! What `attach` does while the server is away: terminals outlive it, so waiting is worth while.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::role::attach::own_terminal::OwnTerminal;
use crate::role::client::call;
use crate::role::exit::{Code, Failure};
use crate::role::output::doing;
use crate::wire::control::Call;

/// How long the server may be away: a restart takes a second, a person gives up later.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between attempts.
const EVERY: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};
/// Over the first line, in reverse; the repaint that follows takes it away.
const NOTICE: &[u8] =
    b"\x1b7\x1b[H\x1b[7m the server is away; waiting for it, the terminal goes on \x1b[m\x1b8";

/// How the waiting ended.
pub(super) enum Waited {
    /// Attached again.
    Back(UnixStream),
    /// The terminal is gone, or the server stayed away.
    Gone,
    /// The person has had enough.
    Detached,
    /// A signal says to end.
    Hangup,
}

/// Tries until it works or is pointless. Keys typed meanwhile are dropped: they were meant for a
/// screen that may look different by now.
pub(super) fn reconnect(wanted: &Call, own: &OwnTerminal, detach: u8) -> Result<Waited, Failure> {
    let end = Instant::now() + PATIENCE;
    let mut told = false;
    while Instant::now() < end {
        match call(wanted) {
            Ok((_attached, stream)) => return Ok(Waited::Back(stream)),
            Err(failure) if failure.code == Code::NoServer => {}
            Err(failure) if failure.code == Code::NotFound => return Ok(Waited::Gone),
            Err(failure) => return Err(failure),
        }
        if !std::mem::replace(&mut told, true) {
            // Best effort: a terminal that takes nothing now is told nothing.
            let _full = rustix::io::write(own.output(), NOTICE);
        }
        let mut polled = [
            PollFd::from_borrowed_fd(own.input(), PollFlags::IN),
            PollFd::from_borrowed_fd(own.ended(), PollFlags::IN),
        ];
        match poll(&mut polled, Some(&EVERY)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(doing("waiting for the server")(error.into())),
        }
        let [keys, ended] = polled.map(|fd| fd.revents());
        if !ended.is_empty() {
            return Ok(Waited::Hangup);
        }
        if !keys.is_empty() {
            let mut buffer = [0; 1024];
            match rustix::io::read(own.input(), &mut buffer) {
                Ok(0) => return Ok(Waited::Hangup),
                Ok(count) if buffer.iter().take(count).any(|byte| *byte == detach) => {
                    return Ok(Waited::Detached);
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    Ok(Waited::Gone)
}
