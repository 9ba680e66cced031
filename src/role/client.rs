//! The commands' side of the control socket. Blocking: a command does one thing.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use crate::action::{Action, Outcome, TerminalInfo, Which};
use crate::config::Folders;
use crate::wire::control::{Answer, Call, MAX_MESSAGE};
use crate::wire::frame;

use super::exit::{Code, Failure};
use super::remote;

/// The folders of the user who runs us.
pub(super) fn folders() -> Result<Folders, Failure> {
    let uid = rustix::process::geteuid().as_raw();
    Folders::from_environment(uid, |name| std::env::var_os(name))
        .map_err(|error| Failure::new(Code::Usage, error.to_string()))
}

/// Sends a call and reads its answer; refusals become failures. The stream carries what follows.
pub(super) fn call(call: &Call) -> Result<(Answer, UnixStream), Failure> {
    if let Some(remote) = remote::chosen() {
        return remote.call(call);
    }
    let path = folders()?.control_socket();
    let mut stream = UnixStream::connect(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => Failure::new(
            Code::NoServer,
            format!(
                "no server answers at {}; start one with: gatepost serve",
                path.display()
            ),
        ),
        ErrorKind::PermissionDenied => Failure::new(
            Code::Denied,
            format!("{}: the server belongs to another user", path.display()),
        ),
        _ => Failure::failed(format!("{}: {error}", path.display())),
    })?;
    let answer = converse(&mut stream, call).map_err(|error| {
        Failure::new(
            Code::NoServer,
            format!("the server closed the connection without an answer: {error}"),
        )
    })?;
    match answer {
        Answer::Refused { kind, message } => Err(Failure::new(kind.into(), message)),
        answer => Ok((answer, stream)),
    }
}

fn converse(stream: &mut UnixStream, call: &Call) -> io::Result<Answer> {
    let json = serde_json::to_vec(call)?;
    let mut message = Vec::with_capacity(json.len() + 4);
    frame::prefixed(&mut message, |out| out.extend(json));
    stream.write_all(&message)?;
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix)?;
    let length = frame::length(&prefix, MAX_MESSAGE)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?
        .unwrap_or(0);
    let mut answer = Vec::new();
    let length = u64::try_from(length).map_err(io::Error::other)?;
    stream.take(length).read_to_end(&mut answer)?;
    Ok(serde_json::from_slice(&answer)?)
}

/// Has an action done.
pub(super) fn act(action: Action<Which>) -> Result<Outcome, Failure> {
    match call(&Call::Act { action })? {
        (Answer::Done { outcome }, _) => Ok(outcome),
        _ => Err(unexpected()),
    }
}

/// All terminals.
pub(super) fn list() -> Result<Vec<TerminalInfo>, Failure> {
    match act(Action::ListTerminals {})? {
        Outcome::Terminals { terminals } => Ok(terminals),
        _ => Err(unexpected()),
    }
}

/// The terminal a person means, for the server to look up.
pub(super) fn which(text: &str) -> Result<Which, Failure> {
    text.parse().map_err(|error| {
        Failure::new(
            Code::NotFound,
            format!("no terminal is called {text:?}: {error}"),
        )
    })
}

/// The server answered something else than was asked.
pub(super) fn unexpected() -> Failure {
    Failure::failed(
        "the server's answer makes no sense; are gatepost and its server of the same version?",
    )
}
