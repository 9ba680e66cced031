//! `allow`: what somebody may do. Nothing, unless a scope says so.

use serde::{Deserialize, Serialize};

use super::{Opt, Section};

/// Something that has to be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// See, use and close one's own terminals.
    Use,
    /// Open terminals, with what is offered.
    Open,
    /// Open terminals with any command line.
    AnyCommand,
    /// See others' terminals and watch them.
    Watch,
    /// Type into others' terminals and reset them.
    Type,
    /// Let others into one's own terminals.
    Share,
    /// Put a message on others' screens.
    Message,
    /// Close and rename others' terminals, end logins, see who is locked out.
    Admin,
    /// Reload the kiosk's page, restart and switch off the machine.
    Power,
    /// Run the machine's hooks, switch its lamps.
    Hook,
    /// Put another system onto the machine, or go back to the one before.
    Update,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Use,
        Self::Open,
        Self::AnyCommand,
        Self::Watch,
        Self::Type,
        Self::Share,
        Self::Message,
        Self::Admin,
        Self::Power,
        Self::Hook,
        Self::Update,
    ];

    /// Its key in the configuration.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Use => "use",
            Self::Open => "open",
            Self::AnyCommand => "any_command",
            Self::Watch => "watch",
            Self::Type => "type",
            Self::Share => "share",
            Self::Message => "message",
            Self::Admin => "admin",
            Self::Power => "power",
            Self::Hook => "hook",
            Self::Update => "update",
        }
    }
}

/// What may be done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a grant of its own, and stands in the configuration as one"
)]
pub struct Allow {
    /// See [`Capability::Use`].
    pub r#use: bool,
    /// See [`Capability::Open`].
    pub open: bool,
    /// See [`Capability::AnyCommand`].
    pub any_command: bool,
    /// See [`Capability::Watch`].
    pub watch: bool,
    /// See [`Capability::Type`].
    pub r#type: bool,
    /// See [`Capability::Share`].
    pub share: bool,
    /// See [`Capability::Message`].
    pub message: bool,
    /// See [`Capability::Admin`].
    pub admin: bool,
    /// See [`Capability::Power`].
    pub power: bool,
    /// See [`Capability::Hook`].
    pub hook: bool,
    /// See [`Capability::Update`].
    pub update: bool,
    /// Whether they are kept out altogether, whatever else is granted.
    pub blacklist: bool,
}

impl Allow {
    /// All of it.
    pub fn everything() -> Self {
        Self {
            r#use: true,
            open: true,
            any_command: true,
            watch: true,
            r#type: true,
            share: true,
            message: true,
            admin: true,
            power: true,
            hook: true,
            update: true,
            blacklist: false,
        }
    }

    /// Whether this is granted.
    pub const fn has(&self, capability: Capability) -> bool {
        !self.blacklist
            && match capability {
                Capability::Use => self.r#use,
                Capability::Open => self.open,
                Capability::AnyCommand => self.any_command,
                Capability::Watch => self.watch,
                Capability::Type => self.r#type,
                Capability::Share => self.share,
                Capability::Message => self.message,
                Capability::Admin => self.admin,
                Capability::Power => self.power,
                Capability::Hook => self.hook,
                Capability::Update => self.update,
            }
    }
}

const YES_NO: &str = "true or false";

/// The section.
pub(super) const SECTION: Section = Section {
    name: "allow",
    help: "What somebody may do. Nothing matched means no: without a scope that grants it, nobody who logs in may do anything.",
    options: &[
        Opt::principal("use", YES_NO, "See, use and close one's own terminals."),
        Opt::principal(
            "open",
            YES_NO,
            "Open terminals with the commands offered under `terminal.commands`, and with the login shell where `terminal.shell` offers it.",
        ),
        Opt::principal(
            "any_command",
            YES_NO,
            "Open terminals with any command line.",
        ),
        Opt::principal("watch", YES_NO, "See others' terminals and watch them."),
        Opt::principal(
            "type",
            YES_NO,
            "Type into others' terminals and reset them.",
        ),
        Opt::principal(
            "share",
            YES_NO,
            "Let named others watch one's own terminals, each as long as one likes.",
        ),
        Opt::principal("message", YES_NO, "Put a message on others' screens."),
        Opt::principal(
            "admin",
            YES_NO,
            "Close and rename others' terminals, see who is here and who is locked out, end logins.",
        ),
        Opt::principal(
            "power",
            YES_NO,
            "Reload the kiosk's page, light its screen or make it dark, restart and switch off the machine.",
        ),
        Opt::principal(
            "hook",
            YES_NO,
            "Run the machine's hooks, with arguments of one's choice, and switch its lamps.",
        ),
        Opt::principal(
            "update",
            YES_NO,
            "Put another system onto a machine that runs Gatepost's image, go back to the one before, or unlock it for maintenance.",
        ),
        Opt::principal(
            "blacklist",
            YES_NO,
            "Keep them out altogether, whatever else is granted: every request is refused, open pages are closed.",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_granted_by_itself_and_a_blacklist_takes_everything() {
        let mut all = Allow::everything();
        for capability in Capability::ALL {
            assert!(!Allow::default().has(capability));
            assert!(all.has(capability));
        }
        all.blacklist = true;
        assert!(Capability::ALL.iter().all(|one| !all.has(*one)));
    }
}
