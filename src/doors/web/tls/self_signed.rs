//! The certificate a machine makes for itself, until somebody gives it a better one: for its own names
//! and addresses, so that a browser has one warning to show and not two.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SerialNumber,
};

use super::facts::CertificateFacts;
use super::material::{Material, TlsError, read};
use crate::system::replace_file;

/// How long it is valid: under the 825 days after which some browsers refuse what a person trusted.
const VALID: Duration = Duration::from_secs(730 * 86_400);
/// It is made anew this long before its end, so that somebody notices the new fingerprint in time.
const RENEW: Duration = Duration::from_secs(30 * 86_400);
/// It is valid from this long ago, for browsers whose clock is slow.
const BACKDATED: Duration = Duration::from_secs(86_400);
/// Most names in it; a machine with more addresses than that has other ways.
const MAX_NAMES: usize = 64;

/// What a certificate has to name.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The machine's name, short or whole.
    pub host_name: String,
    /// More names, from `allow_hosts`.
    pub more: Vec<String>,
    /// Finds the machine's addresses: they come and go.
    pub addresses: fn() -> Vec<IpAddr>,
}

impl Identity {
    /// Nobody: loopback only.
    pub fn loopback() -> Self {
        Self {
            host_name: String::new(),
            more: Vec::new(),
            addresses: Vec::new,
        }
    }

    /// The machine's names: as it is, short, and as mDNS has it.
    pub fn host_names(&self) -> Vec<String> {
        let whole = self.host_name.to_ascii_lowercase();
        let short = whole.split('.').next().unwrap_or_default().to_owned();
        if short.is_empty() {
            return Vec::new();
        }
        let local = format!("{short}.local");
        BTreeSet::from([whole, short, local]).into_iter().collect()
    }

    /// The names a certificate can't do without.
    fn needed(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> =
            ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
        names.extend(self.host_names());
        let more = self.more.iter().map(|name| {
            let bare = name.trim_start_matches('[').trim_end_matches(']');
            bare.to_owned()
        });
        names.extend(more);
        // IPv6 addresses change by themselves, several times a day. They are named when a
        // certificate is made, and one that is missing is no reason to make another.
        let fixed = (self.addresses)().into_iter().filter(IpAddr::is_ipv4);
        names.extend(fixed.map(|address| address.to_string()));
        // What can't stand in a certificate would be missing in every new one, too.
        names.retain(|name| name.is_ascii() && !name.bytes().any(|byte| byte.is_ascii_control()));
        names.into_iter().take(MAX_NAMES).collect()
    }

    /// All names for a new certificate, first those it can't do without.
    fn all(&self) -> Vec<String> {
        let needed = self.needed();
        let more: BTreeSet<String> = (self.addresses)().iter().map(IpAddr::to_string).collect();
        let more = more.difference(&needed).cloned();
        needed.iter().cloned().chain(more).take(MAX_NAMES).collect()
    }

    /// Whether a certificate still does.
    pub(super) fn fits(&self, facts: &CertificateFacts) -> bool {
        let known: BTreeSet<&str> = facts.names.iter().map(String::as_str).collect();
        facts.is_valid_for(RENEW)
            && self
                .needed()
                .iter()
                .all(|name| known.contains(name.as_str()))
    }
}

/// The certificate in the file if it still does; else a new one, with the old key if there is one.
pub(super) fn take(file: &Path, identity: &Identity) -> Result<Material, TlsError> {
    let pem = match read(file) {
        Ok(pem) => pem,
        Err(TlsError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
            return make(file, identity, None);
        }
        Err(error) => return Err(error),
    };
    let old = Material::parse(file, &pem, file, &pem);
    match old.and_then(|old| Ok((old.facts()?, old))) {
        Ok((facts, old)) if identity.fits(&facts) => Ok(old),
        Ok(_) => {
            tracing::info!("names, addresses or the date have changed: making a new certificate");
            make(file, identity, key_in(&pem))
        }
        Err(error) => {
            tracing::warn!(%error, "the self-signed certificate is damaged: making a new one");
            make(file, identity, None)
        }
    }
}

/// Makes a new certificate with a new key.
pub fn renew(file: &Path, identity: &Identity) -> Result<CertificateFacts, TlsError> {
    make(file, identity, None)?.facts()
}

fn key_in(pem: &[u8]) -> Option<KeyPair> {
    let text = std::str::from_utf8(pem).ok()?;
    let from = text.find("-----BEGIN PRIVATE KEY-----")?;
    KeyPair::from_pem(text.get(from..)?).ok()
}

