//! The local administrator, for a kiosk without other users: one name, one password, kept as an
//! argon2id hash. Its first password is random, made at the first start and shown on the kiosk's own
//! screen until somebody there has noted it.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use crate::base::{User, UserName, Way};

use super::conversation::{Dialogue, DialogueError, Prompt, Step, Stepping, Typed};
use super::store::{hex, write_atomically};

/// Memory of one hash, in KiB; with [`PASSES`] it takes a Raspberry Pi 3 half a second (OWASP's
/// recommendation of 2025).
const MEMORY: u32 = 19 * 1024;
/// Passes over that memory.
const PASSES: u32 = 2;
/// Letters of a password made here: none is mistaken for another, on a screen or read aloud.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters in a password made here: 5 random bits each, 80 in all.
const LENGTH: usize = 16;
/// Largest file read, in bytes; a real one is 300.
const MAX_FILE: u64 = 64 << 10;

/// The password as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    #[serde(with = "hex")]
    salt: [u8; 32],
    #[serde(with = "hex")]
    hash: [u8; 32],
    memory: u32,
    passes: u32,
    /// Whether somebody has noted the password that was made.
    noted: bool,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The file.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system gave no random bytes.
    #[error("no random bytes from the operating system: {0}")]
    Random(getrandom::Error),
    /// The hash can't be made.
    #[error("the password can't be hashed: {0}")]
    Hash(argon2::Error),
}

/// The account.
#[derive(Debug, Clone)]
pub(super) struct LocalAdmin(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: UserName,
    path: PathBuf,
    state: Mutex<State>,
    // One at a time: each takes 19 MiB and a processor.
    hashing: Arc<Semaphore>,
}

#[derive(Debug)]
struct State {
    kept: Option<Kept>,
    /// The password to be shown on the kiosk's screen.
    fresh: Option<Fresh>,
}

/// A password that was just made. Never shown by `Debug`.
#[derive(Clone)]
pub struct Fresh(String);

impl Fresh {
    /// The password, for the one screen or file it is meant for.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn random() -> Result<Self, LocalError> {
        let mut random = [0; LENGTH];
        getrandom::fill(&mut random).map_err(LocalError::Random)?;
        let letters = random
            .iter()
            .filter_map(|byte| LETTERS.get(usize::from(byte & 31)).copied());
        let mut text = String::new();
        for (at, letter) in letters.enumerate() {
            if at > 0 && at % 4 == 0 {
                text.push('-');
            }
            text.push(char::from(letter));
        }
        Ok(Self(text))
    }
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<password>")
    }
}

impl LocalAdmin {
    /// Reads the account from `path`, or makes it there. A password that nobody has noted yet is
    /// replaced by a new one, for its words are nowhere. Blocks.
    pub(super) fn open(path: PathBuf, name: UserName) -> Result<Self, LocalError> {
        let kept = read(&path)?;
        let noted = kept.as_ref().is_some_and(|kept| kept.noted);
        let admin = Self(Arc::new(Inner {
            name,
            path,
            state: Mutex::new(State { kept, fresh: None }),
            hashing: Arc::new(Semaphore::new(1)),
        }));
        if !noted {
            admin.renew(false)?;
        }
        Ok(admin)
    }

    pub(super) fn name(&self) -> &UserName {
        &self.0.name
    }

    /// Makes a new password; the old one is worth nothing from now on. With `noted` the caller has
    /// somebody read it at once; without, the kiosk's screen shows it. Blocks.
    pub(super) fn renew(&self, noted: bool) -> Result<Fresh, LocalError> {
        let fresh = Fresh::random()?;
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(LocalError::Random)?;
        let hash = hash(fresh.expose(), &salt, MEMORY, PASSES).map_err(LocalError::Hash)?;
        let kept = Kept {
            salt,
            hash,
            memory: MEMORY,
            passes: PASSES,
            noted,
        };
        self.write(&kept)?;
        let mut state = self.state();
        state.kept = Some(kept);
        state.fresh = (!noted).then(|| fresh.clone());
        drop(state);
        Ok(fresh)
    }

    /// The password nobody has noted yet.
    pub(super) fn fresh(&self) -> Option<Fresh> {
        self.state().fresh.clone()
    }

    /// Somebody has noted the password: it is never shown again. Blocks.
    pub(super) fn noted(&self) -> Result<(), LocalError> {
        let kept = {
            let mut state = self.state();
            state.fresh = None;
            state.kept.as_mut().map(|kept| {
                kept.noted = true;
                kept.clone()
            })
        };
        match kept {
            Some(kept) => self.write(&kept),
            None => Ok(()),
        }
    }

    /// A conversation about `user`, who may be anybody: others than the administrator are asked, and
    /// refused after as much work.
    pub(super) fn converse(&self, user: &UserName) -> Box<dyn Dialogue> {
        Box::new(Conversation {
            admin: self.clone(),
            right_name: user == self.name(),
            asked: false,
        })
    }

