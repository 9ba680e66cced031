//! `gatepost logins`, `admin`, `api-key`, `auth` and `token`: who may come in, said from the machine itself.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Subcommand;

use crate::base::{Principal, UserName};
use crate::wire::control::{Answer, Call};
use crate::wire::logins::{LoginInfo, LoginsCall, LoginsReply};

use super::client::{call, unexpected};
use super::exit::{Code, Failure};
use super::output;

/// Longest auth object read from standard input, in bytes.
const MAX_OBJECT: u64 = 64 << 10;

/// Browser logins, and who has to wait.
#[derive(Debug, Subcommand)]
pub(super) enum Logins {
    /// List the browser logins, the one used last first.
    List {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// End a login, or all of a user; their pages are disconnected at once.
    Revoke {
        /// Its id, as `logins list` shows it.
        #[arg(required_unless_present = "user")]
        id: Option<String>,
        /// All logins of this user.
        #[arg(long, conflicts_with = "id")]
        user: Option<UserName>,
    },
    /// List the names and addresses that have to wait after failed attempts.
    Locked {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Let a user name or an address try again at once.
    Unlock {
        /// The name or the address.
        who: String,
    },
}

/// The administrator of a kiosk without other users.
#[derive(Debug, Subcommand)]
pub(super) enum Admin {
    /// The administrator's password.
    Password {
        /// Make a new one, and print it; the old one is worth nothing from now on.
        #[arg(long, required = true)]
        reset: bool,
    },
}

/// Keys with which other applications vouch for their users.
#[derive(Debug, Subcommand)]
pub(super) enum ApiKey {
    /// Make a key. It is printed; its secret is written to a file that only you can read.
    #[command(group(clap::ArgGroup::new("file").required(true)))]
    New {
        /// What it is for.
        #[arg(long)]
        name: String,
        /// The file for the secret. It must not exist yet.
        #[arg(long, value_name = "FILE", group = "file")]
        secret_file: Option<PathBuf>,
        /// A file for both, the key and under it its secret, as `gatepost --host … login --key` wants
        /// it. It must not exist yet.
        #[arg(long, value_name = "FILE", group = "file")]
        key_file: Option<PathBuf>,
    },
    /// List the keys, without their secrets.
    List {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Take a key away; what is signed with it is refused from now on.
    Revoke {
        /// The key.
        key: String,
    },
}

/// Help for people who make auth objects.
#[derive(Debug, Subcommand)]
pub(super) enum AuthTool {
    /// Say what is wrong with an auth object; 0 when nothing is, 2 otherwise. Doesn't use it up.
    Check {
        /// The object, as JSON, or - for standard input.
        object: String,
    },
}

/// One-time tokens for another web application's users.
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make one and print it; good once, for 20 seconds.
    New {
        /// For whom.
        #[arg(long)]
        user: UserName,
    },
}

fn ask(about: LoginsCall) -> Result<LoginsReply, Failure> {
    match call(&Call::Logins { about })? {
        (Answer::Logins { reply }, _) => Ok(reply),
        _ => Err(unexpected()),
    }
}

pub(super) fn logins(command: Logins) -> Result<(), Failure> {
    match command {
        Logins::List { json } => match ask(LoginsCall::List {})? {
            LoginsReply::Logins { logins } if json => print_json(&logins),
            LoginsReply::Logins { logins } => show_logins(&logins),
            _ => Err(unexpected()),
        },
        Logins::Revoke {
            user: Some(user), ..
        } => match ask(LoginsCall::RevokeUser { user })? {
            LoginsReply::Done { count } => print(&format!("{count} ended")),
            _ => Err(unexpected()),
        },
        Logins::Revoke { id, .. } => done(LoginsCall::Revoke {
            id: id.unwrap_or_default(),
        }),
        Logins::Locked { json } => match ask(LoginsCall::Locked {})? {
            LoginsReply::Locked { locked } if json => print_json(&locked),
            LoginsReply::Locked { locked } => locked.iter().try_for_each(|one| {
                let who = output::plain(&one.who);
                print(&format!(
                    "{who}  {} failures, waits {} s",
                    one.failures, one.seconds
                ))
            }),
            _ => Err(unexpected()),
        },
        Logins::Unlock { who } => done(LoginsCall::Unlock { who }),
    }
}

fn show_logins(logins: &[LoginInfo]) -> Result<(), Failure> {
    for login in logins {
        let who = match &login.principal {
            Principal::User { user } => format!("{} ({})", user.upn, user.way),
            principal => principal.to_string(),
        };
        let address = login.address.map_or("-".to_owned(), |ip| ip.to_string());
        let browser = output::plain(&login.browser);
        print(&format!(
            "{}  {}  {address}  used {} ago  {browser}",
            login.id,
            output::plain(&who),
            ago(login.used)
        ))?;
    }
    Ok(())
}

/// How long ago that was, in the largest unit that says something.
fn ago(seconds: u64) -> String {
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.min(u64::from(u32::MAX)));
    let age = then.elapsed().unwrap_or_default().as_secs();
    match age {
        0..60 => format!("{age} s"),
        60..3600 => format!("{} min", age / 60),
        3600..172_800 => format!("{} h", age / 3600),
        _ => format!("{} days", age / 86_400),
    }
}

pub(super) fn admin(command: &Admin) -> Result<(), Failure> {
    let Admin::Password { .. } = command;
    match ask(LoginsCall::ResetPassword {})? {
        LoginsReply::Password { user, password } => {
            print(&format!("user: {user}\npassword: {}", password.expose()))
        }
        _ => Err(unexpected()),
    }
}

pub(super) fn api_key(command: ApiKey) -> Result<(), Failure> {
    match command {
        ApiKey::New {
            name,
            secret_file,
            key_file,
        } => {
            let both = key_file.is_some();
            let path = key_file.or(secret_file).unwrap_or_default();
            // Before there is a key: one whose secret nobody has would be of no use.
            let mut file = new_file(&path)?;
            let made = ask(LoginsCall::NewKey { name }).and_then(|reply| match reply {
                LoginsReply::Key { key, secret } => {
                    let secret = secret.expose();
                    let text = if both {
                        format!("{key}\n{secret}\n")
                    } else {
                        format!("{secret}\n")
                    };
                    file.write_all(text.as_bytes())
                        .and_then(|()| file.sync_all())
                        .map_err(|error| about(&path, &error))?;
                    Ok(key)
                }
                _ => Err(unexpected()),
            });
            match made {
                Ok(key) => print(&key),
                Err(failure) => {
                    let _gone = std::fs::remove_file(&path);
                    Err(failure)
                }
            }
        }
        ApiKey::List { json } => match ask(LoginsCall::Keys {})? {
            LoginsReply::Keys { keys } if json => print_json(&keys),
            LoginsReply::Keys { keys } => keys
                .iter()
                .try_for_each(|key| print(&format!("{}  {}", key.key, output::plain(&key.name)))),
            _ => Err(unexpected()),
        },
        ApiKey::Revoke { key } => done(LoginsCall::RevokeKey { key }),
    }
}

/// A file that wasn't there and that only we can read.
fn new_file(path: &Path) -> Result<std::fs::File, Failure> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| about(path, &error))
}

