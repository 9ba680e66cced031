//! Passes on what keepers that broke have left beside their sockets.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

use crate::wire::launch::{LAST_WORDS, MAX_LAST_WORDS};

/// Puts every keeper's last words into the log and removes them.
pub(super) fn report(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(terminal) = name.to_str().and_then(|name| name.strip_suffix(LAST_WORDS)) else {
            continue;
        };
        match read(&entry.path()) {
            // Not written yet: the folder changes again when the keeper's socket goes.
            Ok(words) if words.is_empty() => continue,
            Ok(words) => {
                for line in words.lines() {
                    tracing::error!(terminal, "the terminal is lost, its keeper broke: {line}");
                }
            }
            Err(error) => {
                tracing::error!(terminal, %error, "a keeper broke, and why can't be read");
            }
        }
        if let Err(error) = fs::remove_file(entry.path()) {
            tracing::debug!(terminal, %error, "its last words can't be removed");
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let mut words = Vec::new();
    file.take(MAX_LAST_WORDS).read_to_end(&mut words)?;
    let words = String::from_utf8_lossy(&words);
    // A log line must not be able to hold more than text.
    Ok(words
        .chars()
        .filter(|c| *c == '\n' || !c.is_control())
        .collect())
}
