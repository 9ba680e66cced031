//! Gatepost's keeper alone, attached to on its own socket: what of a figure is the keeper's, and what
//! the server adds.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use gatepost::base::{Size, TerminalId};
use gatepost::wire::frame::{Deframer, FromViewer, MAX_TO_VIEWER, prefixed};
use gatepost::wire::launch::Launch;
use serde_json::json;

use super::gatepost::wanted;
use super::{Guard, Server};
use crate::link::{Link, Protocol};
use crate::procs;
use crate::stage::Stage;
use crate::{COLS, ROWS};

/// See the file's head.
pub(super) struct Keepers {
    folder: PathBuf,
    shell: Vec<String>,
    running: Vec<(Guard, PathBuf)>,
}

impl Keepers {
    /// Nothing runs until a terminal is opened.
    pub(super) fn new(stage: &Stage) -> Result<Self> {
        Ok(Self {
            folder: stage.fresh("keepers-")?,
            shell: stage.shell(),
            running: Vec::new(),
        })
    }

    fn attach(&self, history: u32) -> Result<Link> {
        let (_, path) = self.running.last().context("no terminal yet")?;
        let mut stream = UnixStream::connect(path)?;
        let mut out = Vec::new();
        prefixed(&mut out, |out| {
            FromViewer::Attach(wanted(history)).encode(out);
        });
        stream.write_all(&out)?;
        let protocol = Protocol::Keeper {
            acked: 0,
            deframer: Deframer::new(MAX_TO_VIEWER),
        };
        Link::new(stream.into(), protocol, &[], None)
    }
}

impl Server for Keepers {
    fn open(&mut self) -> Result<Link> {
        let number = u8::try_from(self.running.len())?;
        let mut random = [0; TerminalId::LENGTH];
        // An id has five bits of each byte.
        (random[0], random[1]) = (number & 31, number >> 5);
        let id = TerminalId::from_random(random);
        let launch: Launch = serde_json::from_value(json!({
            "id": id,
            "folder": self.folder,
            "command": self.shell,
            "size": Size::clamped(COLS, ROWS),
        }))?;
        let keeper = Command::new(env!("CARGO_BIN_EXE_gatepost-keeper"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("gatepost-keeper doesn't start")?;
        let mut keeper = Guard(keeper);
        let input = keeper.0.stdin.take().context("no standard input")?;
        serde_json::to_writer(input, &launch)?;
        let mut said = String::new();
        let output = keeper.0.stdout.take().context("no standard output")?;
        BufReader::new(output).read_line(&mut said)?;
        if said.trim() != "ready" {
            bail!("gatepost-keeper said {said:?}");
        }
        let path = self.folder.join(format!("{id}.sock"));
        self.running.push((keeper, path));
        self.attach(1000)
    }

    fn again(&mut self, history: u32) -> Result<Option<Link>> {
        self.attach(history).map(Some)
    }

    fn processes(&mut self) -> Vec<u32> {
        self.running
            .iter()
            .map(|(keeper, _)| keeper.0.id())
            .collect()
    }
}

impl Drop for Keepers {
    fn drop(&mut self) {
        for (keeper, _) in &self.running {
            for pid in procs::descendants(keeper.0.id()) {
                procs::signal(pid, rustix::process::Signal::KILL);
            }
        }
    }
}
