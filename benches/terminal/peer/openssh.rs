//! OpenSSH: a server of its own on loopback with keys made for the run, and the ssh client in a
//! pseudo-terminal, which is what "ssh from another terminal" is.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{Guard, Server, free_port, listening};
use crate::link::{Link, Protocol, pass};
use crate::stage::Stage;
use crate::{procs, pty};

/// See the file's head.
pub(super) struct OpenSsh {
    server: Guard,
    client: Vec<String>,
}

impl OpenSsh {
    /// Makes keys and starts sshd.
    pub(super) fn start(stage: &Stage) -> Result<Self> {
        let sshd = ["/usr/sbin/sshd", "/usr/bin/sshd"]
            .into_iter()
            .find(|path| Path::new(path).exists())
            .context("there is no sshd (Debian: openssh-server)")?;
        separation_folder()?;
        let folder = stage.fresh("ssh-")?;
        let key = make_key(&folder, "user-key")?;
        make_key(&folder, "host-key")?;
        fs::copy(folder.join("user-key.pub"), folder.join("authorized"))?;
        let port = free_port()?;
        let path = folder.display();
        let shell = stage.shell().join(" ");
        fs::write(
            folder.join("config"),
            format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {path}/host-key\nPidFile none\n\
                 AuthorizedKeysFile {path}/authorized\nStrictModes no\nUsePAM no\n\
                 PasswordAuthentication no\nPermitRootLogin yes\nMaxStartups 1000\nUseDNS no\n\
                 PrintMotd no\nPrintLastLog no\nForceCommand exec {shell}\n"
            ),
        )?;
        let log = fs::File::create(folder.join("log"))?;
        let mut server = Command::new(sshd)
            .args(["-D", "-e", "-f"])
            .arg(folder.join("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("sshd doesn't start")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if let Err(error) = listening(address, &mut server) {
            let said = fs::read_to_string(folder.join("log")).unwrap_or_default();
            return Err(error.context(said));
        }
        let client = format!(
            "ssh -F none -tt -e none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
             -o IdentitiesOnly=yes -o LogLevel=ERROR -i {} -p {port} {}@127.0.0.1",
            key.display(),
            user()?
        );
        Ok(Self {
            server: Guard(server),
            client: client.split_whitespace().map(str::to_owned).collect(),
        })
    }
}

impl Server for OpenSsh {
    fn open(&mut self) -> Result<Link> {
        let (master, child) = pty::spawn(&self.client)?;
        Link::new(master, Protocol::Raw, &[], Some(child))
    }

    fn main_process(&self) -> Option<u32> {
        Some(self.server.0.id())
    }

    fn processes(&mut self) -> Vec<u32> {
        let main = self.server.0.id();
        let mut all = procs::descendants(main);
        all.retain(|&pid| procs::name(pid).is_some_and(|name| name.starts_with("sshd")));
        all.push(main);
        all
    }
}

impl Drop for OpenSsh {
    fn drop(&mut self) {
        // Its children are its own to bury, and on a machine whose init doesn't, nobody else's.
        let until = Instant::now() + Duration::from_secs(2);
        while self.processes().len() > 1 && Instant::now() < until {
            pass(Duration::from_millis(10));
        }
    }
}

/// As root, sshd wants an empty folder that Debian's unit makes, and none is there when sshd has never
/// been started. Root alone may make it, and root alone needs it.
fn separation_folder() -> Result<()> {
    if rustix::process::geteuid().is_root() {
        fs::create_dir_all("/run/sshd").context("sshd wants /run/sshd")?;
    }
    Ok(())
}

fn make_key(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&path)
        .status()
        .context("there is no ssh-keygen (Debian: openssh-client)")?;
    if !status.success() {
        bail!("ssh-keygen ended with {status}");
    }
    Ok(path)
}

fn user() -> Result<String> {
    let out = Command::new("id").arg("-un").output()?;
    Ok(String::from_utf8(out.stdout)?.trim().to_owned())
}
