//! What the unit file says. Nothing here can be said by a connection.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use super::account::Account;

/// What the helper is told on its command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arguments {
    /// Who may connect, besides root: name or uid.
    pub(super) server_user: String,
    /// The keeper's executable; none: beside our own.
    pub(super) keeper: Option<PathBuf>,
    /// Who keepers run as; the server's user if there is no such account.
    pub(super) keeper_user: String,
    /// Where keepers listen.
    pub(super) terminals: PathBuf,
    /// PAM's rules: their name, …
    pub(super) service: String,
    /// … and their folder, if it isn't the system's.
    pub(super) pam_dir: Option<PathBuf>,
    /// The list of identities without a password.
    pub(super) identities: PathBuf,
    /// Whether root may log in.
    pub(super) root_login: bool,
    /// How long a person may take for an answer.
    pub(super) answer: Duration,
    /// How long a conversation may take in all. Whole seconds.
    pub(super) total: Duration,
    /// How long every failure takes, counted from the last answer.
    pub(super) failure: Duration,
    /// Where it is written down who is there, if it exists.
    pub(super) utmp: PathBuf,
    /// Which shells are shells.
    pub(super) shells: PathBuf,
    /// `login.defs(5)`.
    pub(super) login_defs: PathBuf,
    /// Speak X2Go's line protocol instead.
    pub(super) x2go: bool,
    /// Who may ask over it, besides root and the server: names or uids.
    pub(super) x2go_users: Vec<String>,
    /// Which services may be named in it.
    pub(super) x2go_services: Vec<String>,
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            server_user: "gatepost".to_owned(),
            keeper: None,
            keeper_user: "gatepost-keeper".to_owned(),
            terminals: "/run/gatepost/terminals".into(),
            service: "gatepost".to_owned(),
            pam_dir: None,
            identities: "/etc/gatepost/identities".into(),
            root_login: false,
            answer: Duration::from_secs(30),
            total: Duration::from_secs(120),
            // pam_unix delays a failure by 2 s, of which Linux-PAM makes up to 3 s.
            failure: Duration::from_millis(3200),
            utmp: "/run/utmp".into(),
            shells: "/etc/shells".into(),
            login_defs: "/etc/login.defs".into(),
            x2go: false,
            x2go_users: Vec::new(),
            x2go_services: Vec::new(),
        }
    }
}

/// The text of `--help`.
pub(super) const HELP: &str = "\
gatepost-login: lets people in and starts their shells. Started by systemd for each connection,
with the connection as standard input; see gatepost-login.socket and gatepost-auth.socket.

  --server-user NAME     who may connect, besides root (gatepost)
  --keeper PATH          the keeper's executable (the one beside this)
  --keeper-user NAME     who keepers run as (gatepost-keeper, else the server's user)
  --terminals PATH       where keepers listen (/run/gatepost/terminals)
  --service NAME         name of PAM's rules (gatepost)
  --pam-dir PATH         their folder (the system's)
  --identities PATH      list of identities without a password (/etc/gatepost/identities)
  --root-login           root may log in with its password
  --answer SECONDS       how long somebody may take for an answer (30)
  --total SECONDS        how long a conversation may take in all (120)
  --failure MILLISECONDS how long every failure takes (3200)
  --utmp PATH            where it is noted who is there, if it exists (/run/utmp)
  --shells PATH          which shells are shells (/etc/shells)
  --login-defs PATH      umask and PATH of logins (/etc/login.defs)
  --x2go                 answer password checks in X2Go's line protocol instead
  --x2go-user NAME       who may ask for them; can be given several times
  --x2go-service NAME    PAM rules that may be named in them (x2gobroker); several times
";

impl Arguments {
    /// Reads the command line; `Ok(None)`: help is wanted.
    pub(super) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Option<Self>, String> {
        let mut found = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let name = word.to_string_lossy().into_owned();
            match &*name {
                "--help" => return Ok(None),
                "--root-login" => found.root_login = true,
                "--x2go" => found.x2go = true,
                _ => {
                    let value = words.next().ok_or_else(|| {
                        format!("{name} needs a value, or is unknown; see --help")
                    })?;
                    found.set(&name, &value)?;
                }
            }
        }
        if found.x2go_services.is_empty() {
            found.x2go_services.push("x2gobroker".to_owned());
        }
        Ok(Some(found))
    }

    fn set(&mut self, name: &str, value: &OsStr) -> Result<(), String> {
        let wrong = || format!("{name} can't be {}", value.display());
        let text = || value.to_str().map(str::to_owned).ok_or_else(wrong);
        let number = || text()?.parse::<u32>().map_err(|_| wrong());
        let path = || {
            let path = PathBuf::from(value);
            path.is_absolute()
                .then_some(path)
                .ok_or_else(|| format!("{name} needs an absolute path, not {}", value.display()))
        };
        match name {
            "--server-user" => self.server_user = text()?,
            "--keeper" => self.keeper = Some(path()?),
            "--keeper-user" => self.keeper_user = text()?,
            "--terminals" => self.terminals = path()?,
            "--service" => self.service = text()?,
            "--pam-dir" => self.pam_dir = Some(path()?),
            "--identities" => self.identities = path()?,
            "--answer" => self.answer = Duration::from_secs(number()?.into()),
            "--total" => self.total = Duration::from_secs(number()?.max(1).into()),
            "--failure" => self.failure = Duration::from_millis(number()?.into()),
            "--utmp" => self.utmp = path()?,
            "--shells" => self.shells = path()?,
            "--login-defs" => self.login_defs = path()?,
            "--x2go-user" => self.x2go_users.push(text()?),
            "--x2go-service" => self.x2go_services.push(text()?),
            _ => return Err(format!("unknown argument {name}; see --help")),
        }
        Ok(())
    }

    /// The keeper's executable.
    pub(super) fn keeper(&self) -> PathBuf {
        self.keeper.clone().unwrap_or_else(|| {
            let own = std::env::current_exe().unwrap_or_default();
            own.with_file_name("gatepost-keeper")
        })
    }
}

/// The uid a name or number on the command line means.
pub(super) fn uid(name: &str) -> Option<u32> {
    let number = name.parse().ok();
    number.or_else(|| Account::named(name).map(|account| account.uid))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Option<Arguments>, String> {
        Arguments::parse(words.iter().map(OsString::from))
    }

    #[test]
    fn what_is_not_said_is_as_the_help_says() {
        let arguments = parse(&[]).unwrap().unwrap();
        assert_eq!(arguments.x2go_services, ["x2gobroker"]);
        assert!(!arguments.root_login && !arguments.x2go);
        for part in [
            &arguments.server_user,
            arguments.terminals.to_str().unwrap(),
            &format!("({})", arguments.total.as_secs()),
            &format!("({})", arguments.failure.as_millis()),
        ] {
            assert!(HELP.contains(part), "{part}");
        }
        assert_eq!(parse(&["--help"]), Ok(None));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (words, part) in [
            (&["--terminal", "/x"][..], "--terminal"),
            (&["--keeper", "x"][..], "absolute"),
            (&["--answer", "soon"][..], "soon"),
            (&["--answer"][..], "--answer"),
        ] {
            assert!(parse(words).unwrap_err().contains(part), "{words:?}");
        }
    }
}
