//! Terminals over HTTP: each route becomes an `Ask`.

use std::net::IpAddr;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::{Extensions, HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::action::{Action, Ask, Outcome};
use crate::base::{Door, Labels, Principal, Size, TerminalId, TerminalName};
use crate::policy::settings::Capability;
use crate::terminals::KeeperReader;
use crate::wire::frame::ToViewer;
use crate::wire::message::Request as Question;

use super::login::{address, json, logged_in};
use super::problem::Problem;
use super::{Web, body};

async fn submit(
    web: &Web,
    headers: &HeaderMap,
    extensions: &Extensions,
    action: Action,
) -> Result<Outcome, Problem> {
    let login = logged_in(web, headers)?;
    let ask = Ask {
        action,
        by: login.principal,
        door: Door::Web,
        from: Some(address(extensions)),
    };
    Ok(web.control.submit(ask).await?)
}

fn terminal(id: &str) -> Result<TerminalId, Problem> {
    id.parse().map_err(|_| Problem::not_found())
}

fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// `GET api/terminals`
pub(super) async fn list(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    match submit(
        &web,
        request.headers(),
        request.extensions(),
        Action::ListTerminals {},
    )
    .await?
    {
        Outcome::Terminals { terminals } => {
            Ok(json(&serde_json::json!({ "terminals": terminals })))
        }
        _ => Err(Problem::unavailable()),
    }
}

/// `GET api/commands`: what may be opened, by name. Command lines stay here.
pub(super) async fn commands(
    State(web): State<Web>,
    request: Request,
) -> Result<Response, Problem> {
    let login = logged_in(&web, request.headers())?;
    let settings = web.control.settings_for(&login.principal);
    let may_open = settings.allow.has(Capability::Open);
    let terminal = &settings.terminal;
    let commands: Vec<_> = terminal
        .commands
        .iter()
        .filter(|_| may_open)
        .map(|(name, program)| {
            serde_json::json!({
                "name": name,
                "description": program.description,
                "icon": program.icon,
            })
        })
        .collect();
    Ok(json(&serde_json::json!({
        "commands": commands,
        "default": terminal.default_command,
        "shell": may_open && terminal.shell,
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    #[serde(default)]
    name: Option<TerminalName>,
    #[serde(default)]
    program: Option<String>,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    size: Size,
    #[serde(default)]
    labels: Labels,
}

/// `POST api/terminals`
pub(super) async fn open(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let login = logged_in(&web, &parts.headers)?;
    let Open {
        name,
        program,
        command,
        size,
        labels,
    } = body::json(&web, &parts.headers, body).await?;
    let action = Action::OpenTerminal {
        name,
        program,
        command,
        size,
        directory: None,
        labels,
    };
    match submit(&web, &parts.headers, &parts.extensions, action).await? {
        Outcome::Opened { terminal } => {
            web.control.sits_at_kiosk(&login, terminal, true).await;
            let opened = json(&serde_json::json!({ "terminal": terminal }));
            Ok((StatusCode::CREATED, opened).into_response())
        }
        _ => Err(Problem::unavailable()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rename {
    // Not optional: an empty object is a mistake, not the wish to lose the name.
    #[serde(deserialize_with = "Option::deserialize")]
    name: Option<TerminalName>,
}

/// `PATCH api/terminals/ID`
pub(super) async fn rename(
    State(web): State<Web>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    logged_in(&web, &parts.headers)?;
    let Rename { name } = body::json(&web, &parts.headers, body).await?;
    let terminal = terminal(&id)?;
    let action = Action::RenameTerminal { terminal, name };
    submit(&web, &parts.headers, &parts.extensions, action).await?;
    Ok(done())
}

/// `DELETE api/terminals/ID`
pub(super) async fn close(
    State(web): State<Web>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    logged_in(&web, request.headers())?;
    let terminal = terminal(&id)?;
    submit(
        &web,
        request.headers(),
        request.extensions(),
        Action::CloseTerminal { terminal },
    )
    .await?;
    Ok(done())
}

/// `POST api/terminals/ID/reset`
pub(super) async fn reset(
    State(web): State<Web>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    logged_in(&web, request.headers())?;
    let terminal = terminal(&id)?;
    submit(
        &web,
        request.headers(),
        request.extensions(),
        Action::ResetTerminal { terminal },
    )
    .await?;
    Ok(done())
}

/// `GET api/terminals/ID/text?scrollback=1&ansi=1`: what the terminal shows, to save.
pub(super) async fn text(
    State(web): State<Web>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let login = logged_in(&web, request.headers())?;
    let terminal = terminal(&id)?;
    let (mut scrollback, mut ansi) = (false, false);
    for pair in request.uri().query().unwrap_or_default().split('&') {
        match pair {
            "" | "scrollback=0" | "ansi=0" => {}
            "scrollback=1" => scrollback = true,
            "ansi=1" => ansi = true,
            _ => {
                return Err(Problem::invalid(
                    "the query may be scrollback=1 and ansi=1, nothing else",
                ));
            }
        }
    }
    let by = (&login.principal, address(request.extensions()));
    let mut response = answer(&web, by, terminal, Question::Text { scrollback, ansi }).await?;
    let disposition = format!("attachment; filename=\"terminal-{terminal}.txt\"");
    let disposition = disposition.parse().map_err(|_| Problem::unavailable())?;
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// The terminal that is meant, by id or as people name one.
pub(super) async fn meant(
    web: &Web,
    text: &str,
    (by, from): (&Principal, IpAddr),
) -> Result<TerminalId, Problem> {
    let meant = web.control.meant(text, by, Door::Web, Some(from));
    Ok(meant.await?)
}

/// Passes the parts of a keeper's answer on as they come.
pub(super) async fn answer(
    web: &Web,
    (by, from): (&Principal, IpAddr),
    terminal: TerminalId,
    question: Question,
) -> Result<Response, Problem> {
    let kind = if matches!(question, Question::Text { .. }) {
        "text/plain; charset=utf-8"
    } else {
        "application/json"
    };
    let keeper = web
        .control
        .look(terminal, question, by, Door::Web, Some(from))
        .await?;
    let (reader, writer) = keeper.split();
    // The writer stays alive beside the reader: closing it could end the connection early.
    let parts = stream::unfold(Some((reader, writer)), async |state| {
        let (mut reader, writer) = state?;
        match next_part(&mut reader).await {
            Ok((bytes, true)) => Some((Ok(bytes), None)),
            Ok((bytes, false)) => Some((Ok(bytes), Some((reader, writer)))),
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok((
        [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, "no-store"),
        ],
        Body::from_stream(parts),
    )
        .into_response())
}

/// The next part of a reply, and whether it is the last.
async fn next_part(reader: &mut KeeperReader) -> std::io::Result<(Bytes, bool)> {
    while let Some(frame) = reader.next_frame().await? {
        if let Ok(ToViewer::Reply { last, body, .. }) = ToViewer::decode(&frame) {
            let body = frame.slice_ref(body);
            return Ok((body, last));
        }
    }
    Err(std::io::ErrorKind::UnexpectedEof.into())
}
