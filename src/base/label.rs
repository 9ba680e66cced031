//! Names of buttons, lamps and hooks: such that they can be a file's name, a key and an argument.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name of 1 to 32 ASCII letters, digits, `-` and `_`, the first a letter or digit. So it is never
/// an option, a path, or a file that is hidden or a backup.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Label(String);

impl Label {
    /// Longest, in bytes: what fits a label beside a button.
    pub const MAX: usize = 32;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "names of buttons, lamps and hooks have 1 to {} letters, digits, - and _, and begin with a letter or digit",
    Label::MAX
)]
pub struct LabelError;

impl FromStr for Label {
    type Err = LabelError;
    fn from_str(text: &str) -> Result<Self, LabelError> {
        let letter = |c: char| c.is_ascii_alphanumeric();
        let good = text.len() <= Self::MAX
            && text.starts_with(letter)
            && text.chars().all(|c| letter(c) || matches!(c, '-' | '_'));
        good.then(|| Self(text.to_owned())).ok_or(LabelError)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

impl TryFrom<String> for Label {
    type Error = LabelError;
    fn try_from(text: String) -> Result<Self, LabelError> {
        text.parse()
    }
}

/// One word for a hook: at most 256 bytes, nothing that can't be seen, and no `-` in front, so that it
/// is never an option of whatever the hook passes it to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct HookArgument(String);

impl HookArgument {
    /// Longest, in bytes.
    pub const MAX: usize = 256;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no argument for a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "arguments of hooks have at most {} bytes, no control characters and no - in front",
    HookArgument::MAX
)]
pub struct HookArgumentError;

impl FromStr for HookArgument {
    type Err = HookArgumentError;
    fn from_str(text: &str) -> Result<Self, HookArgumentError> {
        let good = text.len() <= Self::MAX
            && !text.starts_with('-')
            && !text.chars().any(super::is_deceptive);
        good.then(|| Self(text.to_owned())).ok_or(HookArgumentError)
    }
}

impl fmt::Display for HookArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<HookArgument> for String {
    fn from(argument: HookArgument) -> Self {
        argument.0
    }
}

impl TryFrom<String> for HookArgument {
    type Error = HookArgumentError;
    fn try_from(text: String) -> Result<Self, HookArgumentError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hook_path_option_hidden_and_long_names_are_refused() {
        for good in ["print-ticket", "A_1", "7", &"a".repeat(Label::MAX)] {
            assert!(good.parse::<Label>().is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc",
            "-x",
            "_x",
            ".x",
            "x~",
            "a.sh",
            "a b",
            "a\n",
            "ä",
            "a\0",
            &"a".repeat(Label::MAX + 1),
        ] {
            assert_eq!(bad.parse::<Label>(), Err(LabelError), "{bad:?}");
        }
    }

    #[test]
    fn hook_option_and_control_characters_in_arguments_are_refused() {
        for good in [
            "",
            "a b",
            "$(reboot)",
            "büro",
            &"a".repeat(HookArgument::MAX),
        ] {
            assert!(good.parse::<HookArgument>().is_ok(), "{good}");
        }
        for bad in [
            "-x",
            "--",
            "a\nb",
            "a\0",
            "\u{1b}[A",
            "\u{202e}x",
            &"a".repeat(HookArgument::MAX + 1),
        ] {
            assert_eq!(
                bad.parse::<HookArgument>(),
                Err(HookArgumentError),
                "{bad:?}"
            );
        }
    }
}