fn make(file: &Path, identity: &Identity, key: Option<KeyPair>) -> Result<Material, TlsError> {
    let key = match key {
        Some(key) => key,
        None => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
    };
    let mut parameters = CertificateParams::new(identity.all())?;
    let now = SystemTime::now();
    parameters.not_before = (now - BACKDATED).into();
    parameters.not_after = (now + VALID).into();
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(TlsError::Random)?;
    // Browsers refuse a second certificate with the serial number of the first.
    parameters.serial_number = Some(SerialNumber::from_slice(&serial));
    let common = identity.host_names().into_iter().next();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(
        DnType::CommonName,
        common.unwrap_or_else(|| "localhost".to_owned()),
    );
    parameters
        .distinguished_name
        .push(DnType::OrganizationName, "Gatepost (self-signed)");
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = parameters.self_signed(&key)?;
    let pem = format!("{}{}", certificate.pem(), key.serialize_pem());
    write_private(file, pem.as_bytes()).map_err(|source| TlsError::Io {
        path: file.to_owned(),
        source,
    })?;
    Material::parse(file, pem.as_bytes(), file, pem.as_bytes())
}

/// Replaces the file, certificate and key at once: whole or not at all, and readable by us only from
/// its first byte.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_file(path, &path.with_extension("new"), bytes, |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn identity(host: &str, addresses: fn() -> Vec<IpAddr>) -> Identity {
        Identity {
            host_name: host.to_owned(),
            more: vec!["term.example".to_owned(), "[2001:db8::9]".to_owned()],
            addresses,
        }
    }

    fn none() -> Vec<IpAddr> {
        Vec::new()
    }

    fn some() -> Vec<IpAddr> {
        vec!["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()]
    }

    fn key(file: &Path) -> String {
        key_in(&std::fs::read(file).unwrap())
            .unwrap()
            .serialize_pem()
    }

    #[test]
    fn it_is_made_once_and_again_with_the_same_key_when_a_name_or_address_is_new() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("self-signed.pem");
        let first = identity("Kiosk", none);
        let facts = take(&file, &first).unwrap().facts().unwrap();
        for name in [
            "kiosk",
            "kiosk.local",
            "localhost",
            "127.0.0.1",
            "::1",
            "term.example",
            "2001:db8::9",
        ] {
            assert!(facts.names.iter().any(|known| known == name), "{name}");
        }
        assert!(facts.self_signed);
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(take(&file, &first).unwrap().facts().unwrap(), facts);
        let old_key = key(&file);
        let moved = take(&file, &identity("Kiosk", some))
            .unwrap()
            .facts()
            .unwrap();
        assert_ne!(moved.fingerprint, facts.fingerprint);
        assert!(moved.names.contains(&"192.0.2.7".to_owned()));
        assert!(moved.names.contains(&"2001:db8::7".to_owned()));
        assert_eq!(key(&file), old_key);
        // An address that went away is no reason.
        assert_eq!(take(&file, &first).unwrap().facts().unwrap(), moved);
        let renewed = renew(&file, &first).unwrap();
        assert_ne!(renewed.fingerprint, moved.fingerprint);
        assert_ne!(key(&file), old_key);
    }

    #[test]
    fn a_damaged_one_is_replaced_and_strange_host_names_are_left_out() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("self-signed.pem");
        for damage in ["", "-----BEGIN PRIVATE KEY-----\n", "\u{0}\u{1}"] {
            std::fs::write(&file, damage).unwrap();
            let strange = identity("kiösk \u{7}", none);
            let facts = take(&file, &strange).unwrap().facts().unwrap();
            assert!(strange.fits(&facts), "or it would be made again and again");
            let facts = take(&file, &strange);
            assert!(
                facts
                    .unwrap()
                    .facts()
                    .unwrap()
                    .names
                    .contains(&"localhost".to_owned())
            );
        }
    }

    fn many() -> Vec<IpAddr> {
        (0..100_u8)
            .flat_map(|last| {
                let v6: IpAddr =
                    std::net::Ipv6Addr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last.into()]).into();
                [IpAddr::from([10, 0, 0, last]), v6]
            })
            .collect()
    }

    #[test]
    fn more_addresses_than_fit_are_cut_the_same_way_each_time() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("self-signed.pem");
        let crowded = identity("kiosk", many);
        let facts = take(&file, &crowded).unwrap().facts().unwrap();
        assert_eq!(facts.names.len(), MAX_NAMES);
        assert!(crowded.fits(&facts));
    }
}
