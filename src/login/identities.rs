//! The root-owned list of who, having proved it without a password, gets which account and command:
//! lines of `WAY NAME ACCOUNT PROGRAM [ARGUMENT…]`, the first that fits counts.
//!
//! `NAME` is exact, or has one `*` at its beginning or end. Words are separated by blanks; there is
//! no quoting and no shell. `#` begins a comment line.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::base::Way;

/// Longest list, in bytes.
pub const MAX_LIST: usize = 256 << 10;

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// How they proved who they are.
    pub way: Way,
    /// Which names it is good for.
    pub pattern: String,
    /// As whom the command runs.
    pub account: String,
    /// Program and arguments; never empty.
    pub command: Vec<String>,
}

impl Identity {
    fn fits(&self, way: Way, name: &str) -> bool {
        let pattern = &*self.pattern;
        self.way == way
            && match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
                (Some(end), _) => name.ends_with(end),
                (None, Some(start)) => name.starts_with(start),
                (None, None) => name == pattern,
            }
    }
}

/// Reads the list. The error says line and fault.
pub fn parse(text: &str) -> Result<Vec<Identity>, String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fault = |what: &str| format!("line {number}: {what}");
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut next = |what: &str| words.next().ok_or_else(|| fault(what));
        let way = next("the way is missing")?;
        let pattern = next("the name is missing")?;
        let account = next("the account is missing")?;
        let program = next("the program is missing")?;
        let way = way_named(&way).ok_or_else(|| {
            fault("the way is none of local, api, certificate, oidc, cas, kerberos, token, none")
        })?;
        let stars = pattern.matches('*').count();
        if stars > 1 || stars == 1 && !pattern.starts_with('*') && !pattern.ends_with('*') {
            return Err(fault("a name has one * at most, at its beginning or end"));
        }
        if !program.starts_with('/') {
            return Err(fault("the program needs an absolute path"));
        }
        found.push(Identity {
            way,
            pattern,
            account,
            command: std::iter::once(program).chain(words).collect(),
        });
    }
    Ok(found)
}

fn way_named(name: &str) -> Option<Way> {
    // Not pam: who has a password proves it to PAM.
    let mut ways = Way::ALL.into_iter().filter(|way| *way != Way::Pam);
    ways.find(|way| way.name() == name)
}

/// The first line of the file that fits; none if the file isn't there. The error is for the log.
pub(super) fn find(file: &Path, way: Way, name: &str) -> Result<Option<Identity>, String> {
    let text = match read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", file.display())),
    };
    let list = parse(&text).map_err(|fault| format!("{}: {fault}", file.display()))?;
    Ok(list.into_iter().find(|identity| identity.fits(way, name)))
}

/// The text of a file that only root (in tests: only we) can have written.
fn read(path: &Path) -> io::Result<String> {
    let mut file = File::options()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    let found = file.metadata()?;
    let own = rustix::process::geteuid().as_raw();
    if !found.is_file() || found.uid() != own || found.mode() & 0o022 != 0 {
        return Err(io::Error::other(
            "it must be a file of root's that nobody else can write; run: chown root, chmod go-w",
        ));
    }
    let mut text = String::new();
    let limit = u64::try_from(MAX_LIST).unwrap_or(u64::MAX);
    (&mut file).take(limit + 1).read_to_string(&mut text)?;
    if text.len() > MAX_LIST {
        return Err(io::Error::other(format!("it is over {MAX_LIST} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    const LIST: &str = "\
# who            account  command
token kiosk      kiosk    /usr/bin/top -d 5
oidc  *@ops.example ops   /bin/bash -l
api   bot-*      bots     /usr/bin/true
token *          guest    /usr/bin/cal
";

    #[test]
    fn the_first_line_that_fits_counts() {
        let list = parse(LIST).unwrap();
        let account = |way, name: &str| {
            let found = list.iter().find(|identity| identity.fits(way, name));
            found.map(|identity| identity.account.as_str())
        };
        assert_eq!(account(Way::Token, "kiosk"), Some("kiosk"));
        assert_eq!(account(Way::Token, "kiosk2"), Some("guest"));
        assert_eq!(account(Way::Oidc, "a@ops.example"), Some("ops"));
        assert_eq!(account(Way::Oidc, "a@ops.example.evil"), None);
        assert_eq!(account(Way::Api, "bot-7"), Some("bots"));
        assert_eq!(account(Way::Pam, "kiosk"), None);
        assert_eq!(list[0].command, ["/usr/bin/top", "-d", "5"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (line, part) in [
            ("pam a a /bin/sh", "way"),
            ("oidc a", "account"),
            ("oidc a a", "program"),
            ("oidc a a sh", "absolute"),
            ("oidc a*b a /bin/sh", "*"),
            ("oidc *a* a /bin/sh", "*"),
        ] {
            let fault = parse(&format!("\n{line}\n")).unwrap_err();
            assert!(
                fault.starts_with("line 2: ") && fault.contains(part),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_list_others_could_have_written_is_not_believed() {
        let temp = tempfile::tempdir().unwrap();
        let (file, link) = (temp.path().join("identities"), temp.path().join("link"));
        assert_eq!(find(&file, Way::Token, "kiosk"), Ok(None), "not there");
        std::fs::write(&file, LIST).unwrap();
        for (mode, good) in [(0o644, true), (0o664, false), (0o646, false), (0o600, true)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            let found = find(&file, Way::Token, "kiosk");
            assert_eq!(found.is_ok(), good, "{mode:o}");
        }
        symlink(&file, &link).unwrap();
        assert!(find(&link, Way::Token, "kiosk").is_err());
        std::fs::write(&file, vec![b'\n'; MAX_LIST]).unwrap();
        assert_eq!(find(&file, Way::Token, "kiosk"), Ok(None));
        std::fs::write(&file, vec![b'\n'; MAX_LIST + 1]).unwrap();
        assert!(find(&file, Way::Token, "kiosk").is_err());
    }
}
