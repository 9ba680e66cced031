//! What is shown to an authority that looks whether a name is ours (tls-alpn-01, RFC 8737).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{CertificateParams, CustomExtension, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::ClientHello;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::doors::web::tls::material::TlsError;

/// The protocol authorities ask for.
const ALPN: &[u8] = b"acme-tls/1";
/// Bytes of a proof: SHA-256 of what the authority wants to see.
const DIGEST: usize = 32;

/// The proofs to show, by name. There are some for seconds in months.
#[derive(Debug, Default)]
pub(in crate::doors::web::tls) struct Challenges {
    // Read for each connection; so that those in between don't wait for a lock.
    any: AtomicBool,
    by_name: Mutex<HashMap<String, Arc<ServerConfig>>>,
}

impl Challenges {
    /// Whether an authority may be looking.
    pub(in crate::doors::web::tls) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// What to show to this client, if it is an authority that looks.
    pub(in crate::doors::web::tls) fn answer(
        &self,
        hello: &ClientHello<'_>,
    ) -> Option<Arc<ServerConfig>> {
        let mut protocols = hello.alpn()?;
        if !protocols.any(|protocol| protocol == ALPN) {
            return None;
        }
        let name = hello.server_name()?.to_ascii_lowercase();
        let proofs = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        proofs.get(&name).cloned()
    }

    /// Has a proof to show from now on.
    pub(super) fn add(&self, name: &str, digest: &[u8]) -> Result<(), TlsError> {
        let config = Arc::new(proof(name, digest)?);
        let mut proofs = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        proofs.insert(name.to_ascii_lowercase(), config);
        self.any.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Has none.
    pub(super) fn clear(&self) {
        self.any.store(false, Ordering::Relaxed);
        let mut proofs = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        proofs.clear();
    }
}

/// A certificate that signs itself and carries the proof, with a key for nothing else.
fn proof(name: &str, digest: &[u8]) -> Result<ServerConfig, TlsError> {
    if digest.len() != DIGEST {
        return Err(TlsError::Make(rcgen::Error::RingUnspecified));
    }
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut parameters = CertificateParams::new([name.to_owned()])?;
    parameters.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = parameters.self_signed(&key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let private = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let signing = provider.key_provider.load_private_key(private);
    let pair = CertifiedKey::new(
        vec![certificate.der().clone()],
        signing.map_err(TlsError::Rustls)?,
    );
    // Whoever has to show a certificate on this port, an authority hasn't.
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Rustls)?
        .with_no_client_auth()
        // Not `with_single_cert`, which refuses the extension that is the proof: it is a critical one,
        // so that nobody but an authority believes the certificate.
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}
