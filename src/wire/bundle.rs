//! A bundle: one system for one slot, in a file. A manifest, its signatures, then the parts.
//!
//! ```text
//! "GATEPOST-BUNDLE-1\n"
//! u32 length of the manifest, little-endian; the manifest, JSON
//! u8 number of signatures, each 64 bytes: Ed25519 over everything before this byte
//! the parts, in the manifest's order, without anything between or behind
//! ```
//!
//! Nothing of the manifest is looked at before a signature over its bytes was found to be good, so
//! what parses it is fed by whoever holds a key, and nobody else.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

/// What each bundle begins with.
pub const MAGIC: &[u8; 18] = b"GATEPOST-BUNDLE-1\n";
/// Longest manifest, in bytes; one has about 500.
pub const MAX_MANIFEST: usize = 16 << 10;
/// Most signatures: one for each key in force while keys are exchanged.
pub const MAX_SIGNATURES: usize = 8;
/// Bytes of a signature.
pub const SIGNATURE: usize = 64;
/// Longest version and board, in characters.
const MAX_WORD: usize = 64;

/// What of a bundle comes before its parts, as it was read: nothing of it is to be believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawHead {
    signed: Vec<u8>,
    signatures: Vec<[u8; SIGNATURE]>,
}

/// Why there is no bundle, or none that can be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It can't be read, or ends too early.
    #[error("the bundle can't be read: {0}")]
    Read(#[from] io::Error),
    /// It begins otherwise.
    #[error("this is no Gatepost bundle")]
    Magic,
    /// Over a limit.
    #[error("the bundle's {what} is over its limit of {most}")]
    TooMuch {
        /// What.
        what: &'static str,
        /// The most.
        most: u64,
    },
    /// No good signature.
    #[error("the bundle is not signed by anybody this machine trusts; nothing of it was used")]
    Signature,
    /// Signed, and wrong.
    #[error("the bundle's manifest is signed and makes no sense: {0}")]
    Manifest(String),
}

impl RawHead {
    /// Reads what comes before the parts.
    pub fn read(from: &mut impl Read) -> Result<Self, BundleError> {
        let mut signed = vec![0; MAGIC.len() + 4];
        from.read_exact(&mut signed)?;
        let Some((magic, length)) = signed.split_last_chunk::<4>() else {
            return Err(BundleError::Magic);
        };
        if magic != MAGIC {
            return Err(BundleError::Magic);
        }
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if length > MAX_MANIFEST {
            return Err(too_much("manifest", MAX_MANIFEST));
        }
        let mut manifest = vec![0; length];
        from.read_exact(&mut manifest)?;
        signed.extend(manifest);
        let mut count = [0];
        from.read_exact(&mut count)?;
        let count = usize::from(u8::from_le_bytes(count));
        if count > MAX_SIGNATURES {
            return Err(too_much("number of signatures", MAX_SIGNATURES));
        }
        let mut signatures = vec![[0; SIGNATURE]; count];
        for signature in &mut signatures {
            from.read_exact(signature)?;
        }
        Ok(Self { signed, signatures })
    }

    /// The manifest, once `good` has said of one of the signatures that it is one over these bytes.
    pub fn verify(self, good: impl Fn(&[u8], &[u8]) -> bool) -> Result<Manifest, BundleError> {
        let mut signatures = self.signatures.iter();
        if !signatures.any(|signature| good(&self.signed, signature)) {
            return Err(BundleError::Signature);
        }
        let manifest = self
            .signed
            .get(MAGIC.len() + 4..)
            .ok_or(BundleError::Magic)?;
        Manifest::decode(manifest)
    }
}

fn too_much(what: &'static str, most: usize) -> BundleError {
    BundleError::TooMuch {
        what,
        most: u64::try_from(most).unwrap_or(u64::MAX),
    }
}

/// What is in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the system, for people.
    pub version: String,
    /// When it was made, in seconds since the Unix epoch: what is older is a step back.
    pub built: u64,
    /// The machines it is for.
    pub board: String,
    /// The parts, in their order.
    pub parts: Vec<Part>,
}

/// One part of a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Which.
    pub name: PartName,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// The parts there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartName {
    /// The root, a squashfs.
    Root,
    /// Kernel and initrd, as the boot loader reads them.
    Boot,
}

impl PartName {
    /// Where in a slot it begins, in bytes. `image/slots/pack.py` and `boot.cmd` have the same.
    pub const fn offset(self) -> u64 {
        match self {
            Self::Root => 0,
            Self::Boot => 448 << 20,
        }
    }

    /// Most it may have, in bytes.
    pub const fn most(self) -> u64 {
        match self {
            Self::Root => 448 << 20,
            Self::Boot => 64 << 20,
        }
    }
}

