//! Logging in to a Gatepost on another machine, and remembering it as a browser does.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::role::client::folders;
use crate::role::exit::{Code, Failure};
use crate::role::output::{self, plain};
use crate::system::private_folder;

use super::http::{cookies, send, whole};
use super::key::with_key;
use super::{Place, Remote, chosen};

/// Longest file or line read, in bytes.
const MAX_READ: u64 = 64 << 10;
/// Rounds of questions before it is given up: as many as the server asks at most.
const MAX_ROUNDS: usize = 16;

/// What `gatepost --host … login` takes.
#[derive(Debug, Args)]
pub(in crate::role) struct LoginArguments {
    /// Log in as this user, with whatever is asked (usually a password). Without it: with a one-time
    /// token, or the address `gatepost url` prints on that machine.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Log in as that user with the API key in this file, as `gatepost api-key new --key-file` makes it on
    /// the other machine; nothing is asked. It has to be closed to others.
    #[arg(long, value_name = "FILE", requires = "user")]
    key: Option<PathBuf>,
}

/// What is kept of a login: readable by its user only.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Remembered {
    /// The cookie as it is sent.
    pub(super) cookie: String,
    /// The certificate that was pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fingerprint: Option<String>,
}

fn file(place: &Place) -> Result<PathBuf, Failure> {
    Ok(folders()?.state.join("remote").join(place.file_name()))
}

/// The login at this place, if there is one.
pub(super) fn remembered(place: &Place) -> Result<Option<Remembered>, Failure> {
    let path = file(place)?;
    match std::fs::read(&path) {
        // Damaged means: log in again.
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::failed(format!("{}: {error}", path.display()))),
    }
}

fn remember(place: &Place, login: &Remembered) -> Result<(), Failure> {
    let path = file(place)?;
    let cannot = |error: &dyn std::fmt::Display| {
        Failure::failed(format!(
            "the login can't be kept in {}: {error}",
            path.display()
        ))
    };
    if let Some(folder) = path.parent() {
        private_folder(folder).map_err(|error| cannot(&error))?;
    }
    let fresh = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(|error| cannot(&error))?;
    let json = serde_json::to_vec(login).map_err(Failure::failed)?;
    file.write_all(&json).map_err(|error| cannot(&error))?;
    std::fs::rename(&fresh, &path).map_err(|error| cannot(&error))
}

/// What to do without a login.
pub(super) fn not_logged_in(place: &Place) -> Failure {
    Failure::new(
        Code::Denied,
        format!("not logged in at {place}; log in with: gatepost --host {place} login"),
    )
}

fn remote() -> Result<&'static Remote, Failure> {
    chosen().ok_or_else(|| {
        Failure::new(
            Code::Usage,
            "on this machine there is nothing to log in to; say where: gatepost --host https://HOST login",
        )
    })
}

/// `gatepost --host … login`
pub(in crate::role) fn log_in(arguments: &LoginArguments) -> Result<(), Failure> {
    let remote = remote()?;
    let cookie = match (
        &arguments.user,
        &arguments.key,
        &remote.arguments.token_file,
    ) {
        (Some(user), Some(key), _) => running(with_key(remote, user, key))?,
        (Some(user), None, _) => running(conversation(remote, user))?,
        (None, _, Some(file)) => with_token_file(remote, file)?,
        (None, _, None) => {
            let said = ask(
                "One-time token or address (from `gatepost url` there): ",
                false,
            )?;
            running(with_token(remote, token_of(&said)?))?
        }
    };
    let fingerprint = remote.trust.pinned().map(|pinned| pinned.to_string());
    remember(
        remote.address(),
        &Remembered {
            cookie,
            fingerprint,
        },
    )?;
    output::say(&format!("logged in at {}", remote.address()));
    Ok(())
}

/// `gatepost --host … logout`
pub(in crate::role) fn log_out() -> Result<(), Failure> {
    let remote = remote()?;
    let place = remote.address();
    let Some(login) = remembered(place)? else {
        return Err(not_logged_in(place));
    };
    let told = running(async { send(remote, "api/logout", Some(&login.cookie), &json!({})).await });
    // Whatever the server says, this side forgets.
    std::fs::remove_file(file(place)?).map_err(Failure::failed)?;
    told.map(drop)
}

/// Logs in with the token in this file, for one command.
pub(super) fn with_token_file(remote: &Remote, file: &Path) -> Result<String, Failure> {
    let cannot =
        |error: io::Error| Failure::new(Code::Usage, format!("{}: {error}", file.display()));
    let mut text = String::new();
    if file == Path::new("-") {
        io::stdin()
            .take(MAX_READ)
            .read_to_string(&mut text)
            .map_err(cannot)?;
    } else {
        let opened = std::fs::File::open(file).map_err(cannot)?;
        opened
            .take(MAX_READ)
            .read_to_string(&mut text)
            .map_err(cannot)?;
    }
    let token = token_of(&text)?;
    running(with_token(remote, token))
}

