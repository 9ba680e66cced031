//! Whoever looks after the machine's own screen: orders go to them, reports come back.

use std::io;

use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;

use crate::control::Control;
use crate::wire::control::Answer;
use crate::wire::display::{MAX_MESSAGE, Order, Report};
use crate::wire::frame;

use super::{answer, read_message};

/// Serves one of them until they go.
pub(super) async fn serve(mut stream: UnixStream, control: &Control) -> io::Result<()> {
    answer(&mut stream, &Answer::Display {}).await?;
    let screen = control.screen();
    let mut orders = screen.follow();
    let mut rules = control.rules_changes();
    screen.configure(&control.rules().machine().display);
    let (mut from, mut to) = stream.into_split();
    let speak = async {
        loop {
            tokio::select! {
                changed = orders.changed() => match changed {
                    Ok(()) => {
                        let order = orders.borrow_and_update().clone();
                        send(&mut to, &order).await?;
                    }
                    Err(_) => return Ok(()),
                },
                Ok(()) = rules.changed() => {
                    screen.configure(&control.rules().machine().display);
                }
            }
        }
    };
    let listen = async {
        while let Some(message) = read_message(&mut from, MAX_MESSAGE).await? {
            let report: Report = serde_json::from_slice(&message)?;
            screen.reported(report);
        }
        Ok(())
    };
    tokio::select! {
        result = speak => result,
        result = listen => result,
    }
}

async fn send(to: &mut OwnedWriteHalf, order: &Order) -> io::Result<()> {
    let json = serde_json::to_vec(order)?;
    let mut message = Vec::with_capacity(json.len() + 4);
    frame::prefixed(&mut message, |out| out.extend(json));
    to.write_all(&message).await
}
