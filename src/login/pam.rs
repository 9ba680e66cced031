//! What the helper needs of PAM, as a trait: the executable brings Linux-PAM, tests a script.

use std::ffi::OsString;
use std::path::Path;

use zeroize::Zeroizing;

use crate::wire::login::Message;

/// An answer, wiped when it is dropped.
pub type Answer = Zeroizing<Vec<u8>>;

/// Who answers a PAM module's questions.
pub trait Talk {
    /// One step: an answer for each question among the messages, in order. `None` gives up.
    fn ask(&mut self, messages: Vec<Message>) -> Option<Vec<Answer>>;
}

/// How a transaction begins.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// The service: the name of a file of rules.
    pub service: &'a str,
    /// The name somebody claims.
    pub user: &'a str,
    /// The folder of rules, if it isn't the system's.
    pub folder: Option<&'a Path>,
}

/// What modules are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// `PAM_TTY`.
    Tty,
    /// `PAM_RHOST`.
    RemoteHost,
}

/// What PAM is asked to do, in the order a login goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Is it them?
    Authenticate,
    /// May they come in now?
    Account,
    /// Their password has expired: a new one.
    ChangePassword,
    /// Groups, tickets, keys.
    Establish,
    /// The same again, as X2Go's service does after its check.
    Reinitialize,
    /// They have a terminal.
    OpenSession,
    /// They have none any more.
    CloseSession,
    /// Undoes `Establish`.
    Delete,
}

/// Why PAM said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PamFailure {
    /// From `Account`: a new password is wanted first.
    NewPasswordWanted,
    /// Anything else, in PAM's words, for the log.
    No(String),
}

/// One transaction; it ends when it is dropped.
pub trait Pam {
    /// Tells modules something.
    fn set(&mut self, item: Item, value: &str) -> Result<(), PamFailure>;
    /// The name as modules have it by now.
    fn user(&mut self) -> Result<String, PamFailure>;
    /// Does a step.
    fn call(&mut self, call: Call) -> Result<(), PamFailure>;
    /// Variables for the user's programs.
    fn environment(&mut self) -> Vec<(OsString, OsString)>;
}

/// Makes transactions.
pub trait Library {
    /// Begins one.
    fn start(&self, start: Start<'_>, talk: Box<dyn Talk>) -> Result<Box<dyn Pam>, PamFailure>;
}
