//! Presses without a finger: which edges make a gesture.

use std::time::Duration;

use crate::base::Gesture;
use crate::policy::settings::Button;

/// How much longer than it takes to count a simulated press lasts.
const MORE: Duration = Duration::from_millis(50);

/// How long a short press lasts, and the pause after it.
pub(super) fn tap(debounce: Duration) -> Duration {
    debounce + MORE
}

/// When a button goes down and up to make this gesture, from now on. `debounce` is that of its slowest
/// contact.
pub(super) fn edges(
    gesture: Gesture,
    button: &Button,
    debounce: Duration,
) -> Vec<(Duration, bool)> {
    let tap = tap(debounce);
    match gesture {
        Gesture::Press | Gesture::Release => vec![(Duration::ZERO, true), (tap, false)],
        Gesture::Hold => {
            let after = button.hold.as_ref().map(|hold| hold.after.duration());
            let up = after.unwrap_or(Duration::from_secs(1)) + tap;
            vec![(Duration::ZERO, true), (up, false)]
        }
        Gesture::Double => vec![
            (Duration::ZERO, true),
            (tap, false),
            (tap * 2, true),
            (tap * 3, false),
        ],
    }
}
