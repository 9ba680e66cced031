//! The window's link to the server: asks the control socket for an address until it gets one.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::kiosk::navigation::Home;
use crate::wire::control::{Answer, Call};
use crate::wire::kiosk::WindowSettings;

/// Longest answer believed, in bytes. An address is two hundred.
const MAX_ANSWER: usize = 64 << 10;
/// How long the server may take over an answer it makes from memory.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// First wait after a failure; a server that is just starting is there by then.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// Longest wait: nobody likes to look at black for longer once the server is back.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What the server gave.
#[derive(Debug)]
pub(super) struct Given {
    /// An address with a one-time token in its fragment. Never log it.
    pub(super) url: String,
    /// Its page.
    pub(super) home: Home,
    /// How the window is to be, if the server says so.
    pub(super) settings: Option<WindowSettings>,
}

/// What the link has to tell.
#[derive(Debug)]
pub(super) enum News {
    /// An address.
    Given(Given),
    /// There is none yet; it goes on trying. Once for each time one is wanted.
    NoServer,
}

/// Why there is no address (yet).
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Nobody answers at the socket.
    #[error("no server at {path}: {error}", path = path.display())]
    NoServer {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The folder of the socket belongs to somebody who could show us anything.
    #[error("{path} belongs to user {owner}; it must be ours, root's or in a folder of theirs", path = path.display())]
    Stranger {
        /// The folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// The server said no.
    #[error("the server refused: {0}")]
    Refused(String),
    /// The server said something else.
    #[error("the server's answer makes no sense: {0}")]
    Nonsense(String),
}

/// Asks the server for an address, and says how many pages were lost since it gave the last one.
pub(super) fn ask(control_socket: &Path, lost: u32) -> Result<Given, LinkError> {
    refuse_strangers(control_socket)?;
    let no_server = |error| LinkError::NoServer {
        path: control_socket.to_owned(),
        error,
    };
    let call = Call::Url { kiosk: true, lost };
    let answer = exchange(control_socket, &call).map_err(no_server)?;
    match serde_json::from_slice(&answer) {
        Ok(Answer::Url { url, window }) => match Home::of(&url) {
            Some(home) => Ok(Given {
                url,
                home,
                settings: window,
            }),
            None => Err(LinkError::Nonsense("not an address".to_owned())),
        },
        Ok(Answer::Refused { message, .. }) => Err(LinkError::Refused(message)),
        Ok(_) => Err(LinkError::Nonsense("not an address".to_owned())),
        Err(error) => Err(LinkError::Nonsense(error.to_string())),
    }
}

fn exchange(control_socket: &Path, call: &Call) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(control_socket)?;
    stream.set_read_timeout(Some(ANSWER_TIME))?;
    stream.set_write_timeout(Some(ANSWER_TIME))?;
    let call = serde_json::to_vec(call)?;
    let length = u32::try_from(call.len()).map_err(io::Error::other)?;
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(&call)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_ANSWER {
        return Err(io::Error::other(format!(
            "an answer of {length} bytes, more than {MAX_ANSWER}"
        )));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// Tells the server that there is something to see on the window: a new system that shows its screen
/// stays. Until it is told once; beside everything else, since the window never waits.
#[derive(Debug)]
pub(super) struct Seen {
    control_socket: PathBuf,
    told: Arc<AtomicBool>,
}

impl Seen {
    pub(super) fn new(control_socket: PathBuf) -> Self {
        Self {
            control_socket,
            told: Arc::default(),
        }
    }

    /// There is something to see.
    pub(super) fn tell(&self) {
        if self.told.load(Ordering::Relaxed) {
            return;
        }
        let (path, told) = (self.control_socket.clone(), self.told.clone());
        let telling = move || {
            let answer = refuse_strangers(&path)
                .map_err(io::Error::other)
                .and_then(|()| exchange(&path, &Call::Painted {}));
            match answer.map(|answer| serde_json::from_slice(&answer)) {
                Ok(Ok(Answer::Noted {})) => told.store(true, Ordering::Relaxed),
                // An older server doesn't know the word, and has no use for it. The next page tries again.
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "the server was not told"),
            }
        };
        if let Err(error) = thread::Builder::new()
            .name("seen".to_owned())
            .spawn(telling)
        {
            tracing::warn!(%error, "no thread to tell the server");
        }
    }
}

/// In a folder anybody can write to (`/tmp`), anybody could have put up a socket in our name.
fn refuse_strangers(control_socket: &Path) -> Result<(), LinkError> {
    use std::os::unix::fs::MetadataExt as _;
    const OTHERS_MAY_WRITE: u32 = 0o002;
    let Some(folder) = control_socket.parent() else {
        return Ok(());
    };
    let (Ok(itself), Some(Ok(above))) = (
        folder.symlink_metadata(),
        folder.parent().map(Path::symlink_metadata),
    ) else {
        return Ok(());
    };
    let ours = [0, rustix::process::geteuid().as_raw()].contains(&itself.uid());
    if above.mode() & OTHERS_MAY_WRITE != 0 && !(ours && itself.is_dir()) {
        return Err(LinkError::Stranger {
            path: folder.to_owned(),
            owner: itself.uid(),
        });
    }
    Ok(())
}

/// Answers each request on `wanted` with an address passed to `deliver`, however long it takes.
/// Returns when the other end of `wanted` is gone or `deliver` says that nobody listens.
///
/// Each request says whether it is for a page that was lost.
pub(super) fn serve(
    control_socket: &Path,
    wanted: &Receiver<bool>,
    mut deliver: impl FnMut(News) -> bool,
) {
    let mut last_trouble = String::new();
    while let Ok(lost) = wanted.recv() {
        let mut lost = u32::from(lost);
        let mut wait = Duration::ZERO;
        let given = loop {
            match ask(control_socket, lost) {
                Ok(given) => break given,
                Err(error) => {
                    let trouble = error.to_string();
                    // Once, not at every try: a log that fills a card is a fault of its own.
                    if trouble != last_trouble {
                        tracing::warn!(%error, "waiting for the server");
                        last_trouble = trouble;
                    }
                }
            }
            if wait.is_zero() && !deliver(News::NoServer) {
                return;
            }
            wait = longer(wait);
            match pause(wanted, wait) {
                Some(more) => lost = lost.saturating_add(more),
                None => return,
            }
        };
        tracing::info!("the server answers");
        last_trouble.clear();
        if !deliver(News::Given(given)) {
            return;
        }
    }
}

/// Waits; further requests meanwhile are the same request, and the value is how many of them were for a
/// page that was lost. None if the window is gone.
fn pause(wanted: &Receiver<bool>, time: Duration) -> Option<u32> {
    let end = Instant::now() + time;
    let mut more: u32 = 0;
    loop {
        match wanted.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(lost) => more = more.saturating_add(lost.into()),
            Err(RecvTimeoutError::Timeout) => return Some(more),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

/// Waits double up to the limit.
fn longer(wait: Duration) -> Duration {
    (wait * 2).clamp(FIRST_WAIT, LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::sync::mpsc;

    fn answer_with(folder: &Path, answer: Vec<u8>) -> (PathBuf, thread::JoinHandle<Vec<u8>>) {
        let socket = folder.join("control.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut length = [0; 4];
            stream.read_exact(&mut length).unwrap();
            let mut call = vec![0; u32::from_be_bytes(length) as usize];
            stream.read_exact(&mut call).unwrap();
            stream.write_all(&answer).unwrap();
            call
        });
        (socket, server)
    }

    fn framed(answer: &str) -> Vec<u8> {
        let length = u32::try_from(answer.len()).unwrap();
        [&length.to_be_bytes()[..], answer.as_bytes()].concat()
    }

    #[test]
    fn the_server_is_asked_for_a_kiosk_address() {
        let folder = tempfile::tempdir().unwrap();
        let url = "http://127.0.0.1:1/#token=0&kiosk=1";
        let answer = framed(&format!(r#"{{"answer":"url","url":"{url}"}}"#));
        let (socket, server) = answer_with(folder.path(), answer);
        let given = ask(&socket, 0).unwrap();
        assert_eq!((given.url.as_str(), given.settings), (url, None));
        assert_eq!(server.join().unwrap(), br#"{"call":"url","kiosk":true}"#);
    }

    #[test]
    fn the_server_is_told_once_that_there_is_something_to_see() {
        let folder = tempfile::tempdir().unwrap();
        let (socket, server) = answer_with(folder.path(), framed(r#"{"answer":"noted"}"#));
        let seen = Seen::new(socket);
        seen.tell();
        assert_eq!(server.join().unwrap(), br#"{"call":"painted"}"#);
        let deadline = Instant::now() + Duration::from_secs(20);
        while !seen.told.load(Ordering::Relaxed) {
            assert!(Instant::now() < deadline);
            thread::yield_now();
        }
        // Nobody listens any more, and nobody is asked.
        seen.tell();
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for (answer, expected) in [
            (
                framed(r#"{"answer":"refused","kind":"denied","message":"not you"}"#),
                "not you",
            ),
            (
                framed(r#"{"answer":"url","url":"file:///etc/passwd"}"#),
                "not an address",
            ),
            (framed(r#"{"answer":"attached"}"#), "not an address"),
            (framed("hello"), "makes no sense"),
            ((64_u32 << 10 | 1).to_be_bytes().to_vec(), "more than 65536"),
            (vec![0, 0], "no server"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let (socket, server) = answer_with(folder.path(), answer);
            let error = ask(&socket, 0).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            server.join().unwrap();
        }
    }

    #[test]
    fn a_server_that_starts_later_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("control.sock");
        let (want, wanted) = mpsc::channel();
        let (give, given) = mpsc::channel();
        let path = socket.clone();
        let link = thread::spawn(move || {
            serve(&path, &wanted, |news| give.send(news).is_ok());
        });
        want.send(true).unwrap();
        let first = given.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(matches!(first, News::NoServer));
        let answer = framed(r#"{"answer":"url","url":"http://localhost:1/#token=0"}"#);
        let (_, server) = answer_with(folder.path(), answer);
        match given.recv_timeout(Duration::from_secs(10)).unwrap() {
            News::Given(given) => assert_eq!(given.url, "http://localhost:1/#token=0"),
            News::NoServer => panic!("said twice"),
        }
        let asked = server.join().unwrap();
        assert_eq!(asked, br#"{"call":"url","kiosk":true,"lost":1}"#);
        drop(want);
        link.join().unwrap();
    }

    #[test]
    fn waits_double_up_to_a_limit() {
        assert_eq!(longer(Duration::ZERO), FIRST_WAIT);
        assert_eq!(longer(FIRST_WAIT), FIRST_WAIT * 2);
        assert_eq!(longer(LONGEST_WAIT), LONGEST_WAIT);
    }
}