/// The token in what was said: itself, or in the fragment of an address.
fn token_of(said: &str) -> Result<String, Failure> {
    let said = said.trim();
    let token = said.split_once("#token=").map_or(said, |(_, token)| token);
    let token = token.split('&').next().unwrap_or_default();
    if token.len() == 64 && token.chars().all(|c| c.is_ascii_hexdigit()) {
        Ok(token.to_owned())
    } else {
        Err(Failure::new(
            Code::Usage,
            "that is no one-time token; on that machine, gatepost url prints an address with one",
        ))
    }
}

async fn with_token(remote: &Remote, token: String) -> Result<String, Failure> {
    let answer = send(remote, "api/login", None, &json!({ "token": token })).await?;
    login_cookie(cookies(answer.headers()))
}

pub(super) fn login_cookie(cookies: Vec<String>) -> Result<String, Failure> {
    let is_login = |cookie: &String| cookie.contains("gatepost_login_");
    cookies
        .into_iter()
        .find(is_login)
        .ok_or_else(|| Failure::failed("the server gave no login; is it a Gatepost?"))
}

/// Questions and answers until the server is content.
async fn conversation(remote: &Remote, user: &str) -> Result<String, Failure> {
    let mut body = json!({ "user": user });
    let mut begun: Option<String> = None;
    for _ in 0..MAX_ROUNDS {
        let answer = send(remote, "api/login/pam", begun.as_deref(), &body).await?;
        let set = cookies(answer.headers());
        if answer.status() == http::StatusCode::NO_CONTENT {
            return login_cookie(set);
        }
        begun = set
            .into_iter()
            .find(|cookie| cookie.contains("gatepost_begun_"))
            .or(begun);
        let turn: Turn = serde_json::from_slice(&whole(answer).await?).map_err(Failure::failed)?;
        for note in &turn.notes {
            output::say(&plain(&note.text));
        }
        let mut answers = Vec::new();
        for prompt in &turn.prompts {
            answers.push(Value::String(ask(&plain(&prompt.text), !prompt.echo)?));
        }
        body = json!({ "conversation": turn.conversation, "answers": answers });
    }
    Err(Failure::new(
        Code::Denied,
        "the server asks and asks; giving up",
    ))
}

#[derive(Deserialize)]
struct Turn {
    conversation: String,
    #[serde(default)]
    notes: Vec<Said>,
    prompts: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    text: String,
    #[serde(default)]
    echo: bool,
}

fn running<T>(what: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::failed)?
        .block_on(what)
}

/// Asks the person, or reads the next line of standard input when nobody is there.
fn ask(question: &str, secret: bool) -> Result<String, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        // Nothing can be done for a person whose terminal takes no question.
        let _gone = write!(io::stderr(), "{question}");
    }
    let hidden = (secret && stdin.is_terminal()).then(|| Hidden::hide(stdin.as_fd()));
    let mut line = String::new();
    let read = stdin.lock().take(MAX_READ).read_line(&mut line);
    if let Some(hidden) = hidden {
        drop(hidden);
        let _gone = writeln!(io::stderr());
    }
    match read {
        Ok(0) => Err(Failure::new(
            Code::Usage,
            "nobody answers on standard input",
        )),
        Ok(_) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) => Err(Failure::failed(format!("standard input: {error}"))),
    }
}

/// What is typed isn't shown, until this is dropped.
struct Hidden<'a> {
    terminal: std::os::fd::BorrowedFd<'a>,
    before: Option<rustix::termios::Termios>,
}

impl<'a> Hidden<'a> {
    fn hide(terminal: std::os::fd::BorrowedFd<'a>) -> Self {
        let before = tcgetattr(terminal).ok();
        if let Some(before) = &before {
            let mut hidden = before.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            let _shown = tcsetattr(terminal, OptionalActions::Flush, &hidden);
        }
        Self { terminal, before }
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _gone = tcsetattr(self.terminal, OptionalActions::Drain, before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_bare_and_from_an_address() {
        let token = "ab".repeat(32);
        for said in [
            token.clone(),
            format!(" {token}\n"),
            format!("https://kiosk:8722/#token={token}"),
            format!("http://127.0.0.1:8722/#token={token}&kiosk=1\n"),
        ] {
            assert_eq!(token_of(&said).ok(), Some(token.clone()), "{said}");
        }
        for bad in ["", "abc", &"g".repeat(64), &"a".repeat(65)] {
            assert!(token_of(bad).is_err(), "{bad}");
        }
    }
}
