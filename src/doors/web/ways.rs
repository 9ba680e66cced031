//! The ways to log in: which are open, and conversations of prompts and answers.

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use serde::Deserialize;

use crate::auth::{Turn, Typed, browser_secret};
use crate::base::{Door, Principal, Secret, User, Way};

use super::login::{Arrived, json, welcome};
use super::problem::Problem;
use super::{Web, body};

/// `GET api/ways`: how one may log in here. With a `link`, the page goes there, or, with `post`, asks
/// there and is logged in; without one it has a form for it.
pub(super) async fn list(State(web): State<Web>) -> Response {
    let sso = web.now().sso.offers();
    let mut ways = Vec::new();
    for way in web.auth.ways().offered() {
        match way {
            Way::Oidc | Way::Cas | Way::Kerberos | Way::Certificate => {
                let offers = sso.iter().filter(|offer| offer.way == *way);
                ways.extend(offers.map(|offer| serde_json::json!(offer)));
            }
            Way::None | Way::Pam | Way::Local | Way::Api | Way::Token => {
                ways.push(serde_json::json!({ "way": way, "link": null }));
            }
        }
    }
    json(&serde_json::json!({ "ways": ways }))
}

/// What a browser says in a conversation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    /// The name it begins with …
    user: Option<String>,
    /// … or the conversation that goes on …
    conversation: Option<String>,
    /// … with these answers.
    #[serde(default)]
    answers: Vec<Typed>,
}

/// `POST api/login/pam`: begins a conversation, or goes on with one. The last answer logs in.
pub(super) async fn converse(
    State(web): State<Web>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let said: Said = body::json(&web, &parts.headers, body).await?;
    let arrived = Arrived::of(&web, &parts);
    let known = web.begun.read(&parts.headers, arrived.secure);
    let mut cookie = None;
    let turn = match (said.user, said.conversation) {
        (Some(user), None) if said.answers.is_empty() => {
            let browser = match known {
                Some(known) => known,
                None => {
                    let fresh = browser_secret()?;
                    cookie = web.begun.set(&fresh, arrived.secure, true);
                    fresh
                }
            };
            web.auth
                .ways()
                .begin(&user, &browser, arrived.whence())
                .await?
        }
        (None, Some(conversation)) => {
            // What isn't a conversation's form is answered as an unknown one is, and so is one
            // without the cookie it began with.
            let nobody = || Secret::from_random([0; 32]);
            let conversation = conversation.parse().unwrap_or_else(|_| nobody());
            let browser = known.unwrap_or_else(nobody);
            web.auth
                .ways()
                .answer(&conversation, said.answers, &browser, arrived.whence())
                .await?
        }
        _ => {
            return Err(Problem::invalid(
                "begin with a user, or go on with a conversation and answers",
            ));
        }
    };
    let mut response = match turn {
        Turn::Ask {
            conversation,
            notes,
            prompts,
        } => json(&serde_json::json!({
            "conversation": conversation.expose_hex(),
            "notes": notes,
            "prompts": prompts,
        })),
        Turn::In { user, entry } => {
            let secure = arrived.secure;
            let login = welcome(&web, arrived, user, entry).await?;
            let mut response = StatusCode::NO_CONTENT.into_response();
            response.headers_mut().append(header::SET_COOKIE, login);
            cookie = web.begun.clear(secure);
            response
        }
    };
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// `POST api/login/api`: an auth object, whole as it is, logs in whom it vouches for.
pub(super) async fn object(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let object = body::text(&web, &parts.headers, body).await?;
    let arrived = Arrived::of(&web, &parts);
    let user = web.auth.ways().object(&object, arrived.address).await?;
    come_in(&web, arrived, user).await
}

/// `POST api/wstokens`: a one-time token for whom an auth object vouches for. For programs: it reads
/// no cookie, so it needs no page.
pub(super) async fn make_token(
    State(web): State<Web>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let object = body::text(&web, &parts.headers, body).await?;
    let from = Arrived::of(&web, &parts).address;
    let ways = web.auth.ways();
    let upn = ways.token_is_for(&object, from).await?;
    // Whoever has the key speaks for them.
    let by = Principal::User {
        user: User::new(upn.clone(), Way::Api),
    };
    let making = async { Ok::<_, Problem>(ways.make_token(upn).await?) };
    let who = (&by, Door::Web, Some(from));
    let token = web.control.recorded(who, "make-token", making).await?;
    Ok(json(&serde_json::json!({ "token": token.expose() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    token: String,
}

/// `POST api/login/token`: a one-time token of another application logs in whose it is.
pub(super) async fn token(State(web): State<Web>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let Token { token } = body::json(&web, &parts.headers, body).await?;
    let arrived = Arrived::of(&web, &parts);
    let user = web.auth.ways().token(&token, arrived.address).await?;
    come_in(&web, arrived, user).await
}

/// `POST api/login/none`: lets in whoever may come in without being asked.
pub(super) async fn nobody_asked(
    State(web): State<Web>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let arrived = Arrived::of(&web, &parts);
    let user = web.auth.ways().nobody_asked(arrived.address)?;
    come_in(&web, arrived, user).await
}

async fn come_in(web: &Web, arrived: Arrived, user: User) -> Result<Response, Problem> {
    let cookie = welcome(web, arrived, user, None).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
