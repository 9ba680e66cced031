//! A file in the place of another: whole or not at all, and on the disk when that is done, whatever happens to
//! the power.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Writes these bytes to `new`, in the same folder, and then puts that in the place of `path`. From its first byte
/// only we can read it; `finish` gives it what else it needs before anybody finds it.
pub fn replace_file(
    path: &Path,
    new: &Path,
    bytes: &[u8],
    finish: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    // What an interrupted try left may have another mode, or be a link.
    match std::fs::remove_file(new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(new)?;
    file.write_all(bytes)?;
    finish(&file)?;
    file.sync_all()?;
    std::fs::rename(new, path)?;
    sync_folder_of(path)
}

/// What was done to this name in its folder is on the disk when this returns.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}
