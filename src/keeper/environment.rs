//! What the program starts with: its environment, built from scratch, its shell and its folder.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::KeeperError;
use super::child::{Account, Executable, FALLBACK_SHELL};
use crate::wire::launch::{Launch, may_be_set};

/// Where programs are looked for, unless the launch says otherwise.
const USER_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games";
/// The same for root.
const ROOT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Taken over from the keeper's own environment: language and time zone of the machine. Everything
/// beginning with `LC_` too.
const INHERITED: [&str; 3] = ["LANG", "LANGUAGE", "TZ"];

/// What to start, and what the person should be told about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// What to execute.
    pub executable: Executable,
    /// Program and arguments, as shown to people.
    pub command: Vec<String>,
    /// Something that isn't as wanted.
    pub warning: Option<String>,
}

/// Facts about the machine that the plan depends on.
pub(super) struct Machine<'a> {
    /// The user, if the user database knows it.
    pub account: Option<Account>,
    /// Whether it is root.
    pub root: bool,
    /// The keeper's own environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Whether a folder can be entered.
    pub is_folder: &'a dyn Fn(&Path) -> bool,
    /// Whether a file can be executed.
    pub is_executable: &'a dyn Fn(&Path) -> bool,
}

/// Decides how to start the program of a launch.
pub(super) fn plan(launch: &Launch, machine: &Machine<'_>) -> Result<Plan, KeeperError> {
    if let Some((name, _)) = launch
        .environment
        .iter()
        .find(|(name, _)| !may_be_set(name))
    {
        return Err(KeeperError::Environment(name.clone()));
    }
    let account = machine.account.clone().unwrap_or_else(Account::unknown);
    let shell = if (machine.is_executable)(&account.shell) {
        account.shell.clone()
    } else {
        PathBuf::from(FALLBACK_SHELL)
    };
    let (directory, warning) = directory(launch, &account.home, machine.is_folder);

    let mut environment = Environment::default();
    for (name, value) in &machine.environment {
        if is_inherited(name) {
            environment.set(name, value);
        }
    }
    let path = if machine.root { ROOT_PATH } else { USER_PATH };
    environment.set("HOME", &account.home);
    if !account.name.is_empty() {
        environment.set("USER", &account.name);
        environment.set("LOGNAME", &account.name);
    }
    environment.set("SHELL", &shell);
    environment.set("PATH", path);
    environment.set("TERM", "xterm-256color");
    environment.set("COLORTERM", "truecolor");
    environment.set("TERM_PROGRAM", "gatepost");
    environment.set("GATEPOST_TERMINAL", launch.id.as_str());
    for (name, value) in &launch.environment {
        environment.set(name, value);
    }

    let (program, argv0, command) = match launch.command.first() {
        Some(program) => (
            OsString::from(program),
            OsString::from(program),
            launch.command.clone(),
        ),
        None => {
            // A leading dash is how a shell is told that it is a login shell.
            let mut argv0 = OsString::from("-");
            argv0.push(shell.file_name().unwrap_or(OsStr::new("sh")));
            let shown = vec![shell.to_string_lossy().into_owned()];
            (shell.into_os_string(), argv0, shown)
        }
    };
    Ok(Plan {
        executable: Executable {
            program,
            argv0,
            arguments: launch.command.iter().skip(1).map(OsString::from).collect(),
            environment: environment.0,
            directory,
        },
        command,
        warning,
    })
}

/// The folder to start in: the one asked for, else home, else `/`, which is always there.
fn directory(
    launch: &Launch,
    home: &Path,
    is_folder: &dyn Fn(&Path) -> bool,
) -> (PathBuf, Option<String>) {
    let usable = |path: &Path| path.is_absolute() && is_folder(path);
    let wanted = launch.directory.as_deref().unwrap_or(home);
    if usable(wanted) {
        (wanted.to_owned(), None)
    } else {
        let instead = if usable(home) { home } else { Path::new("/") };
        let warning = format!(
            "The folder {} can't be entered, so this starts in {}.",
            wanted.display(),
            instead.display()
        );
        (instead.to_owned(), Some(warning))
    }
}

#[derive(Default)]
struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    fn set(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        let (name, value) = (name.as_ref(), value.as_ref().to_owned());
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }
}

