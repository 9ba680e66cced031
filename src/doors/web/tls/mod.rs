//! TLS (rustls with ring, versions 1.2 and 1.3): whose certificate is shown, which of a browser's own
//! is believed, and taking up new ones while running.

mod acme;
mod clients;
mod facts;
mod handshake;
mod material;
mod self_signed;
mod watch;

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};
use tokio_util::sync::CancellationToken;

use crate::policy::settings::server::{self as settings, ClientCertificates, TlsMode};

pub use acme::{AcmeFolder, AcmeStatus};
pub use facts::{CertificateFacts, certificate_facts};
pub use material::TlsError;
pub use self_signed::{Identity, renew};

use material::Material;

/// A browser's certificate, verified in the handshake: its authority, validity, purpose and
/// revocation were checked. As DER. Routes find it among a request's extensions.
#[derive(Debug, Clone)]
pub(super) struct PeerCertificate(pub(super) Arc<[u8]>);

impl PeerCertificate {
    /// SHA-256 of the whole certificate, as tools show it.
    pub(super) fn fingerprint(&self) -> String {
        facts::fingerprint(&self.0)
    }
}

/// Where certificates come from.
#[derive(Debug, Clone)]
pub struct TlsSource {
    /// The section of the configuration.
    pub settings: settings::Tls,
    /// The file of the self-signed certificate and its key.
    pub own_file: PathBuf,
    /// Where the one from an authority is, and what goes with it.
    pub acme: AcmeFolder,
    /// What a self-signed certificate names.
    pub identity: Identity,
}

/// TLS as listeners use it; clones are the same.
#[derive(Debug, Clone)]
pub struct Tls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: TlsSource,
    // Read once for each connection, written when a certificate changes.
    current: RwLock<Current>,
    challenges: acme::Challenges,
}

#[derive(Debug, Clone)]
struct Current {
    config: Arc<ServerConfig>,
    facts: Arc<CertificateFacts>,
}

impl Tls {
    /// Reads the certificates, or makes one. Blocks on the disk.
    pub fn open(source: TlsSource) -> Result<Self, TlsError> {
        let current = load(&source)?;
        tracing::info!(fingerprint = %current.facts.fingerprint, names = ?current.facts.names, "certificate");
        current.facts.warn();
        Ok(Self(Arc::new(Inner {
            source,
            current: RwLock::new(current),
            challenges: acme::Challenges::default(),
        })))
    }

    /// Takes up what changes on the disk until `stop`, looking this often.
    pub(super) async fn watch(self, every: std::time::Duration, stop: CancellationToken) {
        watch::watch(self, every, stop).await;
    }

    /// Asks the authority for certificates until `stop`, where one is configured; `pause` is the first
    /// wait after a failure.
    pub(super) async fn ask_authority(
        self,
        every: std::time::Duration,
        pause: std::time::Duration,
        stop: CancellationToken,
    ) {
        if self.0.source.settings.mode == TlsMode::Acme {
            acme::keep(self, every, pause, stop).await;
        }
    }

    /// What there is to say about the certificate in use.
    pub fn facts(&self) -> Arc<CertificateFacts> {
        let current = self.0.current.read();
        let current = current.unwrap_or_else(PoisonError::into_inner);
        current.facts.clone()
    }

    fn config(&self) -> Arc<ServerConfig> {
        let current = self.0.current.read();
        let current = current.unwrap_or_else(PoisonError::into_inner);
        current.config.clone()
    }

    fn take_up(&self, new: Current) {
        let current = self.0.current.write();
        *current.unwrap_or_else(PoisonError::into_inner) = new;
    }
}

/// Reads, or makes, everything the source names.
fn load(source: &TlsSource) -> Result<Current, TlsError> {
    let own = || self_signed::take(&source.own_file, &source.identity);
    let material = match source.settings.mode {
        TlsMode::Files => Material::from_files(&source.settings)?,
        TlsMode::SelfSigned | TlsMode::Off => own()?,
        TlsMode::Acme => match acme::material(&source.acme, &source.settings.acme.names) {
            Ok(material) => material,
            Err(TlsError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => own()?,
            Err(error) => {
                tracing::warn!(%error, "the authority's certificate can't be used; a self-signed one takes its place until there is another");
                own()?
            }
        },
    };
    let facts = Arc::new(material.facts()?);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(TlsError::Rustls)?;
    let known = source.settings.client_certificates;
    let builder = match clients::verifier(&source.settings, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    // Refuses a key that doesn't belong to the certificate.
    let mut config = builder
        .with_single_cert(material.chain, material.key)
        .map_err(|error| TlsError::Pair {
            certificate: material.certificate_file,
            key: material.key_file,
            error,
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if known != ClientCertificates::None {
        // A resumed connection would show the certificate as it was judged then: revoked and
        // expired ones would go on.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Current {
        config: Arc::new(config),
        facts,
    })
}
