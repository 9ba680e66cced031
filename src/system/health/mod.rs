//! How the machine is: each subject has a file that reads the kernel's own files below a folder, `/`
//! or a test's, and says what it found.

mod blanking;
mod board;
mod image;
mod memory;
mod provisioning;
mod read;
mod screen;
mod storage;
mod time;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::action::{Check, Health};
use crate::wire::provision::Report;

use super::screen::Screen;

/// Answers this old are given again, so that asking often costs nothing.
const KEEP: Duration = Duration::from_secs(5);

/// Looks at a machine.
#[derive(Debug)]
pub struct Doctor {
    root: PathBuf,
    state: PathBuf,
    last: Mutex<Option<(Vec<Check>, Instant)>>,
    keep: Duration,
}

impl Doctor {
    /// For the machine whose kernel's files are below `root`, and whose lasting files are in `state`.
    pub fn new(root: impl Into<PathBuf>, state: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            state: state.into(),
            last: Mutex::default(),
            keep: KEEP,
        }
    }

    /// What came of the files on the card's first partition, where there are any.
    pub fn provisioning(&self) -> Option<Report> {
        provisioning::report(&self.state)
    }

    /// How it is now, or was a few seconds ago. Blocks on a few dozen small reads from memory.
    pub fn look(&self, screen: &Screen) -> Health {
        // Known without looking.
        let mut checks = vec![
            screen::display(screen),
            blanking::blanking(&self.root, screen),
            screen::restarts(screen),
        ];
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let machine = match &*last {
            Some((machine, at)) if at.elapsed() < self.keep => machine.clone(),
            _ => {
                let machine = examine(&self.root, &self.state);
                *last = Some((machine.clone(), Instant::now()));
                machine
            }
        };
        checks.extend(machine);
        Health::of(checks)
    }
}

fn examine(root: &Path, state: &Path) -> Vec<Check> {
    vec![
        board::power(root),
        board::throttling(root),
        board::temperature(root),
        memory::memory(root),
        memory::pressure(root),
        storage::space(state),
        storage::writable(root, state),
        storage::errors(root),
        image::data(root),
        image::root(root),
        image::watchdog(root),
        time::clock(root, std::time::SystemTime::now()),
        provisioning::provisioning(state),
    ]
}

#[cfg(test)]
pub(super) mod fake {
    //! A folder that looks like a machine's `/`.
    use std::path::Path;

    /// A machine with these files.
    pub(in crate::system) fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            write(root.path(), path, text);
        }
        root
    }

    pub(in crate::system) fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Verdict;

    #[test]
    fn a_machine_that_tells_nothing_is_no_sick_machine() {
        let (root, state) = (fake::root(&[]), tempfile::tempdir().unwrap());
        let health = Doctor::new(root.path(), state.path()).look(&Screen::default());
        let named = |name: &str| health.checks.iter().find(|check| check.name == name);
        assert_eq!(named("temperature").unwrap().verdict, Verdict::Unknown);
        let bad: Vec<_> = health
            .checks
            .iter()
            .filter(|c| c.verdict > Verdict::Good)
            .collect();
        assert!(bad.is_empty(), "{bad:?}");
        assert_eq!(health.verdict, Verdict::Good);
    }

    #[test]
    fn the_worst_decides_and_an_answer_is_kept_for_a_while() {
        let root = fake::root(&[("sys/class/thermal/thermal_zone0/temp", "86000\n")]);
        let state = tempfile::tempdir().unwrap();
        let doctor = Doctor::new(root.path(), state.path());
        assert_eq!(doctor.look(&Screen::default()).verdict, Verdict::Bad);
        fake::write(
            root.path(),
            "sys/class/thermal/thermal_zone0/temp",
            "40000\n",
        );
        assert_eq!(
            doctor.look(&Screen::default()).verdict,
            Verdict::Bad,
            "seconds ago"
        );
        let eager = Doctor {
            keep: Duration::ZERO,
            ..doctor
        };
        assert_eq!(eager.look(&Screen::default()).verdict, Verdict::Good);
    }
}
