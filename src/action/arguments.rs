//! The words after an action's first ones, understood one by one.

use std::fmt;
use std::str::FromStr;

use crate::base::{HookArgument, Label, Labels, LabelsError, UserName};

use super::Which;
use super::text::ParseError;
use super::words::Word;

/// The words after an action's first ones, taken away as they are understood.
pub(super) struct Arguments {
    pub(super) words: Vec<Word>,
    /// What stands behind a plain `--`.
    pub(super) tail: Option<Vec<Word>>,
    pub(super) usage: &'static str,
}

impl Arguments {
    pub(super) fn find(&self, option: &str) -> Option<usize> {
        let is_it = |word: &Word| word.plain && word.text == option;
        self.words.iter().position(is_it)
    }

    pub(super) fn flag(&mut self, option: &str) -> bool {
        let found = self.find(option);
        found.map(|at| self.words.remove(at)).is_some()
    }

    pub(super) fn value<T>(
        &mut self,
        option: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ParseError> {
        let Some(at) = self.find(option) else {
            return Ok(None);
        };
        self.words.remove(at);
        match self.words.get(at) {
            Some(word) if !word.is_option() => {
                let word = self.words.remove(at);
                self.parse(&word, parse).map(Some)
            }
            _ => Err(self.missing(option)),
        }
    }

    /// Any number of `--label KEY=VALUE`.
    pub(super) fn labels(&mut self) -> Result<Labels, ParseError> {
        let mut labels = Labels::default();
        while let Some(with_one_more) = self.value("--label", |text| {
            let label = text
                .parse()
                .map_err(|error: LabelsError| error.to_string())?;
            labels
                .clone()
                .with(label)
                .map_err(|error| error.to_string())
        })? {
            labels = with_one_more;
        }
        Ok(labels)
    }

    pub(super) fn missing(&self, what: &'static str) -> ParseError {
        ParseError::Missing {
            what,
            usage: self.usage,
        }
    }

    /// The next word that is no option.
    pub(super) fn next(&mut self) -> Option<Word> {
        let at = self.words.iter().position(|word| !word.is_option())?;
        Some(self.words.remove(at))
    }

    pub(super) fn required(&mut self, what: &'static str) -> Result<Word, ParseError> {
        self.next().ok_or_else(|| self.missing(what))
    }

    pub(super) fn parse<T>(
        &self,
        word: &Word,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ParseError> {
        parse(&word.text).map_err(|reason| ParseError::Value {
            word: word.text.clone(),
            at: word.at,
            reason,
            usage: self.usage,
        })
    }

    pub(super) fn terminal(&mut self) -> Result<Which, ParseError> {
        let word = self.required("ID")?;
        self.parse(&word, from_str)
    }

    pub(super) fn user(&mut self) -> Result<UserName, ParseError> {
        let word = self.required("USER")?;
        self.parse(&word, |text| {
            UserName::try_from(text.to_owned()).map_err(|error| error.to_string())
        })
    }

    pub(super) fn label(&mut self) -> Result<Label, ParseError> {
        let word = self.required("NAME")?;
        self.parse(&word, from_str)
    }

    pub(super) fn hook_arguments(&mut self) -> Result<Vec<HookArgument>, ParseError> {
        let words = self.tail.take().unwrap_or_default();
        words
            .iter()
            .map(|word| self.parse(word, from_str))
            .collect()
    }

    /// Nothing may be left.
    pub(super) fn end(mut self) -> Result<(), ParseError> {
        let tail = self.tail.take().into_iter().flatten();
        match self.words.into_iter().chain(tail).next() {
            None => Ok(()),
            Some(word) => Err(ParseError::Unexpected {
                word: word.text,
                at: word.at,
                usage: self.usage,
            }),
        }
    }
}

pub(super) fn from_str<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}
