//! The clock: a Pi has none that goes on without power.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::action::{Check, Verdict};

/// No machine that runs this lives before it: 2026-01-01, in seconds since the Unix epoch.
const PAST: Duration = Duration::from_secs(1_767_225_600);
/// Made by systemd-timesyncd once it knows the time.
const SYNCHRONISED: &str = "run/systemd/timesync/synchronized";

/// Whether the clock can be right.
pub(super) fn clock(root: &Path, now: SystemTime) -> Check {
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    if !since.is_ok_and(|since| since >= PAST) {
        return Check::new(
            "clock",
            Verdict::Bad,
            "it is wrong: before this program was written; certificates will be refused until it is set",
        );
    }
    let says = if root.join(SYNCHRONISED).exists() {
        "set from the network"
    } else {
        "plausible; not set from the network by systemd-timesyncd since the machine was started"
    };
    Check::new("clock", Verdict::Good, says)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_stands_before_the_program_is_wrong() {
        let root = tempfile::tempdir().unwrap();
        let at = |seconds| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            clock(root.path(), now).verdict
        };
        assert_eq!(at(0), Verdict::Bad);
        assert_eq!(at(PAST.as_secs() - 1), Verdict::Bad);
        assert_eq!(at(PAST.as_secs()), Verdict::Good);
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(clock(root.path(), before).verdict, Verdict::Bad);
    }
}
