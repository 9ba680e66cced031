//! Judges asks by the settings of whoever asks. Total: a new action does not compile before it says
//! what it takes.

use crate::action::{Action, Ask, Recipient, TerminalInfo};
use crate::base::{Access, Principal, UserName};

use super::offer::offered;
use super::settings::{Capability, Settings};

/// Proof that [`decide`] said yes. Only this room can make one, and the executor takes nothing else.
#[must_use]
#[derive(Debug)]
pub struct Granted {
    ask: Ask,
}

impl Granted {
    /// What was granted.
    pub fn ask(&self) -> &Ask {
        &self.ask
    }

    /// Gives up the proof: a grant is used once.
    pub fn into_ask(self) -> Ask {
        self.ask
    }
}

/// What there is to know about the machine for a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Whose the terminal in question is.
    pub terminal: Whose,
    /// Terminals whoever asks has open.
    pub own: u32,
    /// Terminals open on the machine.
    pub all: u32,
}

/// Whose a terminal is, seen by whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Whose {
    /// No terminal is meant, or nothing is known of it: then it counts as somebody else's.
    #[default]
    Nobody,
    /// Theirs.
    Own,
    /// Somebody else's, who lets them watch it.
    Shared,
    /// Somebody else's.
    Others,
}

impl Whose {
    /// This terminal, seen by `by`.
    pub fn of_terminal(info: &TerminalInfo, by: &Principal) -> Self {
        match Self::of(info.owner.as_ref(), by) {
            Self::Others
                if by
                    .user()
                    .is_some_and(|user| info.shared_with.contains(&user.owner())) =>
            {
                Self::Shared
            }
            whose => whose,
        }
    }

    /// A terminal of this owner, seen by `by`. What belongs to no user belongs to whoever started
    /// Gatepost, and to the screen they started it for.
    pub fn of(owner: Option<&UserName>, by: &Principal) -> Self {
        let own = match by {
            Principal::Owner {} | Principal::Kiosk {} | Principal::Button { .. } => owner.is_none(),
            Principal::User { user } => owner == Some(&user.owner()),
        };
        if own { Self::Own } else { Self::Others }
    }
}

/// The answer no, in a sentence for whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// They are kept out.
    #[error("you are kept out of this machine; ask its administrator")]
    Blacklisted,
    /// A capability is missing.
    #[error("you may not {}; it takes the right {:?}, which an administrator can grant", may_not(*.0), .0.key())]
    Lacks(Capability),
    /// Whose it is has to do that.
    #[error("only whoever a terminal belongs to can share it")]
    NotYours,
    /// Nothing of this name is offered to them.
    #[error("no command {0:?} is offered to you")]
    NotOffered(String),
    /// The login shell isn't offered.
    #[error("no login shell is offered to you; choose one of the commands that are")]
    NoShell,
    /// A limit of theirs is reached.
    #[error("you have {0} terminals open, which is your limit; close one first")]
    TooMany(u32),
    /// A limit of the machine is reached.
    #[error("{0} terminals are open on this machine, which is its limit; close one first")]
    MachineFull(u32),
}

impl Denied {
    /// Whether a limit is the reason, not a missing right.
    pub const fn is_limit(&self) -> bool {
        matches!(self, Self::TooMany(_) | Self::MachineFull(_))
    }
}

const fn may_not(capability: Capability) -> &'static str {
    match capability {
        Capability::Use => "use terminals here",
        Capability::Open => "open terminals here",
        Capability::AnyCommand => "choose the command line of a terminal",
        Capability::Watch => "watch terminals of others",
        Capability::Type => "type into terminals of others",
        Capability::Share => "let others into your terminals",
        Capability::Message => "put messages on others' screens",
        Capability::Admin => "manage what belongs to others",
        Capability::Power => {
            "reload the kiosk, light its screen or make it dark, restart or switch off the machine"
        }
        Capability::Hook => "run hooks or switch lamps",
        Capability::Update => "update or unlock this machine's system",
    }
}

