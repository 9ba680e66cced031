//! Setting the machine up by hand, as far as the server can: it passes on what was typed in, and asks which
//! networks are in reach. Writing anything down is for whoever listens behind a socket.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::wire::provision::Report;
use crate::wire::scan::{self, MAX_SCAN, Seen};
use crate::wire::setup::{Form, MAX_END, SetupEnd};

/// Where a form goes, in the folder of set-up.
const TAKE: &str = "take.sock";
/// Where networks in reach are told.
const SCAN: &str = "scan.sock";
/// What the access point is, while there is one.
const ACCESS_POINT: &str = "access-point.json";
/// How long it may take: a password's hash, and some files on a slow card.
const TAKING: Duration = Duration::from_secs(120);
/// How long a look around may take.
const LOOKING: Duration = Duration::from_secs(15);
/// Largest description of an access point, in bytes.
const MAX_DESCRIPTION: usize = 4096;

/// Who sets the machine up.
#[derive(Debug, Clone, Default)]
pub enum Setup {
    /// Nobody: this machine is set up as any Debian.
    #[default]
    Absent,
    /// Whoever listens in this folder.
    Folder(PathBuf),
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No image.
    #[error("this machine isn't set up by hand: it doesn't run Gatepost's image")]
    Absent,
    /// Nobody answers.
    #[error("{socket} doesn't answer ({source}); are the sockets gatepost-setup and gatepost-scan active?", socket = socket.display())]
    Silent {
        /// Where it should be.
        socket: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Who may set the machine up now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "who")]
pub enum SetupFor {
    /// Whoever is in front of it, or at its access point: it is nobody's yet.
    Anyone {},
    /// Whoever has this administrator's password.
    Admin {
        /// The administrator.
        name: String,
    },
    /// Nobody: files do it, or a service manager.
    Nobody {},
}

/// The access point by which the machine can be set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPoint {
    /// Its name.
    pub ssid: String,
    /// Its passphrase.
    pub passphrase: String,
    /// Where its page is.
    pub address: String,
    /// What became of the network that was tried before it, in words.
    #[serde(default)]
    pub tried: String,
}

impl Setup {
    /// Who may, going by what the machine was given so far.
    pub fn whom(&self, report: Option<&Report>) -> SetupFor {
        match (self, report) {
            (Self::Absent, _) | (Self::Folder(_), Some(Report { card: true, .. })) => {
                SetupFor::Nobody {}
            }
            (
                Self::Folder(_),
                Some(Report {
                    admin: Some(name), ..
                }),
            ) => SetupFor::Admin { name: name.clone() },
            (Self::Folder(_), _) => SetupFor::Anyone {},
        }
    }

    /// The access point, if there is one now.
    pub fn access_point(&self) -> Option<AccessPoint> {
        let Self::Folder(folder) = self else {
            return None;
        };
        let text = std::fs::read(folder.join(ACCESS_POINT)).ok()?;
        let text = Some(text).filter(|text| text.len() <= MAX_DESCRIPTION)?;
        serde_json::from_slice(&text).ok()
    }

    /// Has what was typed in taken over.
    pub async fn take(&self, form: &Form) -> Result<SetupEnd, SetupError> {
        let answer = self.ask(TAKE, &form.encode(), MAX_END, TAKING).await?;
        serde_json::from_slice(&answer).map_err(|error| self.silent(TAKE, error.into()))
    }

    /// The Wi-Fi networks in reach.
    pub async fn networks(&self) -> Result<Vec<Seen>, SetupError> {
        let answer = self.ask(SCAN, b"", MAX_SCAN, LOOKING).await?;
        Ok(scan::read(&String::from_utf8_lossy(&answer)))
    }

    fn silent(&self, name: &str, source: io::Error) -> SetupError {
        match self {
            Self::Absent => SetupError::Absent,
            Self::Folder(folder) => SetupError::Silent {
                socket: folder.join(name),
                source,
            },
        }
    }

    async fn ask(
        &self,
        name: &str,
        call: &[u8],
        most: usize,
        within: Duration,
    ) -> Result<Vec<u8>, SetupError> {
        let Self::Folder(folder) = self else {
            return Err(SetupError::Absent);
        };
        let asking = ask(folder.join(name), call, most);
        let answer = tokio::time::timeout(within, asking).await;
        let answer = answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        answer.map_err(|source| self.silent(name, source))
    }
}

async fn ask(socket: impl AsRef<Path>, call: &[u8], most: usize) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(call).await?;
    stream.shutdown().await?;
    let mut answer = Vec::new();
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    stream.take(most).read_to_end(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_depends_on_what_the_machine_was_given() {
        let given = |card, admin: Option<&str>| Report {
            applied: true,
            lines: Vec::new(),
            card,
            admin: admin.map(str::to_owned),
        };
        let setup = Setup::Folder("/nowhere".into());
        assert_eq!(setup.whom(None), SetupFor::Anyone {});
        assert_eq!(
            setup.whom(Some(&given(false, None))),
            SetupFor::Anyone {},
            "a network is no owner"
        );
        assert_eq!(
            setup.whom(Some(&given(false, Some("ada")))),
            SetupFor::Admin {
                name: "ada".to_owned()
            }
        );
        for admin in [None, Some("ada")] {
            assert_eq!(setup.whom(Some(&given(true, admin))), SetupFor::Nobody {});
        }
        assert_eq!(Setup::Absent.whom(None), SetupFor::Nobody {});
        let old = Report::read(br#"{"applied":true,"lines":[]}"#).unwrap();
        assert_eq!(setup.whom(Some(&old)), SetupFor::Nobody {});
    }

    #[tokio::test]
    async fn nobody_behind_the_sockets_is_said() {
        let temp = tempfile::tempdir().unwrap();
        let setup = Setup::Folder(temp.path().into());
        let error = setup.take(&Form::default()).await.unwrap_err().to_string();
        assert!(error.contains("take.sock doesn't answer"), "{error}");
        assert!(setup.networks().await.is_err());
        assert_eq!(setup.access_point(), None);
        std::fs::write(
            temp.path().join(ACCESS_POINT),
            r#"{"ssid":"a","passphrase":"b","address":"http://10.74.0.1/"}"#,
        )
        .unwrap();
        assert_eq!(setup.access_point().unwrap().ssid, "a");
    }
}
