//! `gatepost portal`: the set-up access point's page and its names, on sockets that systemd opened on that one
//! interface.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use listenfd::ListenFd;
use tokio::net::{TcpListener, UdpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::doors::portal::{Portal, answer_names, serve};
use crate::system::Doctor;
use crate::system::setup::Setup;

use super::exit::{Code, Failure};
use super::{log, output};

/// Arguments of `gatepost portal`.
#[derive(Debug, clap::Args)]
pub(super) struct PortalArguments {
    /// The machine's address at its access point.
    #[arg(long, value_name = "ADDRESS")]
    address: Ipv4Addr,
    /// The folder with the sockets of set-up.
    #[arg(long, value_name = "FOLDER", default_value = "/run/gatepost-setup")]
    setup: PathBuf,
    /// The server's folder, beside which the report of what the machine was given is.
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/gatepost")]
    state: PathBuf,
}

/// Serves until it is told to end.
pub(super) fn run(arguments: PortalArguments) -> Result<(), Failure> {
    log::start(log::Format::Auto);
    let mut given = ListenFd::from_env();
    let (mut page, mut names) = (None, None);
    for at in 0..given.len() {
        match given.take_tcp_listener(at) {
            Ok(Some(listener)) => page = Some(listener),
            _ => names = given.take_udp_socket(at).map_err(Failure::failed)?,
        }
    }
    let page = page.ok_or_else(|| {
        let message = "no socket was passed: systemd starts this for gatepost-portal.socket";
        Failure::new(Code::Usage, message.to_owned())
    })?;
    let port = page.local_addr().map_err(Failure::failed)?.port();
    let portal = Portal {
        setup: Setup::Folder(arguments.setup),
        doctor: Doctor::new("/", arguments.state),
        address: arguments.address,
        port,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::failed)?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::failed)?;
        page.set_nonblocking(true).map_err(Failure::failed)?;
        let page = TcpListener::from_std(page).map_err(Failure::failed)?;
        let stop = CancellationToken::new();
        if let Some(names) = names {
            names.set_nonblocking(true).map_err(Failure::failed)?;
            let names = UdpSocket::from_std(names).map_err(Failure::failed)?;
            tokio::spawn(answer_names(names, arguments.address, stop.clone()));
        }
        tokio::spawn(serve(page, portal, stop.clone()));
        let _seen = output::line(&format!("set-up page at port {port}"))?;
        let _told = terminate.recv().await;
        stop.cancel();
        Ok(())
    })
}
