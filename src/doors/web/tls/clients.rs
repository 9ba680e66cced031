//! Which certificates of browsers are believed: signed by an authority of ours, in date, made for
//! clients, not revoked.

use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use crate::policy::settings::server::{self as settings, ClientCertificates};

use super::material::{TlsError, certificates, read};

/// The judge, if browsers are asked for certificates at all.
pub(super) fn verifier(
    settings: &settings::Tls,
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    let optional = match settings.client_certificates {
        ClientCertificates::None => return Ok(None),
        ClientCertificates::Optional => true,
        ClientCertificates::Required => false,
    };
    let path = settings.client_ca.as_deref().ok_or(TlsError::Missing(
        "tls.client_ca",
        "tls.client_certificates needs the authorities whose certificates count",
    ))?;
    let wrong = |path: &Path, error: &dyn std::fmt::Display| TlsError::Clients {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, &read(path)?)? {
        roots
            .add(certificate)
            .map_err(|error| wrong(path, &error))?;
    }
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    if let Some(path) = &settings.client_crl {
        // An old list doesn't know who was revoked since, and a certificate whose authority has no
        // list could have been.
        builder = builder
            .with_crls(lists(path)?)
            .enforce_revocation_expiration();
    }
    if optional {
        builder = builder.allow_unauthenticated();
    }
    let verifier = builder.build().map_err(|error| wrong(path, &error))?;
    Ok(Some(verifier))
}

fn lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let pem = read(path)?;
    let found: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(TlsError::Pem {
            path: path.to_owned(),
            what: "revocation list (X509 CRL)",
        }),
    }
}
