//! Who is measured: each peer starts a fresh server and opens terminals in it.

mod barepty;
mod gatepost;
mod keeper;
mod openssh;
mod ttyd;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::link::{Link, pass};
use crate::stage::Stage;

/// One row of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    /// A pseudo-terminal without any server: the machine's limit.
    BarePty,
    /// OpenSSH's server and client.
    Ssh,
    /// ttyd.
    Ttyd,
    /// This project's keeper, without the server.
    Keeper,
    /// This project.
    Gatepost,
}

impl Peer {
    /// All, in the order they take turns.
    pub(crate) const ALL: [Self; 5] = [
        Self::BarePty,
        Self::Ssh,
        Self::Ttyd,
        Self::Keeper,
        Self::Gatepost,
    ];

    /// Its name on the command line and in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BarePty => "barepty",
            Self::Ssh => "ssh",
            Self::Ttyd => "ttyd",
            Self::Keeper => "keeper",
            Self::Gatepost => "gatepost",
        }
    }

    /// Starts a fresh server that accepts connections.
    pub(crate) fn start(self, stage: &Stage) -> Result<Box<dyn Server>> {
        Ok(match self {
            Self::BarePty => Box::new(barepty::BarePty::new(stage)),
            Self::Ssh => Box::new(openssh::OpenSsh::start(stage)?),
            Self::Ttyd => Box::new(ttyd::Ttyd::start(stage)?),
            Self::Keeper => Box::new(keeper::Keepers::new(stage)?),
            Self::Gatepost => Box::new(gatepost::Gatepost::start(stage)?),
        })
    }
}

/// A running server. Dropping it ends it and its terminals.
pub(crate) trait Server {
    /// Opens a new terminal and attaches to it.
    fn open(&mut self) -> Result<Link>;

    /// Attaches once more to the terminal opened last, asking for this much scrollback; `None` for a
    /// peer that has no such thing.
    fn again(&mut self, history: u32) -> Result<Option<Link>> {
        let _ = history;
        Ok(None)
    }

    /// The process that listens, if there is one.
    fn main_process(&self) -> Option<u32> {
        None
    }

    /// Every process of the server now, the shells and what they started not included.
    fn processes(&mut self) -> Vec<u32> {
        self.main_process().into_iter().collect()
    }

    /// Where its page is, for one that has a page of ours: address, and the URL that logs in.
    fn page(&mut self) -> Result<Option<(SocketAddr, String)>> {
        Ok(None)
    }
}

/// A child that doesn't outlive its owner.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // Gone already is as good.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A port nobody listens on at the moment.
fn free_port() -> Result<u16> {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port on loopback")?;
    Ok(probe.local_addr()?.port())
}

/// Waits until somebody accepts connections there.
fn listening(address: SocketAddr, server: &mut Child) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match crate::http::connect(address) {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > until => {
                return Err(error.context(format!("nothing listens on {address}")));
            }
            Err(_) => {}
        }
        if let Some(status) = server.try_wait()? {
            bail!("the server ended with {status} before it listened on {address}");
        }
        pass(Duration::from_millis(2));
    }
}
