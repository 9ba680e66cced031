//! The processes below this one: the holder of a terminal is their reaper, so that none of them can
//! leave the tree, and root, so that none of them is out of its reach.

use super::best_effort;
use std::collections::BTreeSet;
use std::fs;

use rustix::process::{Pid, Signal};

/// Rounds of looking for processes that haven't been stopped yet. Those that fork and exit without
/// end are caught in a few.
const ROUNDS: u32 = 1000;

/// Process, parent and session, as `/proc/<pid>/stat` tells; none for a zombie.
fn parse(stat: &str) -> Option<(i32, i32, i32)> {
    // The name stands in parentheses and may contain anything, also parentheses.
    let pid = stat.split_once(' ')?.0.parse().ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    Some((pid, parent, session))
}

/// Every process below this one, and its session.
fn descendants() -> Vec<(i32, i32)> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let mut others: Vec<_> = numbers
        .filter_map(|pid| parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?))
        .collect();
    let mut found = Vec::new();
    let mut parents = vec![rustix::process::getpid().as_raw_nonzero().get()];
    while !parents.is_empty() {
        let (below, rest) = others
            .into_iter()
            .partition::<Vec<_>, _>(|(_, parent, _)| parents.contains(parent));
        parents = below.iter().map(|(pid, ..)| *pid).collect();
        found.extend(below.iter().map(|(pid, _, session)| (*pid, *session)));
        others = rest;
    }
    found
}

/// Signals a process that may just have ended.
pub(super) fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        best_effort(rustix::process::kill_process(pid, signal));
    }
}

/// Hangs up on the processes of one session, stopped ones too.
pub(super) fn hang_up(leader: i32) {
    for (pid, session) in descendants() {
        if session == leader {
            signal(pid, Signal::HUP);
            signal(pid, Signal::CONT);
        }
    }
}

/// Asks all to end.
pub(super) fn terminate() {
    for (pid, _) in descendants() {
        signal(pid, Signal::TERM);
        signal(pid, Signal::CONT);
    }
}

/// Ends all. They are stopped first, over and over until no new one appears, so that those that
/// multiply can't outrun it.
pub(super) fn kill() {
    let mut stopped = BTreeSet::new();
    for _ in 0..ROUNDS {
        let mut new = false;
        for (pid, _) in descendants() {
            if stopped.insert(pid) {
                signal(pid, Signal::STOP);
                new = true;
            }
        }
        if !new {
            break;
        }
    }
    for (pid, _) in descendants() {
        signal(pid, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_hide_a_parent() {
        let stat = "12 (a) R (b) 9 1) S 7 12 13 34816 12 4194304 0\n";
        assert_eq!(parse(stat), Some((12, 7, 13)));
        assert_eq!(parse("12 (x) Z 7 12 13 0"), None);
        assert_eq!(parse("garbage"), None);
    }
}
