//! What can be asked for about the system's two slots, and its part of the grammar.

use serde::{Deserialize, Serialize};

use crate::base::BundleSource;

use super::arguments::{Arguments, from_str};
use super::print::Line;
use super::text::ParseError;

/// What is done about the system's two slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum UpdateStep {
    /// Say what runs and what is there; whether this bundle would be installed.
    Check {
        /// The bundle.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<BundleSource>,
    },
    /// Put a bundle into the other slot; that one starts next.
    Install {
        /// The bundle.
        from: BundleSource,
        /// Even if it is older than what runs.
        #[serde(default, skip_serializing_if = "is_no")]
        downgrade: bool,
        /// And restart the machine.
        #[serde(default, skip_serializing_if = "is_no")]
        restart: bool,
    },
    /// Start the other slot next.
    Rollback {
        /// And restart the machine.
        #[serde(default, skip_serializing_if = "is_no")]
        restart: bool,
    },
    /// What runs works: keep it.
    Confirm {},
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
const fn is_no(yes: &bool) -> bool {
    !*yes
}

impl UpdateStep {
    /// Its name in logs.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Check { .. } => "update-check",
            Self::Install { .. } => "update-install",
            Self::Rollback { .. } => "update-rollback",
            Self::Confirm {} => "update-confirm",
        }
    }

    /// Understands what follows these first words.
    pub(super) fn read(first: &str, arguments: &mut Arguments) -> Result<Self, ParseError> {
        Ok(match first {
            "update check" => Self::Check {
                from: match arguments.next() {
                    Some(word) => Some(arguments.parse(&word, from_str)?),
                    None => None,
                },
            },
            "update install" => {
                let (downgrade, restart) =
                    (arguments.flag("--downgrade"), arguments.flag("--restart"));
                let from = arguments.required("FROM")?;
                Self::Install {
                    from: arguments.parse(&from, from_str)?,
                    downgrade,
                    restart,
                }
            }
            "update rollback" => Self::Rollback {
                restart: arguments.flag("--restart"),
            },
            _ => Self::Confirm {},
        })
    }

    /// Writes it so that it is read back as this.
    pub(super) fn print(&self, line: &mut Line) {
        match self {
            Self::Check { from: None } => line.plain("update check"),
            Self::Check { from: Some(from) } => line.about("update check", from),
            Self::Install {
                from,
                downgrade,
                restart,
            } => {
                line.about("update install", from);
                line.flag("--downgrade", *downgrade);
                line.flag("--restart", *restart);
            }
            Self::Rollback { restart } => {
                line.plain("update rollback");
                line.flag("--restart", *restart);
            }
            Self::Confirm {} => line.plain("update confirm"),
        }
    }
}
