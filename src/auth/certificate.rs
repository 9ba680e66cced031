//! Who somebody with a client certificate is. That the certificate is good was judged in the TLS handshake;
//! here it is only read. Pure: bytes in, user out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::base::{User, Way};
use crate::policy::settings::certificate::CertificateNaming;

use super::sso::SsoError;

/// A Microsoft user principal name, in an alternative name of type `otherName`.
const UPN: &str = "1.3.6.1.4.1.311.20.2.3";
/// Tag of a UTF-8 string in DER.
const UTF8: u8 = 0x0c;
/// Most names of one kind; a certificate for one person has one or two.
const MAX_NAMES: usize = 32;
/// Longest name, in bytes.
const MAX_NAME: usize = 512;

/// The user this certificate names.
pub(super) fn user(der: &[u8], naming: &CertificateNaming) -> Result<User, SsoError> {
    let names = names(der).map_err(|what| SsoError::Invalid(format!("the certificate: {what}")))?;
    // Of two addresses, whoever made the certificate could have meant either.
    let known = |name: &str| match names.get(name).map(Vec::as_slice) {
        Some([one]) => Some(one.as_str()),
        _ => None,
    };
    let name = naming
        .upn
        .fill(known)
        .map_err(|error| SsoError::Invalid(format!("the certificate: {error}")))?;
    let mut user = User::new(name, Way::Certificate);
    user.attributes = names
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| (name.to_owned(), values))
        .collect();
    Ok(user)
}

/// SHA-256 of a certificate, as tools show it: `AB:CD:…`.
fn fingerprint(der: &[u8]) -> String {
    let pairs: Vec<String> = Sha256::digest(der)
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    pairs.join(":")
}

fn names(der: &[u8]) -> Result<BTreeMap<&'static str, Vec<String>>, String> {
    let (rest, certificate) =
        X509Certificate::from_der(der).map_err(|error| format!("can't be read: {error}"))?;
    if !rest.is_empty() {
        return Err("has something after its end".to_owned());
    }
    let mut names: BTreeMap<&'static str, Vec<String>> = BTreeMap::from([
        ("fingerprint", vec![fingerprint(der)]),
        ("serial", vec![hex(certificate.raw_serial())]),
        ("issuer", vec![certificate.issuer().to_string()]),
        ("subject", vec![certificate.subject().to_string()]),
    ]);
    let mut put = |kind: &'static str, value: &str| {
        // A name with a NUL in it is read up to there by some and to its end by others.
        let odd = value.is_empty() || value.len() > MAX_NAME || value.chars().any(char::is_control);
        let values = names.entry(kind).or_default();
        if odd || values.len() >= MAX_NAMES {
            return Err(format!("has a {kind} name that is none, or too many"));
        }
        values.push(value.to_owned());
        Ok(())
    };
    for (kind, attributes) in [
        (
            "cn",
            certificate.subject().iter_common_name().collect::<Vec<_>>(),
        ),
        (
            "unit",
            certificate.subject().iter_organizational_unit().collect(),
        ),
        (
            "organization",
            certificate.subject().iter_organization().collect(),
        ),
    ] {
        for attribute in attributes {
            put(
                kind,
                attribute
                    .as_str()
                    .map_err(|_| format!("has a {kind} that is no text"))?,
            )?;
        }
    }
    let alternative = certificate
        .subject_alternative_name()
        .map_err(|error| format!("has no readable alternative names: {error}"))?;
    for name in alternative
        .iter()
        .flat_map(|names| &names.value.general_names)
    {
        match name {
            GeneralName::RFC822Name(email) => put("email", email)?,
            GeneralName::DNSName(host) => put("dns", host)?,
            GeneralName::URI(uri) => put("uri", uri)?,
            GeneralName::OtherName(kind, value) if kind.to_id_string() == UPN => {
                let text = utf8(value).ok_or("has a principal name that is no text")?;
                put("principal", text)?;
            }
            _ => {}
        }
    }
    Ok(names)
}

/// The text of `[0] EXPLICIT UTF8String`, in the short form of lengths or with one length byte.
fn utf8(der: &[u8]) -> Option<&str> {
    let inner = contents(der, 0xa0)?;
    std::str::from_utf8(contents(inner, UTF8)?).ok()
}

fn contents(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (length, rest) = match der {
        [found, 0x81, length, rest @ ..] if *found == tag && *length >= 0x80 => (*length, rest),
        [found, length, rest @ ..] if *found == tag && *length < 0x80 => (*length, rest),
        _ => return None,
    };
    (rest.len() == usize::from(length)).then_some(rest)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a String can't fail.
        let _infallible = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principal_names_are_read_whole_or_not_at_all() {
        let name = b"\xa0\x09\x0c\x07alice@x";
        assert_eq!(utf8(name), Some("alice@x"));
        for bad in [
            &b"\xa0\x09\x0c\x06alice@x"[..],
            b"\xa0\x08\x0c\x07alice@x",
            b"\xa0\x09\x16\x07alice@x",
            b"\xa0",
            b"",
            b"\xa0\x84\xff\xff\xff\xff",
            b"\xa0\x03\x0c\x01\xff",
        ] {
            assert_eq!(utf8(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn rubbish_is_nobody() {
        for bad in [&b""[..], b"\x30\x00", b"\x30\x82\xff\xff", &[0xff; 100]] {
            assert!(user(bad, &CertificateNaming::default()).is_err());
        }
    }
}
