//! What is known of the machine's buttons and lamps, for whoever asks, and orders to press one.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, mpsc, watch};

use crate::base::{Gesture, Label};
use crate::wire::buttons::{Happening, Hardware};

/// Happenings a slow watcher may be behind; then it misses some.
const BEHIND: usize = 1024;
/// Orders that may wait.
const ORDERS: usize = 16;

/// An order to do something with a button as if it had been a finger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulate {
    /// Which button.
    pub button: Label,
    /// What.
    pub gesture: Gesture,
}

/// Why a button can't be pressed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimulateError {
    /// There is none of this name.
    #[error("this machine has no button {0}; `gatepost buttons list` shows those it has")]
    NoButton(Label),
    /// Many orders wait already.
    #[error("too many simulated presses at a time; wait a moment")]
    Busy,
}

/// The board. Copies are the same board.
#[derive(Debug, Clone)]
pub struct Board {
    // Held for a copy or a change, never across an await.
    known: Arc<Mutex<Hardware>>,
    feed: broadcast::Sender<Happening>,
    orders: mpsc::Sender<Simulate>,
    pressed: watch::Sender<BTreeSet<Label>>,
}

impl Board {
    /// An empty board, and where its orders come out.
    pub fn new() -> (Self, mpsc::Receiver<Simulate>) {
        let (orders, receiver) = mpsc::channel(ORDERS);
        let board = Self {
            known: Arc::default(),
            feed: broadcast::Sender::new(BEHIND),
            orders,
            pressed: watch::Sender::default(),
        };
        (board, receiver)
    }

    fn locked(&self) -> MutexGuard<'_, Hardware> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known.
    pub fn known(&self) -> Hardware {
        self.locked().clone()
    }

    /// Changes what is known.
    pub fn change(&self, change: impl FnOnce(&mut Hardware)) {
        change(&mut self.locked());
    }

    /// Tells whoever watches.
    pub fn tell(&self, happening: Happening) {
        // Nobody watches most of the time.
        let _watchers = self.feed.send(happening);
    }

    /// What happens from now on.
    pub fn watch(&self) -> broadcast::Receiver<Happening> {
        self.feed.subscribe()
    }

    /// A button is pressed, or no longer.
    pub fn press(&self, button: &Label, pressed: bool) {
        self.pressed.send_if_modified(|all| {
            if pressed {
                all.insert(button.clone())
            } else {
                all.remove(button)
            }
        });
    }

    /// Tells which buttons are pressed.
    pub fn pressed(&self) -> watch::Receiver<BTreeSet<Label>> {
        self.pressed.subscribe()
    }

    /// Presses a button without a finger.
    pub fn simulate(&self, order: Simulate) -> Result<(), SimulateError> {
        let known = self.locked();
        if !known.buttons.iter().any(|info| info.name == order.button) {
            return Err(SimulateError::NoButton(order.button));
        }
        drop(known);
        self.orders.try_send(order).map_err(|_| SimulateError::Busy)
    }
}
