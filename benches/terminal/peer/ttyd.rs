//! ttyd, as Debian packages it: the system's if it is installed, otherwise Debian unstable's from a
//! cache folder.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use super::{Guard, Server, free_port, listening};
use crate::link::{Link, Protocol};
use crate::stage::{Stage, scripts};
use crate::{COLS, ROWS, http, ws};

/// See the file's head.
pub(super) struct Ttyd {
    server: Guard,
    address: SocketAddr,
}

impl Ttyd {
    /// Starts it with a shell for whoever connects.
    pub(super) fn start(stage: &Stage) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut server = Command::new(executable()?)
            .args(["-W", "-d", "1", "-i", "127.0.0.1", "-p"])
            .arg(address.port().to_string())
            .args(stage.shell())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(stage.path("ttyd.log"))?)
            .spawn()
            .context("ttyd doesn't start")?;
        listening(address, &mut server)?;
        Ok(Self {
            server: Guard(server),
            address,
        })
    }
}

impl Server for Ttyd {
    fn open(&mut self) -> Result<Link> {
        let mut stream = http::connect(self.address)?;
        let host = self.address.to_string();
        let rest = http::upgrade(&mut stream, &ws::upgrade(&host, "/ws", "tty", None))?;
        let mut hello = Vec::new();
        let size = format!("{{\"AuthToken\":\"\",\"columns\":{COLS},\"rows\":{ROWS}}}");
        ws::message(&mut hello, ws::BINARY, &[size.as_bytes()]);
        std::io::Write::write_all(&mut stream, &hello)?;
        let protocol = Protocol::Ttyd {
            written: 0,
            pending: 0,
        };
        Link::new(stream.into(), protocol, &rest, None)
    }

    fn main_process(&self) -> Option<u32> {
        Some(self.server.0.id())
    }
}

/// Finds or fetches it, once a run.
fn executable() -> Result<PathBuf> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| find().map_err(|error| format!("{error:#}")));
    found.clone().map_err(anyhow::Error::msg)
}

fn find() -> Result<PathBuf> {
    if let Ok(out) = Command::new("ttyd").arg("--version").output()
        && out.status.success()
    {
        return Ok(PathBuf::from("ttyd"));
    }
    let script = scripts().join("get-ttyd.sh");
    let out = Command::new(&script)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("can't run {}", script.display()))?;
    let path = String::from_utf8(out.stdout)?;
    if !out.status.success() {
        bail!("{} ended with {}", script.display(), out.status);
    }
    Ok(PathBuf::from(path.trim()))
}
