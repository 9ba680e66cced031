//! From gestures to asks: each button's in their order, what may take long beside them.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::action::{Action, Which};
use crate::base::{Door, Gesture, Label, Principal};
use crate::control::Control;
use crate::hardware::{Board, Done};
use crate::wire::buttons::Happening;

use super::since;

/// Asks of one button that may wait for the one before: what an impatient finger makes in some seconds.
const WAITING: usize = 16;

/// A gesture, when it could be known, and what it does.
type Order = (Gesture, Duration, Action<Which>);

/// Everything that is asked by buttons.
pub(super) struct Asks {
    control: Control,
    board: Board,
    queues: BTreeMap<Label, mpsc::Sender<Order>>,
}

impl Asks {
    pub(super) fn new(control: Control, board: Board) -> Self {
        Self {
            control,
            board,
            queues: BTreeMap::new(),
        }
    }

    /// Asks for what a gesture is bound to.
    pub(super) fn ask(&mut self, button: &Label, done: &Done, action: Action<Which>) {
        let order = (done.gesture, done.at, action);
        let (control, board, name) = (self.control.clone(), self.board.clone(), button.clone());
        // A hook or an update may take long, and whoever holds a button to switch the machine off must not wait for it.
        if matches!(
            order.2,
            Action::RunHook { .. } | Action::Power { .. } | Action::Update { .. }
        ) {
            tokio::spawn(async move { perform(&control, &board, name, order).await });
            return;
        }
        let queue = self.queues.entry(button.clone()).or_insert_with(|| {
            let (sender, mut receiver) = mpsc::channel::<Order>(WAITING);
            tokio::spawn(async move {
                while let Some(order) = receiver.recv().await {
                    perform(&control, &board, name.clone(), order).await;
                }
            });
            sender
        });
        if queue.try_send(order).is_err() {
            tracing::warn!(%button, "pressed faster than what it does can be done; this press is dropped");
        }
    }
}

async fn perform(control: &Control, board: &Board, button: Label, (gesture, known, action): Order) {
    let begun = since(known);
    let name = action.name();
    let by = Principal::Button {
        button: button.clone(),
        gesture,
    };
    let result = control.submit_said(action, by, Door::Button, None).await;
    let problem = result.err().map(|error| error.to_string());
    if let Some(problem) = &problem {
        tracing::warn!(%button, gesture = gesture.name(), action = name, problem, "a button did nothing");
    }
    board.tell(Happening::Ended {
        button,
        gesture,
        action: name.to_owned(),
        begun,
        late: since(known),
        problem,
    });
}
