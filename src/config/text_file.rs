//! One file with settings: read within a limit and as text, without ever waiting for it; and how is told where
//! something is wrong with it as a whole.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::policy::Problem;
use crate::policy::tree::Origin;

/// Why a file was not read.
#[derive(Debug)]
pub enum Refusal {
    /// It isn't there.
    Missing,
    /// This is wrong with it.
    Because(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::Missing,
            _ => Self::Because(error.to_string()),
        }
    }
}

/// A file's text, of at most so many bytes, without the mark some editors put in front; if `distrust` has nothing
/// against it.
pub fn read_text(
    path: &Path,
    most: usize,
    distrust: impl FnOnce(&Metadata) -> Option<String>,
) -> Result<String, Refusal> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits();
    // Opened first and looked at afterwards: what is checked is what is read. Nothing waits for a
    // pipe somebody put there.
    let file = File::options()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Refusal::Because("is no ordinary file".to_owned()));
    }
    if let Some(why) = distrust(&metadata) {
        return Err(Refusal::Because(why));
    }
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(Refusal::Because(format!(
            "is larger than {most} bytes, the most that is read"
        )));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()),
        Err(error) => Err(Refusal::Because(format!(
            "is not UTF-8 (byte {} is wrong); save it as UTF-8",
            error.utf8_error().valid_up_to() + 1
        ))),
    }
}

/// Where a file begins.
pub fn start_of(path: &Path) -> Origin {
    Origin::File {
        file: path.into(),
        line: 1,
        column: 1,
    }
}

/// Something is wrong with a file or folder as a whole.
pub fn about(path: &Path, message: impl Into<String>) -> Problem {
    Problem::error(&start_of(path), "", message)
}
