//! A server in a folder of its own: inside the test, with limits to choose, or as a process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use gatepost::base::{Principal, User};
use gatepost::config::Folders;
use gatepost::role::serve::{Server, Settings};
use gatepost::wire::frame::{FromViewer, prefixed};
use gatepost::wire::message::{Mode, Request};
use rustix::process::{Pid, Signal};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::keeper::{attach, until};
use super::web::{Answer, Browser};

/// A port for a program that can't be given port 0. Below those the kernel hands out by itself (from 32768), so
/// that nothing that asks for port 0 or connects somewhere gets it in between; a second call gives another.
pub fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let mut random = [0; 2];
    getrandom::fill(&mut random).unwrap();
    // Other test programs begin elsewhere.
    let first = u16::from_ne_bytes(random) % RANGE;
    let _ours = TAKEN.compare_exchange(0, first + 1, Ordering::Relaxed, Ordering::Relaxed);
    loop {
        let port = 20_000 + TAKEN.fetch_add(1, Ordering::Relaxed) % RANGE;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return port;
        }
    }
}

/// How many ports there are to choose from.
const RANGE: u16 = 12_000;

/// Runs a program that reads this, to its end.
pub fn fed(command: &mut Command, input: &str) -> std::io::Result<Output> {
    use std::io::Write as _;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // It may have ended without reading.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output()
}

/// The folders of one server; what still runs in them is ended with the test.
pub struct Place {
    pub temp: tempfile::TempDir,
    pub folders: Folders,
}

impl Place {
    pub fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let folders = Folders {
            runtime: temp.path().join("run"),
            state: temp.path().join("state"),
        };
        Self { temp, folders }
    }

    /// The command with our executables and folders.
    pub fn gatepost(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command
            .args(arguments)
            .env("GATEPOST_RUNTIME_DIR", &self.folders.runtime)
            .env("GATEPOST_STATE_DIR", &self.folders.state)
            .env("GATEPOST_CONFIG_DIR", self.config())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.gatepost(arguments);
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command that reads this.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        fed(&mut self.gatepost(arguments), input).unwrap()
    }

    /// Runs a command that has to succeed; what it prints, trimmed.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    /// The folder its configuration would be in.
    pub fn config(&self) -> PathBuf {
        self.temp.path().join("config")
    }

    /// Writes a file of its configuration, as in `conf.d/10a.toml`.
    pub fn configure(&self, name: &str, text: &str) -> PathBuf {
        let path = self.config().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn sockets(&self) -> Vec<PathBuf> {
        sockets(&self.folders.terminals())
    }

    /// The users in its table of logins.
    pub fn users(&self) -> Vec<Value> {
        let Ok(text) = std::fs::read_to_string(self.folders.state.join("logins.json")) else {
            return Vec::new();
        };
        let table: Value = serde_json::from_str(&text).unwrap();
        let rows = table["logins"].as_array().unwrap();
        rows.iter()
            .map(|row| row["principal"]["user"]["user"].clone())
            .collect()
    }
}

fn sockets(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "sock"))
        .collect()
}

impl Drop for Place {
    fn drop(&mut self) {
        use std::io::Write as _;
        for socket in self.sockets() {
            let Ok(mut stream) = std::os::unix::net::UnixStream::connect(socket) else {
                continue;
            };
            let mut bytes = Vec::new();
            prefixed(&mut bytes, |out| {
                FromViewer::Attach(attach(Mode::Manage)).encode(out);
            });
            prefixed(&mut bytes, |out| {
                let request = Request::Close {};
                FromViewer::Request { id: 1, request }.encode(out);
            });
            // It may just be ending by itself.
            drop(stream.write_all(&bytes));
            drop(stream.read_to_end(&mut Vec::new()));
        }
    }
}

/// A server inside the test.
pub struct TestServer {
    pub place: Place,
    pub address: SocketAddr,
    pub addresses: Vec<SocketAddr>,
    pub kiosk_url: String,
    server: Option<Server>,
    runtime: Runtime,
}

impl TestServer {
    pub fn start() -> Self {
        Self::with(|_| ())
    }

