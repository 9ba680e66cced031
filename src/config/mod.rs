//! Reading configuration: files, environment and flags, each a layer over the one before. Imported
//! only by `role`; what the layers mean is said in `policy`.

mod files;
mod folders;
mod gateone;
mod json;
mod migrate;
mod outside;
mod syntax;
mod text_file;
mod toml;
mod write;
mod yaml;

use std::ffi::OsString;
use std::path::PathBuf;

use crate::policy::tree::Value;
use crate::policy::{Problem, Rules};

pub use files::{Files, Source, default_folder};
pub use folders::{FolderError, Folders};
pub use migrate::{Migration, migrate};
pub use outside::{Flag, from_flags, from_variables};
pub use syntax::{MAX_FILE, Syntax, parse, texts};
pub use text_file::{Refusal, about, read_text, start_of};
pub use write::{document, inline, key, to_toml};

/// Where configuration comes from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The folder of `gatepost.toml` and `conf.d`; none: no files.
    pub folder: Option<PathBuf>,
    /// The environment.
    pub variables: Vec<(OsString, OsString)>,
    /// Flags, as keys and values.
    pub flags: Vec<Flag>,
}

/// What was read: everything it takes to see whether it has changed.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The rules, or everything that is wrong.
    pub result: Result<Rules, Vec<Problem>>,
    /// A number that is another one when any file has changed.
    pub fingerprint: [u8; 32],
    /// The files that were read, in their order.
    pub files: Vec<PathBuf>,
}

impl Sources {
    /// Reads and checks everything.
    pub fn load(&self) -> Loaded {
        self.load_with(match &self.folder {
            Some(folder) => Files::read(folder),
            None => Files::default(),
        })
    }

    /// The same with these files instead of those in the folder.
    pub fn load_with(&self, files: Files) -> Loaded {
        let mut problems = files.problems.clone();
        let mut layers: Vec<Value> = Vec::new();
        for file in &files.read {
            match parse(Syntax::of(&file.path), &file.text, &file.path) {
                Ok(layer) => layers.push(layer),
                Err(found) => problems.extend(found),
            }
        }
        layers.push(from_variables(&self.variables, &mut problems));
        layers.push(from_flags(&self.flags, &mut problems));
        let result = match Rules::compile(&layers) {
            Ok(rules) if problems.is_empty() => Ok(rules),
            Ok(_) => Err(problems),
            Err(found) => {
                problems.extend(found);
                Err(problems)
            }
        };
        Loaded {
            result,
            fingerprint: files.fingerprint(),
            files: files.read.into_iter().map(|file| file.path).collect(),
        }
    }
}
