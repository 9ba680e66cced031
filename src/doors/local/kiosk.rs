//! The kiosk's own socket: what the user of the machine's own screen may ask, who is neither the
//! server's user nor root. Whoever may enter the socket's folder may connect.

use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use tokio::net::UnixListener;

use crate::base::Principal;
use crate::wire::control::Call;

/// Permissions of everybody who neither owns a folder nor is in its group.
const OTHERS: u32 = 0o007;

/// Listens on `path`, if its folder is one that only we and a group may enter.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let found = std::fs::symlink_metadata(folder)?;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    if !found.is_dir() || !ours || found.mode() & OTHERS != 0 {
        let message = format!(
            "{} has to be a folder of this server's user that nobody else and one group may enter; run: chmod 750 {0}",
            folder.display()
        );
        return Err(io::Error::new(ErrorKind::PermissionDenied, message));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // The folder says who may come in; the socket need not.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
    Ok(listener)
}

/// Whose call this is; none if it is not theirs to make.
pub(super) fn caller(call: &Call) -> Option<Principal> {
    match call {
        Call::Url { kiosk: true, .. }
        | Call::Display {}
        | Call::Painted {}
        // What they may do and see is the policy's to say.
        | Call::Act { .. }
        | Call::Attach { .. }
        | Call::Ask { .. } => Some(Principal::Kiosk {}),
        Call::Url { kiosk: false, .. } | Call::Configuration {}
        | Call::Buttons { .. }
        | Call::Logins { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::logins::LoginsCall;

    #[test]
    fn the_kiosk_is_the_kiosk_and_never_the_owner() {
        assert_eq!(
            caller(&Call::Url {
                kiosk: true,
                lost: 1
            }),
            Some(Principal::Kiosk {})
        );
        assert_eq!(caller(&Call::Display {}), Some(Principal::Kiosk {}));
        for call in [
            Call::Url {
                kiosk: false,
                lost: 0,
            },
            Call::Configuration {},
            Call::Logins {
                about: LoginsCall::List {},
            },
        ] {
            assert_eq!(caller(&call), None, "{call:?}");
        }
    }

    #[tokio::test]
    async fn a_folder_that_anybody_may_enter_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("control.sock");
        let set = |mode| {
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        for bad in [0o755, 0o751, 0o1777] {
            set(bad);
            let error = bind(&socket).unwrap_err().to_string();
            assert!(error.contains("chmod 750"), "{error}");
        }
        set(0o750);
        drop(bind(&socket).unwrap());
        drop(bind(&socket).unwrap());
    }
}
