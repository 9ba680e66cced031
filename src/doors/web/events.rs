//! `ws/events`: the list of terminals, at once and whenever it changes. `ws/kiosk`: what the page on the
//! machine's own screen is told, whoever is logged in at it.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};
use tokio::time::{MissedTickBehavior, interval_at};
use tokio_tungstenite::tungstenite::Message;

use crate::action::{Action, Ask, KioskDoes, Outcome, TerminalInfo};
use crate::auth::Login;
use crate::base::{Door, Secret, TerminalId};

use super::login::{address, screen};
use super::problem::Problem;
use super::socket::{Close, Pulse, Receiver, Sender, Socket};
use super::{Web, kiosk, upgrade as websocket};

/// Changes within this time are told together: opening a terminal is three or four.
const TOGETHER: Duration = Duration::from_millis(50);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    token: String,
}

/// What is told of terminals.
#[derive(Serialize)]
struct Listed {
    terminals: Vec<TerminalInfo>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lost: Vec<TerminalId>,
}

/// `GET ws/events`
pub(super) async fn upgrade(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let from = address(request.extensions());
    websocket::accept(&web, request, move |web, login, socket| {
        run(web, login, socket, from, false)
    })
}

/// `GET ws/kiosk`
pub(super) async fn upgrade_screen(
    State(web): State<Web>,
    request: Request,
) -> Result<Response, Problem> {
    let from = address(request.extensions());
    let login = screen(&web, request.headers())?;
    websocket::accept_as(&web, login, request, move |web, login, socket| {
        run(web, login, socket, from, true)
    })
}

async fn run(web: Web, login: Login, mut socket: Socket, from: IpAddr, at_kiosk: bool) {
    if let Err(why) = open(&web, &login, &mut socket).await {
        return socket.close(why).await;
    }
    let (mut sender, mut receiver) = socket.split();
    let pulse = Pulse::default();
    let why = tokio::select! {
        why = async {
            if at_kiosk {
                tell_screen(&web, &login, &pulse, &mut sender).await
            } else {
                tell(&web, &login, from, &pulse, &mut sender).await
            }
        } => why,
        why = listen(&pulse, &mut receiver) => why,
        () = web.stop.cancelled() => Close::Away,
        () = login.ended.cancelled() => Close::Token,
        () = web.control.until_less(&login.principal, None) => Close::Violation,
        () = web.control.until_kept_out(from) => Close::Violation,
    };
    if let Some(socket) = sender.reunite(receiver) {
        socket.close(why).await;
    }
}

async fn open(web: &Web, login: &Login, socket: &mut Socket) -> Result<(), Close> {
    let first = tokio::select! {
        first = socket.first(web.limits.first_message) => first?,
        () = web.stop.cancelled() => return Err(Close::Away),
    };
    let First { token } = serde_json::from_str(&first).map_err(|_| Close::Violation)?;
    let token: Secret = token.parse().map_err(|_| Close::Token)?;
    web.auth
        .use_socket_token(&token, login)
        .map_err(|_| Close::Token)
}

async fn tell(
    web: &Web,
    login: &Login,
    from: IpAddr,
    pulse: &Pulse,
    browser: &mut Sender,
) -> Close {
    let every = web.limits.ping;
    let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changes = web.control.changes();
    changes.mark_changed();
    let mut rules = web.control.rules_changes();
    let mut shares = web.control.share_changes();
    let mut shown = Vec::new();
    loop {
        let message = tokio::select! {
            changed = settled(&mut changes) => {
                if changed.is_err() {
                    return Close::Away;
                }
                match list(web, login, from, &mut shown).await {
                    Some(text) => Message::text(text),
                    None => return Close::Violation,
                }
            }
            // What somebody may see can become more or less.
            Ok(()) = rules.changed() => match list(web, login, from, &mut shown).await {
                Some(text) => Message::text(text),
                None => return Close::Violation,
            },
            Ok(()) = shares.changed() => match list(web, login, from, &mut shown).await {
                Some(text) => Message::text(text),
                None => return Close::Violation,
            },
            _ = ticks.tick() => {
                if !pulse.ping(every, web.limits.dead) {
                    return Close::Gone;
                }
                web.auth.still_used(login);
                Message::Ping(Bytes::new())
            }
        };
        if let Err(why) = browser.send(message).await {
            return why;
        }
    }
}

