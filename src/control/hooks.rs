//! Running hooks: each at most once at a time, and who wants to know how they do.

use std::collections::BTreeMap;

use tokio::sync::watch;

use crate::action::Outcome;
use crate::base::{Door, HookArgument, Label, Principal};
use crate::system::hook::{HookError, Hooks};
use crate::wire::hook::{HookCall, MAX_SECONDS};

use super::{Control, ControlError};

/// Most hooks that run at a time: what a Pi's cores can do beside its terminals.
const MAX_RUNNING: usize = 4;

/// Most hooks whose state is remembered: more than anybody has.
const MAX_KNOWN: usize = 256;

/// How a hook does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookState {
    /// It runs.
    Running,
    /// It ended, and all was well.
    Succeeded,
    /// It ended badly, or did not begin.
    Failed,
}

/// Every hook that was run since the server started, and how it does.
pub type HookStates = BTreeMap<Label, HookState>;

/// Hooks and how they do.
#[derive(Debug)]
pub(super) struct Running {
    hooks: Hooks,
    states: watch::Sender<HookStates>,
}

impl Running {
    pub(super) fn new(hooks: Hooks) -> Self {
        Self {
            hooks,
            states: watch::Sender::default(),
        }
    }

    /// Marks a hook as running, if it may.
    fn begin(&self, hook: &Label) -> Result<Run<'_>, HookError> {
        let mut result = Ok(());
        self.states.send_if_modified(|states| {
            let running = |state: &HookState| *state == HookState::Running;
            if states.get(hook).is_some_and(running) {
                result = Err(HookError::Running);
            } else if states.values().filter(|state| running(state)).count() >= MAX_RUNNING {
                result = Err(HookError::TooMany(MAX_RUNNING));
            } else {
                states.insert(hook.clone(), HookState::Running);
            }
            result.is_ok()
        });
        result.map(|()| Run {
            states: &self.states,
            hook: hook.clone(),
            end: HookState::Failed,
        })
    }
}

/// One run. However it ends, it is no longer running.
struct Run<'a> {
    states: &'a watch::Sender<HookStates>,
    hook: Label,
    end: HookState,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let (hook, end) = (self.hook.clone(), self.end);
        self.states.send_modify(|states| {
            // Invented names must not fill the memory.
            if states.len() > MAX_KNOWN {
                states.retain(|_, state| *state == HookState::Running);
            }
            states.insert(hook, end);
        });
    }
}

impl Control {
    /// Tells how hooks do.
    pub fn hook_states(&self) -> watch::Receiver<HookStates> {
        self.hooks.states.subscribe()
    }

    pub(super) async fn run_hook(
        &self,
        hook: Label,
        arguments: Vec<HookArgument>,
        by: &Principal,
        door: Door,
    ) -> Result<Outcome, ControlError> {
        let (event, button) = match by {
            Principal::Button { button, gesture } => (gesture.name(), Some(button.clone())),
            Principal::Owner {} | Principal::Kiosk {} | Principal::User { .. } => ("action", None),
        };
        let event = event
            .parse()
            .map_err(|error: crate::base::LabelError| ControlError::Invalid(error.to_string()))?;
        let seconds = self.rules().machine().hooks.timeout.duration();
        let seconds = seconds.map_or(MAX_SECONDS, |limit| {
            u32::try_from(limit.as_secs()).unwrap_or(MAX_SECONDS)
        });
        let call = HookCall {
            hook,
            arguments,
            event,
            button,
            by: by.to_string(),
            door,
            seconds: seconds.clamp(1, MAX_SECONDS),
        };
        call.check().map_err(HookError::from)?;
        let mut run = self.hooks.begin(&call.hook)?;
        self.hooks.hooks.run(&call).await?;
        run.end = HookState::Succeeded;
        Ok(Outcome::Done {})
    }
}
