//! Whether anything would blank the screen: the kernel's console, its connectors, the X server.

use std::path::Path;

use crate::action::{Check, Verdict};
use crate::system::screen::{FRESH, Screen};
use crate::wire::display::Lit;

use super::read;

/// Seconds without a key after which the kernel blanks its console; 0 is never.
const CONSOLE: &str = "sys/module/kernel/parameters/consoleblank";

/// Whether anything would blank the screen by itself.
pub(super) fn blanking(root: &Path, screen: &Screen) -> Check {
    let name = "blanking";
    let fresh = screen.report().filter(|(_, age)| *age <= FRESH);
    let Some((report, _)) = fresh else {
        return if screen.is_there() {
            Check::new(
                name,
                Verdict::Warning,
                "nobody has said for minutes; the screen's program may hang",
            )
        } else {
            Check::new(
                name,
                Verdict::Unknown,
                "no screen of this machine's is looked after",
            )
        };
    };
    if !report.blanking.off {
        let says = "the X server would blank the screen, and can't be told not to";
        return Check::new(name, Verdict::Bad, says);
    }
    // The console is seen only where the text client is, so this is no emergency.
    if let Some(seconds @ 1..) = read::number(&root.join(CONSOLE)) {
        let says = format!(
            "the text console goes dark after {seconds} s: put consoleblank=0 on the kernel's command line"
        );
        return Check::new(name, Verdict::Warning, says);
    }
    if let (Lit::On, Some(output)) = (report.lit, asleep(root)) {
        let says = format!("{output} is connected and gets no signal though it should be lit");
        return Check::new(name, Verdict::Bad, says);
    }
    let says = match report.blanking.corrected {
        0 => "nothing blanks the screen".to_owned(),
        1 => "nothing blanks the screen; it had been turned on once, and was turned off".to_owned(),
        times => format!(
            "nothing blanks the screen; it had been turned on {times} times, and was turned off"
        ),
    };
    Check::new(name, Verdict::Good, says).with(report.blanking.corrected.into())
}

/// A connector in use to which the kernel sends nothing (drm-kms(7)).
fn asleep(root: &Path) -> Option<String> {
    let connectors = read::folder(root, "sys/class/drm");
    connectors.into_iter().find_map(|connector| {
        let is =
            |file: &str, value| read::file(&connector.join(file)).is_some_and(|text| text == value);
        (is("status", "connected") && is("enabled", "enabled") && is("dpms", "Off"))
            .then(|| read::name(&connector))
    })
}

#[cfg(test)]
mod tests {
    use super::super::fake;
    use super::*;
    use crate::wire::display::{Blanking, Report};

    fn screen(off: bool, lit: Lit) -> Screen {
        let screen = Screen::default();
        screen.reported(Report {
            lit,
            blanking: Blanking {
                off,
                ..Blanking::default()
            },
            ..Report::default()
        });
        screen
    }

    #[test]
    fn every_layer_counts() {
        let good = [
            (CONSOLE, "0\n"),
            ("sys/class/drm/card0-HDMI-A-1/status", "connected\n"),
            ("sys/class/drm/card0-HDMI-A-1/enabled", "enabled\n"),
            ("sys/class/drm/card0-HDMI-A-1/dpms", "On\n"),
        ];
        let root = fake::root(&good);
        let verdict = |screen: &Screen| blanking(root.path(), screen).verdict;
        assert_eq!(verdict(&screen(true, Lit::On)), Verdict::Good);
        assert_eq!(verdict(&screen(false, Lit::On)), Verdict::Bad);
        assert_eq!(verdict(&Screen::default()), Verdict::Unknown);
        fake::write(root.path(), "sys/class/drm/card0-HDMI-A-1/dpms", "Off\n");
        assert_eq!(verdict(&screen(true, Lit::On)), Verdict::Bad);
        assert_eq!(
            verdict(&screen(true, Lit::Off)),
            Verdict::Good,
            "dark on purpose alarms nobody"
        );
        fake::write(root.path(), CONSOLE, "600\n");
        assert_eq!(verdict(&screen(true, Lit::Off)), Verdict::Warning);
    }
}
