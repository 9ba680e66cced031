//! Where a secret is kept. Never the secret itself: configuration is shown, copied and backed up.

use std::fmt;
use std::path::PathBuf;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    /// In this file, closed to everybody but its owner.
    File(PathBuf),
    /// A systemd credential of this name.
    Credential(String),
}

const HOW: &str = "a secret doesn't belong in the configuration: put it into a file only its owner can read and write { file = \"/path\" }, or { credential = \"name\" } for a systemd credential";

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Source;
        impl<'de> Visitor<'de> for Source {
            type Value = SecretSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("{ file = \"/path\" } or { credential = \"name\" }")
            }

            // Says nothing of the text, which is the secret.
            fn visit_str<E: Error>(self, _text: &str) -> Result<SecretSource, E> {
                Err(E::custom(HOW))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
                let source = match map.next_key::<String>()?.as_deref() {
                    Some("file") => {
                        let path: PathBuf = map.next_value()?;
                        if !path.is_absolute() {
                            return Err(A::Error::custom(
                                "the file's path has to be absolute; begin it with /",
                            ));
                        }
                        SecretSource::File(path)
                    }
                    Some("credential") => {
                        let name: String = map.next_value()?;
                        if name.is_empty() || name.contains(['/', '\0']) || name.starts_with('.') {
                            return Err(A::Error::custom(
                                "a credential's name has no slash and no dot in front",
                            ));
                        }
                        SecretSource::Credential(name)
                    }
                    _ => return Err(A::Error::custom(HOW)),
                };
                if map.next_key::<String>()?.is_some() {
                    return Err(A::Error::custom(
                        "give either a file or a credential, not both",
                    ));
                }
                Ok(source)
            }
        }
        deserializer.deserialize_any(Source)
    }
}
