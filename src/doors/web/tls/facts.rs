//! What a person wants to know of a certificate: its names, how long it is valid, its fingerprint.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;

/// Facts about a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateFacts {
    /// SHA-256 of the whole certificate, as browsers show it: `AB:CD:…`.
    pub fingerprint: String,
    /// The names and addresses it is for.
    pub names: Vec<String>,
    /// Whose signature it carries.
    pub issuer: String,
    /// Whether that is its own.
    pub self_signed: bool,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970.
    pub not_after: i64,
}

impl CertificateFacts {
    /// When its validity begins, as text.
    pub fn valid_from(&self) -> String {
        date(self.not_before)
    }

    /// When its validity ends, as text.
    pub fn valid_until(&self) -> String {
        date(self.not_after)
    }

    /// Whether it can be used now, and for at least this long.
    pub(super) fn is_valid_for(&self, time: Duration) -> bool {
        let now = seconds(SystemTime::now());
        let margin = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        self.not_before <= now && now.saturating_add(margin) < self.not_after
    }

    /// Tells the log what whoever runs the machine should know.
    pub(super) fn warn(&self) {
        let now = seconds(SystemTime::now());
        if self.not_after <= now {
            tracing::warn!(fingerprint = %self.fingerprint, "the certificate has expired: browsers will refuse it; put a new one in its place");
        } else if self.not_before > now {
            tracing::warn!(fingerprint = %self.fingerprint, "the certificate isn't valid yet; is the clock right?");
        } else if self.names.is_empty() {
            tracing::warn!(fingerprint = %self.fingerprint, "the certificate names no host: browsers will refuse it");
        }
    }
}

pub(super) fn date(seconds: i64) -> String {
    ASN1Time::from_timestamp(seconds)
        .ok()
        .and_then(|time| time.to_rfc2822().ok())
        .unwrap_or_else(|| format!("{seconds} s after 1970"))
}

pub(super) fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Reads a certificate's facts from its DER; `None` when it isn't one.
pub fn certificate_facts(der: &[u8]) -> Option<CertificateFacts> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let names = certificate
        .subject_alternative_name()
        .ok()
        .flatten()
        .map(|found| found.value.general_names.iter().filter_map(name).collect())
        .unwrap_or_default();
    let validity = certificate.validity();
    Some(CertificateFacts {
        fingerprint: fingerprint(der),
        names,
        issuer: certificate.issuer().to_string(),
        self_signed: certificate.issuer().as_raw() == certificate.subject().as_raw(),
        not_before: validity.not_before.timestamp(),
        not_after: validity.not_after.timestamp(),
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let ip: IpAddr = match bytes.len() {
                4 => <[u8; 4]>::try_from(*bytes).ok()?.into(),
                _ => <[u8; 16]>::try_from(*bytes).ok()?.into(),
            };
            Some(ip.to_string())
        }
        _ => None,
    }
}

/// SHA-256 of a certificate's DER, as browsers show it.
pub(super) fn fingerprint(der: &[u8]) -> String {
    let mut out = String::with_capacity(95);
    for (at, byte) in Sha256::digest(der).iter().enumerate() {
        let colon = if at == 0 { "" } else { ":" };
        // Writing to a String can't fail.
        let _infallible = write!(out, "{colon}{byte:02X}");
    }
    out
}
