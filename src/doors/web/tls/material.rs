//! A certificate and its key, read from files and judged before anything is done with them.

use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::policy::settings::server as settings;

use super::facts::{CertificateFacts, certificate_facts};

/// Largest file read, in bytes: a chain of ten certificates is 20 KiB, a long revocation list a
/// megabyte.
const MAX_FILE: u64 = 8 << 20;

/// Why there is no certificate to use.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The operating system said no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// A file past the limit.
    #[error("{path} is over the limit of {MAX_FILE} bytes", path = .0.display())]
    TooLarge(PathBuf),
    /// A setting is missing.
    #[error("{0} is not set; {1}")]
    Missing(&'static str, &'static str),
    /// Others can read the key.
    #[error("{path} can be read by everybody; run: chmod 640 {path}", path = .0.display())]
    Readable(PathBuf),
    /// The key is somebody else's, who can change it.
    #[error("{path} belongs to uid {owner}, neither to us nor to root; run: chown root {path}", path = path.display())]
    Owner {
        /// Where.
        path: PathBuf,
        /// Whose.
        owner: u32,
    },
    /// Not what it should be.
    #[error("{path} holds no {what} as PEM", path = path.display())]
    Pem {
        /// Where.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// The two don't belong together, or can't be used.
    #[error("{certificate} and {key} can't be used together: {error}", certificate = certificate.display(), key = key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What rustls says.
        error: rustls::Error,
    },
    /// For other names.
    #[error("{path} is not for {name}", path = path.display())]
    Name {
        /// Where.
        path: PathBuf,
        /// The name that is missing.
        name: String,
    },
    /// The authorities or the revocation lists make no sense.
    #[error("{path} can't be used to judge client certificates: {reason}", path = path.display())]
    Clients {
        /// Where.
        path: PathBuf,
        /// What rustls says.
        reason: String,
    },
    /// A certificate can't be made.
    #[error("a self-signed certificate can't be made: {0}")]
    Make(#[from] rcgen::Error),
    /// The operating system gave no random numbers.
    #[error("no random numbers: {0}")]
    Random(getrandom::Error),
    /// rustls can't be set up.
    #[error("TLS can't be set up: {0}")]
    Rustls(rustls::Error),
}

/// A certificate with its key.
#[derive(Debug)]
pub(super) struct Material {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) certificate_file: PathBuf,
    pub(super) key_file: PathBuf,
}

impl Material {
    /// From `tls.certificate` and `tls.key`.
    pub(super) fn from_files(settings: &settings::Tls) -> Result<Self, TlsError> {
        const NEEDED: &str = "tls.mode = \"files\" needs tls.certificate and tls.key";
        let missing = |name| TlsError::Missing(name, NEEDED);
        let certificate = settings.certificate.as_deref();
        let key = settings.key.as_deref();
        let certificate = certificate.ok_or_else(|| missing("tls.certificate"))?;
        let key = key.ok_or_else(|| missing("tls.key"))?;
        check_private(key)?;
        Self::parse(certificate, &read(certificate)?, key, &read(key)?)
    }

    /// From the text of the two files.
    pub(super) fn parse(
        certificate_file: &Path,
        certificate: &[u8],
        key_file: &Path,
        key: &[u8],
    ) -> Result<Self, TlsError> {
        Ok(Self {
            chain: certificates(certificate_file, certificate)?,
            key: PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::Pem {
                path: key_file.to_owned(),
                what: "private key without a passphrase",
            })?,
            certificate_file: certificate_file.to_owned(),
            key_file: key_file.to_owned(),
        })
    }

    /// Facts about the server's own certificate, the first of the chain.
    pub(super) fn facts(&self) -> Result<CertificateFacts, TlsError> {
        let leaf = self.chain.first();
        leaf.and_then(|leaf| certificate_facts(leaf))
            .ok_or_else(|| TlsError::Pem {
                path: self.certificate_file.clone(),
                what: "certificate",
            })
    }
}

/// All certificates of a file; at least one.
pub(super) fn certificates(
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(TlsError::Pem {
            path: path.to_owned(),
            what: "certificate",
        }),
    }
}

/// Reads a file within the limit.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let io = |source| TlsError::Io {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_FILE) {
        Ok(bytes)
    } else {
        Err(TlsError::TooLarge(path.to_owned()))
    }
}

/// Refuses a key that everybody can read or somebody else can change.
fn check_private(path: &Path) -> Result<(), TlsError> {
    let found = std::fs::metadata(path).map_err(|source| TlsError::Io {
        path: path.to_owned(),
        source,
    })?;
    let owner = found.uid();
    if found.mode() & 0o007 != 0 {
        Err(TlsError::Readable(path.to_owned()))
    } else if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        Err(TlsError::Owner {
            path: path.to_owned(),
            owner,
        })
    } else {
        Ok(())
    }
}
