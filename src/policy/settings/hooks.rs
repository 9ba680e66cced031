//! `hooks`: programs of the administrator's that buttons and people may run.

use serde::{Deserialize, Serialize};

use super::{Objection, Opt, Period, Section};

/// How hooks are run. Which there are says their folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hooks {
    /// How long one may take.
    pub timeout: Period,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            timeout: Period::seconds(30),
        }
    }
}

/// The section.
pub(super) const SECTION: Section = Section {
    name: "hooks",
    help: "Programs that buttons and people may run: executables in the folder `hooks` of the configuration folder. `docs/buttons.md` explains.",
    options: &[Opt::machine(
        "timeout",
        "length of time",
        "How long a hook may take, at most an hour; then it is ended.",
    )],
};

impl Hooks {
    /// Longest: what takes longer is a service.
    const MAX: Period = Period::seconds(3600);

    pub(super) fn check(&self, out: &mut Vec<Objection>) {
        if self.timeout < Period::seconds(1) || self.timeout > Self::MAX {
            let message = "a hook may take from 1s to 1h".to_owned();
            out.push(("hooks.timeout".to_owned(), message));
        }
    }
}
