//! The administrator's page in front of the terminal: opened by a chord, protected by the server's own
//! login, gone after a while without keys or pointer. The terminal's page goes on behind it.

use std::time::{Duration, Instant};

use gtk::glib;
use gtk::prelude::*;

use crate::kiosk::KioskError;
use crate::kiosk::navigation::Home;
use crate::kiosk::page::{Page, Said};

/// How long a page that is closed may take to say good-bye to the server.
const GOOD_BYE: Duration = Duration::from_secs(1);
/// Ends the login that was made here. Its cookie is forgotten in any case.
const LOG_OUT: &str = "fetch('api/logout', { method: 'POST', credentials: 'same-origin' })";

/// The page.
pub(super) struct Admin {
    page: Page,
    place: gtk::Overlay,
}

impl Admin {
    /// Opens it over everything in the content area: a browser of its own, which isn't logged in.
    pub(super) fn open(
        place: &gtk::Overlay,
        home: &Home,
        memory_limit: u32,
        tell: impl Fn(Said) + Clone + 'static,
    ) -> Result<Self, KioskError> {
        let own = gtk::Overlay::new();
        place.add_overlay(&own);
        own.show();
        let mut page = Page::open(&own, memory_limit, tell)?;
        let address = format!("{}#admin", home.page());
        page.go(home.clone(), address);
        page.focus();
        tracing::info!("the administrator's page was opened at the screen");
        Ok(Self { page, place: own })
    }

    /// The view is empty.
    pub(super) fn is_blank(&mut self) {
        self.page.is_blank();
    }

    /// Lets it have the keys.
    pub(super) fn focus(&self) {
        self.page.focus();
    }

    /// Closes it: at once for the eye, a moment later for the server.
    pub(super) fn close(self) {
        tracing::info!("the administrator's page was closed");
        self.page.run(LOG_OUT);
        self.place.hide();
        glib::timeout_add_local_once(GOOD_BYE, move || {
            let Self { page, place } = self;
            drop(page);
            if let Some(parent) = place
                .parent()
                .and_then(|parent| parent.downcast::<gtk::Overlay>().ok())
            {
                parent.remove(&place);
            }
        });
    }

    /// When it goes by itself, if nothing happens after `last`.
    pub(super) fn ends(last: Instant, idle: u32) -> Instant {
        last + Duration::from_secs(u64::from(idle))
    }
}
