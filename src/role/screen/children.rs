//! The programs of an X session: started again whenever they end, at once the first time, later and
//! later if they keep ending.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::News;

/// A program that lived this long was a good one: the next is started at once.
const GOOD: Duration = Duration::from_secs(10);
/// First wait after a second end in a row.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Manager,
    Window,
}

/// How long to wait before the next start. Pure.
#[derive(Debug, Default)]
struct Patience {
    wait: Option<Duration>,
    short: u32,
}

impl Patience {
    /// After a program that lived for this long.
    fn after(&mut self, lived: Duration) -> Duration {
        if lived >= GOOD {
            *self = Self::default();
        }
        self.short += 1;
        let wait = self.wait.unwrap_or_default();
        self.wait = Some((wait * 2).clamp(FIRST_WAIT, LONGEST_WAIT));
        wait
    }
}

/// A program that is kept running by a thread of its own.
#[derive(Debug)]
pub(super) struct Child {
    pid: Arc<AtomicI32>,
    stop: Arc<AtomicBool>,
}

impl Child {
    /// Keeps a program running; `tell` hears of every end.
    pub(super) fn keep(part: Part, command: Vec<OsString>, tell: Sender<News>) -> Self {
        let child = Self {
            pid: Arc::default(),
            stop: Arc::default(),
        };
        let (pid, stop) = (child.pid.clone(), child.stop.clone());
        std::thread::spawn(move || {
            let mut patience = Patience::default();
            while !stop.load(Ordering::SeqCst) {
                let began = Instant::now();
                let how = once(&command, &pid);
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let wait = patience.after(began.elapsed());
                tracing::warn!(?part, how, ?wait, "has ended; started again");
                let short = patience.short;
                if tell.send(News::Ended { part, short }).is_err() {
                    return;
                }
                // Nobody tells when trying again is of use.
                std::thread::park_timeout(wait);
            }
        });
        child
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(pid) = Pid::from_raw(self.pid.load(Ordering::SeqCst)) {
            // It may have ended by itself.
            let _gone = kill_process(pid, Signal::TERM);
        }
    }
}

/// Runs it once, and says how it ended.
fn once(command: &[OsString], pid: &AtomicI32) -> String {
    let Some((program, arguments)) = command.split_first() else {
        return "there is no program".to_owned();
    };
    let started = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .spawn();
    match started {
        Ok(mut child) => {
            pid.store(child.id().cast_signed(), Ordering::SeqCst);
            let ended = child.wait();
            pid.store(0, Ordering::SeqCst);
            match ended {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            }
        }
        Err(error) => format!("{} can't be started: {error}", program.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_replaced_at_once_and_those_that_keep_ending_later_and_later() {
        let mut patience = Patience::default();
        let second = Duration::from_secs(1);
        assert_eq!(patience.after(second), Duration::ZERO);
        assert_eq!(patience.after(second), FIRST_WAIT);
        assert_eq!(patience.after(second), FIRST_WAIT * 2);
        for _ in 0..9 {
            patience.after(second);
        }
        assert_eq!(patience.after(second), LONGEST_WAIT);
        assert_eq!(patience.short, 13);
        assert_eq!(patience.after(GOOD), Duration::ZERO, "that one was good");
        assert_eq!(patience.short, 1);
        assert_eq!(patience.after(second), FIRST_WAIT);
    }
}
