//! What processes cost, from /proc: CPU time, memory, parentage.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// Parent, and CPU time used so far, of one process.
struct Stat {
    parent: u32,
    cpu: Duration,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may contain anything.
    let fields: Vec<&str> = text.get(text.rfind(')')? + 2..)?.split(' ').collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let hertz = rustix::param::clock_ticks_per_second();
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        cpu: Duration::from_millis((number(11)? + number(12)?) * 1000 / hertz),
    })
}

/// CPU time of these processes, user and system.
pub(crate) fn cpu(pids: &[u32]) -> Duration {
    pids.iter()
        .filter_map(|&pid| stat(pid))
        .map(|stat| stat.cpu)
        .sum()
}

/// The parent of a process.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    stat(pid).map(|stat| stat.parent)
}

/// The name of a process.
pub(crate) fn name(pid: u32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// Everything below a process, itself not included.
pub(crate) fn descendants(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for pid in all() {
        if let Some(stat) = stat(pid) {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut next = vec![root];
    while let Some(pid) = next.pop() {
        for &child in children.get(&pid).into_iter().flatten() {
            found.push(child);
            next.push(child);
        }
    }
    found
}

/// Processes whose command line or environment contains `text`: the unique folder of this run finds
/// what this run started, and nothing else.
pub(crate) fn mentioning(text: &str) -> Vec<u32> {
    let own = std::process::id();
    let mentions = |pid: u32, file: &str| {
        fs::read(format!("/proc/{pid}/{file}"))
            .is_ok_and(|bytes| memchr::memmem::find(&bytes, text.as_bytes()).is_some())
    };
    all()
        .into_iter()
        .filter(|&pid| pid != own && (mentions(pid, "cmdline") || mentions(pid, "environ")))
        .collect()
}

fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// Proportional memory of these processes, in bytes: shared pages count in parts.
pub(crate) fn pss(pids: &[u32]) -> u64 {
    pids.iter()
        .filter_map(|pid| kilobytes(&format!("/proc/{pid}/smaps_rollup"), "Pss:"))
        .sum::<u64>()
        << 10
}

/// Resident memory of one process, in bytes.
pub(crate) fn rss(pid: u32) -> Option<u64> {
    Some(kilobytes(&format!("/proc/{pid}/status"), "VmRSS:")? << 10)
}

fn kilobytes(file: &str, key: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Ends a process we started, by id.
pub(crate) fn signal(pid: u32, signal: rustix::process::Signal) {
    if let Some(pid) = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        // It may be gone already.
        rustix::process::kill_process(pid, signal).ok();
    }
}
