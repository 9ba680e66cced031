//! What the owner of a server asks about logins, and the secrets of the ways in. Whoever may use the
//! control socket may read the server's files, so nothing here is kept from them.

use std::net::IpAddr;
use std::sync::Arc;

use crate::auth::{Auth, LoginId, TokenStoreError, Waiting, Who};
use crate::base::{Door, Principal};
use crate::control::ControlError;
use crate::wire::control::{Answer, RefusalKind};
use crate::wire::logins::{Hidden, Locked, LoginsCall, LoginsReply};

use super::{Local, refusal, refused};

/// Does what is asked.
pub(super) async fn reply(local: &Local, call: LoginsCall) -> Answer {
    let name = name(&call);
    let doing = carry_out(local.auth.clone(), call);
    let result = if changes(name) {
        let owner = (&Principal::Owner {}, Door::Local, None);
        local.control.recorded(owner, name, doing).await
    } else {
        doing.await
    };
    match result {
        Ok(reply) => Answer::Logins { reply },
        Err(No(refusal)) => refusal,
    }
}

/// The answer no.
struct No(Answer);

impl From<ControlError> for No {
    fn from(error: ControlError) -> Self {
        Self(refusal(&error))
    }
}

async fn carry_out(auth: Arc<Auth>, call: LoginsCall) -> Result<LoginsReply, No> {
    let result = match call {
        // The one that may ask another machine.
        LoginsCall::NewToken { user } => match auth.ways().token_for(user).await {
            Ok(token) => Ok(LoginsReply::Token {
                token: Hidden::from(token.expose()),
            }),
            Err(error @ TokenStoreError::TooMany) => {
                Err(refused(RefusalKind::Limit, error.to_string()))
            }
            Err(error) => Err(failed(error)),
        },
        call => tokio::task::spawn_blocking(move || blocking(&auth, call))
            .await
            .unwrap_or_else(|error| Err(failed(error))),
    };
    result.map_err(No)
}

fn blocking(auth: &Arc<Auth>, call: LoginsCall) -> Result<LoginsReply, Answer> {
    let ways = auth.ways();
    Ok(match call {
        LoginsCall::List {} => LoginsReply::Logins {
            logins: auth.logins(None),
        },
        LoginsCall::Revoke { id } => {
            let id: LoginId = id.parse().map_err(invalid)?;
            done_or(auth.revoke(id, None), "no login has this id (any more)")?
        }
        LoginsCall::RevokeUser { user } => LoginsReply::Done {
            count: auth.revoke_user(&user),
        },
        LoginsCall::Locked {} => LoginsReply::Locked {
            locked: ways.waiting().iter().map(locked).collect(),
        },
        LoginsCall::Unlock { who } => {
            // Somebody may be called so, too.
            let screen = who == Who::KIOSK && ways.forgive(&Who::Kiosk);
            let who = match who.parse::<IpAddr>() {
                Ok(address) => Who::address(address),
                Err(_) => Who::User(who.parse().map_err(invalid)?),
            };
            done_or(
                ways.forgive(&who) || screen,
                "nothing counts against that name or address",
            )?
        }
        LoginsCall::ResetPassword {} => match ways.reset_password().map_err(failed)? {
            Some((user, password)) => LoginsReply::Password {
                user: user.clone(),
                password: Hidden::from(password.expose()),
            },
            None => {
                let message = "there is no local administrator here: local is not in server.auth";
                return Err(refused(RefusalKind::NotFound, message.to_owned()));
            }
        },
        LoginsCall::NewKey { name } => {
            let new = ways.create_api_key(&name).map_err(failed)?;
            LoginsReply::Key {
                secret: Hidden::from(new.expose_secret()),
                key: new.key,
            }
        }
        LoginsCall::Keys {} => LoginsReply::Keys {
            keys: ways.api_keys(),
        },
        LoginsCall::RevokeKey { key } => done_or(
            ways.revoke_api_key(&key).map_err(failed)?,
            "there is no such key",
        )?,
        LoginsCall::Check { object } => match ways.check_object(&object) {
            Ok(vouched) => LoginsReply::Checked {
                user: Some(vouched.upn),
                problem: None,
            },
            Err(error) => LoginsReply::Checked {
                user: None,
                problem: Some(error.to_string()),
            },
        },
        LoginsCall::NewToken { .. } => return Err(failed("asked in the wrong place")),
    })
}

/// Its name in the audit log.
const fn name(call: &LoginsCall) -> &'static str {
    match call {
        LoginsCall::List {} => "list-logins",
        LoginsCall::Revoke { .. } | LoginsCall::RevokeUser { .. } => "revoke-login",
        LoginsCall::Locked {} => "list-locked",
        LoginsCall::Unlock { .. } => "unlock-login",
        LoginsCall::ResetPassword {} => "reset-password",
        LoginsCall::NewKey { .. } => "make-api-key",
        LoginsCall::Keys {} => "list-api-keys",
        LoginsCall::RevokeKey { .. } => "revoke-api-key",
        LoginsCall::Check { .. } => "check-auth-object",
        LoginsCall::NewToken { .. } => "make-token",
    }
}

/// Whether something is different afterwards.
fn changes(name: &str) -> bool {
    !(name.starts_with("list-") || name.starts_with("check-"))
}

fn done_or(found: bool, message: &str) -> Result<LoginsReply, Answer> {
    if found {
        Ok(LoginsReply::Done { count: 1 })
    } else {
        Err(refused(RefusalKind::NotFound, message.to_owned()))
    }
}

fn locked(waiting: &Waiting) -> Locked {
    Locked {
        who: waiting.who.to_string(),
        failures: waiting.failures,
        // Rounded up: at 0 it would be over.
        seconds: waiting.left.as_secs() + 1,
    }
}

fn failed(error: impl std::fmt::Display) -> Answer {
    refused(RefusalKind::Failed, error.to_string())
}

fn invalid(error: impl std::fmt::Display) -> Answer {
    refused(RefusalKind::Invalid, error.to_string())
}
