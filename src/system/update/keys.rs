//! Whose signatures count: public Ed25519 keys in files of the system itself, as `openssl pkey -pubout`
//! writes them.

use std::path::Path;

use ring::signature::{ED25519, UnparsedPublicKey};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;

/// What an Ed25519 key begins with in DER (RFC 8410, section 10.1); 32 bytes of key follow.
const BEGINNING: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
const KEY: usize = 32;
/// Most keys that are looked at.
const MAX_KEYS: usize = 8;

/// The keys.
#[derive(Debug, Default)]
pub struct Keys(Vec<[u8; KEY]>);

impl Keys {
    /// Those in the files `*.pem` of this folder. A file that holds none is said so in the log and counts for nothing.
    pub fn read(folder: &Path) -> Self {
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|kind| kind == "pem"))
            .collect();
        files.sort();
        let keys = files.iter().take(MAX_KEYS).filter_map(|path| {
            let key = key(path);
            if key.is_none() {
                tracing::warn!(path = %path.display(), "no Ed25519 key; it counts for nothing");
            }
            key
        });
        Self(keys.collect())
    }

    /// Whether one of them signed this.
    pub fn signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let by = |key: &[u8; KEY]| UnparsedPublicKey::new(&ED25519, key).verify(bytes, signature);
        self.0.iter().any(|key| by(key).is_ok())
    }

    /// Whether there is none: then nothing can be installed.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn key(path: &Path) -> Option<[u8; KEY]> {
    let der = SubjectPublicKeyInfoDer::from_pem_file(path).ok()?;
    der.strip_prefix(&BEGINNING)?.try_into().ok()
}
