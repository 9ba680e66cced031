//! The files of the configuration folder: which there are, whether they can be trusted, what is in them.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::policy::Problem;

use super::syntax::MAX_FILE;
use super::text_file::{Refusal, about, read_text};

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
        match read_text(path, MAX_FILE, distrust) {
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
