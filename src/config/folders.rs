//! The folders Gatepost writes to.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The two folders Gatepost writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// Sockets and the lock: gone after a reboot, as the terminals are.
    pub runtime: PathBuf,
    /// Logins: kept.
    pub state: PathBuf,
}

/// Why there is no folder to use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    /// A relative path would mean something else in each process.
    #[error("{name}={value} is not an absolute path; give one that starts with /")]
    Relative {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// Neither `GATEPOST_STATE_DIR`, `XDG_STATE_HOME` nor `HOME` is set.
    #[error("no home folder known: set HOME or GATEPOST_STATE_DIR")]
    NoHome,
}

impl Folders {
    /// The folders for the user with this uid, from the environment variables `variable` reads:
    /// `GATEPOST_RUNTIME_DIR` and `GATEPOST_STATE_DIR`, else the system's for root, else XDG's.
    pub fn from_environment(
        uid: u32,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, FolderError> {
        let path = |name: &'static str| -> Result<Option<PathBuf>, FolderError> {
            match variable(name).filter(|value| !value.is_empty()) {
                None => Ok(None),
                Some(value) if Path::new(&value).is_absolute() => Ok(Some(value.into())),
                Some(value) => Err(FolderError::Relative {
                    name,
                    value: value.to_string_lossy().into_owned(),
                }),
            }
        };
        // The XDG specification says to ignore relative values of its own variables.
        let xdg = |name: &'static str| path(name).ok().flatten();
        let runtime = match path("GATEPOST_RUNTIME_DIR")? {
            Some(path) => path,
            None if uid == 0 => "/run/gatepost".into(),
            None => match xdg("XDG_RUNTIME_DIR") {
                Some(path) => path.join("gatepost"),
                None => {
                    let of_user = PathBuf::from(format!("/run/user/{uid}"));
                    if of_user.is_dir() {
                        of_user.join("gatepost")
                    } else {
                        format!("/tmp/gatepost-{uid}").into()
                    }
                }
            },
        };
        let state = match path("GATEPOST_STATE_DIR")? {
            Some(path) => path,
            None if uid == 0 => "/var/lib/gatepost".into(),
            None => match xdg("XDG_STATE_HOME") {
                Some(path) => path.join("gatepost"),
                None => xdg("HOME")
                    .ok_or(FolderError::NoHome)?
                    .join(".local/state/gatepost"),
            },
        };
        Ok(Self { runtime, state })
    }

    /// Where the keepers' sockets are.
    pub fn terminals(&self) -> PathBuf {
        self.runtime.join("terminals")
    }

    /// The control socket.
    pub fn control_socket(&self) -> PathBuf {
        self.runtime.join("control.sock")
    }

    /// The folder of the machine's own screen: if it is there, its group may do what the kiosk may.
    pub fn screen(&self) -> PathBuf {
        self.runtime.join("screen")
    }

    /// The file that is locked while a server uses the folder; it holds a line about that server.
    pub fn lock(&self) -> PathBuf {
        self.runtime.join("lock")
    }

    /// The self-signed certificate and its key.
    pub fn self_signed(&self) -> PathBuf {
        self.state.join("self-signed.pem")
    }

    /// What an authority that speaks ACME has given.
    pub fn acme(&self) -> PathBuf {
        self.state.join("acme")
    }

    /// The table of logins.
    pub fn logins(&self) -> PathBuf {
        self.state.join("logins.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(uid: u32, variables: &[(&str, &str)]) -> Result<Folders, FolderError> {
        Folders::from_environment(uid, |name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn root_uses_the_systems_folders_and_others_the_xdg_ones() {
        let root = folders(0, &[("HOME", "/root")]).unwrap();
        assert_eq!(root.runtime, Path::new("/run/gatepost"));
        assert_eq!(root.state, Path::new("/var/lib/gatepost"));
        let user = folders(
            4_000_000_001,
            &[("HOME", "/home/u"), ("XDG_RUNTIME_DIR", "/run/user/x")],
        )
        .unwrap();
        assert_eq!(user.runtime, Path::new("/run/user/x/gatepost"));
        assert_eq!(user.state, Path::new("/home/u/.local/state/gatepost"));
    }

    #[test]
    fn the_variables_beat_everything_and_must_be_absolute() {
        let own = [("GATEPOST_RUNTIME_DIR", "/r"), ("GATEPOST_STATE_DIR", "/s")];
        let chosen = folders(0, &own).unwrap();
        assert_eq!(
            (chosen.runtime.as_path(), chosen.state.as_path()),
            (Path::new("/r"), Path::new("/s"))
        );
        assert!(matches!(
            folders(0, &[("GATEPOST_RUNTIME_DIR", "r")]),
            Err(FolderError::Relative { .. })
        ));
        assert_eq!(folders(4_000_000_001, &[]), Err(FolderError::NoHome));
    }
}