/// Judges an ask by the settings in force for whoever asks.
pub fn decide(ask: Ask, settings: &Settings, facts: &Facts) -> Result<Granted, Denied> {
    let needs = |capability| has(settings, capability);
    let own_or = |others| match facts.terminal {
        Whose::Own => Capability::Use,
        Whose::Shared | Whose::Others | Whose::Nobody => others,
    };
    match &ask.action {
        Action::ListTerminals {} => {
            // Whoever may only watch sees what there is to watch.
            needs(Capability::Use).or_else(|no| needs(Capability::Watch).map_err(|_| no))?;
        }
        Action::OpenTerminal {
            command, program, ..
        } => {
            needs(Capability::Open)?;
            if command.is_empty() {
                offered(program.as_deref(), &ask.by, None, settings)?;
            } else {
                needs(Capability::AnyCommand)?;
            }
            within_limits(&ask.by, settings, facts)?;
        }
        Action::CloseTerminal { .. } | Action::RenameTerminal { .. } => {
            needs(own_or(Capability::Admin))?;
        }
        Action::ShareTerminal { .. } => {
            needs(Capability::Share)?;
            if facts.terminal != Whose::Own {
                return Err(Denied::NotYours);
            }
        }
        // Whoever has lost the right to share still takes back what was shared.
        Action::UnshareTerminal { .. } => needs(own_or(Capability::Admin))?,
        // Those that are others' are left alone without the right to close them.
        Action::CloseAllTerminals {} => needs(Capability::Use)?,
        Action::SendText { .. } | Action::ResetTerminal { .. } => {
            needs(own_or(Capability::Type))?;
        }
        Action::Message { to, .. } => needs(match to {
            Recipient::Kiosk {} | Recipient::All {} => Capability::Message,
            Recipient::Terminal(_) => own_or(Capability::Message),
        })?,
        // As keys at the machine itself; from afar, as typing into what isn't theirs.
        Action::Kiosk { does } if does.is_typing() => needs(match ask.by {
            Principal::User { .. } => Capability::Type,
            Principal::Owner {} | Principal::Kiosk {} | Principal::Button { .. } => Capability::Use,
        })?,
        Action::Kiosk { .. }
        | Action::ReloadKiosk {}
        | Action::Display { .. }
        | Action::Power { .. } => {
            needs(Capability::Power)?;
        }
        Action::RunHook { .. } | Action::Lamp { .. } => needs(Capability::Hook)?,
        Action::Update { .. } | Action::Image { .. } => needs(Capability::Update)?,
        Action::Who {} | Action::Health {} => needs(Capability::Admin)?,
    }
    Ok(Granted { ask })
}

/// What `settings` allow as a viewer of a terminal, at most.
pub fn access(settings: &Settings, terminal: Whose) -> Result<Access, Denied> {
    match terminal {
        Whose::Own => {
            has(settings, Capability::Use)?;
            Ok(Access::Type)
        }
        Whose::Shared if !settings.allow.has(Capability::Watch) => {
            has(settings, Capability::Use)?;
            Ok(Access::View)
        }
        Whose::Shared | Whose::Others | Whose::Nobody => {
            has(settings, Capability::Watch)?;
            Ok(if settings.allow.has(Capability::Type) {
                Access::Type
            } else {
                Access::View
            })
        }
    }
}

/// Whether a terminal is in the list whoever asks gets to see.
pub fn is_visible(info: &TerminalInfo, by: &Principal, settings: &Settings) -> bool {
    access(settings, Whose::of_terminal(info, by)).is_ok()
}

/// Whether whoever asks may close this terminal.
pub fn may_close(info: &TerminalInfo, by: &Principal, settings: &Settings) -> bool {
    let needed = match Whose::of(info.owner.as_ref(), by) {
        Whose::Own => Capability::Use,
        Whose::Shared | Whose::Others | Whose::Nobody => Capability::Admin,
    };
    settings.allow.has(needed)
}

fn has(settings: &Settings, capability: Capability) -> Result<(), Denied> {
    if settings.allow.blacklist {
        Err(Denied::Blacklisted)
    } else if settings.allow.has(capability) {
        Ok(())
    } else {
        Err(Denied::Lacks(capability))
    }
}

fn within_limits(by: &Principal, settings: &Settings, facts: &Facts) -> Result<(), Denied> {
    let limits = &settings.limits;
    let counted = matches!(by, Principal::User { .. });
    if counted && facts.own >= limits.terminals {
        Err(Denied::TooMany(facts.own))
    } else if facts.all >= limits.machine_terminals {
        Err(Denied::MachineFull(facts.all))
    } else {
        Ok(())
    }
}
