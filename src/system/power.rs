//! Restarting the machine and switching it off, by asking the service manager.
//!
//! A server has no such power unless it is told which program has it: nobody's workstation restarts
//! because a page has a button for it.

use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;

use crate::action::PowerState;

/// How long the service manager may take to take the order; it carries it out afterwards.
const LIMIT: Duration = Duration::from_secs(20);
/// Most of what it says that is passed on, in bytes.
const MAX_WORDS: usize = 300;

/// The verb of `systemctl` (systemctl(1), "System Commands").
const fn verb(state: PowerState) -> &'static str {
    match state {
        PowerState::Reboot => "reboot",
        PowerState::Off => "poweroff",
    }
}

/// Why the machine stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PowerError {
    /// Nobody said how.
    #[error(
        "this server can't restart or switch off its machine: it was not started with --power (usually --power /usr/bin/systemctl)"
    )]
    Absent,
    /// The program can't be run.
    #[error("{program} can't be run: {reason}", program = program.display())]
    Program {
        /// Its path.
        program: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// The program refused.
    #[error("{program} {verb} failed: {words}", program = program.display())]
    Refused {
        /// Its path.
        program: PathBuf,
        /// What it was told.
        verb: &'static str,
        /// What it said.
        words: String,
    },
}

/// Somebody who can restart and switch off the machine.
pub trait Power: fmt::Debug + Send + Sync {
    /// Gives the order; returns when it is taken.
    fn order(&self, state: PowerState) -> BoxFuture<'_>;
}

/// What [`Power::order`] returns.
pub type BoxFuture<'a> =
    std::pin::Pin<Box<dyn Future<Output = Result<(), PowerError>> + Send + 'a>>;

/// A program that is called as `systemctl` is: `PROGRAM --no-ask-password reboot|poweroff`.
#[derive(Debug)]
struct Program(PathBuf);

impl Power for Program {
    fn order(&self, state: PowerState) -> BoxFuture<'_> {
        Box::pin(run(&self.0, verb(state)))
    }
}

/// A machine nobody gave us power over.
#[derive(Debug)]
struct Absent;

impl Power for Absent {
    fn order(&self, _state: PowerState) -> BoxFuture<'_> {
        Box::pin(async { Err(PowerError::Absent) })
    }
}

/// Power by this program (its whole path), or none.
pub fn power(program: Option<PathBuf>) -> Arc<dyn Power> {
    match program {
        Some(program) => Arc::new(Program(program)),
        None => Arc::new(Absent),
    }
}

async fn run(program: &std::path::Path, verb: &'static str) -> Result<(), PowerError> {
    let cannot = |reason: String| PowerError::Program {
        program: program.to_owned(),
        reason,
    };
    if !program.is_absolute() {
        return Err(cannot("its path has to begin with /".to_owned()));
    }
    let running = Command::new(program)
        .args(["--no-ask-password", verb])
        // Nothing of ours may change what it does.
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(LIMIT, running).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(cannot(error.to_string())),
        Err(_elapsed) => return Err(cannot(format!("no answer within {} s", LIMIT.as_secs()))),
    };
    if output.status.success() {
        return Ok(());
    }
    let said = output.stderr.get(..output.stderr.len().min(MAX_WORDS));
    let said = String::from_utf8_lossy(said.unwrap_or_default());
    let words = said.trim().replace(char::is_control, " ");
    Err(PowerError::Refused {
        program: program.to_owned(),
        verb,
        words: if words.is_empty() {
            output.status.to_string()
        } else {
            words
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn script(text: &str) -> (tempfile::TempDir, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("systemctl");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        (temp, path)
    }

    #[tokio::test]
    async fn without_a_program_nothing_happens_and_it_is_said() {
        let error = power(None).order(PowerState::Reboot).await.unwrap_err();
        assert!(error.to_string().contains("--power"), "{error}");
        let error = power(Some("systemctl".into())).order(PowerState::Off).await;
        assert!(error.unwrap_err().to_string().contains("begin with /"));
    }

    #[tokio::test]
    async fn the_program_is_told_one_fixed_verb_and_gets_nothing_of_our_environment() {
        let (temp, path) = script("#!/bin/sh\necho \"$# $1 $2 $HOME\" > \"${0%/*}/said\"\n");
        power(Some(path)).order(PowerState::Off).await.unwrap();
        let said = std::fs::read_to_string(temp.path().join("said")).unwrap();
        assert_eq!(said.trim(), "2 --no-ask-password poweroff");
    }

    #[tokio::test]
    async fn what_it_says_when_it_refuses_is_passed_on_as_plain_text() {
        let (_temp, path) = script("#!/bin/sh\nprintf 'Access\\033[31m denied\\n' >&2\nexit 1\n");
        let error = power(Some(path))
            .order(PowerState::Reboot)
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("reboot failed: Access [31m denied"),
            "{error}"
        );
    }
}
