//! Who runs a keeper, and what that user may say about its terminal.
//!
//! Keepers run as we do, as `gatepost-keeper` (for people who log in) or as the kiosk's user. All of
//! them can make sockets in the folder of terminals, and so could a shell of the kiosk. A terminal
//! of somebody's is therefore only one whose keeper that person's programs can't imitate.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::OnceLock;

use crate::wire::message::Meta;

/// The account keepers of people who log in run as.
const KEEPER_ACCOUNT: &str = "gatepost-keeper";

/// Who runs a keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// The server's own user, root, or the keepers' own account, in which no shell runs.
    Trusted,
    /// The user whose shell it holds.
    Themselves,
}

impl Holder {
    /// Whether the peer behind the socket at `path` may be a keeper: who made the socket answers it.
    /// Who may make one is decided by the folder.
    pub(super) fn of(path: &Path, peer: u32) -> io::Result<Self> {
        // Root: the login helper listens on behalf of the keeper it starts.
        let own = rustix::process::geteuid().as_raw();
        if peer == own || peer == 0 || Some(peer) == keeper_account() {
            return Ok(Self::Trusted);
        }
        if std::fs::symlink_metadata(path)?.uid() == peer {
            return Ok(Self::Themselves);
        }
        Err(io::Error::new(
            ErrorKind::PermissionDenied,
            format!("its socket is held by uid {peer}, who didn't make it"),
        ))
    }

    /// Takes out what this holder may not claim: whose terminal it is.
    pub(super) fn restrain(self, meta: &mut Meta) {
        if self == Self::Themselves && meta.owner.take().is_some() {
            tracing::warn!("a keeper that isn't trusted says whose its terminal is: ignored");
        }
    }
}

/// The uid of [`KEEPER_ACCOUNT`], if the package is installed.
fn keeper_account() -> Option<u32> {
    static UID: OnceLock<Option<u32>> = OnceLock::new();
    *UID.get_or_init(|| {
        let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
        uid_in(&passwd, KEEPER_ACCOUNT)
    })
}

/// passwd(5): `name:password:uid:…`.
fn uid_in(passwd: &str, name: &str) -> Option<u32> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name))
            .then(|| fields.nth(1)?.parse().ok())
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::UserName;

    #[test]
    fn the_keepers_account_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\ngatepost-keeper2:x:7:7::/:\ngatepost-keeper:x:995:995::/:/usr/sbin/nologin\n";
        assert_eq!(uid_in(passwd, KEEPER_ACCOUNT), Some(995));
        assert_eq!(uid_in("gatepost-keeper:x\n", KEEPER_ACCOUNT), None);
        assert_eq!(uid_in("", KEEPER_ACCOUNT), None);
    }

    #[test]
    fn a_socket_is_answered_by_who_made_it_or_not_at_all() {
        let socket = tempfile::NamedTempFile::new().unwrap();
        let own = rustix::process::geteuid().as_raw();
        assert_eq!(Holder::of(socket.path(), own).unwrap(), Holder::Trusted);
        let error = Holder::of(socket.path(), own + 54_321).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    }

    #[test]
    fn fake_keeper_cannot_claim_somebody_elses_terminal() {
        let meta = Meta {
            owner: Some("alice".parse::<UserName>().unwrap()),
            ..Meta::default()
        };
        let mut claimed = meta.clone();
        Holder::Themselves.restrain(&mut claimed);
        assert_eq!(claimed.owner, None);
        let mut trusted = meta.clone();
        Holder::Trusted.restrain(&mut trusted);
        assert_eq!(trusted.owner, meta.owner);
    }
}
