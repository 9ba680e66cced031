//! Standard output and standard error of the commands.

use std::io::{self, ErrorKind, Write as _};

use super::exit::{Code, Failure};

/// Writes to standard output. A reader that has seen enough (`| head`) is no failure.
pub(super) fn write(bytes: &[u8]) -> Result<Reader, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Failure::new(
            Code::Failed,
            format!("standard output: {error}"),
        )),
    }
}

/// Writes a line to standard output.
pub(super) fn line(text: &str) -> Result<Reader, Failure> {
    write(format!("{text}\n").as_bytes())
}

/// Turns an I/O error into a failure that says what was being done.
pub(super) fn doing(what: &'static str) -> impl FnOnce(io::Error) -> Failure {
    move |error| Failure::new(Code::Failed, format!("{what}: {error}"))
}

/// Whether somebody still reads what we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Reader {
    There,
    Gone,
}

/// Says something to the person at standard error.
pub(super) fn say(text: &str) {
    // There is nobody left to tell when this fails.
    let _nobody = writeln!(io::stderr(), "gatepost: {text}");
}

/// Makes text from a program or another person safe to show in a table: control and invisible
/// characters could otherwise rewrite the terminal it is shown in.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
