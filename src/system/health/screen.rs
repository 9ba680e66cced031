//! The machine's own screen, as whoever looks after it reports it.

use crate::action::{Check, Verdict};
use crate::system::screen::Screen;
use crate::wire::display::{Lit, Report};

/// Restarts from which on somebody should look into it.
const MANY: u32 = 10;

/// What is shown, and on what.
pub(super) fn display(screen: &Screen) -> Check {
    let name = "display";
    let Some((report, _)) = screen.report() else {
        return Check::new(
            name,
            Verdict::Unknown,
            "this server has no screen of its own",
        );
    };
    if !screen.is_there() {
        let says = "the program that looks after the screen is gone; it should come back by itself";
        return Check::new(name, Verdict::Bad, says);
    }
    if let Some(trouble) = report.trouble.first() {
        return Check::new(name, Verdict::Warning, trouble.clone());
    }
    let lit = match report.lit {
        Lit::On => "lit",
        Lit::Dimmed => "dimmed",
        Lit::Off => "dark",
    };
    let why = match report.why.as_str() {
        "" => String::new(),
        why => format!(" ({why})"),
    };
    let outputs = outputs(&report);
    if outputs.is_empty() {
        return Check::new(
            name,
            Verdict::Warning,
            format!("{lit}{why}; no monitor is connected"),
        );
    }
    Check::new(name, Verdict::Good, format!("{lit}{why}; {outputs}"))
}

fn outputs(report: &Report) -> String {
    let shown = report.outputs.iter().filter(|output| output.connected);
    let named: Vec<_> = shown
        .map(|output| match output.size {
            Some((width, height)) => format!("{} {width}x{height}", output.name),
            None => format!("{} unused", output.name),
        })
        .collect();
    named.join(", ")
}

/// How often something had to be started again.
pub(super) fn restarts(screen: &Screen) -> Check {
    let name = "restarts";
    let Some((report, _)) = screen.report() else {
        return Check::new(
            name,
            Verdict::Unknown,
            "this server has no screen of its own",
        );
    };
    let (counts, pages) = (report.restarts, screen.lost_pages());
    let all = [counts.x, counts.window, counts.manager, pages]
        .into_iter()
        .fold(0, u32::saturating_add);
    let verdict = if all < MANY {
        Verdict::Good
    } else {
        Verdict::Warning
    };
    let says = format!(
        "X server {}, window {}, its page {pages}, window manager {}",
        counts.x, counts.window, counts.manager
    );
    Check::new(name, verdict, says).with(all.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::display::{Output, Restarts};

    #[test]
    fn a_screen_is_described_and_its_troubles_come_first() {
        let screen = Screen::default();
        assert_eq!(display(&screen).verdict, Verdict::Unknown);
        let mut report = Report {
            why: "asked".to_owned(),
            lit: Lit::Off,
            outputs: vec![Output {
                name: "HDMI-1".to_owned(),
                connected: true,
                size: Some((800, 480)),
            }],
            ..Report::default()
        };
        screen.reported(report.clone());
        assert_eq!(
            display(&screen).verdict,
            Verdict::Bad,
            "nobody is there any more"
        );
        let _there = screen.follow();
        assert_eq!(display(&screen).says, "dark (asked); HDMI-1 800x480");
        report.restarts = Restarts {
            x: 1,
            window: 7,
            manager: 0,
        };
        report.trouble = vec!["HDMI-1 can't show 3x3".to_owned()];
        screen.reported(report);
        screen.pages_lost(1);
        assert_eq!(restarts(&screen).verdict, Verdict::Good);
        screen.pages_lost(1);
        assert_eq!(display(&screen).says, "HDMI-1 can't show 3x3");
        let found = restarts(&screen);
        assert_eq!((found.verdict, found.value), (Verdict::Warning, Some(10)));
        assert_eq!(
            found.says,
            "X server 1, window 7, its page 2, window manager 0"
        );
    }
}
