//! The lamps there are by name, and what each was ordered to show.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::action::LampState;
use crate::base::Label;

/// No lamp of this name is configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this machine has no lamp {0}; the section lamps of its configuration says which it has")]
pub struct NoLamp(pub Label);

/// Every lamp's order. Copies are the same lamps.
#[derive(Debug, Clone, Default)]
pub struct Lamps {
    // Held for a look-up, never across an await.
    orders: Arc<Mutex<BTreeMap<Label, watch::Sender<LampState>>>>,
}

impl Lamps {
    fn orders(&self) -> std::sync::MutexGuard<'_, BTreeMap<Label, watch::Sender<LampState>>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Orders a lamp to be so.
    pub fn order(&self, lamp: &Label, state: LampState) -> Result<(), NoLamp> {
        match self.orders().get(lamp) {
            Some(order) => {
                order.send_replace(state);
                Ok(())
            }
            None => Err(NoLamp(lamp.clone())),
        }
    }

    /// From now on there are these lamps. Those that were there before keep their orders.
    pub fn set(&self, names: impl IntoIterator<Item = Label>) {
        let mut orders = self.orders();
        let mut before = std::mem::take(&mut *orders);
        for name in names {
            let order = before.remove(&name);
            let order = order.unwrap_or_else(|| watch::Sender::new(LampState::Auto));
            orders.insert(name, order);
        }
    }

    /// Tells what a lamp is ordered to show.
    pub fn watch(&self, lamp: &Label) -> Option<watch::Receiver<LampState>> {
        self.orders().get(lamp).map(watch::Sender::subscribe)
    }
}
