//! Signed tokens (JWS, RFC 7515) in their compact form. Pure: bytes and keys in, claims out.
//!
//! What a token says of itself is never believed before its signature is: `alg` only chooses among the
//! asymmetric algorithms below, `kid` only among the keys the provider published. There is no `none`, no
//! HMAC, no key inside a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaParameters, VerificationAlgorithm};
use serde::Deserialize;

/// Largest token, in bytes; one with two hundred groups is 10 KB.
const MAX_TOKEN: usize = 64 << 10;
/// Most keys looked at in a provider's set; real ones have two or three.
const MAX_KEYS: usize = 50;
/// Longest `kid`, in bytes.
const MAX_KEY_ID: usize = 512;

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::auth) enum TokenError {
    #[error("it is not a signed token in compact form")]
    Form,
    #[error("it is signed with {0:?}, which is not accepted")]
    Algorithm(String),
    /// Worth a look for new keys.
    #[error("it is signed with a key that the provider hasn't published")]
    UnknownKey,
    #[error("its signature is wrong")]
    Signature,
}

/// The algorithms whose signatures count.
#[derive(Debug, Clone, Copy)]
enum Algorithm {
    Rsa(&'static RsaParameters),
    Ec(&'static str, &'static dyn VerificationAlgorithm),
    Ed25519,
}

impl Algorithm {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            "RS384" => Self::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            "RS512" => Self::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            "PS256" => Self::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
            "PS384" => Self::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
            "PS512" => Self::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
            "ES256" => Self::Ec("P-256", &signature::ECDSA_P256_SHA256_FIXED),
            "ES384" => Self::Ec("P-384", &signature::ECDSA_P384_SHA384_FIXED),
            "EdDSA" | "Ed25519" => Self::Ed25519,
            _ => return None,
        })
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    // Extensions the verifier must understand; we understand none.
    crit: Option<serde::de::IgnoredAny>,
}

/// A provider's published keys (JWKS, RFC 7517).
#[derive(Debug, Clone, Default)]
pub(in crate::auth) struct Keys(Vec<Key>);

#[derive(Debug, Clone, Deserialize)]
struct Key {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// Reads a key set. Keys of kinds we don't know are none of ours.
    pub(in crate::auth) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<serde_json::Value>,
        }
        let set: Set = serde_json::from_slice(json)?;
        let keys = set
            .keys
            .into_iter()
            .take(MAX_KEYS)
            .filter_map(|key| serde_json::from_value(key).ok())
            .collect();
        Ok(Self(keys))
    }
}

impl Key {
    /// Whether it is meant for signatures of this algorithm.
    fn fits(&self, name: &str, algorithm: Algorithm) -> bool {
        let kind = match algorithm {
            Algorithm::Rsa(_) => self.kty == "RSA",
            Algorithm::Ec(curve, _) => self.kty == "EC" && self.crv.as_deref() == Some(curve),
            Algorithm::Ed25519 => self.kty == "OKP" && self.crv.as_deref() == Some("Ed25519"),
        };
        kind && self
            .purpose
            .as_deref()
            .is_none_or(|purpose| purpose == "sig")
            && self.alg.as_deref().is_none_or(|alg| alg == name)
    }

    fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let part = |text: &Option<String>| {
            let text = text.as_deref()?;
            // Some providers pad.
            URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
        };
        match algorithm {
            Algorithm::Rsa(parameters) => {
                let (Some(n), Some(e)) = (part(&self.n), part(&self.e)) else {
                    return false;
                };
                // Leading zeros are harmless, and ring refuses them.
                let bare = |bytes: Vec<u8>| -> Vec<u8> {
                    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
                };
                signature::RsaPublicKeyComponents {
                    n: bare(n),
                    e: bare(e),
                }
                .verify(parameters, message, signature)
                .is_ok()
            }
            Algorithm::Ec(_, algorithm) => {
                let (Some(x), Some(y)) = (part(&self.x), part(&self.y)) else {
                    return false;
                };
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                signature::UnparsedPublicKey::new(algorithm, point)
                    .verify(message, signature)
                    .is_ok()
            }
            Algorithm::Ed25519 => part(&self.x).is_some_and(|x| {
                signature::UnparsedPublicKey::new(&signature::ED25519, x)
                    .verify(message, signature)
                    .is_ok()
            }),
        }
    }
}

/// The payload of a token with a good signature by one of these keys.
pub(in crate::auth) fn verify(token: &str, keys: &Keys) -> Result<Vec<u8>, TokenError> {
    if token.len() > MAX_TOKEN {
        return Err(TokenError::Form);
    }
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Form);
    };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Form);
    let read: Header = serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Form)?;
    let jwt = read
        .typ
        .as_deref()
        .is_none_or(|typ| typ.eq_ignore_ascii_case("jwt"));
    if !jwt || read.crit.is_some() || read.kid.as_ref().is_some_and(|kid| kid.len() > MAX_KEY_ID) {
        return Err(TokenError::Form);
    }
    let algorithm = Algorithm::of(&read.alg)
        .ok_or_else(|| TokenError::Algorithm(read.alg.chars().take(20).collect()))?;
    let (payload_bytes, signature) = (decode(payload)?, decode(signature)?);
    // No copy: what is signed is the token up to its last dot.
    let signed = token
        .rsplit_once('.')
        .map_or(&[][..], |(signed, _)| signed.as_bytes());
    let mut candidates = keys
        .0
        .iter()
        .filter(|key| read.kid.is_none() || key.kid.is_none() || key.kid == read.kid)
        .filter(|key| key.fits(&read.alg, algorithm))
        .peekable();
    if candidates.peek().is_none() {
        return Err(TokenError::UnknownKey);
    }
    let named = read.kid.is_some();
    let mut surely_known = false;
    for key in candidates {
        surely_known |= named && key.kid.is_some();
        if key.verifies(algorithm, signed, &signature) {
            return Ok(payload_bytes);
        }
    }
    // Without names a new key can't be told from a wrong signature.
    Err(if surely_known {
        TokenError::Signature
    } else {
        TokenError::UnknownKey
    })
}