async fn tell_screen(web: &Web, login: &Login, pulse: &Pulse, browser: &mut Sender) -> Close {
    let every = web.limits.ping;
    let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Whoever listens is counted as a page that can be loaded anew.
    let mut reloads = web.control.reloads();
    let mut orders = web.control.kiosk_orders();
    let mut settings = web.control.rules_changes();
    settings.mark_changed();
    let mut machine = web.control.machine_changes();
    let mut told = String::new();
    loop {
        let message = tokio::select! {
            Ok(()) = changed(&mut settings, &mut machine) => {
                let new = kiosk::told(web).await;
                if new == told {
                    continue;
                }
                told.clone_from(&new);
                Message::text(new)
            }
            does = ordered(&mut orders) => Message::text(match does {
                KioskDoes::Identity => r#"{"identity":true}"#,
                KioskDoes::SwitchNext => r#"{"pressed":"next"}"#,
                KioskDoes::SwitchChoose => r#"{"pressed":"choose"}"#,
            }),
            Ok(()) = reloads.changed() => Message::text(r#"{"reload":true}"#),
            _ = ticks.tick() => {
                if !pulse.ping(every, web.limits.dead) {
                    return Close::Gone;
                }
                web.auth.still_used(login);
                // Networks come and go, and with them this machine's addresses.
                settings.mark_changed();
                Message::Ping(Bytes::new())
            }
        };
        if let Err(why) = browser.send(message).await {
            return why;
        }
    }
}

/// Returns when something has changed, and a little later if more may follow.
async fn settled(changes: &mut watch::Receiver<u64>) -> Result<(), watch::error::RecvError> {
    let at_once = changes.has_changed()?;
    changes.changed().await?;
    if !at_once {
        tokio::time::sleep(TOGETHER).await;
        changes.mark_unchanged();
    }
    Ok(())
}

/// Returns when what the machine's own screen is told may have changed.
async fn changed<T>(
    settings: &mut watch::Receiver<T>,
    machine: &mut watch::Receiver<u64>,
) -> Result<(), watch::error::RecvError> {
    tokio::select! {
        changed = settings.changed() => changed,
        changed = machine.changed() => changed,
    }
}

/// The next order to the page on the machine's own screen.
async fn ordered(orders: &mut broadcast::Receiver<KioskDoes>) -> KioskDoes {
    loop {
        match orders.recv().await {
            Ok(does) => return does,
            // Somebody presses faster than the page hears: what it missed is missed, as with keys.
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => break,
        }
    }
    std::future::pending().await
}

/// The list, and which of those shown before were lost instead of closed.
async fn list(
    web: &Web,
    login: &Login,
    from: IpAddr,
    shown: &mut Vec<TerminalId>,
) -> Option<String> {
    let ask = Ask {
        action: Action::ListTerminals {},
        by: login.principal.clone(),
        door: Door::Web,
        from: Some(from),
    };
    match web.control.submit(ask).await {
        Ok(Outcome::Terminals { terminals }) => {
            let now = terminals.iter().map(|terminal| terminal.id).collect();
            let mut missing = std::mem::replace(shown, now);
            missing.retain(|terminal| !shown.contains(terminal));
            let lost = if missing.is_empty() {
                missing
            } else {
                web.control.lost(missing).await
            };
            serde_json::to_string(&Listed { terminals, lost }).ok()
        }
        _ => None,
    }
}

/// The page has nothing to say here after its first message.
async fn listen(pulse: &Pulse, browser: &mut Receiver) -> Close {
    loop {
        match browser.next().await {
            Ok(Message::Text(_) | Message::Binary(_)) => return Close::Kind,
            Ok(_) => pulse.alive(),
            Err(why) => return why,
        }
    }
}
