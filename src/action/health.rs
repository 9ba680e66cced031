//! How the machine is: what was looked at, each with a verdict and a sentence.

use serde::{Deserialize, Serialize};

/// How the machine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The worst of them.
    pub verdict: Verdict,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What: a word that stays the same.
    pub name: String,
    /// How it is.
    pub verdict: Verdict,
    /// The same for people, with what to do about it.
    pub says: String,
    /// The number behind it, if there is one; the sentence has its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
}

/// How something is, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// This machine doesn't have it, or doesn't tell.
    Unknown,
    /// As it should be.
    Good,
    /// Somebody should look at it.
    Warning,
    /// Something doesn't work, or soon won't.
    Bad,
}

impl Verdict {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

impl Health {
    /// The verdict over these checks: the worst; good if there are none.
    pub fn of(checks: Vec<Check>) -> Self {
        let worst = checks.iter().map(|check| check.verdict).max();
        Self {
            verdict: worst.unwrap_or(Verdict::Good).max(Verdict::Good),
            checks,
        }
    }
}

impl Check {
    /// A check without a number.
    pub fn new(name: &str, verdict: Verdict, says: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            verdict,
            says: says.into(),
            value: None,
        }
    }

    /// The same with its number.
    #[must_use]
    pub fn with(mut self, value: i64) -> Self {
        self.value = Some(value);
        self
    }
}
