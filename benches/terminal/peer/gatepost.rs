//! Gatepost as a browser meets it: logs in with a one-time URL, opens terminals through the API,
//! attaches over the WebSocket.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use gatepost::base::Size;
use gatepost::wire::message::{Attach, DEFAULT_HISTORY, DEFAULT_WINDOW, Mode};
use serde_json::{Value, json};

use super::{Guard, Server};
use crate::link::{Link, Protocol, pass};
use crate::stage::Stage;
use crate::{COLS, ROWS, http, procs, ws};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_gatepost");

/// See the file's head.
pub(super) struct Gatepost {
    server: Guard,
    runtime: PathBuf,
    state: PathBuf,
    address: SocketAddr,
    cookie: String,
    api: http::Client,
    shell: Vec<String>,
    terminals: Vec<String>,
}

impl Gatepost {
    /// Starts the server and logs in.
    pub(super) fn start(stage: &Stage) -> Result<Self> {
        let runtime = stage.fresh("run-")?;
        let state = stage.fresh("state-")?;
        let log = fs::File::create(stage.path("gatepost.log"))?;
        let server = Command::new(EXECUTABLE)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(["--set", "limits.machine_terminals=256"])
            .env("GATEPOST_RUNTIME_DIR", &runtime)
            .env("GATEPOST_STATE_DIR", &state)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("gatepost doesn't start")?;
        let mut server = Guard(server);
        let until = Instant::now() + Duration::from_secs(10);
        let (address, token) = loop {
            match login_url(&runtime, &state) {
                Ok(url) => break split_url(&url)?,
                Err(error) if Instant::now() > until => return Err(error),
                Err(_) => pass(Duration::from_millis(5)),
            }
            if let Some(status) = server.0.try_wait()? {
                let said = fs::read_to_string(stage.path("gatepost.log")).unwrap_or_default();
                bail!("gatepost serve ended with {status}: {said}");
            }
        };
        let mut api = http::Client::new(address)?;
        let body = json!({ "token": token }).to_string();
        let answer = api.ask("POST", "/api/login", &[], Some(&body))?;
        if answer.status != 204 {
            bail!("login refused with status {}", answer.status);
        }
        let cookie = answer.header("set-cookie").context("no cookie")?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self {
            server,
            runtime,
            state,
            address,
            cookie,
            api,
            shell: stage.shell(),
            terminals: Vec::new(),
        })
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<http::Response> {
        let cookie = format!("Cookie: {}", self.cookie);
        let body = body.map(Value::to_string);
        self.api.ask(method, path, &[cookie], body.as_deref())
    }

    fn attach(&mut self, terminal: &str, history: u32) -> Result<Link> {
        let answer = self.ask("POST", "/api/token", None)?.json()?;
        let mut stream = http::connect(self.address)?;
        let host = self.address.to_string();
        let request = ws::upgrade(&host, "/ws/terminal", "gatepost.v1", Some(&self.cookie));
        let rest = http::upgrade(&mut stream, &request)?;
        let hello =
            json!({ "token": answer["token"], "terminal": terminal, "attach": wanted(history) });
        let mut out = Vec::new();
        ws::message(&mut out, ws::TEXT, &[hello.to_string().as_bytes()]);
        std::io::Write::write_all(&mut stream, &out)?;
        Link::new(stream.into(), Protocol::Gatepost { acked: 0 }, &rest, None)
    }
}

impl Server for Gatepost {
    fn open(&mut self) -> Result<Link> {
        let wanted = json!({ "command": self.shell, "size": Size::clamped(COLS, ROWS) });
        let answer = self.ask("POST", "/api/terminals", Some(&wanted))?.json()?;
        let id = answer["terminal"].as_str().context("no terminal's id")?;
        self.terminals.push(id.to_owned());
        self.attach(id, DEFAULT_HISTORY)
    }

    fn again(&mut self, history: u32) -> Result<Option<Link>> {
        let last = self.terminals.last().context("no terminal yet")?.clone();
        self.attach(&last, history).map(Some)
    }

    fn main_process(&self) -> Option<u32> {
        Some(self.server.0.id())
    }

    fn processes(&mut self) -> Vec<u32> {
        let mut all = vec![self.server.0.id()];
        let list = self
            .ask("GET", "/api/terminals", None)
            .and_then(|answer| answer.json());
        let list = list.unwrap_or_default();
        for terminal in list["terminals"].as_array().into_iter().flatten() {
            let program = terminal["pid"].as_u64().and_then(|pid| pid.try_into().ok());
            let keeper = program.and_then(procs::parent);
            all.extend(keeper.filter(|&pid| pid > 1));
        }
        all
    }

    fn page(&mut self) -> Result<Option<(SocketAddr, String)>> {
        Ok(Some((self.address, login_url(&self.runtime, &self.state)?)))
    }
}

impl Drop for Gatepost {
    fn drop(&mut self) {
        for id in std::mem::take(&mut self.terminals) {
            // What this leaves behind, the stage ends.
            self.ask("DELETE", &format!("/api/terminals/{id}"), None)
                .ok();
        }
        procs::signal(self.server.0.id(), rustix::process::Signal::TERM);
        let until = Instant::now() + Duration::from_secs(3);
        while matches!(self.server.0.try_wait(), Ok(None)) && Instant::now() < until {
            pass(Duration::from_millis(5));
        }
    }
}

/// The attachment a page asks for.
pub(super) fn wanted(history: u32) -> Attach {
    Attach {
        mode: Mode::Type,
        size: Some(Size::clamped(COLS, ROWS)),
        history,
        window: DEFAULT_WINDOW,
        label: "bench".to_owned(),
        kiosk: false,
        counts_down: false,
        hides_command: false,
    }
}

fn login_url(runtime: &PathBuf, state: &PathBuf) -> Result<String> {
    let out = Command::new(EXECUTABLE)
        .arg("url")
        .env("GATEPOST_RUNTIME_DIR", runtime)
        .env("GATEPOST_STATE_DIR", state)
        .stdin(Stdio::null())
        .output()?;
    if !out.status.success() {
        bail!(
            "gatepost url ended with {}: {}",
            out.status,
            String::from_utf8_lossy(&out.stderr)
        );
    }
    Ok(String::from_utf8(out.stdout)?.trim().to_owned())
}

fn split_url(url: &str) -> Result<(SocketAddr, String)> {
    let rest = url.strip_prefix("http://").context("not an http URL")?;
    let (address, rest) = rest.split_once('/').context("no path in the URL")?;
    let token = rest.rsplit("token=").next().unwrap_or_default();
    let token = token.split('&').next().unwrap_or_default();
    Ok((address.parse()?, token.to_owned()))
}
