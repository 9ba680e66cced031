//! Running one hook: with an environment that says what happened and nothing else, for a limited time,
//! and leaving nothing behind.

use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;

use crate::wire::hook::{HookCall, HookEnd};

use super::{Trust, find};

/// How long a hook may take to end in order when it is told to.
const GRACE: Duration = Duration::from_secs(2);

/// Everything the hook starts is in its process group, which ends with this.
struct Group(Option<Pid>);

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.0 {
            // Gone already is what was wanted.
            let _gone = kill_process_group(pid, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Runs a hook of this folder to its end. What it says goes to our standard error, which is the journal.
pub async fn execute(folder: &Path, call: &HookCall, trust: Trust) -> HookEnd {
    let refused = |message: String| HookEnd::Refused { message };
    let path = match find(folder, &call.hook, trust) {
        Ok(path) => path,
        Err(fault) => return refused(fault.to_string()),
    };
    let output = || {
        let copy = std::io::stderr().as_fd().try_clone_to_owned();
        copy.map_or_else(|_| Stdio::null(), Stdio::from)
    };
    let spawned = Command::new(&path)
        .args(call.arguments.iter().map(crate::base::HookArgument::as_str))
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("LANG", "C.UTF-8")
        .envs(call.environment())
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(output())
        .stderr(output())
        .kill_on_drop(true)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            return refused(format!(
                "{} can't be run: {error}; does its first line name an interpreter that is there?",
                path.display()
            ));
        }
    };
    let pid = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
    let group = Group(pid);
    match tokio::time::timeout(call.limit(), child.wait()).await {
        Ok(Ok(status)) => match (status.code(), status.signal()) {
            (Some(code), _) => HookEnd::Exit { code },
            (None, signal) => HookEnd::Signal {
                signal: signal.unwrap_or_default(),
            },
        },
        Ok(Err(error)) => refused(format!("{} was lost: {error}", path.display())),
        Err(_elapsed) => {
            group.signal(Signal::TERM);
            let _ended = tokio::time::timeout(GRACE, child.wait()).await;
            HookEnd::Timeout {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Door;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Instant;

    fn folder(script: &str) -> tempfile::TempDir {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("hook");
        std::fs::write(&path, format!("#!/bin/sh\ncd \"${{0%/*}}\"\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        temp
    }

    fn call(words: &[&str]) -> HookCall {
        HookCall {
            hook: "hook".parse().unwrap(),
            arguments: words.iter().map(|word| word.parse().unwrap()).collect(),
            event: "press".parse().unwrap(),
            button: Some("red".parse().unwrap()),
            by: "the button red".to_owned(),
            door: Door::Button,
            seconds: 1,
        }
    }

    #[tokio::test]
    async fn a_hook_learns_what_happened_and_nothing_of_our_environment() {
        let temp = folder("env > said; printf '%s|' \"$#\" \"$@\" > words; exit 3");
        let end = execute(
            temp.path(),
            &call(&["a b", "$(id)", "*"]),
            Trust::OurselvesToo,
        )
        .await;
        assert_eq!(end, HookEnd::Exit { code: 3 });
        let words = std::fs::read_to_string(temp.path().join("words")).unwrap();
        assert_eq!(words, "3|a b|$(id)|*|");
        let said = std::fs::read_to_string(temp.path().join("said")).unwrap();
        let mut names: Vec<_> = said
            .lines()
            .filter_map(|line| line.split_once('=').map(|(name, _)| name))
            .filter(|name| !["PWD", "OLDPWD", "_", "SHLVL"].contains(name))
            .collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "GATEPOST_BUTTON",
                "GATEPOST_BY",
                "GATEPOST_DOOR",
                "GATEPOST_EVENT",
                "GATEPOST_HOOK",
                "LANG",
                "PATH"
            ]
        );
        assert!(said.contains("GATEPOST_BUTTON=red\n") && said.contains("GATEPOST_EVENT=press\n"));
    }

    #[tokio::test]
    async fn a_hook_that_takes_too_long_is_ended_with_everything_it_started() {
        let temp = folder("trap '' TERM\nsleep 300 &\necho $! > child\nwait\nsleep 300");
        let began = Instant::now();
        let end = execute(temp.path(), &call(&[]), Trust::OurselvesToo).await;
        assert_eq!(end, HookEnd::Timeout {});
        assert!(began.elapsed() < Duration::from_secs(20));
        let child = std::fs::read_to_string(temp.path().join("child")).unwrap();
        let state = format!("/proc/{}/stat", child.trim());
        let deadline = Instant::now() + Duration::from_secs(10);
        // A zombie is as gone as it gets where nobody adopts it.
        while std::fs::read_to_string(&state).is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(Instant::now() < deadline, "the hook's child lives on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn a_hook_without_its_interpreter_is_refused_with_a_sentence() {
        let temp = folder("");
        std::fs::write(temp.path().join("hook"), "#!/no/such/thing\n").unwrap();
        let end = execute(temp.path(), &call(&[]), Trust::OurselvesToo).await;
        let HookEnd::Refused { message } = end else {
            panic!("{end:?}")
        };
        assert!(message.contains("interpreter"), "{message}");
    }
}
