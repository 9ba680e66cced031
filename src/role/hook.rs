//! `gatepost run-hook`: the runner behind gatepost-hook.socket, one process for each hook that is run.

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::system::hook::answer;

use super::exit::{Code, Failure};

/// Answers the one connection that systemd made our standard input.
pub(super) fn run(folder: &Path) -> Result<(), Failure> {
    let not_socket = |_| {
        let message = "standard input is no socket: systemd starts this for gatepost-hook.socket";
        Failure::new(Code::Usage, message.to_owned())
    };
    let input = std::io::stdin().as_fd().try_clone_to_owned();
    let input = input.map_err(Failure::failed)?;
    rustix::net::sockopt::socket_type(&input).map_err(not_socket)?;
    let stream = UnixStream::from(input);
    stream.set_nonblocking(true).map_err(Failure::failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::failed)?;
    let answering = async { answer(tokio::net::UnixStream::from_std(stream)?, folder).await };
    runtime.block_on(answering).map_err(Failure::failed)
}