fn about(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("{}: {error}", path.display()))
}

pub(super) fn auth(command: AuthTool) -> Result<(), Failure> {
    let AuthTool::Check { object } = command;
    let object = if object == "-" {
        let mut text = String::new();
        std::io::stdin()
            .take(MAX_OBJECT)
            .read_to_string(&mut text)
            .map_err(output::doing("standard input"))?;
        text
    } else {
        object
    };
    match ask(LoginsCall::Check { object })? {
        LoginsReply::Checked {
            user: Some(user), ..
        } => print(&format!("good, for {user}")),
        LoginsReply::Checked { problem, .. } => {
            Err(Failure::new(Code::Usage, problem.unwrap_or_default()))
        }
        _ => Err(unexpected()),
    }
}

pub(super) fn token(command: Token) -> Result<(), Failure> {
    let Token::New { user } = command;
    match ask(LoginsCall::NewToken { user })? {
        LoginsReply::Token { token } => print(token.expose()),
        _ => Err(unexpected()),
    }
}

fn done(about: LoginsCall) -> Result<(), Failure> {
    match ask(about)? {
        LoginsReply::Done { .. } => Ok(()),
        _ => Err(unexpected()),
    }
}

fn print(line: &str) -> Result<(), Failure> {
    let _seen = output::line(line)?;
    Ok(())
}

fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print(&serde_json::to_string_pretty(value).map_err(Failure::failed)?)
}
