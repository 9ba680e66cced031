//! Memory: how much there is left, and whether programs wait for it.

use std::path::Path;

use crate::action::{Check, Verdict};

use super::read;

/// Percent of memory that is available: below the first it gets tight, below the second programs die.
const TIGHT: i64 = 15;
const SHORT: i64 = 5;
/// Percent of a minute in which everything waited for memory (the kernel's Documentation/accounting/psi.rst).
const WAITS: i64 = 5;
const STUCK: i64 = 25;

/// How much memory is available.
pub(super) fn memory(root: &Path) -> Check {
    let table = read::text(root, "proc/meminfo").unwrap_or_default();
    let field = |name: &str| {
        let line = table.lines().find_map(|line| line.strip_prefix(name))?;
        let kilobytes = line.trim().strip_suffix(" kB")?;
        kilobytes.trim().parse::<i64>().ok()
    };
    let (Some(all @ 1..), Some(available)) = (field("MemTotal:"), field("MemAvailable:")) else {
        return Check::new("memory", Verdict::Unknown, "this machine doesn't tell");
    };
    let percent = available.saturating_mul(100) / all;
    let verdict = match percent {
        TIGHT.. => Verdict::Good,
        SHORT.. => Verdict::Warning,
        _ => Verdict::Bad,
    };
    let says = format!("{} of {} MB available", available >> 10, all >> 10);
    Check::new("memory", verdict, says).with(percent)
}

/// Whether programs wait for memory.
pub(super) fn pressure(root: &Path) -> Check {
    let text = read::text(root, "proc/pressure/memory").unwrap_or_default();
    let full = text.lines().find_map(|line| line.strip_prefix("full "));
    let minute = full.and_then(|line| {
        let value = line
            .split(' ')
            .find_map(|word| word.strip_prefix("avg60="))?;
        value.split('.').next()?.parse::<i64>().ok()
    });
    let Some(minute) = minute else {
        return Check::new(
            "memory-pressure",
            Verdict::Unknown,
            "this kernel doesn't tell",
        );
    };
    let verdict = match minute {
        STUCK.. => Verdict::Bad,
        WAITS.. => Verdict::Warning,
        _ => Verdict::Good,
    };
    let says = format!("everything waited for memory for {minute} % of the last minute");
    Check::new("memory-pressure", verdict, says).with(minute)
}

#[cfg(test)]
mod tests {
    use super::super::fake;
    use super::*;

    #[test]
    fn memory_is_judged_by_what_is_available() {
        for (available, verdict) in [
            (150, Verdict::Good),
            (149, Verdict::Warning),
            (50, Verdict::Warning),
            (49, Verdict::Bad),
        ] {
            let table =
                format!("MemTotal:  1000 kB\nMemFree:  1 kB\nMemAvailable:  {available} kB\n");
            let root = fake::root(&[("proc/meminfo", &table)]);
            assert_eq!(memory(root.path()).verdict, verdict, "{available}");
        }
        let root = fake::root(&[("proc/meminfo", "MemTotal: 0 kB\nMemAvailable: 0 kB\n")]);
        assert_eq!(memory(root.path()).verdict, Verdict::Unknown);
    }

    #[test]
    fn pressure_is_the_share_of_a_minute_in_which_all_wait() {
        for (share, verdict) in [
            ("0.00", Verdict::Good),
            ("5.00", Verdict::Warning),
            ("80.12", Verdict::Bad),
        ] {
            let text = format!(
                "some avg10=0.00 avg60=99.00 avg300=0.00 total=0\nfull avg10=0.00 avg60={share} avg300=0.00 total=0\n"
            );
            let root = fake::root(&[("proc/pressure/memory", &text)]);
            assert_eq!(pressure(root.path()).verdict, verdict, "{share}");
        }
    }
}
