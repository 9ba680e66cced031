//! `ws/terminal`: frames between a browser and a keeper. Bytes are moved, not looked at, except for
//! requests that change something: those have to come as actions.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval_at};
use tokio_tungstenite::tungstenite::Message;

use crate::auth::Login;
use crate::base::{Door, Principal, Secret, TerminalId};
use crate::control::{Seat, only_looks};
use crate::policy::settings::Capability;
use crate::terminals::{KeeperReader, KeeperStream, KeeperWriter};
use crate::wire::control::RefusalKind;
use crate::wire::frame::{self, FromViewer, ToViewer};
use crate::wire::message::Attach;

use super::login::address;
use super::problem::Problem;
use super::socket::{Close, Pulse, Receiver, Sender, Socket};
use super::{Web, upgrade as websocket};

/// Answers of ours that may wait to be sent between the keeper's frames.
const OWN_ANSWERS: usize = 8;

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
        Ok((terminal, keeper, seat)) => {
            let relayed = relay(&web, &login, (terminal, &seat, from), socket, keeper);
            relayed.await;
        }
        Err(why) => socket.close(why).await,
    }
}

async fn open(
    web: &Web,
    login: &Login,
    socket: &mut Socket,
    from: IpAddr,
) -> Result<(TerminalId, KeeperStream, Seat), Close> {
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
        .attach(
            first.terminal,
            attach,
            &login.principal,
            Door::Web,
            &from.to_string(),
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
        () = web.stop.cancelled() => Close::Away,
        () = login.ended.cancelled() => Close::Token,
        () = web.control.until_less(&login.principal, Some((terminal, seat.access()))) => Close::Violation,
        () = web.control.until_kept_out(from) => Close::Violation,
    };
    // The keeper closes when its terminal is gone, and on a viewer that broke its rules.
    let why = match why {
        Close::NoTerminal if web.control.is_there(terminal).await => Close::Violation,
        why => why,
    };
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
                Ok(FromViewer::Request { id, request }) if !only_looks(&request) => {
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
    let body = br#"{"error":{"kind":"denied","message":"this changes something: use the HTTP interface"}}"#;
    let mut out = Vec::new();
    ToViewer::Reply {
        request,
        last: true,
        body,
    }
    .encode(&mut out);
    out
}
