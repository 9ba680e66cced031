//! Buttons on the control socket: which there are, what happens to them, and pressing them without a finger.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{Gesture, Label};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ButtonsCall {
    /// Which there are.
    List {},
    /// What happens to them: [`Happening`]s follow, each after its length, until the caller leaves.
    Watch {},
    /// Press one.
    Simulate {
        /// Which.
        button: Label,
        /// How.
        gesture: Gesture,
    },
}

/// Buttons and lamps of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    /// Through what lines are reached, or why they aren't.
    pub lines: String,
    /// The buttons.
    pub buttons: Vec<ButtonInfo>,
    /// The lamps.
    pub lamps: Vec<LampInfo>,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ButtonInfo {
    /// Its name.
    pub name: Label,
    /// The line, key or buttons it is.
    pub place: String,
    /// Why it doesn't work now, if it doesn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Whether its line's level was the pressed button's when it last rested, where it has a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressed: Option<bool>,
    /// What each gesture does.
    #[serde(default)]
    pub does: BTreeMap<Gesture, String>,
}

/// A lamp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LampInfo {
    /// Its name.
    pub name: Label,
    /// Its line.
    pub place: String,
    /// What it shows by itself.
    pub shows: String,
    /// How it is now: `on`, `off` or `blink`.
    pub now: String,
    /// Why it doesn't work now, if it doesn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Something happened to a button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "happening", rename_all = "kebab-case")]
pub enum Happening {
    /// Its line changed, bounces and all.
    Edge {
        /// Which button.
        button: Label,
        /// Whether it is the pressed button's level.
        pressed: bool,
        /// When, in microseconds of the monotonic clock.
        at: u64,
        /// How long after that it was read, in microseconds.
        late: u64,
    },
    /// Something was done with it.
    Gesture {
        /// Which button.
        button: Label,
        /// What.
        gesture: Gesture,
        /// How long after the moment this could be known, in microseconds.
        late: u64,
    },
    /// What it does was done.
    Ended {
        /// Which button.
        button: Label,
        /// What was done with it.
        gesture: Gesture,
        /// The action's name.
        action: String,
        /// How long after the gesture could be known the action was begun, in microseconds.
        begun: u64,
        /// How long after the gesture could be known the action had ended, in microseconds.
        late: u64,
        /// Why not, if it wasn't.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
}
