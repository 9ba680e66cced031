//! Section `server.tls`: the certificate, and what is asked of those who connect.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Acme;

/// Section `server.tls`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Where the certificate comes from.
    pub mode: TlsMode,
    /// With mode "files": the certificate and those between it and the authority, as PEM.
    pub certificate: Option<PathBuf>,
    /// With mode "files": its key, as PEM. Refused when others than owner and group can read it.
    pub key: Option<PathBuf>,
    /// Whether browsers have to show a certificate of their own.
    pub client_certificates: ClientCertificates,
    /// The authorities whose client certificates count, as PEM.
    pub client_ca: Option<PathBuf>,
    /// Their lists of revoked certificates, as PEM. With a list, a certificate whose issuer has
    /// none in it is refused.
    pub client_crl: Option<PathBuf>,
    /// With mode "acme": the authority and what it is asked for.
    pub acme: Acme,
}

/// Where the server's certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// No TLS.
    #[default]
    Off,
    /// Made at first start, for the machine's own names and addresses.
    SelfSigned,
    /// From `certificate` and `key`; read again when they change.
    Files,
    /// From an authority that speaks ACME (RFC 8555), renewed in time; see `acme`.
    Acme,
}

/// What is asked of a browser in the TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificates {
    /// Nothing.
    #[default]
    None,
    /// A certificate, if it has one; a bad one is refused.
    Optional,
    /// A certificate.
    Required,
}