    /// With changed settings.
    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::at(Place::new(), change)
    }

    /// In this place.
    pub fn at(place: Place, change: impl FnOnce(&mut Settings)) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let mut settings = Settings::new(
            "127.0.0.1:0".parse().unwrap(),
            place.folders.clone(),
            env!("CARGO_BIN_EXE_gatepost-keeper").into(),
        );
        change(&mut settings);
        let server = runtime.block_on(Server::start(settings)).unwrap();
        Self {
            address: server.addresses()[0],
            addresses: server.addresses().to_vec(),
            kiosk_url: server.kiosk_url().to_owned(),
            place,
            server: Some(server),
            runtime,
        }
    }

    /// A browser that is logged in.
    pub fn browser(&self) -> Browser {
        let url = self.server.as_ref().unwrap().login_url().unwrap();
        let mut browser = Browser::new(self.address);
        browser.log_in(&url);
        browser
    }

    /// A browser logged in as this user.
    pub fn browser_of(&self, user: User) -> Browser {
        let mut browser = Browser::new(self.address);
        browser.log_in(&self.url_of(user));
        browser
    }

    /// The page on the machine's own screen.
    pub fn kiosk(&self) -> Browser {
        let server = self.server.as_ref().unwrap();
        let mut browser = Browser::new(self.address);
        browser.log_in(&server.login_url_for(Principal::Kiosk {}).unwrap());
        browser
    }

    /// An address that logs in as this user, once.
    pub fn url_of(&self, user: User) -> String {
        let principal = Principal::User { user };
        let server = self.server.as_ref().unwrap();
        server.login_url_for(principal).unwrap()
    }

    /// A browser that isn't.
    pub fn stranger(&self) -> Browser {
        Browser::new(self.address)
    }

    /// Who is logged in by the cookie of this answer, in the server's words; nobody without one.
    pub fn logged_in(&self, answer: &Answer) -> Option<Value> {
        let name = format!("gatepost_login_{}", self.address.port());
        let secret = answer.cookie(&name)?;
        let mut browser = self.stranger();
        browser.cookie = Some(format!("{name}={secret}"));
        let who = browser.get("/api/login");
        assert_eq!(who.status, 200);
        Some(who.json())
    }

    /// A one-time token for a login.
    pub fn token(&self) -> String {
        let url = self.server.as_ref().unwrap().login_url().unwrap();
        url.split_once("#token=").unwrap().1.to_owned()
    }

    /// Stops it gracefully.
    pub fn stop(&mut self) {
        let server = self.server.take().unwrap();
        self.runtime.block_on(server.stop());
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
        }
    }
}

/// A server as a process of its own.
pub struct ServerProcess {
    pub address: SocketAddr,
    child: Child,
}

impl ServerProcess {
    /// Starts `gatepost serve` and waits for its address.
    pub fn start(place: &Place, more: &[&str]) -> Self {
        let mut arguments = vec!["serve"];
        if !more.contains(&"--listen") {
            arguments.extend(["--listen", "127.0.0.1:0"]);
        }
        arguments.extend(more);
        Self::run(place.gatepost(&arguments))
    }

    /// Runs this command, which has to print an address.
    pub fn run(mut command: Command) -> Self {
        command.stderr(Stdio::null());
        Self::run_logged(command)
    }

    /// The same, its log where the command says.
    pub fn run_logged(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .trim()
            .strip_prefix("listening on http")
            .map(|rest| rest.trim_start_matches('s').trim_start_matches("://"))
            .and_then(|rest| rest.strip_suffix('/'));
        let Some(address) = address else {
            drop(child.wait());
            panic!("no address: {line:?}");
        };
        Self {
            address: address.parse().unwrap(),
            child,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// SIGKILL, and waits for its end.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub fn wait(mut self) {
        until("the server ends", || {
            self.child.try_wait().unwrap().is_some()
        });
    }

    /// SIGTERM, and its exit code.
    pub fn stop(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        let mut status = None;
        until("the server stops", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.and_then(|status| status.code())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
