//! The door of the set-up access point: plain HTTP to whoever has its passphrase, from a process of its own that
//! can do nothing but pass a form on. Names lead here (see [`names`]); what a phone asks to find out
//! whether it is in the internet is answered with where the page is.

mod answers;
mod names;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::system::Doctor;
use crate::system::setup::Setup;

pub use names::answer_names;

/// Connections at a time: a few phones.
const CONNECTIONS: usize = 32;
/// How long a connection may take for a request's head.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may last altogether: a form is taken over in less than two minutes.
const WHOLE: Duration = Duration::from_secs(150);
/// Largest request head, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// Pause after an `accept` that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What the page is about.
#[derive(Debug)]
pub struct Portal {
    /// Whom forms are passed on to.
    pub setup: Setup,
    /// Who knows what the machine was given.
    pub doctor: Doctor,
    /// Where the page is, as the access point's guests see it.
    pub address: Ipv4Addr,
    /// The port, which is 80 but in tests.
    pub port: u16,
}

impl Portal {
    /// The `Host` of requests that are meant for us.
    fn host(&self) -> String {
        match self.port {
            80 => self.address.to_string(),
            port => format!("{}:{port}", self.address),
        }
    }
}

/// Serves the page until `stop`.
pub async fn serve(listener: TcpListener, portal: Portal, stop: CancellationToken) {
    let portal = Arc::new(portal);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let portal = portal.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let portal = portal.clone();
                async move { Ok::<_, std::convert::Infallible>(answers::answer(&portal, request).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(MAX_HEAD)
                .keep_alive(true)
                .serve_connection(TokioIo::new(stream), service);
            // What a guest's connection ends with is the guest's business.
            let _ended = tokio::time::timeout(WHOLE, connection).await;
            drop(place);
        });
    }
}
