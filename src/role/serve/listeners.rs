//! From the configuration's section `server` to sockets that listen.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use listenfd::ListenFd;

use crate::config::Folders;
use crate::doors::web::{
    AcmeFolder, Identity, Listener, SocketFile, Speaks, Tls, TlsError, TlsSource, bind_unix,
};
use crate::policy::settings::server::{HostName, Listen, Server, TlsMode};
use crate::system::{addresses, host_name};

/// Why there is nothing to listen on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// An address.
    #[error("can't listen on {address}: {reason}")]
    Address {
        /// The address asked for.
        address: SocketAddr,
        /// Why not, and what to do.
        reason: String,
        /// Whether somebody else has it.
        taken: bool,
    },
    /// Readable by the network.
    #[error(
        "{0} can be reached from other machines and nothing is encrypted; turn TLS on with --tls, or listen on 127.0.0.1 and use ssh -L or a TLS proxy with --public-url, or accept it with --allow-plain-http"
    )]
    Plain(SocketAddr),
    /// The kiosk's own address is no secret.
    #[error("local_listen {0} is not a loopback address; only the kiosk's own window uses it")]
    Local(SocketAddr),
    /// A redirect to nothing.
    #[error("https_redirect is set and TLS is off; turn it on with --tls")]
    Redirect,
    /// The Unix socket.
    #[error("can't listen on {path}: {source}", path = path.display())]
    Unix {
        /// Its path.
        path: PathBuf,
        /// What the operating system, or we, say.
        source: io::Error,
    },
    /// A socket from systemd.
    #[error("socket {0} from the service manager can't be used: {1}")]
    Activated(usize, io::Error),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Sockets that listen already: the service manager has opened them (sd_listen_fds(3)), so that port
/// 443 needs no root and no connection is refused during a restart.
#[derive(Debug, Default)]
pub struct Activated {
    tcp: Vec<(std::net::TcpListener, Role)>,
    unix: Vec<UnixListener>,
}

/// What a socket is for: its `FileDescriptorName`. What people are told comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// Any other name: HTTPS when TLS is on.
    Main,
    /// `http`: never TLS.
    Plain,
    /// `redirect`: leads to HTTPS.
    Redirect,
}

impl Activated {
    /// Takes what this process was given. To be called before any thread is started: the variables
    /// that announce it are taken out of the environment.
    pub(super) fn from_environment() -> Result<Self, ListenError> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut given = ListenFd::from_env();
        let mut out = Self::default();
        for at in 0..given.len() {
            let role = match names.next() {
                Some("http") => Role::Plain,
                Some("redirect") => Role::Redirect,
                _ => Role::Main,
            };
            match given.take_tcp_listener(at) {
                Ok(Some(listener)) => out.tcp.push((listener, role)),
                _ => match given.take_unix_listener(at) {
                    Ok(Some(listener)) => out.unix.push(listener),
                    Ok(None) => {}
                    Err(error) => return Err(ListenError::Activated(at, error)),
                },
            }
        }
        // systemd passes them in any order, another one at each start. The first one names the server
        // in its cookies, so a login would end with the restart.
        out.tcp.sort_by_key(|(listener, role)| {
            let port = listener.local_addr().map_or(0, |address| address.port());
            (*role, port)
        });
        Ok(out)
    }
}

/// Everything that listens.
#[derive(Debug)]
pub(super) struct Opened {
    /// The sockets; the first TCP one is the address people are told.
    pub(super) listeners: Vec<Listener>,
    /// The Unix socket's file, which goes with the server.
    pub(super) file: Option<SocketFile>,
    /// Where a browser finds the server.
    pub(super) url: String,
    /// Where the kiosk's own window finds it.
    pub(super) kiosk_url: String,
    /// The machine's names.
    pub(super) host_names: Vec<String>,
}

/// Says what is wrong with the settings before anything is touched.
pub(super) fn check(server: &Server, activated: &Activated) -> Result<(), ListenError> {
    let tls = server.tls.mode != TlsMode::Off;
    let given = activated.tcp.iter().filter_map(|(listener, role)| {
        let address = listener.local_addr().ok()?;
        let plain = *role == Role::Plain;
        // A redirect says nothing that could be read.
        (*role != Role::Redirect).then_some(Listen { address, plain })
    });
    let own = server.listen.iter().copied();
    let mut all: Vec<Listen> = given.collect();
    if all.is_empty() {
        all.extend(own);
    }
    for listen in all {
        let plain = listen.plain || !tls;
        if plain && !listen.address.ip().to_canonical().is_loopback() && !server.allow_plain_http {
            return Err(ListenError::Plain(listen.address));
        }
    }
    if !server.local_listen.ip().is_loopback() {
        return Err(ListenError::Local(server.local_listen));
    }
    if !tls && !server.https_redirect.is_empty() {
        return Err(ListenError::Redirect);
    }
    Ok(())
}

/// What the machine's certificate names.
pub(crate) fn identity(server: &Server) -> Identity {
    Identity {
        host_name: host_name(),
        more: server
            .allow_hosts
            .iter()
            .chain(asked_for(server))
            .map(ToString::to_string)
            .collect(),
        addresses,
    }
}

/// The names an authority is asked to vouch for.
fn asked_for(server: &Server) -> impl Iterator<Item = &HostName> {
    let asks = server.tls.mode == TlsMode::Acme;
    server.tls.acme.names.iter().filter(move |_| asks)
}

