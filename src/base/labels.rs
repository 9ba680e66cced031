//! Free words somebody put on a terminal when they opened it: what it is for, which job, which desk.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::name::is_deceptive;

/// Up to [`Labels::MAX`] words about a terminal, each under a key. Gatepost keeps and shows them and
/// makes nothing of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Map", try_from = "Map")]
pub struct Labels(Map);

type Map = BTreeMap<Label, String>;

impl Labels {
    /// Most labels of a terminal.
    pub const MAX: usize = 16;
    /// Longest value, in characters.
    pub const MAX_VALUE: usize = 128;

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Key and value, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// All of these together.
    ///
    /// # Errors
    ///
    /// A key that is given twice, or one label too many.
    pub fn of(labels: impl IntoIterator<Item = OneLabel>) -> Result<Self, LabelsError> {
        labels.into_iter().try_fold(Self::default(), Self::with)
    }

    /// These and one more.
    ///
    /// # Errors
    ///
    /// As [`Labels::of`].
    pub fn with(mut self, label: OneLabel) -> Result<Self, LabelsError> {
        let OneLabel(key, value) = label;
        if self.0.contains_key(&key) {
            return Err(LabelsError::Twice(key));
        }
        if self.0.len() >= Self::MAX {
            return Err(LabelsError::TooMany);
        }
        self.0.insert(key, value);
        Ok(self)
    }
}

/// One label, as it is typed: `KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneLabel(Label, String);

/// Why something is no label of a terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelsError {
    /// No `=`, or a key that is none.
    #[error(
        "a label is KEY=VALUE, and KEY 1 to {} letters, digits, - and _, first a letter or digit",
        Label::MAX
    )]
    Key,
    /// A value that is too long or could deceive whoever reads it.
    #[error(
        "a label's value has at most {} characters, none of them a control character",
        Labels::MAX_VALUE
    )]
    Value,
    /// The same key again.
    #[error("the label {} is given twice", .0.as_str())]
    Twice(Label),
    /// Over [`Labels::MAX`].
    #[error("a terminal has at most {} labels", Labels::MAX)]
    TooMany,
}

fn check(value: &str) -> Result<(), LabelsError> {
    let good = value.chars().count() <= Labels::MAX_VALUE && !value.chars().any(is_deceptive);
    good.then_some(()).ok_or(LabelsError::Value)
}

impl FromStr for OneLabel {
    type Err = LabelsError;
    fn from_str(text: &str) -> Result<Self, LabelsError> {
        let (key, value) = text.split_once('=').ok_or(LabelsError::Key)?;
        let key = key.parse().map_err(|_| LabelsError::Key)?;
        check(value)?;
        Ok(Self(key, value.to_owned()))
    }
}

impl TryFrom<Map> for Labels {
    type Error = LabelsError;
    fn try_from(map: Map) -> Result<Self, LabelsError> {
        if map.len() > Self::MAX {
            return Err(LabelsError::TooMany);
        }
        map.values().try_for_each(|value| check(value))?;
        Ok(Self(map))
    }
}

impl From<Labels> for Map {
    fn from(labels: Labels) -> Self {
        labels.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<OneLabel, LabelsError> {
        text.parse()
    }

    #[test]
    fn a_label_is_a_key_and_whatever_follows_the_first_equals_sign() {
        let all = Labels::of(["job=a=b c", "desk="].map(|text| one(text).unwrap())).unwrap();
        assert_eq!(
            all.iter().collect::<Vec<_>>(),
            [("desk", ""), ("job", "a=b c")]
        );
        assert_eq!(
            serde_json::to_string(&all).unwrap(),
            r#"{"desk":"","job":"a=b c"}"#
        );
        for bad in ["job", "=x", "a b=x", "-a=x"] {
            assert_eq!(one(bad), Err(LabelsError::Key), "{bad}");
        }
    }

    #[test]
    fn what_is_too_much_or_deceives_is_refused_on_every_way_in() {
        let long = |count| format!("k={}", "ä".repeat(count));
        assert!(one(&long(128)).is_ok());
        for bad in [long(129), "k=a\nb".to_owned(), "k=\u{202e}".to_owned()] {
            assert_eq!(one(&bad), Err(LabelsError::Value), "{bad}");
            let (_, value) = bad.split_once('=').unwrap();
            let map = serde_json::json!({ "k": value });
            assert!(serde_json::from_value::<Labels>(map).is_err());
        }
        let many = |count| Labels::of((0..count).map(|n| one(&format!("k{n}=")).unwrap()));
        assert!(many(16).is_ok());
        assert_eq!(many(17), Err(LabelsError::TooMany));
        let twice = Labels::of(["a=1", "a=2"].map(|text| one(text).unwrap()));
        assert!(matches!(twice, Err(LabelsError::Twice(_))));
    }
}
