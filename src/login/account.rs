//! Accounts, and who may have a terminal at all.

use std::fs;
use std::path::{Path, PathBuf};

use super::users;

/// First uid of a person (`login.defs(5)`, `UID_MIN`); below it are the system's own accounts.
pub(super) const FIRST_PERSON: u32 = 1000;
/// Groups that are as good as root: an identity without a password must not reach them.
const POWERFUL: [&str; 12] = [
    "root",
    "sudo",
    "wheel",
    "admin",
    "adm",
    "disk",
    "shadow",
    "docker",
    "lxd",
    "incus-admin",
    "libvirt",
    "kmem",
];
/// Shells that are allowed where there is no list of them (`getusershell(3)`).
const USUAL_SHELLS: [&str; 2] = ["/bin/sh", "/bin/csh"];

/// A line of the user database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) home: PathBuf,
    pub(super) shell: PathBuf,
}

impl Account {
    /// The account of this name, its shell filled in.
    pub(super) fn named(name: &str) -> Option<Self> {
        let mut account = users::account_named(name)?;
        if account.shell.as_os_str().is_empty() {
            account.shell = "/bin/sh".into();
        }
        Some(account)
    }

    /// Ids and names of its groups.
    pub(super) fn groups(&self) -> (Vec<u32>, Vec<String>) {
        let ids = users::groups_of(self);
        let names = ids.iter().filter_map(|id| users::group_name(*id)).collect();
        (ids, names)
    }

    /// Why somebody with a password may nevertheless not have a terminal.
    pub(super) fn refuses_password(&self, root_login: bool, shells: &Path) -> Option<&'static str> {
        if self.uid == 0 && !root_login {
            Some("it is root, and root logins are off")
        } else if !is_shell(&self.shell, fs::read_to_string(shells).ok().as_deref()) {
            Some("its shell is not one of /etc/shells")
        } else {
            None
        }
    }

    /// Why an identity without a password may not have it.
    pub(super) fn refuses_identity(&self, groups: &[String]) -> Option<&'static str> {
        if self.uid < FIRST_PERSON || self.gid == 0 {
            Some("it is an account of the system")
        } else if groups.iter().any(|group| POWERFUL.contains(&&**group)) {
            Some("it is in a group that is as good as root")
        } else {
            None
        }
    }
}

/// Whether a shell is on the list (`shells(5)`).
fn is_shell(shell: &Path, list: Option<&str>) -> bool {
    match list {
        None => USUAL_SHELLS.iter().any(|usual| Path::new(usual) == shell),
        Some(list) => list
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default().trim())
            .any(|line| line.starts_with('/') && Path::new(line) == shell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(uid: u32, gid: u32, shell: &str) -> Account {
        Account {
            name: "x".into(),
            uid,
            gid,
            home: "/".into(),
            shell: shell.into(),
        }
    }

    #[test]
    fn shell_not_in_etc_shells_is_no_shell() {
        let list = Some("# shells\n/bin/bash\n /bin/zsh # good\n\n");
        assert!(is_shell(Path::new("/bin/bash"), list));
        assert!(is_shell(Path::new("/bin/zsh"), list));
        for bad in ["/usr/sbin/nologin", "/bin/false", "# shells", "", "bash"] {
            assert!(!is_shell(Path::new(bad), list), "{bad}");
        }
        assert!(is_shell(Path::new("/bin/sh"), None));
        assert!(!is_shell(Path::new("/bin/bash"), None));
    }

    #[test]
    fn an_identity_gets_no_system_account_and_none_as_good_as_root() {
        let no_groups: [String; 0] = [];
        assert!(
            account(1000, 1000, "")
                .refuses_identity(&no_groups)
                .is_none()
        );
        assert!(
            account(999, 1000, "")
                .refuses_identity(&no_groups)
                .is_some()
        );
        assert!(account(0, 0, "").refuses_identity(&no_groups).is_some());
        assert!(account(1000, 0, "").refuses_identity(&no_groups).is_some());
        for group in POWERFUL {
            let groups = ["users".to_owned(), group.to_owned()];
            assert!(account(1000, 1000, "").refuses_identity(&groups).is_some());
        }
    }

    #[test]
    fn root_is_let_in_only_where_that_was_asked_for() {
        let root = account(0, 0, "/bin/sh");
        let shells = Path::new("/nowhere");
        assert!(root.refuses_password(false, shells).is_some());
        assert!(root.refuses_password(true, shells).is_none());
    }
}
