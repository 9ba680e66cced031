//! A television is told by HDMI-CEC, where somebody wants that: televisions differ, and some don't
//! listen.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// libCEC's program: one command on standard input, then it ends.
const PROGRAM: &str = "cec-client";

/// Tells the television, without waiting for it.
pub(super) fn tell(on: bool) {
    std::thread::spawn(move || {
        if let Err(error) = try_to(on) {
            tracing::warn!(%error, "the television was not told; is cec-utils installed?");
        }
    });
}

fn try_to(on: bool) -> std::io::Result<()> {
    let mut child = Command::new(PROGRAM)
        .args(["-s", "-d", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // 0 is the television's own address.
        input.write_all(if on { b"on 0\n" } else { b"standby 0\n" })?;
    }
    let status = child.wait()?;
    if status.success() {
        Ok(())
    } else {
        Err(std::io::Error::other(format!("{PROGRAM}: {status}")))
    }
}
