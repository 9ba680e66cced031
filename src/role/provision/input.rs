//! The files a machine is given: found, read within limits, and said in one schema's words.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::{Refusal, Syntax, about, parse, read_text, start_of};
use crate::policy::Problem;
use crate::policy::tree::{Kind, Table, Value, merge};
use crate::provision::{FileName, Provision, imager};

/// Largest file, in bytes: more than anybody writes, and than certificates take.
const MAX_FILE: usize = 256 << 10;
/// Our own file.
const OWN: &str = "gatepost.toml";
/// The files there may be, weakest first: Imager's first, so that ours can add to them and win.
const NAMES: &[&str] = &["custom.toml", "user-data", "network-config", OWN];
/// What Notepad makes of our file's name, on a machine that hides endings.
const MISNAMED: &[&str] = &["gatepost.toml.txt", "gatepost.txt"];

/// One file as it was read.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) syntax: Syntax,
    pub(super) text: String,
}

/// Everything that was found.
#[derive(Debug)]
pub(super) struct Input {
    /// In the words of the schema, merged.
    pub(super) tree: Value,
    pub(super) sources: Vec<Source>,
    /// The files the tree names, as far as they are there.
    pub(super) beside: BTreeMap<FileName, String>,
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<Problem>,
    /// There was a file, good or bad.
    pub(super) any: bool,
    /// There was one on the card.
    pub(super) card: bool,
}

impl Input {
    /// What is in a folder, over what was set up by hand.
    pub(super) fn folder(folder: &Path, by_hand: &Path) -> Self {
        let mut input = Self::new(folder);
        input.add(by_hand, true);
        let set_up = std::mem::take(&mut input.any);
        for name in NAMES {
            input.add(&folder.join(name), true);
        }
        if !folder.join(OWN).exists() {
            for name in MISNAMED {
                let path = folder.join(name);
                if path.exists() {
                    input.any = true;
                    let message = format!("this file has to be called {OWN}; rename it");
                    input.problems.push(about(&path, message));
                }
            }
        }
        input.card = input.any;
        input.any |= set_up;
        input.look_beside(folder);
        input
    }

    /// What is to be set up by hand, as it will stand in its file.
    pub(super) fn by_hand(path: &Path, text: String) -> Self {
        let mut input = Self::new(path);
        input.any = true;
        match parse(Syntax::Toml, &text, path) {
            Ok(tree) => input.tree = tree,
            Err(found) => input.problems = found,
        }
        input.sources.push(Source {
            path: path.to_owned(),
            syntax: Syntax::Toml,
            text,
        });
        input
    }

    /// One file, whatever else lies there.
    pub(super) fn file(path: &Path) -> Self {
        let mut input = Self::new(path);
        input.add(path, false);
        input.look_beside(path.parent().unwrap_or(Path::new(".")));
        input
    }

    fn new(place: &Path) -> Self {
        Self {
            tree: Value::table(Table::default(), start_of(place)),
            sources: Vec::new(),
            beside: BTreeMap::new(),
            problems: Vec::new(),
            notes: Vec::new(),
            any: false,
            card: false,
        }
    }

    fn add(&mut self, path: &Path, optional: bool) {
        let text = match read(path) {
            Ok(text) => text,
            Err(Refusal::Missing) if optional => return,
            Err(Refusal::Missing) => {
                return self.problems.push(about(path, "there is no such file"));
            }
            Err(Refusal::Because(message)) => {
                self.any = true;
                return self.problems.push(about(path, message));
            }
        };
        self.any = true;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let yaml = matches!(&*name, "user-data" | "network-config") || name.ends_with(".yaml");
        if name == "user-data" && !text.trim().is_empty() && !text.starts_with("#cloud-config") {
            let message = "doesn't begin with #cloud-config and was left out";
            self.notes
                .push(Problem::warning(&start_of(path), "", message));
            return;
        }
        let syntax = if yaml { Syntax::Yaml } else { Syntax::Toml };
        let tree = match parse(syntax, &text, path) {
            Ok(tree) => tree,
            Err(found) => return self.problems.extend(found),
        };
        let (tree, notes) = match &*name {
            "network-config" => imager::network_config(&tree),
            _ if yaml => imager::user_data(&tree),
            _ if tree.at(&["config_version"]).is_some() || name == "custom.toml" => {
                imager::custom(&tree)
            }
            _ => (tree, Vec::new()),
        };
        let (notes, wrong): (Vec<_>, Vec<_>) = notes.into_iter().partition(|note| note.warning);
        self.notes.extend(notes);
        self.problems.extend(wrong);
        if let (Kind::Table(all), Some(table)) = (&mut self.tree.kind, tree.as_table()) {
            merge(all, table);
        }
        self.sources.push(Source {
            path: path.to_owned(),
            syntax,
            text,
        });
    }

    /// Reads the files that are named. What isn't there may be on the machine already.
    fn look_beside(&mut self, folder: &Path) {
        let Ok(provision) = Provision::read(&self.tree) else {
            return;
        };
        for (_, file) in provision.files() {
            let path = folder.join(file.as_str());
            match read(&path) {
                Ok(text) => {
                    self.beside.insert(file, text);
                }
                Err(Refusal::Missing) => {}
                Err(Refusal::Because(message)) => self.problems.push(about(&path, message)),
            }
        }
    }
}

/// Anybody may have written it: who has the card has the machine.
fn read(path: &Path) -> Result<String, Refusal> {
    read_text(path, MAX_FILE, |_| None)
}
