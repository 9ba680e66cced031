//! What a keeper that breaks leaves behind. Nobody reads its standard error and its terminal is gone
//! with it, so it writes one line beside its socket, which the server puts into its log.

use std::fs::{OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::panic::PanicHookInfo;
use std::path::Path;

use rustix::fs::OFlags;

use super::best_effort;
use crate::base::TerminalId;
use crate::wire::launch::last_words_file;

/// Longest line, in bytes.
const MAX_LINE: usize = 512;

/// Makes every panic of this process leave its line.
pub(super) fn leave_when_broken(folder: &Path, id: TerminalId) {
    let path = folder.join(last_words_file(id));
    std::panic::set_hook(Box::new(move |panic| {
        // Appended, so that a second panic on the way out doesn't hide the first. A keeper that
        // can't even do this has nobody left to tell.
        best_effort(append(&path, &line(panic)));
    }));
}

fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)?;
    // The server may be another user than we are; the folder keeps everybody else out.
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.write_all(line.as_bytes())
}

/// Where and, if that can't hold anything a terminal showed, what. A message that was put together at
/// run time may quote the text that broke us.
fn line(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map(ToString::to_string);
    let place = place.as_deref().unwrap_or("an unknown place");
    let what = panic.payload().downcast_ref::<&'static str>();
    let what = what.map_or(String::new(), |what| format!(": {what}"));
    let version = env!("CARGO_PKG_VERSION");
    let mut line = format!("gatepost-keeper {version} broke at {place}{what}").replace('\n', " ");
    line.truncate(line.floor_char_boundary(MAX_LINE - 1));
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_leaves_where_and_what_but_nothing_it_was_told() {
        let folder = tempfile::tempdir().unwrap();
        let id: TerminalId = "abcdefgh27".parse().unwrap();
        leave_when_broken(folder.path(), id);
        let secret = "what somebody typed";
        let _broken = std::thread::spawn(|| panic!("a cell too far")).join();
        let _broken = std::thread::spawn(move || panic!("no {secret} here")).join();
        drop(std::panic::take_hook());
        let said = std::fs::read_to_string(folder.path().join("abcdefgh27.broken")).unwrap();
        assert_eq!(said.matches("last_words.rs:").count(), 2, "{said}");
        assert!(said.contains(": a cell too far\n"), "{said}");
        assert!(!said.contains(secret), "{said}");
    }
}
