//! The machine's own buttons as a door: an edge becomes a gesture, a gesture the action it is bound to,
//! and the action an ask like everybody's.

mod asks;
mod lamps;
mod meaning;
mod panel;
mod script;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::base::Label;
use crate::control::Control;
use crate::hardware::{Board, Simulate, now, open};
use crate::policy::settings::{Button, HardwareSettings, Lamp, Settings};

use panel::Panel;

/// How often a line that can't be had is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// What the configuration says about this door.
#[derive(Debug, Clone, PartialEq)]
struct Wiring {
    hardware: HardwareSettings,
    buttons: BTreeMap<Label, Button>,
    lamps: BTreeMap<Label, Lamp>,
}

impl Wiring {
    fn of(machine: &Settings) -> Self {
        Self {
            hardware: machine.hardware.clone(),
            buttons: machine.buttons.clone(),
            lamps: machine.lamps.clone(),
        }
    }
}

/// Serves until `stop`, always by the configuration of the time.
pub async fn serve(
    control: Control,
    board: Board,
    mut orders: mpsc::Receiver<Simulate>,
    stop: CancellationToken,
) {
    loop {
        let mut rules = control.rules_changes();
        let wiring = Wiring::of(control.rules().machine());
        let changed = async {
            while rules.changed().await.is_ok() {
                if Wiring::of(rules.borrow_and_update().machine()) != wiring {
                    return;
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = changed => tracing::info!("buttons and lamps are what the configuration says now"),
            () = run(&wiring, &control, &board, &mut orders) => {}
        }
    }
}

/// One configuration's buttons and lamps. Never ends by itself.
async fn run(
    wiring: &Wiring,
    control: &Control,
    board: &Board,
    orders: &mut mpsc::Receiver<Simulate>,
) {
    let none = wiring.buttons.is_empty() && wiring.lamps.is_empty();
    let lines = if none {
        None
    } else {
        match open(wiring.hardware.lines) {
            Ok(lines) => Some(lines),
            Err(error) => {
                tracing::warn!(%error, "no lines for buttons and lamps; keys work");
                board.change(|known| known.lines = error.to_string());
                None
            }
        }
    };
    if let Some(lines) = &lines {
        board.change(|known| known.lines = lines.name().to_owned());
    }
    let lines = lines.as_deref();
    let panel = Panel::new(wiring, lines, control, board);
    tokio::join!(panel.run(orders), lamps::run(wiring, lines, control, board));
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// How long ago that was, in microseconds.
fn since(time: Duration) -> u64 {
    micros(now().saturating_sub(time))
}
