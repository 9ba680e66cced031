//! `log`: what is written down, and where.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Objection, Opt, Section};

/// What is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// A file for the audit lines, besides the log.
    pub audit_file: Option<PathBuf>,
    /// Whether nothing may happen that can't be written there.
    pub audit_required: bool,
    /// The file is renamed when it is larger than this, in bytes.
    pub audit_max_bytes: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            audit_file: None,
            audit_required: false,
            audit_max_bytes: 10 << 20,
        }
    }
}

/// The section.
pub(super) const SECTION: Section = Section {
    name: "log",
    help: "What is written down, and where.",
    options: &[
        Opt::machine(
            "audit_file",
            "absolute path",
            "Write the audit lines to this file, too, one JSON object a line: who asked for what through which door, from where, and what came of it.",
        ),
        Opt::machine(
            "audit_required",
            "true or false",
            "Allow nothing that can't be written to audit_file.",
        ),
        Opt::machine(
            "audit_max_bytes",
            "whole number of bytes",
            "When audit_file is larger it is renamed to end in .1, replacing the one before; so at most twice this much is kept.",
        ),
    ],
};

impl Log {
    /// Smallest `audit_max_bytes`: some hundred lines.
    const MIN_BYTES: u64 = 64 << 10;

    pub(super) fn check(&self, out: &mut Vec<Objection>) {
        match &self.audit_file {
            Some(path) if !path.is_absolute() => out.push((
                "log.audit_file".to_owned(),
                "this is no absolute path; begin it with /".to_owned(),
            )),
            None if self.audit_required => out.push((
                "log.audit_required".to_owned(),
                "needs log.audit_file, the file to write to".to_owned(),
            )),
            Some(_) | None => {}
        }
        if self.audit_max_bytes < Self::MIN_BYTES {
            out.push((
                "log.audit_max_bytes".to_owned(),
                format!("{} is below {}", self.audit_max_bytes, Self::MIN_BYTES),
            ));
        }
    }
}
