//! The link to the server: its orders come in, reports go out. The server may be away for as long as
//! it likes; the last order holds meanwhile.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::role::client::call;
use crate::wire::control::{Answer, Call};
use crate::wire::display::{MAX_MESSAGE, Order, Report};
use crate::wire::frame;

use super::News;

/// First wait for a server that doesn't answer, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Where reports go.
#[derive(Debug, Clone, Default)]
pub(super) struct Link {
    stream: Arc<Mutex<Option<UnixStream>>>,
}

impl Link {
    /// Looks for the server for as long as this process lives.
    pub(super) fn open(tell: Sender<News>) -> Self {
        let link = Self::default();
        let ours = link.clone();
        std::thread::spawn(move || {
            let mut wait = FIRST_WAIT;
            loop {
                match call(&Call::Display {}) {
                    Ok((Answer::Display {}, stream)) => {
                        wait = FIRST_WAIT;
                        ours.put(stream.try_clone().ok());
                        if follow(stream, &tell).is_none() {
                            return;
                        }
                        ours.put(None);
                    }
                    Ok(_) => tracing::warn!("the server's answer makes no sense"),
                    Err(failure) => tracing::debug!(failure.message, "no server yet"),
                }
                std::thread::park_timeout(wait);
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        });
        link
    }

    fn put(&self, stream: Option<UnixStream>) {
        *self.stream.lock().unwrap_or_else(PoisonError::into_inner) = stream;
    }

    /// Tells the server how the screen is, if it is there.
    pub(super) fn report(&self, report: &Report) {
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut stream) = stream.as_ref() else {
            return;
        };
        let Ok(json) = serde_json::to_vec(report) else {
            return;
        };
        let mut message = Vec::with_capacity(json.len() + 4);
        frame::prefixed(&mut message, |out| out.extend(json));
        // A server that has gone gets one when it is back.
        if let Err(error) = stream.write_all(&message) {
            tracing::debug!(%error, "a report was lost");
        }
    }
}

/// Passes orders on until the server goes; none if nobody wants them any more.
fn follow(mut stream: UnixStream, tell: &Sender<News>) -> Option<()> {
    loop {
        let order = match read(&mut stream) {
            Ok(order) => order,
            Err(error) => {
                tracing::info!(%error, "the server is away; its last order holds");
                return Some(());
            }
        };
        tell.send(News::Order(Box::new(order))).ok()?;
    }
}

fn read(stream: &mut UnixStream) -> std::io::Result<Order> {
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix)?;
    let length = frame::length(&prefix, MAX_MESSAGE)
        .map_err(std::io::Error::other)?
        .unwrap_or(0);
    let mut message = vec![0; length];
    stream.read_exact(&mut message)?;
    Ok(serde_json::from_slice(&message)?)
}
