//! `ws/terminal`: frames between a browser and a keeper. A connection that isn't encrypted is handed to
//! the keeper once its first message is in order. On others bytes are moved, not looked at, except for
//! requests that change something: those have to come as actions.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval_at};
use tokio_tungstenite::tungstenite::Message;

use crate::auth::Login;
use crate::base::{Principal, Secret, TerminalId};
use crate::control::Seat;
use crate::policy::settings::Capability;
use crate::terminals::{Attached, KeeperLine, KeeperReader, KeeperStream, KeeperWriter};
use crate::wire::control::RefusalKind;
use crate::wire::frame::{self, FromViewer, ToViewer};
use crate::wire::message::{Attach, Failure, FailureKind, MUST_BE_AN_ACTION};

use super::login::address;
use super::problem::Problem;
use super::socket::{Close, Pulse, Receiver, Sender, Socket};
use super::stream::Aside;
use super::{Web, upgrade as websocket};

/// Answers of ours that may wait to be sent between the keeper's frames.
const OWN_ANSWERS: usize = 8;
/// How long a keeper may take to let go of a browser's connection.
const BACK: Duration = Duration::from_secs(1);

/// The first message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    token: String,
    terminal: TerminalId,
    attach: Attach,
}

/// `GET ws/terminal`
pub(super) async fn upgrade(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let from = address(request.extensions());
    websocket::accept(&web, request, move |web, login, socket| {
        run(web, login, socket, from)
    })
}

async fn run(web: Web, login: Login, mut socket: Socket, from: IpAddr) {
    match open(&web, &login, &mut socket, from).await {
        Ok((terminal, Attached::Relayed(keeper), seat)) => {
            let relayed = relay(&web, &login, (terminal, &seat, from), socket, keeper);
            relayed.await;
        }
        Ok((terminal, Attached::Handed(line), seat)) => {
            if let Some(aside) = socket.set_aside() {
                let watched = watch(&web, &login, (terminal, &seat, from), aside, line);
                watched.await;
            }
        }
        Err(why) => socket.close(why).await,
    }
}

/// While a keeper has the browser's connection: waits for the end of it, of the login, of what the
/// policy allows or of us, and then says which it is.
async fn watch(
    web: &Web,
    login: &Login,
    (terminal, seat, from): (TerminalId, &Seat, IpAddr),
    aside: Aside,
    mut line: KeeperLine,
) {
    let used = async {
        let mut ticks = tokio::time::interval(web.limits.ping);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            web.auth.still_used(login);
        }
    };
    let (why, ended) = tokio::select! {
        (end, whole) = line.ended() => (Close::from(end), Some(whole)),
        why = until_over(web, login, (terminal, seat, from)) => (why, None),
        why = used => (why, None),
    };
    let whole = match ended {
        Some(whole) => whole,
        None => {
            line.ask_back();
            // One that is stopped doesn't answer: the browser then hears no reason.
            let ended = tokio::time::timeout(BACK, line.ended());
            ended.await.is_ok_and(|(_, whole)| whole)
        }
    };
    let why = really(web, terminal, why).await;
    let ours = aside.handle();
    if whole && let Some(socket) = Socket::take_up(aside).await {
        socket.close(why).await;
    }
    // Whoever still has it has nothing of it.
    if let Some(ours) = ours {
        ours.end();
    }
}

/// Waits for whatever ends a viewer that neither it nor the keeper ends.
async fn until_over(
    web: &Web,
    login: &Login,
    (terminal, seat, from): (TerminalId, &Seat, IpAddr),
) -> Close {
    tokio::select! {
        () = web.stop.cancelled() => Close::Away,
        () = login.ended.cancelled() => Close::Token,
        () = web.control.until_less(&login.principal, Some((terminal, seat.access()))) => Close::Violation,
        () = web.control.until_kept_out(from) => Close::Violation,
    }
}

/// The keeper closes when its terminal is gone, and on a viewer that broke its rules.
async fn really(web: &Web, terminal: TerminalId, why: Close) -> Close {
    match why {
        Close::NoTerminal if web.control.is_there(terminal).await => Close::Violation,
        why => why,
    }
}

async fn open(
    web: &Web,
    login: &Login,
    socket: &mut Socket,
    from: IpAddr,
) -> Result<(TerminalId, Attached, Seat), Close> {
    let first = tokio::select! {
        first = socket.first(web.limits.first_message) => first?,
        () = web.stop.cancelled() => return Err(Close::Away),
    };
    let first: First = serde_json::from_str(&first).map_err(|error| {
        // Names the field, never the token.
        tracing::info!(line = error.line(), column = error.column(), category = ?error.classify(), "first message not understood");
        Close::Violation
    })?;
    let token: Secret = first.token.parse().map_err(|_| Close::Token)?;
    web.auth
        .use_socket_token(&token, login)
        .map_err(|_| Close::Token)?;
    let mut attach = first.attach;
    attach.label = match &login.principal {
        Principal::Owner {} => "browser",
        Principal::Kiosk {} => "kiosk",
        Principal::Button { .. } => "button",
        Principal::User { user } => user.upn.as_str(),
    }
    .to_owned();
    let at_kiosk = attach.kiosk;
    let attached = web
        .control
        .attach_browser(
            first.terminal,
            attach,
            &login.principal,
            &from.to_string(),
            socket.browser(&web.limits),
        )
        .await;
    if attached.is_ok() && at_kiosk {
        web.control
            .sits_at_kiosk(login, first.terminal, false)
            .await;
    }
    attached
        .map(|(keeper, seat)| (first.terminal, keeper, seat))
        .map_err(|error| match error.kind() {
            RefusalKind::NotFound => Close::NoTerminal,
            RefusalKind::Limit => Close::TooMany,
            RefusalKind::Denied => Close::Denied,
            RefusalKind::Invalid => Close::Violation,
            RefusalKind::Failed => Close::Away,
        })
}

