//! What the user's programs start with: variables built from scratch, PAM's over them, and the umask.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use super::account::Account;

/// Where programs are looked for, unless `login.defs` or PAM says otherwise.
const USER_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games";
/// The same for root.
const ROOT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Files a user makes are readable by others, unless `login.defs` or PAM says otherwise.
const UMASK: u32 = 0o022;

/// What `login.defs(5)` says that concerns us.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Defaults {
    pub(super) umask: u32,
    path: String,
    root_path: String,
}

impl Defaults {
    /// Reads the file; what isn't there is as usual.
    pub(super) fn read(file: &Path) -> Self {
        Self::parse(&fs::read_to_string(file).unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let value = |name: &str| {
            let lines = text.lines().map(str::trim);
            let mut words = lines.filter_map(|line| line.split_once(char::is_whitespace));
            words.find_map(|(found, value)| (found == name).then(|| value.trim().to_owned()))
        };
        let path = |name, usual: &str| {
            let path = value(name).map(|path| path.trim_start_matches("PATH=").to_owned());
            path.filter(|path| path.starts_with('/'))
                .unwrap_or_else(|| usual.to_owned())
        };
        let umask = value("UMASK").and_then(|mask| u32::from_str_radix(&mask, 8).ok());
        Self {
            umask: umask.filter(|mask| *mask <= 0o777).unwrap_or(UMASK),
            path: path("ENV_PATH", USER_PATH),
            root_path: path("ENV_SUPATH", ROOT_PATH),
        }
    }

    /// The variables of a terminal.
    pub(super) fn environment(
        &self,
        account: &Account,
        from_pam: &[(OsString, OsString)],
        wanted: &[(&str, &str)],
        terminal: &str,
    ) -> Vec<(OsString, OsString)> {
        let path = if account.uid == 0 {
            &self.root_path
        } else {
            &self.path
        };
        let mut found: Vec<(OsString, OsString)> = Vec::new();
        let mut set = |name: &OsStr, value: &OsStr| {
            let known = found.iter_mut().find(|(known, _)| known == name);
            match known {
                Some((_, old)) => *old = value.to_owned(),
                None => found.push((name.to_owned(), value.to_owned())),
            }
        };
        set("PATH".as_ref(), path.as_ref());
        for (name, value) in from_pam {
            set(name, value);
        }
        set("TERM".as_ref(), "xterm-256color".as_ref());
        set("COLORTERM".as_ref(), "truecolor".as_ref());
        for (name, value) in wanted {
            set(name.as_ref(), value.as_ref());
        }
        // Not for a module or the server to say.
        set("HOME".as_ref(), account.home.as_os_str());
        set("USER".as_ref(), account.name.as_ref());
        set("LOGNAME".as_ref(), account.name.as_ref());
        set("SHELL".as_ref(), account.shell.as_os_str());
        set("TERM_PROGRAM".as_ref(), "gatepost".as_ref());
        set("GATEPOST_TERMINAL".as_ref(), terminal.as_ref());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_defs_says_umask_and_path_and_nonsense_in_it_is_as_if_it_were_not_there() {
        let text = "# UMASK 000\nUMASK\t\t027\nENV_PATH PATH=/opt/bin:/bin\nENV_SUPATH\tnonsense\n";
        let defaults = Defaults::parse(text);
        assert_eq!(defaults.umask, 0o027);
        assert_eq!(defaults.path, "/opt/bin:/bin");
        assert_eq!(defaults.root_path, ROOT_PATH);
        assert_eq!(Defaults::parse("UMASK 0999").umask, UMASK);
        assert_eq!(Defaults::parse("UMASK 7777").umask, UMASK);
    }

    #[test]
    fn pam_and_the_configuration_add_variables_and_can_not_change_who_one_is() {
        let account = Account {
            name: "ada".into(),
            uid: 1000,
            gid: 1000,
            home: "/home/ada".into(),
            shell: "/bin/bash".into(),
        };
        let pam = [("LANG", "de_DE.UTF-8"), ("USER", "root"), ("PATH", "/snap")];
        let pam = pam.map(|(name, value)| (name.into(), value.into()));
        let wanted = [
            ("TERM", "linux"),
            ("LANG", "C"),
            ("HOME", "/srv"),
            ("X", "1"),
        ];
        let found = Defaults::parse("").environment(&account, &pam, &wanted, "aaaaaaaaaa");
        let value = |name: &str| {
            let known = found.iter().find(|(known, _)| known == name);
            known.map(|(_, value)| value.to_str().unwrap())
        };
        assert_eq!(value("LANG"), Some("C"));
        assert_eq!((value("TERM"), value("X")), (Some("linux"), Some("1")));
        assert_eq!(value("HOME"), Some("/home/ada"));
        assert_eq!(value("USER"), Some("ada"));
        assert_eq!(value("PATH"), Some("/snap"));
        assert_eq!(found.len(), 11);
    }
}
