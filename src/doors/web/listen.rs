//! The accept loop: how many connections there may be, and how slow they may be.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;
use tracing::Instrument as _;

use super::listener::{Accepted, Listener, Speaks};
use super::problem::Problem;
use super::proxy::{Arrival, BY_HTTPS, CERTIFICATE, ClientAddress, Scheme};
use super::stream::Stream;
use super::{Web, prefix, redirect};

/// Largest request head, in bytes; a cookie and a URL of ours are a few hundred.
const MAX_HEAD: usize = 16 << 10;
/// Most header fields; browsers send some twenty.
const MAX_FIELDS: usize = 64;
/// Pause after an `accept` that failed, doubled up to a second while it keeps failing: with no
/// descriptors left it would otherwise fail as fast as the processor can ask.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
const MAX_ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// How long sent bytes may stay unacknowledged before the peer counts as gone, in milliseconds.
/// A browser that is merely busy acknowledges in its kernel.
const USER_TIMEOUT: u32 = 120_000;

/// A connection's place among those there may be; given back when the last user drops it, which for
/// a WebSocket is long after HTTP is done with the connection.
#[derive(Debug)]
pub(super) struct Place {
    _total: OwnedSemaphorePermit,
    counted: Option<(Arc<Counts>, IpAddr)>,
}

type Counts = Mutex<HashMap<IpAddr, usize>>;

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((counts, address)) = &self.counted {
            let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = counts.get_mut(address) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(address);
                }
            }
        }
    }
}

/// How many connections there may be, on all listeners together.
#[derive(Debug)]
pub(super) struct Places {
    total: Arc<Semaphore>,
    per_address: usize,
    counts: Arc<Counts>,
}

impl Places {
    pub(super) fn new(total: usize, per_address: usize) -> Self {
        Self {
            total: Arc::new(Semaphore::new(total)),
            per_address,
            counts: Arc::default(),
        }
    }

    /// A place for somebody from this address. Those without one are not counted by it: they come
    /// from this machine or through a proxy of ours.
    fn take(&self, peer: Option<IpAddr>) -> Result<Place, &'static str> {
        let total = self.total.clone().try_acquire_owned();
        let total = total.map_err(|_| "too many connections")?;
        let counted = peer.map(whose).filter(|address| !address.is_loopback());
        let Some(address) = counted else {
            return Ok(Place {
                _total: total,
                counted: None,
            });
        };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if *count >= self.per_address {
            return Err("too many connections from this address");
        }
        *count += 1;
        Ok(Place {
            _total: total,
            counted: Some((self.counts.clone(), address)),
        })
    }
}

/// One household has a whole /64 of IPv6 addresses.
fn whose(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => {
            Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into()
        }
        other => other,
    }
}

/// Accepts connections until the door is told to stop.
pub(super) async fn accept(listener: Listener, web: Web, router: Router, places: Arc<Places>) {
    let mut pause = ACCEPT_PAUSE;
    loop {
        let accepted = tokio::select! {
            accepted = listener.socket.accept() => accepted,
            () = web.stop.cancelled() => return,
        };
        let accepted = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_the_peers(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(MAX_ACCEPT_PAUSE);
                continue;
            }
        };
        pause = ACCEPT_PAUSE;
        let peer = match &accepted {
            Accepted::Tcp(_, peer) => Some(peer.ip()),
            Accepted::Unix(_) => None,
        };
        let counted = peer.filter(|_| !web.now().proxies.trusts(peer));
        match places.take(counted) {
            Ok(place) => {
                let span = match &accepted {
                    Accepted::Tcp(_, peer) => tracing::debug_span!("connection", %peer),
                    Accepted::Unix(_) => tracing::debug_span!("connection", peer = "unix"),
                };
                let connection = serve(
                    accepted,
                    listener.speaks.clone(),
                    web.clone(),
                    router.clone(),
                    place,
                );
                web.tasks.spawn(connection.instrument(span));
            }
            Err(reason) => {
                tracing::warn!(?peer, reason, "connection refused");
                // Where TLS is spoken this would only be garbage.
                if let (Accepted::Tcp(stream, _), Speaks::Http) = (&accepted, &listener.speaks) {
                    let _best_effort = stream.try_write(
                        b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\nretry-after: 10\r\n\r\n",
                    );
                }
            }
        }
    }
}

/// Whether `accept` failed because the peer went away in between.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

fn prepare(stream: &TcpStream) {
    // A key's echo is a small packet that must not wait for another.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, USER_TIMEOUT) {
        tracing::debug!(%error, "TCP_USER_TIMEOUT");
    }
}

/// The connection as HTTP is spoken over it; `None` when there is nothing to speak to.
async fn begin(accepted: Accepted, speaks: &Speaks, web: &Web) -> Option<(Stream, Arrival)> {
    let (stream, peer) = match accepted {
        Accepted::Tcp(stream, peer) => (stream, peer),
        Accepted::Unix(stream) => {
            let arrival = Arrival {
                peer: None,
                local: None,
                scheme: Scheme::Http,
                certificate: None,
            };
            return Some((Stream::Unix(stream), arrival));
        }
    };
    prepare(&stream);
    let mut arrival = Arrival {
        peer: Some(peer.ip()),
        local: stream.local_addr().ok().map(|own| own.ip().to_canonical()),
        scheme: Scheme::Http,
        certificate: None,
    };
    let Speaks::Https(tls) = speaks else {
        return Some((Stream::Tcp(stream), arrival));
    };
    match tls.accept(stream, web.limits.head).await {
        Ok(Some((stream, certificate))) => {
            arrival.scheme = Scheme::Https;
            if let Some(certificate) = &certificate {
                let fingerprint = certificate.fingerprint();
                tracing::info!(fingerprint, "client certificate verified");
            }
            arrival.certificate = certificate;
            Some((Stream::Tls(Box::new(stream)), arrival))
        }
        Ok(None) => None,
        Err(error) => {
            tracing::info!(%error, "no TLS handshake");
            None
        }
    }
}