/// Bytes of a slot.
pub const SLOT: u64 = 512 << 20;

impl Manifest {
    fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        let wrong = |why: &str| BundleError::Manifest(why.to_owned());
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| wrong(&error.to_string()))?;
        let is_word = |text: &str| {
            !text.is_empty()
                && text.len() <= MAX_WORD
                && text
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || b".+~-".contains(&c))
        };
        if !is_word(&manifest.version) || !is_word(&manifest.board) {
            return Err(wrong("version and board are words of at most 64 letters"));
        }
        let names: Vec<_> = manifest.parts.iter().map(|part| part.name).collect();
        if names != [PartName::Root, PartName::Boot] {
            return Err(wrong("a system is a root and what boots it, in this order"));
        }
        for part in &manifest.parts {
            if part.size == 0 || part.size > part.name.most() {
                return Err(BundleError::TooMuch {
                    what: match part.name {
                        PartName::Root => "root",
                        PartName::Boot => "boot part",
                    },
                    most: part.name.most(),
                });
            }
            if part.sha256.len() != 64 || !part.sha256.bytes().all(|c| c.is_ascii_hexdigit()) {
                return Err(wrong("a checksum has 64 hexadecimal digits"));
            }
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let part = |name| Part {
            name,
            size: 4096,
            sha256: "0f".repeat(32),
        };
        Manifest {
            version: "0.2.0".to_owned(),
            built: 1_796_000_000,
            board: "rpi-arm64".to_owned(),
            parts: vec![part(PartName::Root), part(PartName::Boot)],
        }
    }

    fn head(manifest: &[u8], signatures: &[[u8; SIGNATURE]]) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(u32::try_from(manifest.len()).unwrap().to_le_bytes());
        out.extend(manifest);
        out.push(u8::try_from(signatures.len()).unwrap());
        out.extend(signatures.concat());
        out
    }

    #[test]
    fn a_manifest_is_read_once_one_of_its_signatures_is_good() {
        let json = serde_json::to_vec(&manifest()).unwrap();
        let bytes = head(&json, &[[1; SIGNATURE], [2; SIGNATURE]]);
        let raw = RawHead::read(&mut &bytes[..]).unwrap();
        let second = |signed: &[u8], signature: &[u8]| {
            assert!(signed.starts_with(MAGIC) && signed.ends_with(&json));
            signature == [2; SIGNATURE]
        };
        assert_eq!(raw.clone().verify(second).unwrap(), manifest());
        assert!(matches!(
            raw.verify(|_, _| false),
            Err(BundleError::Signature)
        ));
        let none = RawHead::read(&mut &head(&json, &[])[..]).unwrap();
        assert!(matches!(
            none.verify(|_, _| true),
            Err(BundleError::Signature)
        ));
    }

    #[test]
    fn what_is_cut_or_over_a_limit_is_refused_before_anything_is_believed() {
        let whole = head(b"{}", &[[1; SIGNATURE]]);
        for cut in 0..whole.len() {
            assert!(RawHead::read(&mut &whole[..cut]).is_err(), "{cut}");
        }
        assert!(RawHead::read(&mut &head(&vec![b' '; MAX_MANIFEST], &[])[..]).is_ok());
        for bad in [
            head(&vec![b' '; MAX_MANIFEST + 1], &[]),
            head(b"{}", &[[0; SIGNATURE]; MAX_SIGNATURES + 1]),
            b"GATEPOST-BUNDLE-2\n\x02\0\0\0{}\0".to_vec(),
        ] {
            assert!(RawHead::read(&mut &bad[..]).is_err());
        }
    }

    #[test]
    fn signed_nonsense_is_nonsense() {
        let with = |change: &dyn Fn(&mut Manifest)| {
            let mut changed = manifest();
            change(&mut changed);
            let json = serde_json::to_vec(&changed).unwrap();
            let raw = RawHead::read(&mut &head(&json, &[[1; SIGNATURE]])[..]).unwrap();
            raw.verify(|_, _| true)
        };
        assert!(with(&|_| {}).is_ok());
        assert!(with(&|m| m.parts[0].size = PartName::Root.most()).is_ok());
        assert!(with(&|m| m.parts[0].size = PartName::Root.most() + 1).is_err());
        assert!(with(&|m| m.parts[1].size = 0).is_err());
        assert!(with(&|m| m.parts.swap(0, 1)).is_err());
        assert!(with(&|m| m.parts.truncate(1)).is_err());
        assert!(with(&|m| m.version = "1\n2".to_owned()).is_err());
        assert!(with(&|m| m.board = "x".repeat(MAX_WORD + 1)).is_err());
        assert!(with(&|m| m.parts[0].sha256 = "zz".repeat(32)).is_err());
    }
}