/// Opens everything.
pub(super) fn open(
    server: &Server,
    folders: &Folders,
    activated: Activated,
) -> Result<Opened, ListenError> {
    let identity = identity(server);
    let mut host_names = identity.host_names();
    host_names.extend(asked_for(server).map(ToString::to_string));
    let main = if server.tls.mode == TlsMode::Off {
        Speaks::Http
    } else {
        Speaks::Https(Tls::open(TlsSource {
            settings: server.tls.clone(),
            own_file: folders.self_signed(),
            acme: AcmeFolder::new(folders.acme()),
            identity,
        })?)
    };
    let mut listeners = Vec::new();
    let mut main_given = false;
    for (at, (listener, role)) in activated.tcp.into_iter().enumerate() {
        let speaks = match role {
            Role::Plain => Speaks::Http,
            Role::Redirect => Speaks::Redirect,
            Role::Main => main.clone(),
        };
        main_given |= role != Role::Redirect;
        let listener = Listener::tcp(listener, speaks);
        listeners.push(listener.map_err(|error| ListenError::Activated(at, error))?);
    }
    if !main_given {
        for listen in &server.listen {
            let speaks = if listen.plain {
                Speaks::Http
            } else {
                main.clone()
            };
            listeners.push(bind(listen.address, &server.listen, speaks)?);
        }
    }
    for address in &server.https_redirect {
        listeners.push(bind(*address, &[], Speaks::Redirect)?);
    }
    let of_kiosk = |listener: &&Listener| {
        matches!(listener.speaks(), Speaks::Http)
            && listener
                .address()
                .is_some_and(|address| address.ip().is_loopback() || address.ip().is_unspecified())
    };
    if listeners.iter().find(of_kiosk).is_none() {
        listeners.push(bind_local(server.local_listen)?);
    }
    let prefix = server.url_prefix.as_str();
    let kiosk = listeners.iter().find(of_kiosk);
    let url = listeners
        .iter()
        .find(|listener| !matches!(listener.speaks(), Speaks::Redirect))
        .map(|listener| url_of(listener, prefix));
    let kiosk_url = kiosk.map(|listener| url_of(listener, prefix));
    for listener in activated.unix {
        let listener = Listener::unix(listener);
        listeners.push(listener.map_err(|error| ListenError::Activated(0, error))?);
    }
    let mut file = None;
    if let Some(path) = &server.unix_socket {
        let (listener, made) = bind_unix(path, server.unix_socket_mode).map_err(|source| {
            let path = path.clone();
            ListenError::Unix { path, source }
        })?;
        listeners.push(listener);
        file = Some(made);
    }
    Ok(Opened {
        listeners,
        file,
        url: url.unwrap_or_default(),
        kiosk_url: kiosk_url.unwrap_or_default(),
        host_names,
    })
}

fn bind(address: SocketAddr, all: &[Listen], speaks: Speaks) -> Result<Listener, ListenError> {
    // `[::]` would take the place of `0.0.0.0`, if both are asked for.
    let only_v6 = all.iter().any(|other| {
        other.address.port() == address.port() && other.address.ip() == Ipv4Addr::UNSPECIFIED
    });
    Listener::bind(address, only_v6, speaks).map_err(|error| cannot_listen(address, &error))
}

/// The kiosk's own listener. Its address is told to the window at every start, so that any free port
/// does when the usual one is taken.
fn bind_local(address: SocketAddr) -> Result<Listener, ListenError> {
    match bind(address, &[], Speaks::Http) {
        Err(ListenError::Address { taken: true, .. }) => {
            tracing::info!(%address, "taken; the kiosk's window gets another port");
            bind(SocketAddr::new(address.ip(), 0), &[], Speaks::Http)
        }
        other => other,
    }
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> ListenError {
    let reason = match error.kind() {
        ErrorKind::AddrInUse => {
            "another program listens there already; stop it, or choose another port with --listen"
                .to_owned()
        }
        ErrorKind::PermissionDenied => {
            "ports below 1024 need privileges; choose a higher one with --listen, or let systemd open it (gatepost.socket)".to_owned()
        }
        ErrorKind::AddrNotAvailable => "this machine doesn't have that address".to_owned(),
        _ => error.to_string(),
    };
    ListenError::Address {
        address,
        reason,
        taken: error.kind() == ErrorKind::AddrInUse,
    }
}

/// The URL a browser uses for a listener: on this machine, and for HTTPS beyond it if it can be.
fn url_of(listener: &Listener, prefix: &str) -> String {
    let Some(address) = listener.address() else {
        return String::new();
    };
    let secure = matches!(listener.speaks(), Speaks::Https(_));
    let mut shown = address;
    if address.ip().is_unspecified() {
        let beyond = addresses().into_iter().find(IpAddr::is_ipv4);
        shown.set_ip(match (secure, beyond, address) {
            (true, Some(ip), _) => ip,
            (_, _, SocketAddr::V4(_)) => Ipv4Addr::LOCALHOST.into(),
            (_, _, SocketAddr::V6(_)) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    match (secure, shown.port(), shown.ip()) {
        (true, 443, IpAddr::V4(ip)) => format!("https://{ip}{prefix}"),
        (true, 443, IpAddr::V6(ip)) => format!("https://[{ip}]{prefix}"),
        (true, _, _) => format!("https://{shown}{prefix}"),
        (false, _, _) => format!("http://{shown}{prefix}"),
    }
}
