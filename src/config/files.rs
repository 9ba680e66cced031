//! The files of the configuration folder: which there are, whether they can be trusted, what is in them.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::policy::Problem;
use crate::policy::tree::Origin;

use super::syntax::MAX_FILE;

/// The main file.
const MAIN: &str = "gatepost.toml";
/// The folder of further files.
const MORE: &str = "conf.d";
/// Most files in it.
const MAX_FILES: usize = 256;

/// Where configuration is unless told otherwise: `$GATEPOST_CONFIG_DIR`, else systemd's
/// `$CONFIGURATION_DIRECTORY`, else `/etc/gatepost` for root and XDG's folder for others.
pub fn default_folder(uid: u32, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(folder) = path("GATEPOST_CONFIG_DIR").or_else(|| path("CONFIGURATION_DIRECTORY")) {
        return Some(folder);
    }
    if uid == 0 {
        return Some("/etc/gatepost".into());
    }
    // The XDG specification says to ignore relative values.
    let absolute = |name: &str| path(name).filter(|path| path.is_absolute());
    absolute("XDG_CONFIG_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".config")))
        .map(|folder| folder.join("gatepost"))
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

/// What a configuration folder holds.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// The files, weakest first.
    pub read: Vec<Source>,
    /// What keeps files from being read.
    pub problems: Vec<Problem>,
}

impl Files {
    /// Reads a folder. One that isn't there holds nothing.
    pub fn read(folder: &Path) -> Self {
        let mut files = Self::default();
        match trusted_folder(folder) {
            Ok(true) => {}
            Ok(false) => return files,
            Err(problem) => {
                files.problems.push(problem);
                return files;
            }
        }
        files.add(&folder.join(MAIN), true);
        let more = folder.join(MORE);
        match trusted_folder(&more) {
            Ok(true) => {}
            Ok(false) => return files,
            Err(problem) => {
                files.problems.push(problem);
                return files;
            }
        }
        match list(&more) {
            Ok(paths) => {
                for path in paths {
                    files.add(&path, false);
                }
            }
            Err(message) => files.problems.push(about(&more, message)),
        }
        files
    }

    /// Reads these files, in this order.
    pub fn these(paths: &[PathBuf]) -> Self {
        let mut files = Self::default();
        for path in paths {
            files.add(path, false);
        }
        files
    }

    fn add(&mut self, path: &Path, optional: bool) {
        match read(path) {
            Ok(text) => self.read.push(Source {
                path: path.to_owned(),
                text,
            }),
            Err(Refusal::Missing) if optional => {}
            Err(Refusal::Missing) => self.problems.push(about(path, "there is no such file")),
            Err(Refusal::Because(message)) => self.problems.push(about(path, message)),
        }
    }

    /// A number that is another one when any file, or what keeps one from being read, has changed.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hash.update(bytes.len().to_be_bytes());
            hash.update(bytes);
        };
        for file in &self.read {
            add(file.path.as_os_str().as_encoded_bytes());
            add(file.text.as_bytes());
        }
        for problem in &self.problems {
            add(problem.to_string().as_bytes());
        }
        hash.finalize().into()
    }
}

fn about(path: &Path, message: impl Into<String>) -> Problem {
    let origin = Origin::File {
        file: path.into(),
        line: 1,
        column: 1,
    };
    Problem::error(&origin, "", message)
}

/// Files with a known ending, in alphanumeric order. Others are for somebody else: backups of
/// editors, what a package manager left.
fn list(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let known = path
            .extension()
            .is_some_and(|ending| ending == "toml" || ending == "conf");
        if known && !name.starts_with('.') {
            paths.push(path);
        }
    }
    if paths.len() > MAX_FILES {
        return Err(format!(
            "{} files; at most {MAX_FILES} are read",
            paths.len()
        ));
    }
    paths.sort();
    Ok(paths)
}

/// Whether the folder is there. One that others can write to is refused: they could exchange files.
fn trusted_folder(folder: &Path) -> Result<bool, Problem> {
    match std::fs::metadata(folder) {
        Ok(metadata) if !metadata.is_dir() => Err(about(folder, "is no folder")),
        Ok(metadata) => match distrust(&metadata) {
            None => Ok(true),
            Some(why) => Err(about(folder, why)),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(about(folder, error.to_string())),
    }
}

/// Why a file or folder can't be trusted, and what to do.
fn distrust(metadata: &std::fs::Metadata) -> Option<String> {
    let me = rustix::process::geteuid().as_raw();
    if metadata.mode() & 0o002 != 0 {
        Some("everybody can write to it, so it is not used; chmod o-w it".to_owned())
    } else if metadata.uid() != 0 && metadata.uid() != me {
        Some(format!(
            "it belongs to the user with uid {}, so it is not used; chown it to root",
            metadata.uid()
        ))
    } else {
        None
    }
}

enum Refusal {
    Missing,
    Because(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::Missing,
            _ => Self::Because(error.to_string()),
        }
    }
}

fn read(path: &Path) -> Result<String, Refusal> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits();
    // Opened first and looked at afterwards: what is checked is what is read. Nothing waits for a
    // pipe somebody put there.
    let file = File::options()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Refusal::Because("is no ordinary file".to_owned()));
    }
    if let Some(why) = distrust(&metadata) {
        return Err(Refusal::Because(why));
    }
    let limit = u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_FILE {
        return Err(Refusal::Because(format!(
            "is larger than {MAX_FILE} bytes, the most that is read"
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        Refusal::Because(format!(
            "is not UTF-8 (byte {} is wrong)",
            error.utf8_error().valid_up_to() + 1
        ))
    })
}
