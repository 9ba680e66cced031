//! The conversation with whoever runs a hook: one JSON object on a line each way.
//!
//! The server says which hook and what happened; the runner says how it ended. Neither trusts the
//! other: the runner looks up the executable itself, in a folder the server doesn't choose.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Door, HookArgument, Label};

/// Longest line, in bytes, with its end: all arguments at their longest, written as escapes.
pub const MAX_LINE: usize = 32 << 10;
/// Most arguments.
pub const MAX_ARGUMENTS: usize = 16;
/// Longest text of who it is, in bytes: a user's name at its longest.
const MAX_BY: usize = 512;
/// Longest time a hook may take, in seconds: an hour; what takes longer is a service.
pub const MAX_SECONDS: u32 = 3600;

/// Which hook, why, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookCall {
    /// The hook.
    pub hook: Label,
    /// Words for it.
    #[serde(default)]
    pub arguments: Vec<HookArgument>,
    /// What happened: a gesture's name, or `action`.
    pub event: Label,
    /// With which button.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub button: Option<Label>,
    /// Who asked.
    pub by: String,
    /// Through which door.
    pub door: Door,
    /// It is ended after this many seconds.
    pub seconds: u32,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case", deny_unknown_fields)]
pub enum HookEnd {
    /// By itself.
    Exit {
        /// Its exit code; 0 is success.
        code: i32,
    },
    /// By a signal.
    Signal {
        /// Which.
        signal: i32,
    },
    /// It took too long.
    Timeout {},
    /// It was not run.
    Refused {
        /// Why, and what to do.
        message: String,
    },
}

/// Why a line can't be understood.
#[derive(Debug, thiserror::Error)]
pub enum HookLineError {
    /// Over [`MAX_LINE`].
    #[error("the line is over {MAX_LINE} bytes")]
    TooLong,
    /// Over [`MAX_ARGUMENTS`].
    #[error("more than {MAX_ARGUMENTS} arguments for a hook")]
    Arguments,
    /// Not shown in an environment.
    #[error("who asks has over {MAX_BY} bytes or a control character")]
    By,
    /// Out of range.
    #[error("a hook may take from 1 to {MAX_SECONDS} seconds")]
    Seconds,
    /// Not JSON of this form.
    #[error("not understood: {0}")]
    Json(#[from] serde_json::Error),
}

impl HookCall {
    /// How long it may take.
    pub fn limit(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// Whether it keeps within the limits.
    pub fn check(&self) -> Result<(), HookLineError> {
        if self.arguments.len() > MAX_ARGUMENTS {
            Err(HookLineError::Arguments)
        } else if self.by.len() > MAX_BY || self.by.contains(char::is_control) {
            Err(HookLineError::By)
        } else if self.seconds == 0 || self.seconds > MAX_SECONDS {
            Err(HookLineError::Seconds)
        } else {
            Ok(())
        }
    }

    /// Reads a call.
    pub fn decode(line: &[u8]) -> Result<Self, HookLineError> {
        let call: Self = decode(line)?;
        call.check()?;
        Ok(call)
    }

    /// The environment that says what happened. Nothing in it is secret.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut all = vec![
            ("GATEPOST_HOOK", self.hook.to_string()),
            ("GATEPOST_EVENT", self.event.to_string()),
            ("GATEPOST_BY", self.by.clone()),
            ("GATEPOST_DOOR", self.door.name().to_owned()),
        ];
        all.extend(
            self.button
                .iter()
                .map(|name| ("GATEPOST_BUTTON", name.to_string())),
        );
        all
    }
}

impl HookEnd {
    /// Reads an answer.
    pub fn decode(line: &[u8]) -> Result<Self, HookLineError> {
        decode(line)
    }
}

fn decode<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, HookLineError> {
    if line.len() > MAX_LINE {
        return Err(HookLineError::TooLong);
    }
    Ok(serde_json::from_slice(line)?)
}

/// A message as a line.
pub fn encode(message: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> HookCall {
        HookCall {
            hook: "print-ticket".parse().unwrap(),
            arguments: vec!["a b".parse().unwrap()],
            event: "press".parse().unwrap(),
            button: Some("red".parse().unwrap()),
            by: "the button red".to_owned(),
            door: Door::Button,
            seconds: 30,
        }
    }

    #[test]
    fn calls_and_answers_are_read_as_they_were_written() {
        assert_eq!(HookCall::decode(&encode(&call()).unwrap()).unwrap(), call());
        for end in [
            HookEnd::Exit { code: 3 },
            HookEnd::Signal { signal: 9 },
            HookEnd::Timeout {},
            HookEnd::Refused {
                message: "no".to_owned(),
            },
        ] {
            assert_eq!(HookEnd::decode(&encode(&end).unwrap()).unwrap(), end);
        }
    }

    #[test]
    fn hook_calls_past_a_limit_or_with_unknown_words_are_refused() {
        let word: HookArgument = "x".parse().unwrap();
        let many = |count| HookCall {
            arguments: vec![word.clone(); count],
            ..call()
        };
        assert!(many(MAX_ARGUMENTS).check().is_ok());
        assert!(many(MAX_ARGUMENTS + 1).check().is_err());
        let seconds = |seconds| HookCall { seconds, ..call() };
        assert!(seconds(MAX_SECONDS).check().is_ok());
        assert!(seconds(MAX_SECONDS + 1).check().is_err() && seconds(0).check().is_err());
        let by = |by: &str| HookCall {
            by: by.to_owned(),
            ..call()
        };
        assert!(by(&"a".repeat(MAX_BY)).check().is_ok());
        assert!(by(&"a".repeat(MAX_BY + 1)).check().is_err() && by("a\nb").check().is_err());
        for bad in [
            r#"{"hook":"../sh","event":"press","by":"x","door":"web","seconds":1}"#,
            r#"{"hook":"x","event":"press","by":"x","door":"web","seconds":1,"path":"/bin/sh"}"#,
            r#"{"hook":"x","arguments":["-x"],"event":"press","by":"x","door":"web","seconds":1}"#,
        ] {
            assert!(HookCall::decode(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(matches!(
            HookCall::decode(&vec![b' '; MAX_LINE + 1]),
            Err(HookLineError::TooLong)
        ));
    }
}
