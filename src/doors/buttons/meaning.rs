//! What a button's configuration says of it: what it has to tell apart, what is bound to it, and how it is shown.

use std::collections::BTreeMap;

use crate::base::{Gesture, Label};
use crate::hardware::{Bias, Knows};
use crate::policy::settings::{Button, Pull, Said};
use crate::wire::buttons::ButtonInfo;

/// What a finger on it may mean.
pub(super) fn knows(button: &Button) -> Knows {
    let hold = button.hold.as_ref().map(|hold| {
        let every = hold.every.map(crate::policy::settings::Span::duration);
        (hold.after.duration(), every)
    });
    Knows {
        hold,
        double: button
            .double
            .as_ref()
            .map(|_| button.double_within.duration()),
        chord: None,
    }
}

/// The resistor on its line.
pub(super) const fn bias(button: &Button) -> Bias {
    match button.pull {
        Pull::Up => Bias::Up,
        Pull::Down => Bias::Down,
        Pull::None => Bias::None,
    }
}

/// What a gesture does.
pub(super) fn bound(button: &Button, gesture: Gesture) -> Option<&Said> {
    match gesture {
        Gesture::Press => button.press.as_ref(),
        Gesture::Release => button.release.as_ref(),
        Gesture::Hold => button.hold.as_ref().map(|hold| &hold.r#do),
        Gesture::Double => button.double.as_ref(),
    }
}

/// What is told of it.
pub(super) fn info(name: &Label, button: &Button) -> ButtonInfo {
    let place = match (&button.line, &button.key) {
        (Some(line), _) => format!("line {line}"),
        (None, Some(key)) => format!("key {key}"),
        (None, None) => {
            let members: Vec<_> = button.chord.iter().map(Label::as_str).collect();
            members.join(" + ")
        }
    };
    let all = [
        Gesture::Press,
        Gesture::Release,
        Gesture::Hold,
        Gesture::Double,
    ];
    let does: BTreeMap<_, _> = all
        .into_iter()
        .filter_map(|gesture| Some((gesture, bound(button, gesture)?.0.to_string())))
        .collect();
    ButtonInfo {
        name: name.clone(),
        place,
        problem: None,
        pressed: None,
        does,
    }
}
