//! Starting a keeper, so that nothing that happens to us happens to it.
//!
//! Either we start the executable ourselves, or we connect to a socket behind which systemd starts
//! one for each connection (`gatepost-terminal.socket`): then it is in no sandbox of ours. The
//! conversation is the same.

use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::UnixStream;
use tokio::process::Command;

use crate::wire::launch::Launch;

/// Longest answer read from a keeper, in bytes.
const MAX_ANSWER: u64 = 4096;
/// Variables that speak of this process or hold secrets of it. The keeper builds its shell's
/// environment from scratch; this keeps them out of the keeper's own, too.
const OURS: [&str; 8] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
    "CREDENTIALS_DIRECTORY",
    "INVOCATION_ID",
];

/// Where the package has the keeper, seen from the folder of our own executable.
const PACKAGED: &str = "../libexec/gatepost/gatepost-keeper";

/// The socket for a guest's terminal, beside the one for others.
const GUESTS: &str = "gatepost-guest.sock";

/// How keepers are started: `GATEPOST_KEEPER`, which names an executable or a socket; else the
/// executable beside our own, or where the package has it.
pub fn find_keeper(variable: Option<PathBuf>) -> Result<PathBuf, String> {
    if let Some(path) = variable {
        return if path.is_file() || is_socket(&path) {
            Ok(path)
        } else {
            Err(format!(
                "{} is not there; GATEPOST_KEEPER must name the keeper's executable, or the socket of gatepost-terminal.socket",
                path.display()
            ))
        };
    }
    let own = std::env::current_exe()
        .map_err(|error| format!("our own executable can't be found: {error}"))?;
    // After an upgrade the kernel calls the running file "… (deleted)"; its folder holds.
    let beside = own.with_file_name("gatepost-keeper");
    [own.with_file_name(PACKAGED), beside.clone()]
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| {
            format!(
                "{} is not there; it belongs beside gatepost, or GATEPOST_KEEPER says where it is",
                beside.display()
            )
        })
}

fn is_socket(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

/// Starts a keeper and waits until its terminal is open. The error is a sentence for a person.
pub(super) async fn start(
    keeper: &Path,
    mut launch: Launch,
    limit: Duration,
) -> Result<(), String> {
    if is_socket(keeper) {
        // It runs as another user than we do, and has to know whom to let in.
        launch.peers = vec![rustix::process::geteuid().as_raw()];
        let message = serde_json::to_vec(&launch).map_err(|error| error.to_string())?;
        // A guest's is a unit that leaves nothing behind.
        let guest = launch.care.is_some_and(|care| care.fresh_home);
        let guests = keeper.with_file_name(GUESTS);
        return ask(if guest { &guests } else { keeper }, &message, limit).await;
    }
    let message = serde_json::to_vec(&launch).map_err(|error| error.to_string())?;
    run(keeper, &message, limit).await
}

/// Asks systemd for a keeper by connecting to its socket.
async fn ask(socket: &Path, message: &[u8], limit: Duration) -> Result<(), String> {
    let stream = UnixStream::connect(socket).await.map_err(|error| {
        format!(
            "{}: {error}; is {} active?",
            socket.display(),
            socket
                .with_extension("socket")
                .file_name()
                .unwrap_or_default()
                .display()
        )
    })?;
    let (output, input) = stream.into_split();
    converse(input, output, message, limit).await
}

/// Starts a keeper as our child.
async fn run(keeper: &Path, message: &[u8], limit: Duration) -> Result<(), String> {
    let mut command = Command::new(keeper);
    command
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Our own may be a pipe that ends with us; what it has to say comes on its standard output.
        .stderr(Stdio::null())
        .kill_on_drop(false);
    for name in OURS {
        command.env_remove(name);
    }
    let mut child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("{} is not there", keeper.display()),
        _ => format!("{}: {error}", keeper.display()),
    })?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("the keeper has no pipes".to_owned());
    };
    match converse(input, output, message, limit).await {
        Ok(()) => {
            // Collects the exit status while we live; the keeper outlives us without a parent.
            tokio::spawn(async move { child.wait().await });
            Ok(())
        }
        Err(reason) => {
            // It may have ended by itself already.
            let _ended = child.kill().await;
            Err(reason)
        }
    }
}

/// The launch message, its end, and the keeper's one line.
async fn converse(
    mut input: impl AsyncWrite + Unpin,
    output: impl AsyncRead + Unpin,
    message: &[u8],
    limit: Duration,
) -> Result<(), String> {
    let conversation = async {
        input.write_all(message).await?;
        // Of a socket, this direction; a pipe ends when it is dropped.
        input.shutdown().await?;
        drop(input);
        let mut line = String::new();
        BufReader::new(output)
            .take(MAX_ANSWER)
            .read_line(&mut line)
            .await?;
        Ok::<_, io::Error>(line)
    };
    match tokio::time::timeout(limit, conversation).await {
        Ok(Ok(line)) => match line.trim_end() {
            "ready" => Ok(()),
            "" => Err("its keeper ended without a word".to_owned()),
            line => Err(line.strip_prefix("failed ").unwrap_or(line).to_owned()),
        },
        Ok(Err(error)) => Err(format!("its keeper can't be talked to: {error}")),
        Err(_elapsed) => Err(format!(
            "its keeper wasn't ready within {} s",
            limit.as_secs()
        )),
    }
}
