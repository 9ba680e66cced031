//! Small files of the kernel.

use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Most that is read of one, in bytes: the list of mounts of a machine with many containers.
const MAX: u64 = 256 << 10;

/// The text of a file below `root`; none if it isn't there or can't be read.
pub(super) fn text(root: &Path, path: &str) -> Option<String> {
    file(&root.join(path))
}

pub(super) fn file(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(MAX).read_to_string(&mut text).ok()?;
    Some(text.trim_end().to_owned())
}

/// The whole number a file holds.
pub(super) fn number(path: &Path) -> Option<i64> {
    file(path)?.trim().parse().ok()
}

/// What is in a folder below `root`, in order.
pub(super) fn folder(root: &Path, path: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root.join(path)).into_iter().flatten();
    let mut out: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    out.sort();
    out
}

/// A file's own name.
pub(super) fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
