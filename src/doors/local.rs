//! The control socket: `gatepost`'s subcommands and the kiosk window on the same machine, known by
//! their Unix uid.

mod buttons;
pub mod kiosk;
mod logins;
mod screen;

use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{Auth, AuthError};
use crate::base::{Door, Principal};
use crate::control::{Control, ControlError, Seat};
use crate::hardware::Board;
use crate::policy::Problem;
use crate::terminals::KeeperStream;
use crate::wire::control::{Answer, Call, MAX_MESSAGE, RefusalKind};
use crate::wire::frame;
use crate::wire::kiosk::WindowSettings;
use crate::wire::message::Attach;

/// Connections at a time: every `gatepost terminal attach` is one.
const MAX_CONNECTIONS: usize = 512;
/// How long a client may take to say what it wants.
const FIRST_MESSAGE: Duration = Duration::from_secs(10);
/// Pause after an `accept` that failed, as when no descriptors are left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Everything the door needs.
#[derive(Debug)]
pub struct Local {
    /// Where actions happen.
    pub control: Control,
    /// The machine's buttons.
    pub board: Board,
    /// Where tokens come from.
    pub auth: Arc<Auth>,
    /// The address login URLs for people begin with, ending in `/`.
    pub address: String,
    /// The same for the kiosk window, which is on this machine.
    pub kiosk_address: String,
}

/// Listens on `path`, replacing whatever socket an ended server left there.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // The folder is private already; this holds where somebody opens it up.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Who may come in at a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guests {
    /// The user we run as, and root.
    Owner,
    /// Whoever could reach the socket, as the kiosk.
    Kiosk,
}

/// Serves until `stop`.
pub async fn serve(
    listener: UnixListener,
    guests: Guests,
    local: Arc<Local>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the control socket can't accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (local, stop) = (local.clone(), stop.clone());
        let permit = room.clone().try_acquire_owned();
        tasks.spawn(async move {
            let (mut stream, peer) = match check(stream, guests) {
                Ok(known) => known,
                Err(error) => {
                    tracing::warn!(%error, "control connection refused");
                    return;
                }
            };
            if permit.is_err() {
                let message = format!("{MAX_CONNECTIONS} programs are connected already; end some");
                let _gone = answer(&mut stream, &refused(RefusalKind::Limit, message)).await;
                return;
            }
            tracing::debug!(peer, "control connection");
            tokio::select! {
                result = converse(stream, guests, &local) => if let Err(error) = result {
                    tracing::debug!(%error, "control connection ended");
                },
                () = stop.cancelled() => {}
            }
        });
    }
}

fn check(stream: UnixStream, guests: Guests) -> io::Result<(UnixStream, u32)> {
    let peer = stream.peer_cred()?.uid();
    if guests == Guests::Kiosk || peer == 0 || peer == rustix::process::geteuid().as_raw() {
        Ok((stream, peer))
    } else {
        Err(io::Error::new(
            ErrorKind::PermissionDenied,
            format!("uid {peer} may not use this server"),
        ))
    }
}

async fn converse(mut stream: UnixStream, guests: Guests, local: &Local) -> io::Result<()> {
    let call = match tokio::time::timeout(FIRST_MESSAGE, read_call(&mut stream)).await {
        Ok(call) => call?,
        Err(_elapsed) => return Err(ErrorKind::TimedOut.into()),
    };
    let call = match call {
        Ok(call) => call,
        Err(reason) => {
            let reason = format!(
                "not understood: {reason}; are gatepost and its server of the same version?"
            );
            return answer(&mut stream, &refused(RefusalKind::Invalid, reason)).await;
        }
    };
    let by = match guests {
        Guests::Owner => Some(Principal::Owner {}),
        Guests::Kiosk => kiosk::caller(&call),
    };
    let Some(by) = by else {
        let message = "this is not the kiosk's to ask; ask at the server's own control socket";
        return answer(
            &mut stream,
            &refused(RefusalKind::Denied, message.to_owned()),
        )
        .await;
    };
    match call {
        Call::Url { kiosk, lost } => {
            if kiosk {
                local.control.screen().pages_lost(lost);
            }
            let reply = match login_url(local, kiosk) {
                Ok(url) => Answer::Url {
                    url,
                    window: kiosk.then(|| window_settings(local)),
                },
                Err(error @ AuthError::TooMany) => refused(RefusalKind::Limit, error.to_string()),
                Err(error) => refused(RefusalKind::Failed, error.to_string()),
            };
            answer(&mut stream, &reply).await
        }
        Call::Painted {} => {
            answer(&mut stream, &Answer::Noted {}).await?;
            local.control.screen_is_seen().await;
            Ok(())
        }
        Call::Configuration {} => {
            let rules = local.control.rules();
            let lines = |problems: &[Problem]| problems.iter().map(Problem::to_string).collect();
            let waiting = rules.waiting().iter();
            let waiting = waiting.map(|key| {
                format!("{key}: has changed, and waits until the server is started again")
            });
            let warnings: Vec<String> = lines(rules.warnings());
            let reply = Answer::Configuration {
                refused: lines(rules.refused()),
                warnings: warnings.into_iter().chain(waiting).collect(),
            };
            answer(&mut stream, &reply).await
        }
        Call::Act { action } => {
            let done = local.control.submit_said(action, by, Door::Local, None);
            let reply = match done.await {
                Ok(outcome) => Answer::Done { outcome },
                Err(error) => refusal(&error),
            };
            answer(&mut stream, &reply).await
        }
        Call::Attach { terminal, attach } => match view(local, &terminal, attach, &by).await {
            Ok((keeper, _seat)) => {
                answer(&mut stream, &Answer::Attached {}).await?;
                relay(stream, keeper).await
            }
            Err(error) => answer(&mut stream, &refusal(&error)).await,
        },
        Call::Display {} => screen::serve(stream, &local.control).await,
        Call::Buttons { about } => buttons::reply(stream, local, about).await,
        Call::Logins { about } => answer(&mut stream, &logins::reply(local, about).await).await,
        Call::Ask { terminal, request } => {
            let keeper = async {
                let meant = local.control.meant(&terminal, &by, Door::Local, None);
                let terminal = meant.await?;
                let control = &local.control;
                control
                    .look(terminal, request, &by, Door::Local, None)
                    .await
            };
            match keeper.await {
                Ok(keeper) => {
                    answer(&mut stream, &Answer::Attached {}).await?;
                    relay(stream, keeper).await
                }
                Err(error) => answer(&mut stream, &refusal(&error)).await,
            }
        }
    }
}

