//! Knowing that the server is the right one: a pinned certificate, an own authority, or the system's.
//! There is no way to go on without one of them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use sha2::{Digest as _, Sha256};

use crate::role::exit::{Code, Failure};

/// Where Debian and most others keep the authorities they trust.
const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";

/// SHA-256 of a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Reads a fingerprint: 64 hexadecimal digits, with colons or without.
pub(super) fn parse_fingerprint(text: &str) -> Result<Fingerprint, String> {
    let text = text.strip_prefix("SHA256:").unwrap_or(text);
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !matches!(c, ':' | ' '))
        .map(|c| c.to_digit(16).ok_or(c))
        .collect::<Result<_, _>>()
        .map_err(|c| format!("{c:?} is no hexadecimal digit"))?;
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .filter_map(|pair| u8::try_from(pair.iter().fold(0, |sum, digit| sum * 16 + digit)).ok())
        .collect();
    match <[u8; 32]>::try_from(bytes) {
        Ok(bytes) if digits.len() == 64 => Ok(Fingerprint(bytes)),
        _ => Err("a SHA-256 fingerprint has 64 hexadecimal digits".to_owned()),
    }
}

/// Whom to trust.
#[derive(Debug)]
pub(super) struct Trust {
    pinned: Option<Fingerprint>,
    authorities: Option<PathBuf>,
    /// What the server showed last.
    shown: Arc<Mutex<Option<Fingerprint>>>,
}

impl Trust {
    pub(super) fn new(pinned: Option<Fingerprint>, authorities: Option<PathBuf>) -> Self {
        Self {
            pinned,
            authorities,
            shown: Arc::default(),
        }
    }

    /// The pinned certificate.
    pub(super) const fn pinned(&self) -> Option<Fingerprint> {
        self.pinned
    }

    /// What the server showed last.
    pub(super) fn shown(&self) -> Option<Fingerprint> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// TLS as this trust has it.
    pub(super) fn config(&self) -> Result<ClientConfig, Failure> {
        let provider = Arc::new(ring::default_provider());
        let judge = match self.pinned {
            Some(fingerprint) => Judge::Pinned(fingerprint),
            None => {
                let path = self.authorities.as_deref().unwrap_or(Path::new(SYSTEM));
                let roots = Arc::new(roots(path)?);
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build();
                Judge::Authorities(verifier.map_err(Failure::failed)?)
            }
        };
        let verifier = Verifier {
            judge,
            provider: provider.clone(),
            shown: self.shown.clone(),
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Failure::failed)?
            // "Dangerous" is what rustls calls every verifier that isn't its own; ours asks its own,
            // or for one certificate and no other.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(config)
    }
}

fn roots(path: &Path) -> Result<RootCertStore, Failure> {
    let cannot = |error: &dyn fmt::Display| {
        Failure::new(
            Code::Usage,
            format!("authorities in {}: {error}", path.display()),
        )
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| cannot(&error))? {
        // One odd entry in the system's list must not cost the others.
        let _odd = roots.add(certificate.map_err(|error| cannot(&error))?);
    }
    if roots.is_empty() {
        return Err(cannot(&"no certificate is in it"));
    }
    Ok(roots)
}

#[derive(Debug)]
enum Judge {
    Pinned(Fingerprint),
    Authorities(Arc<WebPkiServerVerifier>),
}

#[derive(Debug)]
struct Verifier {
    judge: Judge,
    provider: Arc<CryptoProvider>,
    shown: Arc<Mutex<Option<Fingerprint>>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Fingerprint::of(certificate);
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        match &self.judge {
            Judge::Pinned(wanted) if *wanted == shown => Ok(ServerCertVerified::assertion()),
            Judge::Pinned(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
            Judge::Authorities(verifier) => {
                verifier.verify_server_cert(certificate, intermediates, name, ocsp, now)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_they_are_shown_and_only_whole() {
        let text = (0..32)
            .map(|n| format!("{n:02X}"))
            .collect::<Vec<_>>()
            .join(":");
        assert_eq!(parse_fingerprint(&text).unwrap().to_string(), text);
        let bare = text.replace(':', "").to_lowercase();
        assert_eq!(parse_fingerprint(&bare).unwrap().to_string(), text);
        for bad in [
            "",
            "ab",
            &bare[..63],
            &format!("{bare}0"),
            &format!("{}g", &bare[..63]),
        ] {
            assert!(parse_fingerprint(bad).is_err(), "{bad}");
        }
    }
}
