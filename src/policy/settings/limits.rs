//! `limits`: how much of what is allowed.

use serde::{Deserialize, Serialize};

use crate::base::Size;

use super::{Objection, Opt, Section};

/// How much of what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Most terminals of one user at a time.
    pub terminals: u32,
    /// Most terminals on the machine.
    pub machine_terminals: u32,
    /// Seconds after which a terminal nobody types into is closed; 0: never.
    pub idle: u64,
    /// Most logins of one user at a time; 0: as many as the machine holds.
    pub logins: u32,
    /// Most columns of a terminal.
    pub columns: u16,
    /// Most rows of a terminal.
    pub rows: u16,
}

impl Limits {
    /// Most `machine_terminals`: each is a process of half a megabyte and up.
    pub const MAX_MACHINE_TERMINALS: u32 = 256;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            terminals: 10,
            machine_terminals: 50,
            idle: 0,
            logins: 0,
            columns: Size::MAX_COLS,
            rows: Size::MAX_ROWS,
        }
    }
}

/// The section.
pub(super) const SECTION: Section = Section {
    name: "limits",
    help: "How much of what is allowed.",
    options: &[
        Opt::principal(
            "terminals",
            "whole number",
            "Most terminals of one user at a time. Whoever started Gatepost has no such limit.",
        ),
        Opt::machine(
            "machine_terminals",
            "whole number, at most 256",
            "Most terminals on the machine.",
        ),
        Opt::principal(
            "idle",
            "whole number of seconds",
            "A terminal into which nobody has typed for this many seconds, whoever watches and whatever its program writes, is closed; whoever watches is warned a minute before. 0: never. Counts for terminals opened from now on.",
        ),
        Opt::principal(
            "logins",
            "whole number",
            "Most browsers one user is logged in with at a time; past it the login unused for longest ends. 0: no limit but auth.logins.most.",
        ),
        Opt::principal(
            "columns",
            "whole number",
            "Most columns a terminal is opened with.",
        ),
        Opt::principal(
            "rows",
            "whole number",
            "Most rows a terminal is opened with.",
        ),
    ],
};

impl Limits {
    pub(super) fn check(&self, out: &mut Vec<Objection>) {
        let mut between = |key: &str, value: u32, least: u32, most: u32| {
            if !(least..=most).contains(&value) {
                out.push((
                    format!("limits.{key}"),
                    format!("{value} is not between {least} and {most}"),
                ));
            }
        };
        between(
            "machine_terminals",
            self.machine_terminals,
            1,
            Self::MAX_MACHINE_TERMINALS,
        );
        between("columns", self.columns.into(), 2, Size::MAX_COLS.into());
        between("rows", self.rows.into(), 2, Size::MAX_ROWS.into());
    }
}
