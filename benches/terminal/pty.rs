//! A pseudo-terminal of the benchmark's own: what the bare-pty peer is, and what the ssh client runs in.

use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::{COLS, ROWS};

/// Starts `command` as the leader of a session on a new pseudo-terminal; returns its master side.
///
/// `setsid` becomes the command itself (it is no process group leader, so it doesn't fork); the
/// benchmark needs no unsafe code between fork and exec that way.
pub(crate) fn spawn(command: &[String]) -> Result<(OwnedFd, Child)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
        .context("no pseudo-terminal could be opened")?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let slave = rustix::fs::open(
        name,
        OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let size = Winsize {
        ws_row: ROWS,
        ws_col: COLS,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&slave, size)?;
    let child = Command::new("setsid")
        .arg("--ctty")
        .args(command)
        .env("TERM", "xterm-256color")
        .stdin(Stdio::from(slave.try_clone()?))
        .stdout(Stdio::from(slave.try_clone()?))
        .stderr(Stdio::from(slave))
        .spawn()
        .with_context(|| format!("can't start setsid (util-linux) for {command:?}"))?;
    Ok((master, child))
}