async fn relay(
    web: &Web,
    login: &Login,
    (terminal, seat, from): (TerminalId, &Seat, IpAddr),
    socket: Socket,
    keeper: KeeperStream,
) {
    let (mut sender, mut receiver) = socket.split();
    let (mut from_keeper, mut to_keeper) = keeper.split();
    let (answers, mut own_answers) = mpsc::channel(OWN_ANSWERS);
    let pulse = Pulse::default();
    let why = tokio::select! {
        why = down(web, login, &pulse, &mut from_keeper, &mut own_answers, &mut sender) => why,
        why = up(&pulse, &mut receiver, &mut to_keeper, &answers) => why,
        why = until_over(web, login, (terminal, seat, from)) => why,
    };
    let why = really(web, terminal, why).await;
    if let Some(socket) = sender.reunite(receiver) {
        socket.close(why).await;
    }
}

/// Keeper to browser. Nothing is read from the keeper before the browser's side has taken what was
/// read before, so that this holds one frame and the keeper's window does the rest.
async fn down(
    web: &Web,
    login: &Login,
    pulse: &Pulse,
    keeper: &mut KeeperReader,
    own: &mut mpsc::Receiver<Vec<u8>>,
    browser: &mut Sender,
) -> Close {
    let every = web.limits.ping;
    let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut welcome = false;
    loop {
        let message = tokio::select! {
            frame = keeper.next_frame() => match frame {
                Ok(Some(frame)) => {
                    let first = !std::mem::replace(&mut welcome, true);
                    if first && is_refusal(&frame) {
                        return Close::TooMany;
                    }
                    Message::Binary(if first {
                        without_command(web, login, frame)
                    } else {
                        frame
                    })
                }
                // The terminal is gone; its last frames have said why.
                Ok(None) => return Close::NoTerminal,
                Err(error) => {
                    tracing::warn!(%error, "connection to the keeper failed");
                    return Close::Away;
                }
            },
            Some(answer) = own.recv() => Message::Binary(answer.into()),
            _ = ticks.tick() => {
                if !pulse.ping(every, web.limits.dead) {
                    tracing::info!("the viewer gives no sign of life");
                    return Close::Gone;
                }
                web.auth.still_used(login);
                if let Err(why) = browser.send(Message::Ping(Bytes::new())).await {
                    return why;
                }
                continue;
            }
        };
        if let Err(why) = browser.send(message).await {
            return why;
        }
        // A browser that takes output is there, however late its answer to a ping behind it.
        pulse.alive();
    }
}

/// The keeper's first frame, without the command line for whoever may not choose one: what is offered
/// by name is known by name.
fn without_command(web: &Web, login: &Login, frame: Bytes) -> Bytes {
    let settings = web.control.settings_for(&login.principal);
    let allow = &settings.allow;
    if allow.has(Capability::AnyCommand) {
        return frame;
    }
    match ToViewer::decode(&frame) {
        Ok(ToViewer::Hello(mut hello)) => {
            hello.meta.command = None;
            let mut out = Vec::new();
            ToViewer::Hello(hello).encode(&mut out);
            out.into()
        }
        _ => frame,
    }
}

/// Whether a keeper's first frame says that it has no place for another viewer. The attachment itself
/// was made by us and is not what it could object to.
fn is_refusal(frame: &[u8]) -> bool {
    matches!(ToViewer::decode(frame), Ok(ToViewer::Notice(_)))
}

/// Browser to keeper.
async fn up(
    pulse: &Pulse,
    browser: &mut Receiver,
    keeper: &mut KeeperWriter,
    answers: &mpsc::Sender<Vec<u8>>,
) -> Close {
    loop {
        let message = match browser.next().await {
            Ok(message) => message,
            Err(why) => return why,
        };
        pulse.alive();
        let bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Text(_) => return Close::Kind,
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) | Message::Close(_) => continue,
        };
        if bytes.is_empty() {
            return Close::Protocol;
        }
        if frame::is_request(&bytes) {
            match FromViewer::decode(&bytes) {
                Ok(FromViewer::Request { id, request }) if !request.only_looks() => {
                    // Whoever floods us with these waits for their answers to be taken.
                    if answers.send(refusal(id)).await.is_err() {
                        return Close::Gone;
                    }
                    continue;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::info!(%error, "request not understood");
                    return Close::Protocol;
                }
            }
        }
        // A program that doesn't read its input stops us here; the viewer is not dead for that.
        let relayed = keeper.relay(&bytes).await;
        pulse.alive();
        if let Err(error) = relayed {
            tracing::debug!(%error, "the keeper took no more");
            return Close::NoTerminal;
        }
    }
}

/// The answer to a request that has to come as an action.
fn refusal(request: u32) -> Vec<u8> {
    let failure = Failure {
        kind: FailureKind::Denied,
        message: MUST_BE_AN_ACTION.to_owned(),
    };
    let body = serde_json::json!({ "error": failure }).to_string();
    let mut out = Vec::new();
    ToViewer::Reply {
        request,
        last: true,
        body: body.as_bytes(),
    }
    .encode(&mut out);
    out
}
