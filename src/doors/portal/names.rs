//! DNS at the set-up access point: every name is this machine.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use crate::wire::dns::{MAX_MESSAGE, answer};

/// Pause after a socket that failed.
const PAUSE: Duration = Duration::from_millis(200);

/// Answers questions until `stop`.
pub async fn answer_names(socket: UdpSocket, address: Ipv4Addr, stop: CancellationToken) {
    // One byte more than may come, to see what is too long.
    let mut message = [0; MAX_MESSAGE + 1];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut message) => received,
            () = stop.cancelled() => return,
        };
        let Ok((length, from)) = received else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if let Some(reply) = message.get(..length).and_then(|m| answer(m, address)) {
            // Lost as any datagram may be; it is asked for again.
            let _lost = socket.send_to(&reply, from).await;
        }
    }
}
