//! The machine's own screen as the server knows it: how it should be, and how whoever looks after it
//! says it is. The server can't reach an X server; the program that runs beside one can.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::action::DisplayState;
use crate::base::DisplaySettings;
use crate::wire::display::{Order, Report};

/// A report older than this says nothing about now: one comes every minute at least.
pub(super) const FRESH: Duration = Duration::from_secs(150);

/// What is wanted of the screen, and what was last heard of it.
#[derive(Debug)]
pub struct Screen {
    orders: watch::Sender<Order>,
    report: Mutex<Option<(Report, Instant)>>,
    /// Pages the window has lost while this server was there to hear of it.
    pages: AtomicU32,
}

impl Default for Screen {
    fn default() -> Self {
        let first = Order {
            settings: DisplaySettings::default(),
            state: DisplayState::Schedule,
            asked: 0,
            woken: 0,
        };
        Self {
            orders: watch::Sender::new(first),
            report: Mutex::default(),
            pages: AtomicU32::default(),
        }
    }
}

impl Screen {
    /// Whether anybody looks after a screen now.
    pub fn is_there(&self) -> bool {
        self.orders.receiver_count() > 0
    }

    /// How it should be from now on.
    pub fn order(&self, state: DisplayState) {
        self.orders.send_modify(|order| {
            order.state = state;
            order.asked += 1;
        });
    }

    /// Lights it for a while, as a key or a touch does.
    pub fn wake(&self) {
        self.orders.send_modify(|order| order.woken += 1);
    }

    /// What is configured.
    pub fn configure(&self, settings: &DisplaySettings) {
        self.orders.send_if_modified(|order| {
            let differs = order.settings != *settings;
            if differs {
                order.settings = settings.clone();
            }
            differs
        });
    }

    /// For whoever looks after it: the order in force, and each that follows. While it is held, the
    /// screen [is there](Self::is_there).
    pub fn follow(&self) -> watch::Receiver<Order> {
        let mut orders = self.orders.subscribe();
        orders.mark_changed();
        orders
    }

    /// Somebody says how it is.
    pub fn reported(&self, report: Report) {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((report, Instant::now()));
    }

    /// The window has lost so many of its pages: their process ended, or was ended because it hung.
    pub fn pages_lost(&self, lost: u32) {
        let more = |pages: u32| Some(pages.saturating_add(lost));
        // The change never says no.
        let _always = self
            .pages
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// How many that were, all in all.
    pub fn lost_pages(&self) -> u32 {
        self.pages.load(Ordering::Relaxed)
    }

    /// What was last said, and how long ago.
    pub fn report(&self) -> Option<(Report, Duration)> {
        let report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        report
            .as_ref()
            .map(|(report, at)| (report.clone(), at.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_follows_gets_the_order_in_force_and_only_what_changes() {
        let screen = Screen::default();
        assert!(!screen.is_there());
        screen.order(DisplayState::Off);
        let mut orders = screen.follow();
        assert!(screen.is_there() && orders.has_changed().unwrap());
        assert_eq!(orders.borrow_and_update().state, DisplayState::Off);
        screen.configure(&DisplaySettings::default());
        assert!(
            !orders.has_changed().unwrap(),
            "the same settings are no news"
        );
        screen.order(DisplayState::Off);
        assert_eq!(
            orders.borrow_and_update().asked,
            2,
            "asked once more is news"
        );
        screen.wake();
        assert_eq!(orders.borrow_and_update().woken, 1);
        drop(orders);
        assert!(!screen.is_there());
    }
}
