//! What configuration says, whatever it was written in: values that know where they came from.

mod de;
mod merge;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use de::Fault;
pub use merge::{MAX_DEPTH, merge};

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origin {
    /// Nowhere: it is what Gatepost does by itself.
    #[default]
    Default,
    /// In a file. Lines and columns count from 1, columns in characters.
    File {
        /// Its path.
        file: Arc<Path>,
        /// Line.
        line: u32,
        /// Column.
        column: u32,
    },
    /// In an environment variable of this name.
    Variable(String),
    /// In a flag, as it is written on the command line.
    Flag(String),
}

impl Origin {
    /// The file, if it is one.
    pub fn file(&self) -> Option<PathBuf> {
        match self {
            Self::File { file, .. } => Some(file.to_path_buf()),
            Self::Default | Self::Variable(_) | Self::Flag(_) => None,
        }
    }

    /// Line and column, for reading problems from top to bottom.
    pub const fn line(&self) -> (u32, u32) {
        match self {
            Self::File { line, column, .. } => (*line, *column),
            Self::Default | Self::Variable(_) | Self::Flag(_) => (0, 0),
        }
    }

    /// Whether the text has to be understood as whatever type is wanted, because there are no types
    /// where it was written.
    const fn is_untyped(&self) -> bool {
        matches!(self, Self::Variable(_) | Self::Flag(_))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line, column } => {
                write!(f, "{}:{line}:{column}", file.display())
            }
            Self::Variable(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Value {
    /// What.
    pub kind: Kind,
    /// Where.
    pub origin: Origin,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Kind {
    /// JSON's `null`: as if the key weren't there.
    #[default]
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Whole(i64),
    /// Another number.
    Number(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A table.
    Table(Table),
}

impl Kind {
    /// What a person calls it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "yes or no",
            Self::Whole(_) => "a whole number",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Value {
    /// A table with this origin.
    pub fn table(table: Table, origin: Origin) -> Self {
        Self {
            kind: Kind::Table(table),
            origin,
        }
    }

    /// Text with this origin.
    pub fn text(text: impl Into<String>, origin: Origin) -> Self {
        Self {
            kind: Kind::Text(text.into()),
            origin,
        }
    }

    /// The table, if it is one.
    pub fn as_table(&self) -> Option<&Table> {
        match &self.kind {
            Kind::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Puts a value where these keys lead, making tables on the way.
    pub fn put(&mut self, keys: &[&str], value: Self) {
        let Some((first, rest)) = keys.split_first() else {
            *self = value;
            return;
        };
        if self.as_table().is_none() {
            self.kind = Kind::Table(Table::default());
            self.origin = value.origin.clone();
        }
        if let Kind::Table(table) = &mut self.kind {
            let origin = value.origin.clone();
            table.slot(first, &origin).put(rest, value);
        }
    }

    /// The value these keys lead to.
    pub fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |value, key| {
            value.as_table()?.get(key).map(|entry| &entry.value)
        })
    }

    /// Takes out the value these keys lead to; whether there was one.
    pub fn remove(&mut self, keys: &[String]) -> bool {
        let (Some((first, rest)), Kind::Table(table)) = (keys.split_first(), &mut self.kind) else {
            return false;
        };
        let Some(at) = table.0.iter().position(|entry| entry.key == *first) else {
            return false;
        };
        let below = !rest.is_empty()
            && table
                .0
                .get_mut(at)
                .is_some_and(|entry| entry.value.remove(rest));
        if !below {
            table.0.remove(at);
        }
        true
    }
}

/// Keys with values, in the order they were written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table(pub Vec<Entry>);

/// One key of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key was written.
    pub origin: Origin,
    /// Its value.
    pub value: Value,
}

impl Table {
    /// The entry of this key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key == key)
    }

    /// The value of this key, made if it isn't there.
    fn slot(&mut self, key: &str, origin: &Origin) -> &mut Value {
        let at = self.0.iter().position(|entry| entry.key == key);
        let at = at.unwrap_or_else(|| {
            self.0.push(Entry {
                key: key.to_owned(),
                origin: origin.clone(),
                value: Value::default(),
            });
            self.0.len() - 1
        });
        #[expect(
            clippy::indexing_slicing,
            reason = "the index was found or made just above"
        )]
        &mut self.0[at].value
    }
}
