//! The conversation with whoever may write to the other slot: one JSON object on a line, behind it
//! the bundle if there is one, and one line back.

use serde::{Deserialize, Serialize};

use crate::base::slots::Slots;

/// Longest line, in bytes, with its end.
pub const MAX_LINE: usize = 4096;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "update", rename_all = "kebab-case", deny_unknown_fields)]
pub enum UpdateCall {
    /// What there is.
    State {},
    /// Whether the bundle that follows would be installed. Only its head is read.
    Check {},
    /// Put the bundle that follows into the other slot, and start that one next.
    Install {
        /// Even if it is older than what runs.
        downgrade: bool,
    },
    /// Start the other slot next; or the running one, after all.
    Rollback {},
    /// What runs works.
    Confirm {},
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case", deny_unknown_fields)]
pub enum UpdateEnd {
    /// This is how it is now.
    Done {
        /// How.
        slots: Slots,
    },
    /// Nothing was changed that matters: what runs goes on, and starts again.
    Refused {
        /// Why, and what to do.
        message: String,
    },
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
    use crate::base::SlotState;
    use crate::base::slots::Slot;

    #[test]
    fn calls_and_ends_are_read_as_they_were_written_and_unknown_words_refused() {
        for call in [
            UpdateCall::State {},
            UpdateCall::Check {},
            UpdateCall::Install { downgrade: true },
            UpdateCall::Rollback {},
            UpdateCall::Confirm {},
        ] {
            let line = encode(&call).unwrap();
            assert!(line.ends_with(b"\n") && line.len() <= MAX_LINE);
            assert_eq!(serde_json::from_slice::<UpdateCall>(&line).unwrap(), call);
        }
        let end = UpdateEnd::Done {
            slots: Slots {
                running: Slot::B,
                version: "0.2.0".to_owned(),
                built: 1,
                state: SlotState::default(),
                bundle: Some("0.3.0".to_owned()),
            },
        };
        assert_eq!(
            serde_json::from_slice::<UpdateEnd>(&encode(&end).unwrap()).unwrap(),
            end
        );
        for bad in [
            r#"{"update":"state","x":1}"#,
            r#"{"update":"install"}"#,
            "{}",
        ] {
            assert!(serde_json::from_str::<UpdateCall>(bad).is_err(), "{bad}");
        }
    }
}
