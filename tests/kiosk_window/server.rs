//! A real server in folders of its own, ended with all its terminals when the test is over.

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use super::Running;

/// A server, running or not.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    process: Option<Child>,
    /// Kept over restarts: the page is at home there.
    address: String,
}

impl Server {
    /// Folders for a server, and nobody there.
    pub(crate) fn not_started() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            process: None,
            address: "127.0.0.1:0".to_owned(),
        }
    }

    /// A running server.
    pub(crate) fn start() -> Self {
        let mut server = Self::not_started();
        server.start_again();
        server
    }

    /// Folders for a server with this configuration, and nobody there.
    pub(crate) fn configured(configuration: &str) -> Self {
        let server = Self::not_started();
        std::fs::create_dir(server.folder.path().join("config")).unwrap();
        server.configure(configuration);
        server
    }

    /// Changes the configuration.
    pub(crate) fn configure(&self, configuration: &str) {
        let path = self.folder.path().join("config/gatepost.toml");
        std::fs::write(path, configuration).unwrap();
    }

    /// Somebody who watches a terminal from a text terminal of their own.
    pub(crate) fn watch(&self, terminal: &str) -> Running {
        let gatepost = env!("CARGO_BIN_EXE_gatepost");
        let mut command = Command::new("script");
        self.environment(&mut command)
            .args(["-q", "-c"])
            .arg(format!("{gatepost} terminal attach --view {terminal}"))
            .arg("/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        Running(command.spawn().unwrap())
    }

    /// The home folder of everything that runs with this server.
    pub(crate) fn home(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Opens the kiosk's terminal with this script in it.
    pub(crate) fn open_kiosk(&self, script: &str) {
        self.gatepost(&[
            "terminal", "open", "--name", "kiosk", "--", "/bin/sh", "-c", script,
        ]);
    }

    /// Starts, on the address it had before, if any.
    pub(crate) fn start_again(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        self.environment(&mut command)
            .args(["serve", "--listen", &self.address])
            .stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        self.process = Some(process);
        let address = line
            .trim_end()
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.strip_suffix('/'));
        match address {
            Some(address) => address.clone_into(&mut self.address),
            None => panic!("the server said {line:?}"),
        }
    }

    /// Kills the server as the kernel would, without a chance to say good-bye.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Lets a program find this server.
    pub(crate) fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("GATEPOST_RUNTIME_DIR", self.runtime())
            .env("GATEPOST_CONFIG_DIR", self.folder.path().join("config"))
            .env("GATEPOST_STATE_DIR", self.folder.path().join("state"))
            .env("HOME", self.folder.path())
    }

    /// Runs a `gatepost` command that must succeed; the value is what it printed.
    pub(crate) fn gatepost(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        let done = self
            .environment(&mut command)
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "gatepost {arguments:?}: {said}");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// What is on the terminal's screen.
    pub(crate) fn screen(&self, terminal: &str) -> String {
        self.gatepost(&["terminal", "show", terminal])
    }

    /// Whether a line of the terminal's screen is this text.
    pub(crate) fn shows(&self, terminal: &str, text: &str) -> bool {
        self.screen(terminal)
            .lines()
            .any(|line| line.trim_end() == text)
    }

    fn runtime(&self) -> PathBuf {
        self.folder.path().join("run")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        // Keepers outlive their server by design; whoever answers at a terminal's socket is one.
        let sockets = std::fs::read_dir(self.runtime().join("terminals"));
        for entry in sockets.into_iter().flatten().flatten() {
            if let Ok(socket) = UnixStream::connect(entry.path()) {
                let peer = rustix::net::sockopt::socket_peercred(&socket).unwrap();
                let _gone_already = rustix::process::kill_process(peer.pid, Signal::TERM);
            }
        }
    }
}
