//! What there is to set: each option once, with what it is, whom it is for and what it does. Errors,
//! `gatepost config` and `docs/config.md` all go by these lists.

/// Whom an option is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The whole machine: may only stand under `"*"`.
    Machine,
    /// Whoever asks: may stand under any scope.
    Principal,
}

/// One option of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opt {
    /// Its key within the section. `<name>` stands for a word of the administrator's choice.
    pub key: &'static str,
    /// Whom it is for.
    pub reach: Reach,
    /// What its value looks like.
    pub kind: &'static str,
    /// What it does.
    pub help: &'static str,
}

impl Opt {
    /// An option for the whole machine.
    pub const fn machine(key: &'static str, kind: &'static str, help: &'static str) -> Self {
        Self {
            key,
            reach: Reach::Machine,
            kind,
            help,
        }
    }

    /// An option that may differ from one principal to the next.
    pub const fn principal(key: &'static str, kind: &'static str, help: &'static str) -> Self {
        Self {
            key,
            reach: Reach::Principal,
            kind,
            help,
        }
    }

    /// How this option's key and a path of keys written in a file relate.
    pub fn compare(&self, path: &[String]) -> Match {
        let mut parts = self.key.split('.');
        for key in path {
            match parts.next() {
                None => return Match::Inside,
                Some(part) if part.starts_with('<') || part == key => {}
                Some(_) => return Match::Other,
            }
        }
        if parts.next().is_none() {
            Match::Exact
        } else {
            Match::Above
        }
    }
}

/// See [`Opt::compare`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// The path is this option.
    Exact,
    /// The path leads into this option's value.
    Inside,
    /// The path is a table this option stands in.
    Above,
    /// Neither.
    Other,
}

/// A section of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Its key below a scope.
    pub name: &'static str,
    /// What it is about.
    pub help: &'static str,
    /// Its options.
    pub options: &'static [Opt],
}
