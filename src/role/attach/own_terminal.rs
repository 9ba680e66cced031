//! The terminal this command runs in: raw mode and back, its size, the signals that concern it.

use std::io::{IsTerminal as _, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};

use crate::base::Size;
use crate::role::exit::{Code, Failure};
use crate::role::output::doing;

/// Standard input and output, known to be a terminal, and its signals as readable descriptors.
pub(super) struct OwnTerminal {
    stdin: std::io::Stdin,
    stdout: std::io::Stdout,
    resized: UnixStream,
    ended: UnixStream,
}

impl OwnTerminal {
    /// Refuses when standard input or output is not a terminal.
    pub(super) fn find() -> Result<Self, Failure> {
        let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
        if !stdin.is_terminal() || !stdout.is_terminal() {
            return Err(Failure::new(
                Code::Usage,
                "attach needs a terminal; in scripts use `terminal show`, `send` and `wait`",
            ));
        }
        Ok(Self {
            stdin,
            stdout,
            resized: pipe(&[SIGWINCH])?,
            ended: pipe(&[SIGHUP, SIGTERM, SIGINT, SIGQUIT])?,
        })
    }

    pub(super) fn input(&self) -> BorrowedFd<'_> {
        self.stdin.as_fd()
    }

    pub(super) fn output(&self) -> BorrowedFd<'_> {
        self.stdout.as_fd()
    }

    /// Readable when the size has changed.
    pub(super) fn resized(&self) -> BorrowedFd<'_> {
        self.resized.as_fd()
    }

    /// Readable when this command has been told to end.
    pub(super) fn ended(&self) -> BorrowedFd<'_> {
        self.ended.as_fd()
    }

    pub(super) fn clear_resized(&self) {
        let mut drained = [0; 64];
        // Nothing there means it was cleared already.
        while matches!((&self.resized).read(&mut drained), Ok(count) if count > 0) {}
    }

    /// The size, when the terminal knows it.
    pub(super) fn size(&self) -> Option<Size> {
        let size = tcgetwinsize(&self.stdout).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then(|| Size::clamped(size.ws_col, size.ws_row))
    }

    /// For the other viewers: which terminal this is.
    pub(super) fn name(&self) -> String {
        rustix::termios::ttyname(&self.stdin, Vec::new()).map_or_else(
            |_| "a terminal".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    /// Switches to raw mode until [`Raw::restore`], or until dropped.
    pub(super) fn raw(&self) -> Result<Raw<'_>, Failure> {
        let before = tcgetattr(&self.stdin)
            .map_err(|error| doing("reading the terminal's settings")(error.into()))?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&self.stdin, OptionalActions::Now, &raw)
            .map_err(|error| doing("switching the terminal to raw mode")(error.into()))?;
        Ok(Raw {
            own: self,
            before: Some(before),
            goodbye: Vec::new(),
        })
    }
}

fn pipe(signals: &[i32]) -> Result<UnixStream, Failure> {
    let setting_up = "setting up signal handling";
    let (read, write) = UnixStream::pair().map_err(doing(setting_up))?;
    read.set_nonblocking(true).map_err(doing(setting_up))?;
    for signal in signals {
        let write = write.try_clone().map_err(doing(setting_up))?;
        signal_hook::low_level::pipe::register(*signal, write).map_err(doing(setting_up))?;
    }
    Ok(read)
}

/// Raw mode. Whatever ends it, also a panic, the terminal gets its settings back.
pub(super) struct Raw<'a> {
    own: &'a OwnTerminal,
    before: Option<Termios>,
    goodbye: Vec<u8>,
}

impl Raw<'_> {
    /// Ends raw mode after writing some last bytes.
    pub(super) fn restore(mut self, goodbye: Vec<u8>) {
        self.goodbye = goodbye;
    }
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        // On a terminal that is gone there is nothing to restore.
        let _gone = rustix::io::write(self.own.output(), &self.goodbye);
        if let Some(before) = self.before.take() {
            let _gone = tcsetattr(&self.own.stdin, OptionalActions::Drain, &before);
        }
    }
}
