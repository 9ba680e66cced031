//! The server's process: folders, lock, listeners, doors, and an orderly end.

mod arguments;
mod changes;
mod listeners;
mod lock;
mod screen;
mod sweep;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{
    Auth, AuthLimits, Sso, SsoSettings, SsoSetupError, Ways, WaysError, WaysOptions,
};
use crate::base::Principal;
use crate::config::Folders;
use crate::control::Control;
use crate::doors::buttons;
use crate::doors::local::{self, Guests, Local};
use crate::doors::web::{self, SocketFile, WebLimits, WebSettings};
use crate::hardware::Board;
use crate::policy::Rules;
use crate::policy::settings::server::{Listen, Server as WebServer};
use crate::system::hook::Hooks;
use crate::system::setup::Setup;
use crate::system::update::Updates;
use crate::system::{
    Doctor, FolderFault, Lock, Maintenance, Watchdog, power, private_folder, raise_file_limit,
    ready, shared_folder, stopping,
};
use crate::terminals::{TerminalLimits, Terminals, find_keeper};

use super::client::folders;
use super::exit::{Code, Failure};
use super::log;
use super::reload::Configuration;
use super::{output, window};

pub use arguments::ServeArguments;
pub(super) use listeners::identity;
pub use listeners::{Activated, ListenError};

/// Stack of a thread, in bytes; nothing here recurses.
const STACK: usize = 512 << 10;
/// Threads for the few calls that block on the disk.
const BLOCKING: usize = 4;
/// Longest path of a Unix socket, in bytes (`sun_path` without its closing NUL).
const MAX_SOCKET_PATH: usize = 107;
/// Bytes of `/ID.sock`.
const SOCKET_NAME: usize = 16;

/// Everything a server is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen, and everything else about the web door.
    pub server: WebServer,
    /// The folders it uses.
    pub folders: Folders,
    /// The keeper's executable.
    pub keeper: PathBuf,
    /// See `--power`.
    pub power: Option<PathBuf>,
    /// Where hooks are run.
    pub hooks: Hooks,
    /// Who may write to the system's other slot.
    pub updates: Updates,
    /// Who may unlock the image's system.
    pub maintenance: Maintenance,
    /// Who sets the machine up.
    pub setup: Setup,
    /// Why the machine has lost its lasting files, if it has.
    pub locked: Option<String>,
    /// The rules in force, and whatever they become.
    pub rules: watch::Receiver<Arc<Rules>>,
    /// Limits of the web door.
    pub web: WebLimits,
    /// Limits of logins and tokens.
    pub auth: AuthLimits,
    /// The ways to log in. Their folder is set to `folders.state`.
    pub ways: WaysOptions,
    /// Ways to log in where somebody else knows who it is.
    pub sso: SsoSettings,
    /// Limits of terminals.
    pub terminals: TerminalLimits,
    /// How long connections may take to end when the server stops.
    pub stop: Duration,
}

impl Settings {
    /// Settings with the usual limits.
    pub fn new(listen: SocketAddr, folders: Folders, keeper: PathBuf) -> Self {
        Self {
            server: WebServer {
                listen: vec![Listen::bare(listen)],
                ..WebServer::default()
            },
            folders,
            keeper,
            power: None,
            hooks: Hooks::Absent,
            updates: Updates::Absent,
            maintenance: Maintenance::Absent,
            setup: Setup::Absent,
            locked: None,
            rules: watch::channel(Arc::default()).1,
            web: WebLimits::default(),
            auth: AuthLimits::default(),
            ways: WaysOptions::default(),
            sso: SsoSettings::default(),
            terminals: TerminalLimits::default(),
            stop: Duration::from_secs(5),
        }
    }
}

