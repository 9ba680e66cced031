//! Whether a machine is still new: nobody has noted what its screen says of it, and nobody who logged
//! in from elsewhere has shown that they know. Kept over restarts by a file that is there or isn't.

use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Auth, LocalError};

impl Auth {
    /// Whether the machine is new: its screen says who it is, and its administrator's password, until
    /// somebody has noted that or logged in from elsewhere.
    pub fn is_first_use(&self) -> bool {
        self.first_use.lasts() || self.ways.fresh_password().is_some()
    }

    /// Somebody in front of the screen has noted it. Blocks on the disk.
    pub fn noted(&self) -> Result<(), LocalError> {
        self.first_use.end();
        self.ways.password_noted()
    }
}

/// The state.
#[derive(Debug)]
pub(super) struct FirstUse {
    file: PathBuf,
    over: AtomicBool,
}

impl FirstUse {
    /// Over if the file says so, or if somebody `has_logged_in` before there was such a file.
    pub(super) fn open(file: PathBuf, has_logged_in: bool) -> Self {
        let over = AtomicBool::new(file.exists());
        let first = Self { file, over };
        if has_logged_in {
            first.end();
        }
        first
    }

    /// Whether it still is.
    pub(super) fn lasts(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    /// It is over. Blocks on the disk, once.
    pub(super) fn end(&self) {
        if self.over.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Err(error) = File::create(&self.file).and_then(|file| file.sync_all()) {
            let path = self.file.display();
            tracing::warn!(%error, %path, "it can't be kept that this machine was put to use");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_once_and_for_all_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let open = |used| FirstUse::open(folder.path().join("noted"), used);
        assert!(open(false).lasts());
        assert!(open(false).lasts(), "looking ends nothing");
        let first = open(false);
        first.end();
        assert!(!first.lasts());
        assert!(!open(false).lasts(), "it is kept");
        let other = tempfile::tempdir().unwrap();
        let path = other.path().join("noted");
        assert!(!FirstUse::open(path.clone(), true).lasts());
        assert!(!FirstUse::open(path, false).lasts(), "and so is that");
    }
}
