//! Exit codes, which scripts rely on, and errors that carry one. `docs/commands.md` lists them.

use std::fmt::Display;
use std::process::ExitCode;

use crate::wire::control::RefusalKind;

/// Why a command ended as it did. The numbers are a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Code {
    /// It was tried and failed.
    Failed = 1,
    /// The command line makes no sense; clap uses the same number.
    Usage = 2,
    /// No such terminal.
    NotFound = 3,
    /// No server answers.
    NoServer = 4,
    /// Not allowed.
    Denied = 5,
    /// A limit is reached.
    Limit = 6,
    /// It didn't come true in time.
    Timeout = 7,
    /// The address or the runtime folder belongs to another server.
    InUse = 8,
}

impl From<RefusalKind> for Code {
    fn from(kind: RefusalKind) -> Self {
        match kind {
            RefusalKind::Invalid => Self::Usage,
            RefusalKind::NotFound => Self::NotFound,
            RefusalKind::Denied => Self::Denied,
            RefusalKind::Limit => Self::Limit,
            RefusalKind::Failed => Self::Failed,
        }
    }
}

/// A failure on its way to standard error and the exit code.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: Code,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub(super) fn failed(error: impl Display) -> Self {
        Self::new(Code::Failed, error.to_string())
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}