/// Why a server can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A folder or the lock on it.
    #[error(transparent)]
    Folder(#[from] FolderFault),
    /// An address, or the certificate to show there.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The kernel limits the path of a Unix socket.
    #[error("{path} is too long a path: sockets in it would be over {MAX_SOCKET_PATH} bytes; choose a shorter GATEPOST_RUNTIME_DIR", path = .0.display())]
    TooDeep(PathBuf),
    /// A way to log in.
    #[error("logins: {0}")]
    Ways(#[from] WaysError),
    /// Ways to log in where somebody else knows who it is.
    #[error("logging in: {0}")]
    Sso(#[from] SsoSetupError),
    /// The control socket.
    #[error("control socket {path}: {source}", path = path.display())]
    Control {
        /// Its path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    stop: CancellationToken,
    tasks: TaskTracker,
    auth: Arc<Auth>,
    control_socket: PathBuf,
    deadline: Duration,
    url: String,
    local: Arc<Local>,
    _socket_file: Option<SocketFile>,
    _lock: Lock,
}

impl Server {
    /// Starts serving; connections are accepted when this returns.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        Self::start_with(settings, Activated::default()).await
    }

    /// The same, with sockets that listen already.
    pub async fn start_with(settings: Settings, activated: Activated) -> Result<Self, StartError> {
        let Settings {
            mut server,
            folders,
            ..
        } = settings;
        let activated = lock::admitted(settings.locked.as_deref(), &mut server, activated);
        listeners::check(&server, &activated)?;
        let longest = folders.terminals().as_os_str().len() + SOCKET_NAME;
        if longest > MAX_SOCKET_PATH {
            return Err(StartError::TooDeep(folders.runtime));
        }
        private_folder(&folders.runtime)?;
        shared_folder(&folders.terminals())?;
        private_folder(&folders.state)?;
        let mut lock = Lock::take(&folders.lock())?;
        let opened = listeners::open(&server, &folders, activated)?;
        let listening = opened.listeners.iter().filter_map(web::Listener::address);
        let addresses: Vec<SocketAddr> = listening.collect();
        let line = format!("process {} at {}", std::process::id(), opened.url);
        if let Err(error) = lock.describe(&line) {
            tracing::warn!(%error, "the lock file can't be written; is the disk full?");
        }
        let control_socket = folders.control_socket();
        let local_listener =
            local::bind(&control_socket).map_err(|source| StartError::Control {
                path: control_socket.clone(),
                source,
            })?;
        let ways = WaysOptions {
            state: folders.state.clone(),
            ..settings.ways
        };
        let auth = Auth::open(folders.logins(), settings.auth, Ways::open(ways)?);
        let auth = Arc::new(auth);
        let terminals =
            Terminals::start(&folders.terminals(), settings.keeper, settings.terminals).await;
        let control = Control::new(terminals, settings.rules)
            .with_power(power(settings.power))
            .with_doctor(Doctor::new("/", &folders.state))
            .with_hooks(settings.hooks)
            .with_updates(settings.updates)
            .with_maintenance(settings.maintenance)
            .with_setup(settings.setup)
            .locked(settings.locked.clone())
            .with_logins(auth.clone());
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (board, orders) = Board::new();
        // Never from a request: who can choose it can have logins sent elsewhere.
        let base = server
            .public_url
            .as_ref()
            .map_or_else(|| opened.url.clone(), |url| url.as_str().to_owned());
        let sso = Arc::new(Sso::new(settings.sso.clone(), &base)?);
        let local = Arc::new(Local {
            control: control.clone(),
            board: board.clone(),
            auth: auth.clone(),
            address: base.clone(),
            kiosk_address: opened.kiosk_url,
        });
        let web = WebSettings {
            server,
            host_names: opened.host_names,
            sso,
            base: base.clone(),
            limits: settings.web,
        };
        let control_too = control.clone();
        let (auth_too, ends) = (auth.clone(), stop.clone());
        let door = web::serve(opened.listeners, web, control, auth_too, ends, &tasks);
        let following =
            changes::follow(control_too.clone(), door, settings.sso, base, stop.clone());
        tasks.spawn(following);
        tasks.spawn(local::serve(
            local_listener,
            Guests::Owner,
            local.clone(),
            stop.clone(),
            tasks.clone(),
        ));
        screen::listen(&folders, &local, &stop, &tasks);
        let pressed = buttons::serve(control_too, board, orders, stop.clone());
        tasks.spawn(pressed);
        tasks.spawn(sweep::sweep(auth.clone(), stop.clone()));
        let looking = local.control.clone().look_after_kiosk_logins(stop.clone());
        tasks.spawn(looking);
        Ok(Self {
            addresses,
            stop,
            tasks,
            auth,
            control_socket,
            deadline: settings.stop,
            url: opened.url,
            local,
            _socket_file: opened.file,
            _lock: lock,
        })
    }

    /// The addresses really listened on: those asked for in their order, redirects, and the kiosk's.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where the kiosk's own window finds it.
    pub fn kiosk_url(&self) -> &str {
        &self.local.kiosk_address
    }

    /// Where a browser finds it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A fresh login address for a person, as `gatepost url` prints it.
    pub fn login_url(&self) -> Option<String> {
        local::login_url(&self.local, false).ok()
    }

    /// A fresh login address that makes whoever opens it this principal.
    pub fn login_url_for(&self, principal: Principal) -> Option<String> {
        let token = self.auth.page_token(principal).ok()?.expose_hex();
        Some(format!("{}#token={token}", self.local.kiosk_address))
    }

    /// Stops: no new connections, WebSockets are told, what isn't done by the deadline is cut.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(self.deadline, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(connections = self.tasks.len(), "cut at the deadline");
        }
        let auth = self.auth.clone();
        let _saved = tokio::task::spawn_blocking(move || auth.save()).await;
        if let Err(error) = std::fs::remove_file(&self.control_socket) {
            tracing::debug!(%error, "control socket");
        }
    }
}

