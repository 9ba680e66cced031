//! `terminal`: what runs in terminals.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Objection, Opt, Section};

/// What runs in terminals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terminal {
    /// Whether the login shell is offered.
    pub shell: bool,
    /// What opens when nothing is chosen; the login shell if absent.
    pub default_command: Option<String>,
    /// What is offered, by name.
    pub commands: BTreeMap<String, Program>,
    /// Variables for everything that runs in a terminal.
    pub environment: BTreeMap<String, String>,
    /// Lines of scrollback kept.
    pub scrollback: u32,
}

/// A command that is offered. Whoever opens it learns its name, description and icon, nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Program {
    /// Program and arguments. No shell sees them.
    pub command: Vec<String>,
    /// A sentence for people.
    pub description: String,
    /// The name of an icon, or a few characters to show.
    pub icon: String,
    /// Further variables for it.
    pub environment: BTreeMap<String, String>,
    /// Where it starts.
    pub directory: Option<PathBuf>,
}

impl Default for Terminal {
    fn default() -> Self {
        Self {
            shell: true,
            default_command: None,
            commands: BTreeMap::new(),
            environment: BTreeMap::new(),
            scrollback: 10_000,
        }
    }
}

/// The section.
pub(super) const SECTION: Section = Section {
    name: "terminal",
    help: "What runs in terminals.",
    options: &[
        Opt::principal("shell", "true or false", "Offer the login shell."),
        Opt::principal(
            "default_command",
            "name",
            "Which of the commands opens when nothing is chosen; the login shell if absent.",
        ),
        Opt::principal(
            "commands.<name>.command",
            "list of words",
            "Program and arguments of the command offered as <name>. No shell sees them, and no browser. {user}, {account} and {ip} are filled in, each within its word.",
        ),
        Opt::principal(
            "commands.<name>.description",
            "text",
            "A sentence for people.",
        ),
        Opt::principal(
            "commands.<name>.icon",
            "text",
            "The name of an icon, or a character or two to show.",
        ),
        Opt::principal(
            "commands.<name>.environment",
            "table of texts",
            "Further environment variables for it.",
        ),
        Opt::principal(
            "commands.<name>.directory",
            "absolute path",
            "Where it starts; the home folder if absent.",
        ),
        Opt::principal(
            "environment",
            "table of texts",
            "Environment variables for everything that runs in a terminal.",
        ),
        Opt::principal(
            "scrollback",
            "whole number",
            "Lines kept of what scrolled off.",
        ),
    ],
};

impl Terminal {
    /// Most lines of scrollback.
    pub const MAX_SCROLLBACK: u32 = 1_000_000;

    pub(super) fn check(&self, out: &mut Vec<Objection>) {
        for (name, program) in &self.commands {
            if program.command.first().is_none_or(String::is_empty) {
                out.push((
                    format!("terminal.commands.{name}"),
                    "has no command; write command = [\"/usr/bin/program\", \"argument\"]"
                        .to_owned(),
                ));
            }
        }
        for (name, program) in &self.commands {
            for word in &program.command {
                if let Some(complaint) = crate::policy::offer::complaint(word) {
                    out.push((format!("terminal.commands.{name}.command"), complaint));
                }
            }
            if program
                .command
                .first()
                .is_some_and(|word| word.contains(['{', '}']))
            {
                let message = "the program itself is fixed; only its arguments are filled in";
                out.push((
                    format!("terminal.commands.{name}.command"),
                    message.to_owned(),
                ));
            }
        }
        if let Some(name) = &self.default_command
            && !self.commands.contains_key(name)
        {
            out.push((
                "terminal.default_command".to_owned(),
                "there is no command of this name under terminal.commands".to_owned(),
            ));
        }
        if self.scrollback > Self::MAX_SCROLLBACK {
            out.push((
                "terminal.scrollback".to_owned(),
                format!("{} is over {}", self.scrollback, Self::MAX_SCROLLBACK),
            ));
        }
    }
}
