//! A guest's home folder: a copy of what is laid out for all of them, gone when they are.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::best_effort;
use crate::base::TerminalId;

/// What new users of the machine are given.
const SKELETON: &str = "/etc/skel";
/// Most files copied into a home, …
const MAX_FILES: usize = 2000;
/// … most bytes of them, …
const MAX_BYTES: u64 = 32 << 20;
/// … and how deep.
const MAX_DEPTH: usize = 16;

/// Somebody's home for as long as they are there. Removed when dropped.
#[derive(Debug)]
pub(super) struct FreshHome {
    folder: PathBuf,
}

impl FreshHome {
    /// Makes one, from the account's own home if nobody could have changed that, else from what new
    /// users are given. The second value says what is missing in it.
    pub(super) fn make(id: TerminalId, account: &Path) -> io::Result<(Self, Option<String>)> {
        // Where the unit sees to it that it is memory and nobody else's.
        let folder = std::env::temp_dir().join(format!("gatepost-guest-{id}"));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let home = Self { folder };
        let kept = account.is_dir() && rustix::fs::access(account, Access::WRITE_OK).is_err();
        let pristine = if kept { account } else { Path::new(SKELETON) };
        let warning = match copy(pristine, &home.folder) {
            Ok(()) => None,
            // A shell without its start-up files is better than none.
            Err(error) => Some(format!(
                "Not all of {} is in this home: {error}.",
                pristine.display()
            )),
        };
        Ok((home, warning))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for FreshHome {
    fn drop(&mut self) {
        // What can't be removed here goes with the unit.
        best_effort(remove(&self.folder));
    }
}

/// Copies files, folders and links; whatever else there is isn't copied.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let (mut files, mut bytes) = (0, 0);
    let mut todo = vec![(from.to_owned(), to.to_owned(), 0)];
    while let Some((from, to, depth)) = todo.pop() {
        for entry in fs::read_dir(&from)? {
            let entry = entry?;
            let (source, copy) = (entry.path(), to.join(entry.file_name()));
            let about = fs::symlink_metadata(&source)?;
            files += 1;
            bytes += if about.is_file() { about.len() } else { 0 };
            if files > MAX_FILES || bytes > MAX_BYTES || depth > MAX_DEPTH {
                return Err(io::Error::other(format!(
                    "at most {MAX_FILES} files, {} MiB and {MAX_DEPTH} levels are copied",
                    MAX_BYTES >> 20
                )));
            }
            if about.is_dir() {
                DirBuilder::new().mode(0o700).create(&copy)?;
                todo.push((source, copy, depth + 1));
            } else if about.is_symlink() {
                symlink(fs::read_link(&source)?, &copy)?;
            } else if about.is_file() {
                fs::copy(&source, &copy)?;
                // The owner's to write, whatever it was.
                let mode = about.permissions().mode() & 0o777 | 0o600;
                fs::set_permissions(&copy, Permissions::from_mode(mode))?;
            }
        }
    }
    Ok(())
}

/// Removes a folder with all that is in it, however deep and whatever its modes: what is below is moved
/// up first, so that no path gets longer than the system takes.
fn remove(folder: &Path) -> io::Result<()> {
    let mut moved = 0_u64;
    let mut todo = vec![folder.to_owned()];
    let mut emptied = Vec::new();
    while let Some(inner) = todo.pop() {
        fs::set_permissions(&inner, Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&inner)? {
            let path = entry?.path();
            if !fs::symlink_metadata(&path)?.is_dir() {
                fs::remove_file(&path)?;
                continue;
            }
            // A folder that is moved is changed itself.
            fs::set_permissions(&path, Permissions::from_mode(0o700))?;
            let up = loop {
                let up = folder.join(format!(".{moved}"));
                moved += 1;
                if up == path || fs::symlink_metadata(&up).is_err() {
                    break up;
                }
            };
            if up != path {
                fs::rename(&path, &up)?;
            }
            todo.push(up);
        }
        if inner == *folder {
            continue;
        }
        emptied.push(inner);
    }
    for inner in emptied {
        fs::remove_dir(inner)?;
    }
    fs::remove_dir(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_guest_makes_of_their_home_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let home = place.path().join("home");
        fs::create_dir(&home).unwrap();
        // Deeper than a path may be long, step by step as a guest would.
        let mut inner = home.clone();
        let name = "d".repeat(200);
        for _ in 0..15 {
            inner = inner.join(&name);
            fs::create_dir(&inner).unwrap();
        }
        let deep = fs::File::open(&inner).unwrap();
        let deeper = rustix::fs::Mode::from_raw_mode(0o700);
        let mut at: std::os::fd::OwnedFd = deep.into();
        for _ in 0..30 {
            rustix::fs::mkdirat(&at, name.as_str(), deeper).unwrap();
            let flags = rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::RDONLY;
            at = rustix::fs::openat(&at, name.as_str(), flags, deeper).unwrap();
        }
        // One that can't be entered, with something in it; a link that leads out; names of ours.
        let locked = home.join("locked");
        fs::create_dir(&locked).unwrap();
        fs::write(locked.join("secret"), "x").unwrap();
        fs::set_permissions(&locked, Permissions::from_mode(0)).unwrap();
        let outside = place.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "x").unwrap();
        symlink(&outside, home.join("link")).unwrap();
        for number in 0..4 {
            fs::create_dir(home.join(format!(".{number}"))).unwrap();
        }
        remove(&home).unwrap();
        assert!(!home.exists());
        assert!(outside.join("kept").exists());
    }

    #[test]
    fn a_home_is_a_copy_that_its_owner_may_change() {
        let place = tempfile::tempdir().unwrap();
        let pristine = place.path().join("pristine");
        fs::create_dir_all(pristine.join("bin")).unwrap();
        fs::write(pristine.join("bin/menu"), "#!/bin/sh\n").unwrap();
        let mode = Permissions::from_mode(0o555);
        fs::set_permissions(pristine.join("bin/menu"), mode).unwrap();
        symlink("bin/menu", pristine.join("start")).unwrap();
        let copied = place.path().join("home");
        fs::create_dir(&copied).unwrap();
        copy(&pristine, &copied).unwrap();
        let menu = fs::metadata(copied.join("bin/menu")).unwrap();
        assert_eq!(menu.permissions().mode() & 0o777, 0o755);
        assert_eq!(
            fs::read_link(copied.join("start")).unwrap(),
            Path::new("bin/menu")
        );
        fs::write(pristine.join("huge"), "").unwrap();
        let huge = fs::File::options()
            .write(true)
            .open(pristine.join("huge"))
            .unwrap();
        huge.set_len(MAX_BYTES + 1).unwrap();
        let other = place.path().join("other");
        fs::create_dir(&other).unwrap();
        let error = copy(&pristine, &other).unwrap_err();
        assert!(error.to_string().contains("at most"), "{error}");
    }
}