/// `gatepost serve`
pub(super) fn alone(arguments: &ServeArguments) -> Result<(), Failure> {
    run(arguments, false)
}

/// `gatepost`
pub(super) fn with_window(arguments: &ServeArguments) -> Result<(), Failure> {
    run(arguments, true)
}

fn run(arguments: &ServeArguments, window: bool) -> Result<(), Failure> {
    log::start(arguments.log);
    // Before any thread: it changes the environment.
    let activated = Activated::from_environment().map_err(Failure::failed)?;
    let sources = arguments.sources()?;
    let hooks = arguments.hooks(&sources);
    let configuration = Configuration::load(sources)?;
    let rules = configuration.rules();
    let machine = rules.borrow().machine().clone();
    let keeper = find_keeper(std::env::var_os("GATEPOST_KEEPER").map(PathBuf::from))
        .map_err(Failure::failed)?;
    raise_file_limit();
    let mut settings = Settings::new(([127, 0, 0, 1], 0).into(), folders()?, keeper);
    settings.ways.open.clone_from(&machine.server.auth);
    settings.ways.settings = machine.auth;
    settings.server = machine.server;
    settings.sso = SsoSettings {
        oidc: machine.oidc,
        cas: machine.cas,
        certificate: machine.certificate,
        kerberos: machine.kerberos,
        credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
    };
    settings
        .ways
        .credentials
        .clone_from(&settings.sso.credentials);
    let logins = settings.ways.settings.logins;
    settings.auth.login_idle = Duration::from_secs(logins.idle);
    settings.auth.login_absolute = Duration::from_secs(logins.absolute);
    settings.auth.max_logins = logins.most;
    settings.rules = rules;
    settings.hooks = hooks;
    settings.locked = lock::reason(&arguments.locked);
    arguments.name_helpers(&mut settings);
    // One thread serves all: it passes on a megabyte in less than a millisecond, keepers do the work,
    // and threads that wake one another for every key cost a quarter more of the processor.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(BLOCKING)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(Failure::failed)?;
    let result = runtime.block_on(serve(settings, configuration, activated, window));
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

async fn serve(
    settings: Settings,
    configuration: Configuration,
    activated: Activated,
    window: bool,
) -> Result<(), Failure> {
    // Before anything is started: a signal that comes early must find us listening.
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(Failure::failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::failed)?;
    let runtime_folder = settings.folders.runtime.clone();
    let server = Server::start_with(settings, activated).await;
    let server = server.map_err(|error| {
        let code = match &error {
            StartError::Folder(FolderFault::InUse { .. })
            | StartError::Listen(ListenError::Address { taken: true, .. }) => Code::InUse,
            StartError::Listen(
                ListenError::Plain(_) | ListenError::Local(_) | ListenError::Redirect,
            ) => Code::Usage,
            _ => Code::Failed,
        };
        Failure::new(code, error.to_string())
    })?;
    let _seen = output::line(&format!("listening on {}", server.url()))?;
    tracing::info!(addresses = ?server.addresses(), "listening");
    ready(&format!("listening on {}", server.url()));
    let mut kiosk = if window {
        window::open(&server, &runtime_folder)?
    } else {
        None
    };
    let watchdog = Watchdog::from_environment();
    let watch = tokio::spawn(configuration.keep_watch());
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => break,
            () = beat(watchdog) => {}
            ended = window::ended(&mut kiosk) => {
                kiosk = None;
                if window::wants_another(ended) {
                    kiosk = window::open(&server, &runtime_folder)?;
                } else {
                    window::explain(ended, &server)?;
                }
            }
        }
    }
    watch.abort();
    stopping();
    tracing::info!("stopping; terminals go on");
    if let Some(mut kiosk) = kiosk {
        // Its own child, and of no use without us.
        let _ended = kiosk.kill().await;
    }
    server.stop().await;
    Ok(())
}

async fn beat(watchdog: Option<Watchdog>) {
    match watchdog {
        Some(watchdog) => {
            tokio::time::sleep(watchdog.every).await;
            watchdog.alive();
        }
        None => std::future::pending().await,
    }
}
