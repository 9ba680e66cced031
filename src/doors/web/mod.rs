//! The web door: HTTP and WebSocket for the page, on a listener with limits of its own.
//!
//! Every connection passes [`listen`] (how many, how slow), every request [`guard`] (which host, from
//! which page) before any route sees it. `docs/http-api.md` describes what the page may ask.

mod actions;
mod api;
mod body;
mod certificate;
mod changes;
mod choices;
mod cookie;
mod events;
mod guard;
mod headers;
mod kiosk;
mod listen;
mod listener;
mod login;
mod logins;
mod page;
mod prefix;
mod problem;
mod provisioning;
mod proxy;
mod redirect;
mod route;
mod setup;
mod socket;
mod sso;
mod stream;
mod terminal;
mod tls;
mod upgrade;
mod ways;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{Auth, Sso};
use crate::base::PublicUrl;
use crate::control::Control;
use crate::policy::settings::server::{Server, UrlPrefix};

pub use changes::Open;
pub use listener::{Listener, SocketFile, Speaks, bind_unix};
pub use route::route_patterns;
pub use tls::{
    AcmeFolder, AcmeStatus, CertificateFacts, Identity, Tls, TlsError, TlsSource,
    certificate_facts, renew,
};

/// Limits of this door, changeable so that tests need not wait.
#[derive(Debug, Clone, Copy)]
pub struct WebLimits {
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time from one address; loopback, where proxies are, is exempt.
    pub per_address: usize,
    /// How long a client may take for a TLS handshake with the first byte after it, and again for
    /// each request's head.
    pub head: Duration,
    /// How long it may take for a request's body.
    pub body: Duration,
    /// How long a WebSocket may take for its first message.
    pub first_message: Duration,
    /// How often a WebSocket is asked for a sign of life.
    pub ping: Duration,
    /// How long a WebSocket may give none before it counts as dead.
    pub dead: Duration,
    /// WebSockets at a time: fewer than connections, so that there is always a way to log out.
    pub sockets: usize,
    /// How often certificates are looked at for changes.
    pub certificates: Duration,
    /// How long to wait after an authority gave no certificate, the first time.
    pub authority: Duration,
}

impl Default for WebLimits {
    fn default() -> Self {
        Self {
            connections: 512,
            per_address: 64,
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            first_message: Duration::from_secs(5),
            ping: Duration::from_secs(15),
            dead: Duration::from_secs(30),
            sockets: 448,
            certificates: Duration::from_secs(5),
            authority: Duration::from_secs(30),
        }
    }
}

/// What the door is told when it is opened.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// The section of the configuration. Where to listen was seen to before.
    pub server: Server,
    /// The machine's own names, to answer to where its certificate vouches for them.
    pub host_names: Vec<String>,
    /// Ways to log in where somebody else knows who it is.
    pub sso: Arc<Sso>,
    /// Where others see this server, ending in `/`.
    pub base: String,
    /// The limits.
    pub limits: WebLimits,
}

/// What every route can use.
#[derive(Debug, Clone)]
struct Web(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    control: Control,
    auth: Arc<Auth>,
    base: String,
    in_force: changes::InForceNow,
    prefix: UrlPrefix,
    public: Option<PublicUrl>,
    tls: Option<Tls>,
    /// Where HTTPS is, for the redirect to it.
    https_port: u16,
    limits: WebLimits,
    cookie: cookie::Name,
    screen: cookie::Name,
    begun: cookie::Name,
    sent_away: cookie::Name,
    sockets: Arc<Semaphore>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl std::ops::Deref for Web {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Starts serving until `stop`; connections run in `tasks` and end themselves on `stop`.
pub fn serve(
    listeners: Vec<Listener>,
    settings: WebSettings,
    control: Control,
    auth: Arc<Auth>,
    stop: CancellationToken,
    tasks: &TaskTracker,
) -> Open {
    let WebSettings {
        server,
        host_names,
        sso,
        base,
        limits,
    } = settings;
    let own: Vec<_> = listeners.iter().filter_map(Listener::own_address).collect();
    let port = |wanted: fn(&Speaks) -> bool| {
        let mut found = listeners.iter().filter(|one| wanted(&one.speaks));
        let address = found.find_map(Listener::address);
        address.map(|address| address.port())
    };
    // All HTTPS listeners share one.
    let tls = listeners
        .iter()
        .find_map(|listener| match &listener.speaks {
            Speaks::Https(tls) => Some(tls.clone()),
            _ => None,
        });
    let own_port = port(|_| true).unwrap_or_default();
    let names = changes::Names {
        machine: host_names,
        own,
    };
    let web = Web(Arc::new(Inner {
        control,
        auth,
        base,
        in_force: changes::InForceNow::new(&server, &names, sso),
        prefix: server.url_prefix.clone(),
        public: server.public_url.clone(),
        tls,
        https_port: port(|speaks| matches!(speaks, Speaks::Https(_))).unwrap_or(443),
        limits,
        cookie: cookie::Name::login(own_port),
        screen: cookie::Name::screen(own_port),
        begun: cookie::Name::begun(own_port),
        sent_away: cookie::Name::sent_away(own_port),
        sockets: Arc::new(Semaphore::new(limits.sockets)),
        stop: stop.clone(),
        tasks: tasks.clone(),
    }));
    let router = route::router(web.clone());
    let places = Arc::new(listen::Places::new(limits.connections, limits.per_address));
    if let Some(tls) = &web.tls {
        let every = limits.certificates;
        tasks.spawn(tls.clone().watch(every, stop.clone()));
        tasks.spawn(tls.clone().ask_authority(every, limits.authority, stop));
    }
    for listener in listeners {
        let (web, router, places) = (web.clone(), router.clone(), places.clone());
        tasks.spawn(listen::accept(listener, web, router, places));
    }
    Open::new(web, server, names)
}
