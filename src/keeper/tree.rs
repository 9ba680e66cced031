//! The processes a terminal started, wherever they went: the keeper is their reaper, so none of them
//! can leave the tree below it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal};

use super::best_effort;

/// Rounds of looking for processes that haven't been stopped yet. Those that fork and exit without
/// end are caught in a few.
const ROUNDS: u32 = 1000;

/// A living process, as `/proc/<pid>/stat` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    pid: i32,
    parent: i32,
    session: i32,
}

fn parse(stat: &str) -> Option<Process> {
    // The name stands in parentheses and may contain anything, also parentheses.
    let pid = stat.split_once(' ')?.0.parse().ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let parent = fields.next()?.parse().ok()?;
    let _group = fields.next()?;
    let session = fields.next()?.parse().ok()?;
    Some(Process {
        pid,
        parent,
        session,
    })
}

fn look_at(pid: &Path) -> Option<Process> {
    let stat = fs::read(Path::new("/proc").join(pid).join("stat")).ok()?;
    parse(&String::from_utf8_lossy(&stat))
}

/// The children of a process, zombies too; `None` if the kernel doesn't list them.
fn children(pid: i32) -> Option<Vec<i32>> {
    let mut found = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let list = fs::read_to_string(thread.ok()?.path().join("children")).ok()?;
        found.extend(
            list.split_whitespace()
                .filter_map(|pid| pid.parse::<i32>().ok()),
        );
    }
    Some(found)
}

/// Calls `each` with every process below this one, as soon as it is found.
fn descendants(mut each: impl FnMut(i32)) {
    let this = rustix::process::getpid().as_raw_nonzero().get();
    let Some(mut todo) = children(this) else {
        return descendants_by_parents(this, each);
    };
    // A process whose parent ends meanwhile becomes a child of this one; it is found next time.
    while let Some(pid) = todo.pop() {
        each(pid);
        todo.extend(children(pid).unwrap_or_default());
    }
}

/// The same on kernels without lists of children: by looking at every process there is.
fn descendants_by_parents(this: i32, mut each: impl FnMut(i32)) {
    let Ok(entries) = fs::read_dir("/proc") else {
        return;
    };
    let mut others: Vec<Process> = entries
        .filter_map(|entry| look_at(Path::new(&entry.ok()?.file_name())))
        .collect();
    let mut parents = vec![this];
    while !parents.is_empty() {
        let (found, rest) = others
            .into_iter()
            .partition::<Vec<_>, _>(|process| parents.contains(&process.parent));
        parents = found.iter().map(|process| process.pid).collect();
        parents.iter().copied().for_each(&mut each);
        others = rest;
    }
}

fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may just have ended, or belong to another user; there is nothing else to try.
        best_effort(rustix::process::kill_process(pid, signal));
    }
}

/// Hangs up on the processes of one session, stopped ones too.
pub(super) fn hang_up(session: Pid) {
    let session = session.as_raw_nonzero().get();
    descendants(|pid| {
        let process = look_at(Path::new(&pid.to_string()));
        if process.is_some_and(|process| process.session == session) {
            signal(pid, Signal::HUP);
            signal(pid, Signal::CONT);
        }
    });
}

/// Asks all to end.
pub(super) fn terminate() {
    descendants(|pid| {
        signal(pid, Signal::TERM);
        signal(pid, Signal::CONT);
    });
}

/// Ends all. They are stopped first, over and over until no new one appears, so that those that
/// multiply can't outrun it.
pub(super) fn kill() {
    let mut stopped = BTreeSet::new();
    for _ in 0..ROUNDS {
        let mut new = false;
        descendants(|pid| {
            if stopped.insert(pid) {
                signal(pid, Signal::STOP);
                new = true;
            }
        });
        if !new {
            break;
        }
    }
    descendants(|pid| signal(pid, Signal::KILL));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_hide_a_parent() {
        let process = parse("12 (a) R (b) 9 1) S 7 12 13 34816 12 4194304 0\n").unwrap();
        assert_eq!((process.pid, process.parent, process.session), (12, 7, 13));
        assert_eq!(
            parse("12 (x) Z 7 12 13 0"),
            None,
            "a zombie needs no signal"
        );
        assert_eq!(parse("garbage"), None);
    }

    #[test]
    fn both_ways_of_looking_find_a_grandchild() {
        let mut child = std::process::Command::new("sh")
            .args(["-c", "sleep 100 & echo $!; read x"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        let grandchild: i32 = line.trim().parse().unwrap();
        let this = rustix::process::getpid().as_raw_nonzero().get();
        let (mut one, mut two) = (Vec::new(), Vec::new());
        descendants(|pid| one.push(pid));
        descendants_by_parents(this, |pid| two.push(pid));
        signal(grandchild, Signal::KILL);
        child.kill().unwrap();
        child.wait().unwrap();
        for found in [one, two] {
            assert!(found.contains(&grandchild), "{found:?}");
        }
    }
}
