//! From `main` to the loop: a clean process, the launch message, the socket, the program, `ready`.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use rustix::fs::{Access, Mode, OFlags};
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

use super::adopted::Given;
use super::child::{self, Account};
use super::environment::{Machine, plan};
use super::home::FreshHome;
use super::last_words;
use super::program::Program;
use super::pty::Pty;
use super::run::{Keeper, Signals};
use super::socket::Listener;
use super::{KeeperError, best_effort};
use crate::screen::AlacrittyModel;
use crate::wire::holder::ADOPT;
use crate::wire::launch::{Launch, MAX_LAUNCH, MAX_SCROLLBACK};

/// The home folder of whoever started Gatepost, when it is another one than the user database has:
/// only if it is theirs, since a root shell (`sudo -E`) must not write into somebody else's.
fn own_home() -> Option<PathBuf> {
    let home = PathBuf::from(std::env::var_os("HOME")?);
    let folder = home.is_absolute().then(|| home.metadata().ok())??;
    (folder.is_dir() && folder.uid() == rustix::process::geteuid().as_raw()).then_some(home)
}

/// Runs a keeper until its terminal is gone.
pub fn main() -> ExitCode {
    match start() {
        Ok(keeper) => {
            say("ready");
            leave_the_parent();
            keeper.run();
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("failed {error}").replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<Keeper<AlacrittyModel>, KeeperError> {
    let adopts = std::env::args_os().nth(1).is_some_and(|word| word == ADOPT);
    child::close_inherited_descriptors(adopts);
    child::default_signals();
    let signals = watch_signals().map_err(|source| KeeperError::System {
        what: "watching for signals",
        source,
    })?;
    // A session of its own, so that no terminal's hang-up reaches it. Fails harmlessly for who
    // already leads a process group.
    best_effort(rustix::process::setsid());
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let subreaper = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    subreaper.map_err(|errno| KeeperError::System {
        what: "becoming the reaper of the terminal's processes",
        source: errno.into(),
    })?;
    // Neither the keeper's memory (scrollback) nor the program's ends up in a core file, unless a
    // person raises the limit in their shell.
    let hard = rustix::process::getrlimit(Resource::Core).maximum;
    let none = Rlimit {
        current: Some(0),
        maximum: hard,
    };
    best_effort(rustix::process::setrlimit(Resource::Core, none));

    let mut launch = read_launch()?;
    launch.scrollback = launch.scrollback.min(MAX_SCROLLBACK);
    // A keeper lives long and must not keep a file system busy.
    if adopts {
        best_effort(rustix::process::chdir("/"));
        return adopt(&launch, signals);
    }
    let mut account = child::account().map(|account| Account {
        home: own_home().unwrap_or(account.home),
        ..account
    });
    let mut home = None;
    let mut missing = None;
    if launch.care.is_some_and(|care| care.fresh_home) {
        let known = account.get_or_insert_with(Account::unknown);
        let (made, warning) = FreshHome::make(launch.id, &known.home).map_err(KeeperError::Home)?;
        made.folder().clone_into(&mut known.home);
        (home, missing) = (Some(made), warning);
    }
    let machine = Machine {
        account,
        root: rustix::process::geteuid().is_root(),
        environment: std::env::vars_os().collect(),
        is_folder: &|path| path.is_dir() && accessible(path, Access::EXEC_OK),
        is_executable: &|path| path.is_file() && accessible(path, Access::EXEC_OK),
    };
    let plan = plan(&launch, &machine)?;
    let folder = launch
        .folder
        .canonicalize()
        .map_err(|source| KeeperError::Socket {
            path: launch.folder.clone(),
            source,
        })?;
    let listener = Listener::bind(&folder, launch.id, launch.peers.clone())?;
    last_words::leave_when_broken(&folder, launch.id);
    // A keeper lives long and must not keep a file system busy.
    best_effort(rustix::process::chdir("/"));

    let now = Instant::now();
    let warning = missing.or_else(|| plan.warning.clone());
    let mut program = Program::new(plan, now);
    program.start(launch.size, now)?;
    let model = AlacrittyModel::new(launch.size, launch.scrollback);
    let keeper = Keeper::new(&launch, model, program, listener, signals, warning);
    Ok(keeper.with_home(home))
}

/// A keeper for a terminal whose program somebody else has started. It never starts one itself.
fn adopt(launch: &Launch, signals: Signals) -> Result<Keeper<AlacrittyModel>, KeeperError> {
    // Others of the same user, keepers too, must not look into its memory.
    best_effort(rustix::process::set_dumpable_behavior(
        DumpableBehavior::NotDumpable,
    ));
    last_words::leave_when_broken(&launch.folder, launch.id);
    let given = Given::take()?;
    let listener = Listener::adopt(given.listener, launch.peers.clone());
    let pty = Pty::adopt(given.master);
    let mut program = Program::adopt(given.holder, pty, launch.command.clone(), Instant::now());
    program.hear(Instant::now());
    let model = AlacrittyModel::new(launch.size, launch.scrollback);
    Ok(Keeper::new(launch, model, program, listener, signals, None))
}

fn accessible(path: &Path, access: Access) -> bool {
    rustix::fs::access(path, access).is_ok()
}

fn read_launch() -> Result<Launch, KeeperError> {
    let limit = u64::try_from(MAX_LAUNCH).unwrap_or(u64::MAX);
    let mut text = Vec::new();
    io::stdin()
        .lock()
        .take(limit + 1)
        .read_to_end(&mut text)
        .map_err(|error| KeeperError::Launch(error.to_string()))?;
    if text.len() > MAX_LAUNCH {
        return Err(KeeperError::Launch("it is longer".to_owned()));
    }
    // serde's message may quote the text, which may hold a secret in its environment.
    serde_json::from_slice(&text).map_err(|error| {
        KeeperError::Launch(format!(
            "{:?} error at column {}",
            error.classify(),
            error.column()
        ))
    })
}

fn watch_signals() -> io::Result<Signals> {
    let pair = || -> io::Result<(UnixStream, UnixStream)> {
        let (read, write) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        write.set_nonblocking(true)?;
        Ok((read, write))
    };
    let (children, on_child) = pair()?;
    let (ends, on_end) = pair()?;
    signal_hook::low_level::pipe::register(SIGCHLD, on_child)?;
    signal_hook::low_level::pipe::register(SIGTERM, on_end.try_clone()?)?;
    signal_hook::low_level::pipe::register(SIGINT, on_end)?;
    // A keeper has no terminal of its own that could hang up. A handler rather than "ignore", which
    // the program would inherit.
    signal_hook::flag::register(SIGHUP, std::sync::Arc::default())?;
    Ok(Signals { children, ends })
}

/// One line on standard output, for whoever started this.
fn say(line: &str) {
    // Nobody there to read it is no reason to stop.
    best_effort(writeln!(io::stdout(), "{line}").and_then(|()| io::stdout().flush()));
}

/// Lets go of the parent's standard streams: it waits for their end, and may be gone any time.
fn leave_the_parent() {
    let Ok(null) = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
    else {
        return;
    };
    best_effort(rustix::stdio::dup2_stdin(&null));
    best_effort(rustix::stdio::dup2_stdout(&null));
    best_effort(rustix::stdio::dup2_stderr(&null));
}
