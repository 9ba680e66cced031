//! Files put in their places: each whole or not there, on the disk before the next step, whatever
//! happens to the power.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::provision::{Content, Owner, Planned, UID};
use crate::system::{replace_file, sync_folder_of};

/// Largest file that is copied into a new home folder, in bytes.
const MAX_SKELETON: u64 = 1 << 20;

/// Where files go, and who they can belong to.
#[derive(Debug)]
pub(super) struct Place {
    root: PathBuf,
    /// The running system.
    system: PathBuf,
    /// The server's group.
    server: Option<u32>,
    /// Whether files can be given to others: only root can.
    gives: bool,
}

/// What went wrong where.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}", path = path.display())]
pub(super) struct Fault {
    path: PathBuf,
    source: io::Error,
}

impl Place {
    pub(super) fn new(root: &Path, system: &Path) -> Self {
        // Folders of a relative path end in one without a name, which can't be opened.
        Self {
            root: std::path::absolute(root).unwrap_or_else(|_| root.to_owned()),
            system: system.to_owned(),
            server: group(system, "gatepost"),
            gives: rustix::process::geteuid().is_root(),
        }
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// Makes it so; whether anything had to be done.
    pub(super) fn put(&self, planned: &Planned) -> Result<bool, Fault> {
        let path = self.path(&planned.path);
        let fault = |source| Fault {
            path: path.clone(),
            source,
        };
        if let Some(folder) = path.parent() {
            self.folder(folder).map_err(fault)?;
        }
        match &planned.content {
            Content::File { bytes, mode, owner } => {
                let group = match owner {
                    Owner::Root => None,
                    Owner::Server => self.server.filter(|_| self.gives),
                };
                Self::file(&path, bytes, *mode, group).map_err(fault)
            }
            Content::Link { to } => link(&path, to).map_err(fault),
            Content::Home {} => self.home(&path).map_err(fault),
        }
    }

    /// Takes a file away; whether there was one.
    pub(super) fn remove(&self, below: &str) -> Result<bool, Fault> {
        let path = self.path(below);
        let fault = |source| Fault {
            path: path.clone(),
            source,
        };
        match std::fs::remove_file(&path) {
            Ok(()) => sync_folder_of(&path).map(|()| true).map_err(fault),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(fault(error)),
        }
    }

    /// Whether what is written is gone when the machine is switched off.
    pub(super) fn is_in_memory(&self, below: &str) -> bool {
        /// linux/magic.h
        const TMPFS: u64 = 0x0102_1994;
        let found = rustix::fs::statfs(self.path(below));
        found.is_ok_and(|found| u64::try_from(found.f_type).is_ok_and(|kind| kind == TMPFS))
    }

    /// Makes folders down to this one, each on the disk before what is in it.
    fn folder(&self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() || !folder.starts_with(&self.root) {
            return Ok(());
        }
        if let Some(above) = folder.parent() {
            self.folder(above)?;
        }
        // Everybody may pass: systemd-networkd and sshd read below it as other users.
        match DirBuilder::new().mode(0o755).create(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        std::fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        sync_folder_of(folder)
    }

    fn file(path: &Path, bytes: &[u8], mode: u32, group: Option<u32>) -> io::Result<bool> {
        if same(path, bytes, mode, group) {
            return Ok(false);
        }
        let new = beside(path, ".new");
        replace_file(path, &new, bytes, |file| {
            if let Some(group) = group {
                std::os::unix::fs::fchown(file, None, Some(group))?;
            }
            file.set_permissions(Permissions::from_mode(mode))
        })?;
        Ok(true)
    }

    /// The administrator's home: made whole beside its place, then put there.
    fn home(&self, path: &Path) -> io::Result<bool> {
        if path.exists() {
            return Ok(false);
        }
        let new = beside(path, ".new");
        match std::fs::remove_dir_all(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        DirBuilder::new().mode(0o700).create(&new)?;
        let skeleton = std::fs::read_dir(self.system.join("etc/skel"));
        for entry in skeleton.into_iter().flatten().flatten() {
            let found = entry.metadata()?;
            if found.is_file() && found.len() <= MAX_SKELETON {
                let copy = new.join(entry.file_name());
                std::fs::copy(entry.path(), &copy)?;
                let made = File::open(&copy)?;
                self.give(&copy)?;
                made.sync_all()?;
            }
        }
        // Opened while it is still ours.
        let made = File::open(&new)?;
        self.give(&new)?;
        made.sync_all()?;
        std::fs::rename(&new, path)?;
        sync_folder_of(path)?;
        Ok(true)
    }

    fn give(&self, path: &Path) -> io::Result<()> {
        if self.gives {
            std::os::unix::fs::chown(path, Some(UID), Some(UID))?;
        }
        Ok(())
    }
}

fn same(path: &Path, bytes: &[u8], mode: u32, group: Option<u32>) -> bool {
    let read = || -> io::Result<bool> {
        let found = std::fs::symlink_metadata(path)?;
        let as_wanted = found.is_file()
            && found.mode() & 0o7777 == mode
            && group.is_none_or(|group| found.gid() == group)
            && found.len() == bytes.len() as u64;
        if !as_wanted {
            return Ok(false);
        }
        let mut there = Vec::new();
        File::open(path)?
            .take(found.len() + 1)
            .read_to_end(&mut there)?;
        Ok(there == bytes)
    };
    read().unwrap_or(false)
}

fn link(path: &Path, to: &str) -> io::Result<bool> {
    if std::fs::read_link(path).is_ok_and(|found| found == Path::new(to)) {
        return Ok(false);
    }
    let new = beside(path, ".new");
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::os::unix::fs::symlink(to, &new)?;
    std::fs::rename(&new, path)?;
    sync_folder_of(path)?;
    Ok(true)
}

/// A hidden name beside it, which no program that reads a folder takes for one of its files.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(ending);
    path.with_file_name(name)
}

/// A group's number, from the file: this runs before anything that could be asked.
fn group(system: &Path, name: &str) -> Option<u32> {
    let text = std::fs::read_to_string(system.join("etc/group")).ok()?;
    let mut lines = text.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}
