//! The folder a run works in: the shell's settings, the files to show, the servers' states. Dropping
//! it ends whatever this run started and is still there.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::data::{self, LOG_BYTES, SHORT_LOG_LINES};
use crate::link::pass;
use crate::procs;

/// See the file's head.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    /// Makes the folder and fills it.
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("gatepost-bench-")
            .tempdir()
            .context("no temporary folder")?;
        let stage = Self { folder };
        // The counter tells a prompt from the one before it.
        fs::write(
            stage.path("rc"),
            "PS1='<\\#> '\nunset HISTFILE PROMPT_COMMAND\nbind 'set enable-bracketed-paste off'\n",
        )?;
        stage.fill("log", |out| {
            data::log(out, |written, _| written < LOG_BYTES)
        })?;
        stage.fill("short-log", |out| {
            data::log(out, |_, line| line < SHORT_LOG_LINES)
        })?;
        stage.fill("mixed", data::mixed)?;
        stage.fill("colours", data::colours)?;
        stage.fill("redraw", data::redraw)?;
        Ok(stage)
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new, empty folder in the folder: a server's state.
    pub(crate) fn fresh(&self, name: &str) -> Result<PathBuf> {
        Ok(tempfile::Builder::new()
            .prefix(name)
            .tempdir_in(self.folder.path())?
            .keep())
    }

    /// The shell every peer runs.
    pub(crate) fn shell(&self) -> Vec<String> {
        let rc = self.path("rc").display().to_string();
        ["/bin/bash", "--noprofile", "--rcfile", &rc, "-i"]
            .map(str::to_owned)
            .into()
    }

    fn fill(&self, name: &str, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        let mut out = BufWriter::new(fs::File::create(self.path(name))?);
        write(&mut out)?;
        Ok(out.flush()?)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let folder = self.folder.path().display().to_string();
        let until = Instant::now() + Duration::from_secs(5);
        loop {
            let left = procs::mentioning(&folder);
            if left.is_empty() || Instant::now() > until {
                return;
            }
            for pid in left {
                procs::signal(pid, rustix::process::Signal::KILL);
            }
            pass(Duration::from_millis(20));
        }
    }
}

/// Where the benchmark's own scripts are.
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/terminal")
}