fn is_inherited(name: &OsStr) -> bool {
    INHERITED.iter().any(|known| name == *known) || name.as_bytes().starts_with(b"LC_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(more: &str) -> Launch {
        serde_json::from_str(&format!(r#"{{"id":"aaaaaaaaaa","folder":"/run"{more}}}"#)).unwrap()
    }

    fn machine(is_folder: &dyn Fn(&Path) -> bool) -> Machine<'_> {
        Machine {
            account: Some(Account {
                name: "ada".into(),
                home: "/home/ada".into(),
                shell: "/bin/bash".into(),
            }),
            root: false,
            environment: [
                ("LANG", "de_DE.UTF-8"),
                ("LC_TIME", "C"),
                ("TZ", "UTC"),
                ("NOTIFY_SOCKET", "/run/systemd/notify"),
                ("SECRET", "x"),
                ("PATH", "/evil"),
            ]
            .map(|(name, value)| (name.into(), value.into()))
            .to_vec(),
            is_folder,
            is_executable: &|path| path == Path::new("/bin/bash"),
        }
    }

    fn value<'a>(plan: &'a Plan, name: &str) -> Option<&'a OsStr> {
        let found = plan.executable.environment.iter();
        found
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_os_str())
            .next()
    }

    #[test]
    fn without_a_command_the_login_shell_starts_as_a_login_shell_at_home() {
        let plan = plan(&launch(""), &machine(&|_| true)).unwrap();
        assert_eq!(plan.executable.program, "/bin/bash");
        assert_eq!(plan.executable.argv0, "-bash");
        assert_eq!(plan.executable.directory, Path::new("/home/ada"));
        assert_eq!(plan.command, ["/bin/bash"]);
        assert_eq!(plan.warning, None);
    }

    #[test]
    fn the_environment_is_built_from_scratch() {
        let launch = launch(r#","environment":[["EDITOR","vi"],["HOME","/srv"]]"#);
        let plan = plan(&launch, &machine(&|_| true)).unwrap();
        let mut names: Vec<_> = plan
            .executable
            .environment
            .iter()
            .map(|(name, _)| name.to_str().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "COLORTERM",
                "EDITOR",
                "GATEPOST_TERMINAL",
                "HOME",
                "LANG",
                "LC_TIME",
                "LOGNAME",
                "PATH",
                "SHELL",
                "TERM",
                "TERM_PROGRAM",
                "TZ",
                "USER"
            ]
        );
        assert_eq!(value(&plan, "PATH"), Some(OsStr::new(USER_PATH)));
        assert_eq!(value(&plan, "HOME"), Some(OsStr::new("/srv")));
    }

    #[test]
    fn dangerous_names_are_refused() {
        for name in [
            "LD_PRELOAD",
            "ld_audit",
            "NOTIFY_SOCKET",
            "LISTEN_FDS",
            "CREDENTIALS_DIRECTORY",
            "MY_TOKEN",
            "",
            "A=B",
        ] {
            let launch = launch(&format!(r#","environment":[["{name}","x"]]"#));
            let refused = plan(&launch, &machine(&|_| true));
            assert!(
                matches!(refused, Err(KeeperError::Environment(_))),
                "{name}"
            );
        }
    }

    #[test]
    fn a_folder_that_is_not_there_falls_back_to_home_then_to_the_root_and_says_so() {
        let launch = launch(r#","directory":"/gone""#);
        let at_home = plan(&launch, &machine(&|path| path == Path::new("/home/ada"))).unwrap();
        assert_eq!(at_home.executable.directory, Path::new("/home/ada"));
        assert!(at_home.warning.unwrap().contains("/gone"));
        let at_root = plan(&launch, &machine(&|_| false)).unwrap();
        assert_eq!(at_root.executable.directory, Path::new("/"));
    }

    #[test]
    fn a_shell_that_can_not_be_executed_is_replaced_by_sh() {
        let mut machine = machine(&|_| true);
        machine.is_executable = &|_| false;
        let plan = plan(&launch(""), &machine).unwrap();
        assert_eq!(plan.executable.program, "/bin/sh");
        assert_eq!(value(&plan, "SHELL"), Some(OsStr::new("/bin/sh")));
    }

    #[test]
    fn a_user_the_database_does_not_know_still_gets_a_shell() {
        let mut machine = machine(&|_| true);
        machine.account = None;
        let plan = plan(&launch(""), &machine).unwrap();
        assert_eq!(plan.executable.argv0, "-sh");
        assert_eq!(value(&plan, "HOME"), Some(OsStr::new("/")));
        assert_eq!(value(&plan, "USER"), None);
    }
}