    async fn verify(&self, password: Typed, right_name: bool) -> Result<bool, DialogueError> {
        let permit = self.0.hashing.clone().acquire_owned().await;
        let permit = permit.map_err(|error| DialogueError(error.to_string()))?;
        let kept = self.state().kept.clone();
        let verified = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let kept = kept.as_ref();
            let salt = kept.map_or([0; 32], |kept| kept.salt);
            let (memory, passes) = kept.map_or((MEMORY, PASSES), |kept| (kept.memory, kept.passes));
            let hash = hash(password.expose(), &salt, memory, passes)?;
            let same = kept.is_some_and(|kept| bool::from(kept.hash.ct_eq(&hash)));
            Ok::<_, argon2::Error>(same && right_name)
        });
        match verified.await {
            Ok(Ok(verified)) => {
                if verified {
                    // Whoever logs in with it has it.
                    let admin = self.clone();
                    if self.fresh().is_some() {
                        let _logged = tokio::task::spawn_blocking(move || admin.noted()).await;
                    }
                }
                Ok(verified)
            }
            Ok(Err(error)) => Err(DialogueError(error.to_string())),
            Err(error) => Err(DialogueError(error.to_string())),
        }
    }

    fn write(&self, kept: &Kept) -> Result<(), LocalError> {
        serde_json::to_vec(kept)
            .map_err(io::Error::other)
            .and_then(|bytes| write_atomically(&self.0.path, &bytes))
            .map_err(|source| LocalError::File {
                path: self.0.path.clone(),
                source,
            })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Every change is one assignment, so a panic elsewhere leaves no half-made state.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &std::path::Path) -> Result<Option<Kept>, LocalError> {
    let fault = |source| LocalError::File {
        path: path.to_owned(),
        source,
    };
    match std::fs::metadata(path) {
        Ok(found) if found.len() > MAX_FILE => {
            return Err(fault(io::Error::other(
                "too large to be the administrator's password; remove it, and a new one is made",
            )));
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(error)),
    }
    let bytes = std::fs::read(path).map_err(fault)?;
    // Making a new password where the old can't be read would let whoever damages a file reset it.
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        fault(io::Error::other(format!(
            "damaged ({error}); remove it, and a new password is made"
        )))
    })
}

fn hash(password: &str, salt: &[u8], memory: u32, passes: u32) -> Result<[u8; 32], argon2::Error> {
    let params = Params::new(memory, passes, 1, Some(32))?;
    let mut out = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
        password.as_bytes(),
        salt,
        &mut out,
    )?;
    Ok(out)
}

#[derive(Debug)]
struct Conversation {
    admin: LocalAdmin,
    right_name: bool,
    asked: bool,
}

impl Dialogue for Conversation {
    fn step(&mut self, answers: Vec<Typed>) -> Stepping<'_> {
        Box::pin(async move {
            if !std::mem::replace(&mut self.asked, true) {
                return Ok(Step::Ask {
                    notes: Vec::new(),
                    prompts: vec![Prompt {
                        text: "Password: ".to_owned(),
                        echo: false,
                    }],
                });
            }
            let Some(password) = answers.into_iter().next() else {
                return Ok(Step::Out {});
            };
            if self.admin.verify(password, self.right_name).await? {
                let user = User::new(self.admin.name().clone(), Way::Local);
                let entry = None;
                Ok(Step::In { user, entry })
            } else {
                Ok(Step::Out {})
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    async fn tries(admin: &LocalAdmin, user: &str, password: &str) -> bool {
        let mut dialogue = admin.converse(&user.parse().unwrap());
        assert!(matches!(dialogue.step(vec![]).await, Ok(Step::Ask { .. })));
        let step = dialogue
            .step(vec![Typed::from(password.to_owned())])
            .await
            .unwrap();
        matches!(step, Step::In { .. })
    }

    #[tokio::test]
    async fn the_first_password_is_random_kept_hashed_and_never_a_default() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("admin.json");
        let open = || LocalAdmin::open(path.clone(), "admin".parse().unwrap()).unwrap();
        let unseen = open().fresh().unwrap();
        let admin = open();
        let fresh = admin.fresh().unwrap();
        assert_ne!(
            fresh.expose(),
            unseen.expose(),
            "words nobody has are worth nothing"
        );
        assert_eq!(fresh.expose().len(), 19);
        let file = std::fs::read_to_string(&path).unwrap();
        assert!(!file.contains(fresh.expose()));
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(!tries(&admin, "admin", unseen.expose()).await);
        for default in ["", "admin", "password", "gatepost", "raspberry"] {
            assert!(!tries(&admin, "admin", default).await, "{default}");
        }
        assert!(!tries(&admin, "root", fresh.expose()).await);
        assert!(tries(&admin, "admin", fresh.expose()).await);
        assert!(admin.fresh().is_none(), "whoever logged in has it");
        let again = open();
        assert!(again.fresh().is_none());
        assert!(tries(&again, "admin", fresh.expose()).await);
        let reset = again.renew(true).unwrap();
        assert!(!tries(&again, "admin", fresh.expose()).await);
        assert!(tries(&again, "admin", reset.expose()).await);
        assert!(again.fresh().is_none());
    }

    #[test]
    fn a_damaged_file_is_an_error_and_no_new_password() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("admin.json");
        std::fs::write(&path, "{").unwrap();
        assert!(LocalAdmin::open(path, "admin".parse().unwrap()).is_err());
    }
}
