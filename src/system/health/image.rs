//! What only Gatepost's own image has: a data partition that may be missing, and a watchdog that has to run.

use std::path::Path;

use crate::action::{Check, Verdict};

use super::read;

/// Where the image says how it started, below the root.
const IMAGE: &str = "run/gatepost-image";
const WATCHDOG: &str = "sys/class/watchdog/watchdog0";

/// Whether lasting files are kept at all.
pub(super) fn data(root: &Path) -> Check {
    let name = "data-partition";
    if let Some(reason) = read::text(root, &format!("{IMAGE}/locked")) {
        let says = format!(
            "{}; the machine runs from memory, keeps nothing and lets nobody in over the network: replace the card",
            reason.trim()
        );
        return Check::new(name, Verdict::Bad, says);
    }
    if root.join(IMAGE).is_dir() {
        Check::new(name, Verdict::Good, "is in use")
    } else {
        Check::new(name, Verdict::Unknown, "not Gatepost's own image")
    }
}

/// Which system runs, and whether it can be written to, which is for maintenance only.
pub(super) fn root(root: &Path) -> Check {
    let name = "system";
    if root.join(crate::system::UNLOCKED).exists() {
        let says = "unlocked for maintenance: changes to it are in memory, and gone after `gatepost image lock` or a restart";
        return Check::new(name, Verdict::Warning, says);
    }
    if root.join(IMAGE).is_dir() {
        let line = |file: &str| Some(read::text(root, file)?.trim().to_owned());
        let version = line("usr/lib/gatepost/image-version");
        let says = match version.zip(line(&format!("{IMAGE}/slot"))) {
            Some((version, slot)) => {
                format!("version {version} from slot {slot}; can't be written to")
            }
            None => "can't be written to".to_owned(),
        };
        Check::new(name, Verdict::Good, says)
    } else {
        Check::new(name, Verdict::Unknown, "not Gatepost's own image")
    }
}

/// Whether the hardware restarts a machine that hangs.
pub(super) fn watchdog(root: &Path) -> Check {
    let name = "watchdog";
    let says = |file: &str| {
        let text = read::text(root, &format!("{WATCHDOG}/{file}"))?;
        Some(text.trim().to_owned())
    };
    match says("state").as_deref() {
        Some("active") => {
            let seconds = says("timeout").and_then(|text| text.parse::<i64>().ok());
            let who = says("identity").unwrap_or_else(|| "the hardware".to_owned());
            let check = match seconds {
                Some(seconds) => {
                    let says = format!("{who} restarts a machine that hangs for {seconds} s");
                    Check::new(name, Verdict::Good, says).with(seconds)
                }
                None => Check::new(name, Verdict::Good, format!("{who} watches")),
            };
            return check;
        }
        // Another system's administrator knows why.
        Some(_) if !root.join(IMAGE).is_dir() => {}
        Some(_) => {
            let says = "there is one and it is not armed: a machine that hangs stays so; see RuntimeWatchdogSec in systemd-system.conf(5)";
            return Check::new(name, Verdict::Warning, says);
        }
        None => {}
    }
    Check::new(name, Verdict::Unknown, "none is used")
}

#[cfg(test)]
mod tests {
    use super::super::fake;
    use super::*;

    #[test]
    fn a_machine_without_its_data_says_so_and_why() {
        let root = fake::root(&[(
            "run/gatepost-image/locked",
            "the data partition is damaged\n",
        )]);
        let check = data(root.path());
        assert_eq!(check.verdict, Verdict::Bad);
        assert!(check.says.starts_with("the data partition is damaged; "));
        let root = fake::root(&[("run/gatepost-image/slot", "a\n")]);
        assert_eq!(data(root.path()).verdict, Verdict::Good);
        assert_eq!(data(fake::root(&[]).path()).verdict, Verdict::Unknown);
    }

    #[test]
    fn a_system_that_is_unlocked_is_no_normal_state() {
        let verdict = |files| super::root(fake::root(files).path()).verdict;
        assert_eq!(verdict(&[]), Verdict::Unknown);
        assert_eq!(
            verdict(&[("run/gatepost-image/slot", "a\n")]),
            Verdict::Good
        );
        assert_eq!(
            verdict(&[("run/gatepost-image/unlocked", "")]),
            Verdict::Warning
        );
    }

    #[test]
    fn a_system_says_which_one_it_is() {
        let root = fake::root(&[
            ("run/gatepost-image/slot", "b\n"),
            ("usr/lib/gatepost/image-version", "0.2.0\n"),
        ]);
        let says = super::root(root.path()).says;
        assert_eq!(says, "version 0.2.0 from slot b; can't be written to");
    }

    #[test]
    fn a_watchdog_has_to_run_where_the_image_is() {
        let on = |image: bool, state: &str| {
            let root = fake::root(&[
                ("sys/class/watchdog/watchdog0/timeout", "30\n"),
                (
                    "sys/class/watchdog/watchdog0/identity",
                    "Broadcom BCM2835 Watchdog timer\n",
                ),
            ]);
            fake::write(root.path(), "sys/class/watchdog/watchdog0/state", state);
            if image {
                fake::write(root.path(), "run/gatepost-image/slot", "a\n");
            }
            watchdog(root.path())
        };
        let active = on(true, "active\n");
        assert_eq!((active.verdict, active.value), (Verdict::Good, Some(30)));
        assert_eq!(on(true, "inactive\n").verdict, Verdict::Warning);
        assert_eq!(on(false, "inactive\n").verdict, Verdict::Unknown);
        assert_eq!(watchdog(fake::root(&[]).path()).verdict, Verdict::Unknown);
    }
}
