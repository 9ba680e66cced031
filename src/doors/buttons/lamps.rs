//! Lamps: each shows what it was ordered to, or what it is configured to show.

use std::time::Duration;

use tokio::sync::watch;

use crate::action::LampState;
use crate::base::Label;
use crate::control::{Control, HookState, HookStates};
use crate::hardware::{Board, Lamps, Lines, Output};
use crate::policy::settings::{Lamp, Level, Shows};
use crate::wire::buttons::LampInfo;

use super::{AGAIN, Wiring};

/// Half of a blink: once a second.
const SLOW: Duration = Duration::from_millis(500);
/// Half of a quick one.
const QUICK: Duration = Duration::from_millis(125);

/// How a lamp is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Steady(bool),
    Blink(Duration),
}

impl Look {
    const fn name(self) -> &'static str {
        match self {
            Self::Steady(true) => "on",
            Self::Steady(false) => "off",
            Self::Blink(_) => "blink",
        }
    }
}

/// All lamps, for ever.
pub(super) async fn run(
    wiring: &Wiring,
    lines: Option<&dyn Lines>,
    control: &Control,
    board: &Board,
) {
    let lamps = control.lamps();
    lamps.set(wiring.lamps.keys().cloned());
    let infos = wiring.lamps.iter().map(|(name, lamp)| LampInfo {
        name: name.clone(),
        place: lamp
            .line
            .as_ref()
            .map(|line| format!("line {line}"))
            .unwrap_or_default(),
        shows: lamp.shows.to_string(),
        now: "off".to_owned(),
        problem: None,
    });
    board.change(|known| known.lamps = infos.collect());
    let all = wiring
        .lamps
        .iter()
        .map(|(name, lamp)| one(name, lamp, lines, control, board, lamps));
    futures_util::future::join_all(all).await;
}

async fn one(
    name: &Label,
    lamp: &Lamp,
    lines: Option<&dyn Lines>,
    control: &Control,
    board: &Board,
    lamps: &Lamps,
) {
    let Some(mut order) = lamps.watch(name) else {
        return;
    };
    let mut mirror = Mirror::new(&lamp.shows, control, board);
    let mut output: Option<Box<dyn Output>> = None;
    let (mut lit, mut told) = (false, None);
    loop {
        if output.is_none() {
            output = take(name, lamp, lines, board);
        }
        let ordered = *order.borrow_and_update();
        let look = match ordered {
            LampState::On => Look::Steady(true),
            LampState::Off => Look::Steady(false),
            LampState::Blink => Look::Blink(SLOW),
            LampState::Auto => mirror.look().await,
        };
        if told != Some(look) {
            told = Some(look);
            change(board, name, |info| info.now = look.name().to_owned());
        }
        lit = match look {
            Look::Steady(lit) => lit,
            Look::Blink(_) => !lit,
        };
        if let Some(line) = &mut output
            && let Err(error) = line.light(lit)
        {
            tracing::warn!(lamp = %name, %error, "a lamp was lost");
            output = None;
        }
        let wait = match (look, output.is_some(), lines.is_some()) {
            (Look::Blink(half), ..) => Some(half),
            (Look::Steady(_), false, true) => Some(AGAIN),
            (Look::Steady(_), ..) => None,
        };
        tokio::select! {
            changed = order.changed() => if changed.is_err() {
                return;
            },
            () = mirror.changed() => {}
            () = sleep(wait) => {}
        }
    }
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

fn change(board: &Board, name: &Label, change: impl FnOnce(&mut LampInfo)) {
    board.change(|known| {
        if let Some(info) = known.lamps.iter_mut().find(|info| info.name == *name) {
            change(info);
        }
    });
}

fn take(
    name: &Label,
    lamp: &Lamp,
    lines: Option<&dyn Lines>,
    board: &Board,
) -> Option<Box<dyn Output>> {
    let (lines, line) = (lines?, lamp.line.as_ref()?);
    let taken = lines.output(line, lamp.active == Level::Low);
    let problem = taken.as_ref().err().map(ToString::to_string);
    change(board, name, |info| {
        if info.problem != problem {
            if let Some(problem) = &problem {
                tracing::warn!(lamp = %name, problem, "a lamp doesn't work");
            }
            info.problem = problem;
        }
    });
    taken.ok()
}

/// What a lamp shows by itself.
enum Mirror {
    Fixed(Look),
    Terminal(Box<Control>, watch::Receiver<u64>),
    Watched(watch::Receiver<usize>),
    Hook(Option<Label>, watch::Receiver<HookStates>),
    Button(Label, watch::Receiver<std::collections::BTreeSet<Label>>),
}

impl Mirror {
    fn new(shows: &Shows, control: &Control, board: &Board) -> Self {
        match shows {
            Shows::On => Self::Fixed(Look::Steady(true)),
            Shows::Off => Self::Fixed(Look::Steady(false)),
            Shows::Blink => Self::Fixed(Look::Blink(SLOW)),
            Shows::Terminal => Self::Terminal(Box::new(control.clone()), control.changes()),
            Shows::Watched => Self::Watched(control.watched()),
            Shows::Hook(name) => Self::Hook(name.clone(), control.hook_states()),
            Shows::Button(name) => Self::Button(name.clone(), board.pressed()),
        }
    }

    async fn look(&mut self) -> Look {
        match self {
            Self::Fixed(look) => *look,
            Self::Terminal(control, changes) => {
                changes.mark_unchanged();
                Look::Steady(control.has_living_terminal().await)
            }
            Self::Watched(count) => Look::Steady(*count.borrow_and_update() > 0),
            Self::Hook(name, states) => hook(name.as_ref(), &states.borrow_and_update()),
            Self::Button(name, pressed) => Look::Steady(pressed.borrow_and_update().contains(name)),
        }
    }

    async fn changed(&mut self) {
        let changed = match self {
            Self::Fixed(_) => return std::future::pending().await,
            Self::Terminal(_, changes) => changes.changed().await,
            Self::Watched(count) => count.changed().await,
            Self::Hook(_, states) => states.changed().await,
            Self::Button(_, pressed) => pressed.changed().await,
        };
        if changed.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Quick while one runs, slow after one has failed, dark otherwise.
fn hook(name: Option<&Label>, states: &HookStates) -> Look {
    let mine = || {
        let mine = states
            .iter()
            .filter(|(hook, _)| name.is_none_or(|name| name == *hook));
        mine.map(|(_, state)| *state)
    };
    if mine().any(|state| state == HookState::Running) {
        Look::Blink(QUICK)
    } else if mine().any(|state| state == HookState::Failed) {
        Look::Blink(SLOW)
    } else {
        Look::Steady(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lamp_blinks_quickly_while_its_hook_runs_and_slowly_after_it_failed() {
        let label = |text: &str| text.parse::<Label>().unwrap();
        let mut states = HookStates::new();
        assert_eq!(hook(None, &states), Look::Steady(false));
        states.insert(label("print"), HookState::Failed);
        assert_eq!(hook(None, &states), Look::Blink(SLOW));
        assert_eq!(hook(Some(&label("open")), &states), Look::Steady(false));
        states.insert(label("open"), HookState::Running);
        assert_eq!(hook(None, &states), Look::Blink(QUICK));
        states.insert(label("print"), HookState::Succeeded);
        assert_eq!(hook(Some(&label("print")), &states), Look::Steady(false));
    }
}
