//! Why an ask comes to nothing.

use crate::action::FindError;
use crate::hardware::NoLamp;
use crate::policy::Denied;
use crate::system::hook::HookError;
use crate::system::setup::SetupError;
use crate::system::update::UpdateError;
use crate::system::{MaintenanceError, PowerError};
use crate::terminals::TerminalError;
use crate::wire::control::RefusalKind;
use crate::wire::message::FailureKind;

use super::AuditError;

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It couldn't be written down.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The policy said no.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The text names no terminal.
    #[error(transparent)]
    Find(#[from] FindError),
    /// It was tried.
    #[error(transparent)]
    Terminal(#[from] TerminalError),
    /// The machine stays as it is.
    #[error(transparent)]
    Power(#[from] PowerError),
    /// The hook did not succeed.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// The system's slots.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// The image's system stays as it is.
    #[error(transparent)]
    Maintenance(#[from] MaintenanceError),
    /// The machine can't be set up by hand.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// There is no such lamp.
    #[error(transparent)]
    Lamp(#[from] NoLamp),
    /// The ask makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Who asks has no account on this machine.
    #[error(
        "no account of this machine is meant for you, so there is nothing to open; if there was before, log in again"
    )]
    NoAccount,
    /// Nobody is there whom it concerns, or the machine has nothing that could do it.
    #[error("{0}")]
    Nobody(&'static str),
}

impl ControlError {
    /// The kind a program can act on.
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::Denied(denied) if denied.is_limit() => RefusalKind::Limit,
            Self::Denied(_) | Self::NoAccount | Self::Terminal(TerminalError::LogIn) => {
                RefusalKind::Denied
            }
            Self::Find(_) | Self::Terminal(TerminalError::NotFound(_)) => RefusalKind::NotFound,
            Self::Invalid(_) => RefusalKind::Invalid,
            Self::Lamp(_) => RefusalKind::NotFound,
            Self::Hook(HookError::Call(_)) => RefusalKind::Invalid,
            Self::Hook(HookError::TooMany(_) | HookError::Running) => RefusalKind::Limit,
            Self::Hook(_) | Self::Update(_) | Self::Maintenance(_) | Self::Setup(_) => {
                RefusalKind::Failed
            }
            Self::Power(_) | Self::Nobody(_) | Self::Audit(_) => RefusalKind::Failed,
            Self::Terminal(TerminalError::Limit(_)) => RefusalKind::Limit,
            Self::Terminal(TerminalError::Refused(failure)) => match failure.kind {
                FailureKind::Invalid => RefusalKind::Invalid,
                FailureKind::Denied => RefusalKind::Denied,
                FailureKind::Busy => RefusalKind::Limit,
                FailureKind::Ended | FailureKind::Timeout => RefusalKind::Failed,
            },
            Self::Terminal(
                TerminalError::Launch(_)
                | TerminalError::Silent(_)
                | TerminalError::Protocol { .. }
                | TerminalError::Stopping,
            ) => RefusalKind::Failed,
        }
    }

    /// Whether it would be done for the same person once they have logged in again.
    pub fn wants_a_login(&self) -> bool {
        matches!(self, Self::Terminal(TerminalError::LogIn))
    }
}
