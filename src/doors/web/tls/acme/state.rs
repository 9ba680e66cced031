//! What is kept of the authority: its certificate with the key, the account, and how the last attempt
//! went. Everything readable by the server only and replaced as a whole.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};

use crate::doors::web::tls::facts::{CertificateFacts, date};
use crate::doors::web::tls::material::{self, Material, TlsError};
use crate::doors::web::tls::self_signed::write_private;
use crate::policy::settings::server::HostName;

/// The folder it is in.
#[derive(Debug, Clone)]
pub struct AcmeFolder(PathBuf);

/// How the last attempt went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AcmeStatus {
    /// The directory that was asked.
    pub directory: String,
    /// When it was asked, in seconds since 1970.
    pub asked: i64,
    /// Why it gave nothing.
    pub fault: Option<String>,
    /// When it is asked next, in seconds since 1970.
    pub next: i64,
}

impl AcmeStatus {
    /// What a person wants to know of it: one line, or two.
    pub fn text(&self) -> String {
        let (asked, next) = (date(self.asked), date(self.next));
        match &self.fault {
            None => format!("gave it on {asked}\nis asked again on {next}"),
            Some(fault) => format!("was asked on {asked}: {fault}\nis asked again on {next}"),
        }
    }
}

impl AcmeFolder {
    /// The folder at this path, whether it is there or not.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The file of the certificate that is shown to browsers, if the authority gave one for all these
    /// names. Blocks on the disk.
    pub fn certificate_for(&self, names: &[HostName]) -> Option<PathBuf> {
        read(self, names).ok().map(|_| self.certificate())
    }

    /// How the last attempt went, if there was one. Blocks on the disk.
    pub fn status(&self) -> Option<AcmeStatus> {
        let bytes = material::read(&self.0.join("status.json")).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Has a running server ask for a certificate now. Blocks on the disk.
    pub fn wish(&self) -> io::Result<()> {
        make_folder(&self.0)?;
        write_private(&self.wish_file(), b"")
    }

    pub(in crate::doors::web::tls) fn certificate(&self) -> PathBuf {
        self.0.join("certificate.pem")
    }

    fn wish_file(&self) -> PathBuf {
        self.0.join("now")
    }

    /// Whether somebody wished for a certificate since.
    pub(super) async fn take_wish(&self) -> bool {
        tokio::fs::remove_file(self.wish_file()).await.is_ok()
    }

    pub(super) async fn note(&self, status: AcmeStatus) {
        let file = self.0.join("status.json");
        if let Ok(text) = serde_json::to_vec(&status)
            && let Err(error) = self.write(file, text).await
        {
            tracing::warn!(%error, "it can't be noted how the authority was asked");
        }
    }

    pub(super) async fn read_account(&self) -> Option<Vec<u8>> {
        let file = self.0.join("account.json");
        let read = tokio::task::spawn_blocking(move || material::read(&file).ok());
        read.await.ok().flatten()
    }

    pub(super) async fn write_account(&self, text: String) -> Result<(), TlsError> {
        let file = self.0.join("account.json");
        self.write(file, text.into_bytes()).await
    }

    async fn write(&self, path: PathBuf, bytes: Vec<u8>) -> Result<(), TlsError> {
        let folder = self.0.clone();
        let shown = path.clone();
        let written = tokio::task::spawn_blocking(move || {
            make_folder(&folder)?;
            write_private(&path, &bytes)
        });
        let written = written
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        written.map_err(|source| TlsError::Io {
            path: shown,
            source,
        })
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder)
}

/// The certificate that was given, if it is for all these names. Its dates don't count: the clock of a
/// small machine may be wrong, and browsers look for themselves.
pub(super) fn read(folder: &AcmeFolder, names: &[HostName]) -> Result<Material, TlsError> {
    let file = folder.certificate();
    judge(&file, &material::read(&file)?, names)
}

/// Keeps what an authority gave, if it can be used.
pub(super) fn store(
    folder: &AcmeFolder,
    names: &[HostName],
    pem: &str,
) -> Result<CertificateFacts, TlsError> {
    let file = folder.certificate();
    let facts = judge(&file, pem.as_bytes(), names)?.facts()?;
    let wrong = |source| TlsError::Io {
        path: file.clone(),
        source,
    };
    make_folder(&folder.0).map_err(wrong)?;
    write_private(&file, pem.as_bytes()).map_err(wrong)?;
    Ok(facts)
}

fn judge(file: &Path, pem: &[u8], names: &[HostName]) -> Result<Material, TlsError> {
    let material = Material::parse(file, pem, file, pem)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (chain, key) = (material.chain.clone(), material.key.clone_key());
    let pair = CertifiedKey::from_der(chain, key, &provider);
    pair.map_err(|error| TlsError::Pair {
        certificate: file.to_owned(),
        key: file.to_owned(),
        error,
    })?;
    let known = material.facts()?.names;
    let missing = names.iter().find(|name| {
        !known
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name.as_str()))
    });
    match missing {
        None => Ok(material),
        Some(name) => Err(TlsError::Name {
            path: file.to_owned(),
            name: name.to_string(),
        }),
    }
}
