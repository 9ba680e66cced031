//! What the owner of a machine asks about its buttons.

use std::io;

use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::sync::broadcast::error::RecvError;

use crate::action::Outcome;
use crate::base::{Door, Principal};
use crate::control::ControlError;
use crate::hardware::Simulate;
use crate::wire::buttons::ButtonsCall;
use crate::wire::control::{Answer, RefusalKind};

use super::{Local, answer, refusal, refused};

/// Answers, and while it is being watched goes on answering.
pub(super) async fn reply(
    mut stream: UnixStream,
    local: &Local,
    about: ButtonsCall,
) -> io::Result<()> {
    let board = &local.board;
    match about {
        ButtonsCall::List {} => {
            let hardware = board.known();
            answer(&mut stream, &Answer::Buttons { hardware }).await
        }
        ButtonsCall::Simulate { button, gesture } => {
            // What comes of it is the button's; that somebody pressed it so is theirs.
            let owner = (&Principal::Owner {}, Door::Local, None);
            let pressing = async {
                let order = Simulate { button, gesture };
                Ok::<_, ControlError>(board.simulate(order))
            };
            let pressed = local.control.recorded(owner, "simulate-button", pressing);
            let reply = match pressed.await {
                Ok(Ok(())) => Answer::Done {
                    outcome: Outcome::Done {},
                },
                Ok(Err(error)) => refused(RefusalKind::NotFound, error.to_string()),
                Err(error) => refusal(&error),
            };
            answer(&mut stream, &reply).await
        }
        ButtonsCall::Watch {} => {
            let mut feed = board.watch();
            answer(&mut stream, &Answer::Attached {}).await?;
            let mut nothing = [0];
            loop {
                let happening = tokio::select! {
                    happening = feed.recv() => happening,
                    _gone = stream.read(&mut nothing) => return Ok(()),
                };
                match happening {
                    Ok(happening) => super::send(&mut stream, &happening).await?,
                    // A watcher that is slow misses some.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Ok(()),
                }
            }
        }
    }
}
