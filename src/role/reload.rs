//! Configuration that changes while the server runs: read again within seconds of being saved; a
//! broken change leaves what was in force.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::config::{Loaded, Sources};
use crate::policy::Rules;
use crate::policy::settings::{Settings, waiting};

use super::configuration::say_all;
use super::exit::{Code, Failure};
use super::output::plain;

/// How often the files are looked at: soon enough for somebody who has just saved one, and next to
/// nothing to do.
const LOOK: Duration = Duration::from_secs(2);

/// The configuration of a running server, and the watch over its files.
#[derive(Debug)]
pub(super) struct Configuration {
    sources: Sources,
    seen: [u8; 32],
    in_force: watch::Sender<Arc<Rules>>,
    /// What the server was started with.
    started: Settings,
}

impl Configuration {
    /// Reads everything. A server doesn't start with half of what it was told.
    pub(super) fn load(sources: Sources) -> Result<Self, Failure> {
        let Loaded {
            result,
            fingerprint,
            ..
        } = sources.load();
        let rules = result.map_err(|problems| Failure::new(Code::Usage, say_all(&problems)))?;
        for warning in rules.warnings() {
            tracing::warn!("{warning}");
        }
        Ok(Self {
            sources,
            seen: fingerprint,
            started: rules.machine().clone(),
            in_force: watch::Sender::new(Arc::new(rules)),
        })
    }

    /// The rules in force, and whatever they become.
    pub(super) fn rules(&self) -> watch::Receiver<Arc<Rules>> {
        self.in_force.subscribe()
    }

    /// Watches the files for as long as the server runs. A broken change leaves what was in force.
    pub(super) async fn keep_watch(mut self) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let sources = self.sources.clone();
            match tokio::task::spawn_blocking(move || sources.load()).await {
                Ok(loaded) => self.take(loaded),
                Err(error) => tracing::error!(%error, "the configuration can't be looked at"),
            }
        }
    }

    fn take(&mut self, loaded: Loaded) {
        if loaded.fingerprint == self.seen {
            return;
        }
        self.seen = loaded.fingerprint;
        let before = self.in_force.borrow().clone();
        match loaded.result {
            Ok(rules) => {
                tracing::info!(
                    files = loaded.files.len(),
                    "the changed configuration is in force"
                );
                for warning in rules.warnings() {
                    tracing::warn!("{warning}");
                }
                let waiting = waiting(&self.started, rules.machine());
                if !waiting.is_empty() {
                    tracing::warn!(
                        keys = waiting.join(", "),
                        "changed, and waiting until the server is started again; terminals go on meanwhile"
                    );
                }
                let rules = rules.with_waiting(waiting);
                self.in_force.send_replace(Arc::new(rules));
            }
            Err(problems) => {
                for problem in &problems {
                    tracing::error!("{problem}");
                }
                tracing::error!(
                    problems = problems.len(),
                    "the changed configuration is wrong; what was in force before stays so"
                );
                let kept = Rules::clone(&before).instead_of(problems);
                self.in_force.send_replace(Arc::new(kept));
            }
        }
    }
}

/// What `gatepost status` says about the configuration: nothing, when all is well.
pub(super) fn status(refused: &[String], warnings: &[String]) -> String {
    let mut text = String::new();
    if !refused.is_empty() {
        text.push_str("\nconfiguration: the files are wrong, what was in force before stays so:");
    } else if !warnings.is_empty() {
        text.push_str("\nconfiguration: in force, with warnings:");
    }
    for line in refused.iter().chain(warnings) {
        text.push_str("\n  ");
        text.push_str(&plain(line));
    }
    text
}