async fn view(
    local: &Local,
    terminal: &str,
    attach: Attach,
    by: &Principal,
) -> Result<(KeeperStream, Seat), ControlError> {
    let terminal = local.control.meant(terminal, by, Door::Local, None).await?;
    local
        .control
        .attach(terminal, attach, by, Door::Local, "this machine")
        .await
}

/// A fresh login address, for a person or for the kiosk window.
pub fn login_url(local: &Local, kiosk: bool) -> Result<String, AuthError> {
    let (principal, address, more) = if kiosk {
        let more = if local.control.people_log_in() {
            "&kiosk=1&login=1"
        } else {
            "&kiosk=1"
        };
        (Principal::Kiosk {}, &local.kiosk_address, more)
    } else {
        (Principal::Owner {}, &local.address, "")
    };
    // In the fragment, which a browser sends to nobody and no proxy logs.
    let token = local.auth.page_token(principal)?.expose_hex();
    Ok(format!("{address}#token={token}{more}"))
}

/// How the kiosk's window is to be.
fn window_settings(local: &Local) -> WindowSettings {
    let rules = local.control.rules();
    let settings = rules.settings_for(&Principal::Kiosk {}, None);
    let kiosk = &settings.kiosk;
    let keys = kiosk.keys();
    WindowSettings {
        cursor: settings.display.cursor,
        zoom: kiosk.zoom,
        blocked_chords: kiosk.blocked_chords.clone(),
        admin_chord: kiosk.admin_chord.clone(),
        admin_idle: kiosk.admin_idle,
        memory_limit: kiosk.memory_limit,
        keys,
    }
}

/// Passes frames both ways until one side closes.
async fn relay(stream: UnixStream, keeper: KeeperStream) -> io::Result<()> {
    let (mut from_client, mut to_client) = stream.into_split();
    let (mut from_keeper, mut to_keeper) = keeper.split();
    let down = async {
        while let Some(frame) = from_keeper.next_frame().await? {
            let length = u32::try_from(frame.len()).map_err(io::Error::other)?;
            let length = length.to_be_bytes();
            let mut both = bytes::Buf::chain(&length[..], frame);
            to_client.write_all_buf(&mut both).await?;
        }
        Ok(())
    };
    let up = async {
        while let Some(frame) = read_message(&mut from_client, frame::MAX_FROM_VIEWER).await? {
            to_keeper.relay(&frame).await?;
        }
        Ok(())
    };
    tokio::select! {
        result = down => result,
        result = up => result,
    }
}

/// One message after its length; `None` at the end of the stream.
async fn read_message(
    stream: &mut (impl tokio::io::AsyncRead + Unpin),
    limit: usize,
) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = [0; 4];
    match stream.read_exact(&mut prefix).await {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    };
    let length = frame::length(&prefix, limit)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?
        .unwrap_or(0);
    let mut message = Vec::new();
    // Grows with what really comes, not with what was announced.
    let read = (&mut *stream)
        .take(u64::try_from(length).unwrap_or(u64::MAX))
        .read_to_end(&mut message)
        .await?;
    if read < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(message))
}

async fn read_call(stream: &mut UnixStream) -> io::Result<Result<Call, String>> {
    match read_message(stream, MAX_MESSAGE).await? {
        Some(message) => Ok(serde_json::from_slice(&message).map_err(|error| error.to_string())),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}

async fn answer(stream: &mut UnixStream, answer: &Answer) -> io::Result<()> {
    send(stream, answer).await
}

/// Sends a message after its length.
async fn send(stream: &mut UnixStream, message: &impl serde::Serialize) -> io::Result<()> {
    let json = serde_json::to_vec(message)?;
    let mut message = Vec::with_capacity(json.len() + 4);
    frame::prefixed(&mut message, |out| out.extend(json));
    stream.write_all(&message).await
}

fn refusal(error: &ControlError) -> Answer {
    refused(error.kind(), error.to_string())
}

fn refused(kind: RefusalKind, message: String) -> Answer {
    Answer::Refused { kind, message }
}
