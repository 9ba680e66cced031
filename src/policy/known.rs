//! Settings that were made before: for everybody to whom the same blocks apply they are the same, and they
//! are asked for with every action, also on machines where making them takes milliseconds.

use std::sync::{Arc, Mutex, PoisonError};

use crate::base::{Principal, Way};

use super::settings::Settings;

/// Most of them that are kept: more kinds of people than a machine knows at a time.
const MOST: usize = 64;

/// Who is granted the same without any configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Owner,
    Kiosk,
    Button,
    Local,
    User,
}

impl Nature {
    pub(super) fn of(by: &Principal) -> Self {
        match by {
            Principal::Owner {} => Self::Owner,
            Principal::Kiosk {} => Self::Kiosk,
            Principal::Button { .. } => Self::Button,
            Principal::User { user } if user.way == Way::Local => Self::Local,
            Principal::User { .. } => Self::User,
        }
    }
}

/// What settings depend on: somebody's nature, and which of the blocks apply, in their order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) nature: Nature,
    pub(super) applies: Vec<bool>,
}

type Made = (Key, Arc<Settings>);

/// Those that were made. Copies are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    // Held for a look-up, never while settings are made.
    made: Arc<Mutex<Vec<Made>>>,
}

impl Known {
    /// The settings of this key; `make` makes them, unless they were made before. None of `make`'s are
    /// not kept.
    pub(super) fn get(
        &self,
        key: Key,
        make: impl FnOnce() -> Option<Settings>,
    ) -> Option<Arc<Settings>> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, settings)) = made.iter().find(|(known, _)| *known == key) {
            return Some(settings.clone());
        }
        drop(made);
        let settings = Arc::new(make()?);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= MOST {
            made.clear();
        }
        made.push((key, settings.clone()));
        Some(settings)
    }
}
