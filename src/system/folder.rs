//! Folders nobody else may look into, one server at a time, and files that are whole or not there.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Why a folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderFault {
    /// The operating system said no.
    #[error("{path}: {source}; check that the folder exists and the disk isn't full", path = path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A file or a symbolic link where a folder should be.
    #[error("{path} is not a folder (a symbolic link doesn't count); remove it or choose another", path = .0.display())]
    NotAFolder(PathBuf),
    /// Somebody else's.
    #[error("{path} belongs to uid {owner}, not to you; choose another folder", path = path.display())]
    Owner {
        /// Where.
        path: PathBuf,
        /// Whose.
        owner: u32,
    },
    /// Others may have put something into it already.
    #[error("{path} can be written by others; run: chmod 700 {path}", path = .0.display())]
    Writable(PathBuf),
    /// Another server has it.
    #[error("another gatepost already uses {path} ({holder}); stop it first, or give this one its own GATEPOST_RUNTIME_DIR", path = path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
        /// What the other one wrote about itself.
        holder: String,
    },
}

/// Makes `path` a folder of ours that only we may look into, creating it if needed. One that others
/// may pass through, without seeing what is in it, is left so: keepers of other users do.
pub fn private_folder(path: &Path) -> Result<(), FolderFault> {
    let io = |source| FolderFault::Io {
        path: path.to_owned(),
        source,
    };
    if let Some(parent) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(parent)
            .map_err(io)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other.map_err(io)?,
    }
    let found = std::fs::symlink_metadata(path).map_err(io)?;
    if !found.is_dir() {
        return Err(FolderFault::NotAFolder(path.to_owned()));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(FolderFault::Owner {
            path: path.to_owned(),
            owner: found.uid(),
        });
    }
    match found.mode() & 0o077 {
        0 | 0o010 | 0o001 | 0o011 => Ok(()),
        others if others & 0o022 != 0 => Err(FolderFault::Writable(path.to_owned())),
        _ => std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(io),
    }
}

/// Like [`private_folder`], but a group may make files in it if only they and we may remove them
/// (sticky): the keepers of other users than ours.
pub fn shared_folder(path: &Path) -> Result<(), FolderFault> {
    let ours = |found: &std::fs::Metadata| {
        found.is_dir()
            && found.uid() == rustix::process::geteuid().as_raw()
            && found.mode() & 0o1027 == 0o1020
    };
    match std::fs::symlink_metadata(path) {
        Ok(found) if ours(&found) => Ok(()),
        _ => private_folder(path),
    }
}

/// Held while this process is the one server of a folder. The kernel lets go of it when the process
/// ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Locks `path`, or says who has it.
    pub fn take(path: &Path) -> Result<Self, FolderFault> {
        let io = |source| FolderFault::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::Error(source)) => Err(io(source)),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _unreadable = (&mut file).take(256).read_to_string(&mut holder);
                Err(FolderFault::InUse {
                    path: path.parent().unwrap_or(path).to_owned(),
                    holder: match holder.trim() {
                        "" => "it is just starting".to_owned(),
                        line => line.to_owned(),
                    },
                })
            }
        }
    }

    /// Writes a line about us for whoever finds the lock taken.
    pub fn describe(&mut self, line: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        writeln!(self.file, "{line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_dir_world_readable_is_made_private_and_a_new_one_is() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a/b");
        private_folder(&path).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        private_folder(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
    }

    #[test]
    fn a_folder_others_may_only_pass_through_is_left_so() {
        let temp = tempfile::tempdir().unwrap();
        let set = |mode| {
            std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let mode = || std::fs::metadata(temp.path()).unwrap().mode() & 0o7777;
        set(0o711);
        private_folder(temp.path()).unwrap();
        assert_eq!(mode(), 0o711);
        set(0o715);
        private_folder(temp.path()).unwrap();
        assert_eq!(mode(), 0o700);
    }

    #[test]
    fn a_group_may_make_files_only_where_it_cannot_remove_those_of_others() {
        let temp = tempfile::tempdir().unwrap();
        let set = |mode| {
            std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        for good in [0o1770, 0o1730] {
            set(good);
            shared_folder(temp.path()).unwrap();
        }
        for bad in [0o770, 0o1777, 0o1772] {
            set(bad);
            assert!(
                matches!(shared_folder(temp.path()), Err(FolderFault::Writable(_))),
                "{bad:o}"
            );
        }
    }

    #[test]
    fn links_files_and_folders_others_can_write_are_refused() {
        let temp = tempfile::tempdir().unwrap();
        let (link, file, open) = (
            temp.path().join("link"),
            temp.path().join("file"),
            temp.path().join("open"),
        );
        std::os::unix::fs::symlink(temp.path(), &link).unwrap();
        std::fs::write(&file, "").unwrap();
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(
            private_folder(&link),
            Err(FolderFault::NotAFolder(_))
        ));
        assert!(matches!(
            private_folder(&file),
            Err(FolderFault::NotAFolder(_))
        ));
        assert!(matches!(
            private_folder(&open),
            Err(FolderFault::Writable(_))
        ));
    }

    #[test]
    fn a_lock_is_held_once_and_says_by_whom() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("lock");
        let mut first = Lock::take(&path).unwrap();
        first.describe("process 7 at http://x/").unwrap();
        let second = Lock::take(&path).unwrap_err().to_string();
        assert!(second.contains("process 7 at http://x/"), "{second}");
        drop(first);
        Lock::take(&path).unwrap();
    }
}
