//! Whether a hook may be run: it and every folder above it belong to somebody who may do everything
//! anyway, and nobody else can put something in its place.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::base::Label;

/// Whose hooks are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Root's.
    RootOnly,
    /// Root's and those of whoever runs us: they could run them by themselves.
    OurselvesToo,
}

/// Why a hook is not run.
#[derive(Debug, thiserror::Error)]
pub enum HookFault {
    /// There is none.
    #[error("there is no hook {hook} in {folder}", folder = folder.display())]
    Absent {
        /// The name.
        hook: Label,
        /// Where it would be.
        folder: PathBuf,
    },
    /// It can't be looked at.
    #[error("{path} can't be looked at: {source}", path = path.display())]
    Unreadable {
        /// What.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is a folder, a link, or not executable.
    #[error("{path} is no executable file; make it one: chmod 755", path = .0.display())]
    NotExecutable(PathBuf),
    /// Somebody else's.
    #[error("{path} belongs to user {owner}, so it isn't run; give it to root: chown root", path = path.display())]
    Owner {
        /// What.
        path: PathBuf,
        /// Whose.
        owner: u32,
    },
    /// Others could change it.
    #[error("{path} can be written by others than its owner, so it isn't run; chmod go-w", path = .0.display())]
    Writable(PathBuf),
}

/// The sticky bit: in such a folder only the owner of a thing replaces it.
const STICKY: u32 = 0o1000;

/// The executable of a hook.
pub fn find(folder: &Path, hook: &Label, trust: Trust) -> Result<PathBuf, HookFault> {
    let absent = || HookFault::Absent {
        hook: hook.clone(),
        folder: folder.to_owned(),
    };
    let unreadable = |path: &Path, source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => absent(),
        _ => HookFault::Unreadable {
            path: path.to_owned(),
            source,
        },
    };
    // Links on the way to the folder are root's business; the folders they lead to are looked at.
    let folder = folder
        .canonicalize()
        .map_err(|error| unreadable(folder, error))?;
    let path = folder.join(hook.as_str());
    let metadata = path
        .symlink_metadata()
        .map_err(|error| unreadable(&path, error))?;
    if !metadata.is_file() || metadata.mode() & 0o111 == 0 {
        return Err(HookFault::NotExecutable(path));
    }
    for place in path.ancestors() {
        let metadata = place
            .symlink_metadata()
            .map_err(|error| unreadable(place, error))?;
        let ours =
            trust == Trust::OurselvesToo && metadata.uid() == rustix::process::geteuid().as_raw();
        if metadata.uid() != 0 && !ours {
            return Err(HookFault::Owner {
                path: place.to_owned(),
                owner: metadata.uid(),
            });
        }
        let above = place != path && place != folder;
        let kept = above && metadata.mode() & STICKY != 0;
        if metadata.mode() & 0o022 != 0 && !kept {
            return Err(HookFault::Writable(place.to_owned()));
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn hook() -> (tempfile::TempDir, PathBuf, Label) {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("print");
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        mode(&path, 0o755);
        (temp, path, "print".parse().unwrap())
    }

    #[test]
    fn hook_writable_by_others_is_refused_and_so_is_one_in_a_writable_folder() {
        let (temp, path, name) = hook();
        let found = find(temp.path(), &name, Trust::OurselvesToo).unwrap();
        assert_eq!(found, path.canonicalize().unwrap());
        for bad in [0o775, 0o757, 0o1777] {
            mode(&path, bad);
            let found = find(temp.path(), &name, Trust::OurselvesToo);
            assert!(matches!(found, Err(HookFault::Writable(at)) if at.ends_with("print")));
        }
        mode(&path, 0o755);
        mode(temp.path(), 0o1777);
        let found = find(temp.path(), &name, Trust::OurselvesToo);
        assert!(matches!(found, Err(HookFault::Writable(_))));
    }

    #[test]
    fn hook_link_folder_and_plain_file_are_refused_and_a_missing_one_is_named() {
        let (temp, path, name) = hook();
        mode(&path, 0o644);
        let refused = |name: &Label| find(temp.path(), name, Trust::OurselvesToo);
        assert!(matches!(refused(&name), Err(HookFault::NotExecutable(_))));
        let link: Label = "link".parse().unwrap();
        symlink("/bin/sh", temp.path().join("link")).unwrap();
        assert!(matches!(refused(&link), Err(HookFault::NotExecutable(_))));
        std::fs::create_dir(temp.path().join("folder")).unwrap();
        let folder = "folder".parse().unwrap();
        assert!(matches!(refused(&folder), Err(HookFault::NotExecutable(_))));
        let missing = refused(&"missing".parse().unwrap()).unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("there is no hook missing in /")
        );
    }
}