async fn serve(accepted: Accepted, speaks: Speaks, web: Web, router: Router, place: Place) {
    let begun = tokio::select! {
        // In a box: a handshake's state is large, and most of a connection's life is after it.
        begun = Box::pin(begin(accepted, &speaks, &web)) => begun,
        () = web.stop.cancelled() => return,
    };
    let Some((stream, arrival)) = begun else {
        return;
    };
    let place = Arc::new(place);
    let service = service_fn(|request: Request<Incoming>| {
        let (web, router, place) = (&web, &router, &place);
        let (speaks, arrival) = (&speaks, &arrival);
        async move {
            let now = web.now();
            let from = now.proxies.client(arrival, request.headers());
            let own = super::headers::Headers::is_own(request.headers());
            let mut response = if let Speaks::Redirect = speaks {
                let mut response = redirect::answer(web, arrival, &request);
                close(&mut response);
                response
            } else {
                answer(web, router, place, arrival, from, request).await
            };
            now.headers.add(response.headers_mut(), speaks, from.1, own);
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(web.limits.head)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = web.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "connection ended");
    }
}

/// Nothing else on this connection.
fn close(response: &mut Response<Body>) {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
}

/// Judges a request, then lets its route answer.
async fn answer(
    web: &Web,
    router: &Router,
    place: &Arc<Place>,
    arrival: &Arrival,
    (client, scheme): (ClientAddress, Scheme),
    mut request: Request<Incoming>,
) -> Response<Body> {
    let method = request.method().clone();
    let judged = web
        .now()
        .guard
        .check(&request, arrival, scheme)
        .and_then(|()| {
            let out = client
                .0
                .is_some_and(|address| web.control.keeps_out(address));
            if out {
                Err(Problem::kept_out())
            } else {
                Ok(())
            }
        });
    let response = match judged {
        Ok(()) => match prefix::strip(&web.prefix, request.uri_mut()) {
            Ok(()) => {
                request.headers_mut().remove(BY_HTTPS);
                if scheme == Scheme::Https {
                    let yes = HeaderValue::from_static("1");
                    request.headers_mut().insert(BY_HTTPS, yes);
                }
                request.headers_mut().remove(CERTIFICATE);
                if let Some(certificate) = &arrival.certificate
                    && let Ok(fingerprint) = HeaderValue::from_str(&certificate.fingerprint())
                {
                    request.headers_mut().insert(CERTIFICATE, fingerprint);
                }
                let extensions = request.extensions_mut();
                extensions.insert(place.clone());
                extensions.insert(client);
                extensions.insert(scheme);
                if let Some(certificate) = &arrival.certificate {
                    extensions.insert(certificate.clone());
                }
                let Ok(response) = router.clone().oneshot(request.map(Body::new)).await;
                response
            }
            Err(elsewhere) => elsewhere.into_response(),
        },
        Err(problem) => {
            tracing::info!(reason = problem.message(), "request refused");
            let mut response = problem.into_response();
            // Nothing else on a connection that began like this.
            close(&mut response);
            response
        }
    };
    // The route's pattern would be enough to know, and a path can hold what somebody pasted.
    tracing::debug!(%method, status = response.status().as_u16(), "request");
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as a connection's peer is")]
    fn from(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    #[test]
    fn one_address_takes_its_share_and_no_more_until_it_gives_back() {
        let places = Places::new(10, 2);
        let first = places.take(from("192.0.2.1")).unwrap();
        let _second = places.take(from("::ffff:192.0.2.1")).unwrap();
        assert!(places.take(from("192.0.2.1")).is_err());
        let _other = places.take(from("192.0.2.2")).unwrap();
        drop(first);
        let _again = places.take(from("192.0.2.1")).unwrap();
    }

    #[test]
    fn a_whole_slash_64_is_one_address_and_loopback_is_nobodys() {
        let places = Places::new(10, 1);
        let _one = places.take(from("2001:db8::1")).unwrap();
        assert!(places.take(from("2001:db8::2")).is_err());
        let _other = places.take(from("2001:db8:0:1::1")).unwrap();
        let _loopback = [
            from("127.0.0.1"),
            from("127.0.0.1"),
            from("::1"),
            from("::1"),
        ]
        .map(|peer| places.take(peer).unwrap());
    }

    #[test]
    fn the_total_holds_for_loopback_too() {
        let places = Places::new(1, 1);
        let place = places.take(from("127.0.0.1")).unwrap();
        assert!(places.take(from("127.0.0.1")).is_err());
        drop(place);
        assert!(places.take(from("127.0.0.1")).is_ok());
        assert!(places.counts.lock().unwrap().is_empty());
    }
}
