//! A machine that has lost its lasting files has lost who may do what, too: its own screen goes on, and
//! nobody else is let in.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use crate::policy::settings::server::{Server, TlsMode};

use super::Activated;

/// Most of a reason that is shown, in bytes.
const MAX_REASON: u64 = 200;

/// Why the machine is locked, if it is. A file that is there and can't be read locks it as well.
pub(super) fn reason(file: &Path) -> Option<String> {
    let mut text = String::new();
    let read =
        std::fs::File::open(file).and_then(|file| file.take(MAX_REASON).read_to_string(&mut text));
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        _ if text.trim().is_empty() => Some("the data partition can't be used".to_owned()),
        _ => Some(text.trim().replace(char::is_control, " ")),
    }
}

/// What may listen of what listens already: on a locked machine nothing, and nothing else is opened.
pub(super) fn admitted(
    locked: Option<&str>,
    server: &mut Server,
    activated: Activated,
) -> Activated {
    let Some(reason) = locked else {
        return activated;
    };
    tracing::error!(reason, "locked: only the machine's own screen is served");
    shut(server);
    Activated::default()
}

/// Leaves nothing to listen on but the kiosk's own address, which is on loopback.
fn shut(server: &mut Server) {
    server.listen.clear();
    server.https_redirect.clear();
    server.unix_socket = None;
    server.tls.mode = TlsMode::Off;
    server.allow_plain_http = false;
    server.trusted_proxies.clear();
    server.public_url = None;
    if !server.local_listen.ip().is_loopback() {
        server.local_listen = Server::default().local_listen;
    }
}
