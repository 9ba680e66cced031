//! How the terminals on the machine's own screen are kept for strangers, as it is configured.

use crate::base::{Principal, TerminalId};
use crate::policy::settings::{Forgets, IdleDoes, Kiosk, Restart};
use crate::wire::care::Care;
use crate::wire::message::Request;

use super::Control;

/// What a keeper is told.
pub(super) fn care(kiosk: &Kiosk) -> Care {
    let milliseconds = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(0);
    Care {
        restart: kiosk.restart == Restart::Always,
        idle_ms: kiosk.idle_reset().map_or(0, milliseconds),
        warning_ms: kiosk.idle_warning.duration().map_or(0, milliseconds),
        close: kiosk.idle_does == IdleDoes::Close,
        fresh_home: kiosk.forget.contains(&Forgets::Home),
        ends: false,
    }
}

/// The same for the terminal of somebody who logged in there: it begins and ends with their login.
pub(super) fn care_of_login(kiosk: &Kiosk) -> Care {
    Care {
        restart: false,
        close: true,
        fresh_home: false,
        ends: true,
        ..care(kiosk)
    }
}

impl Control {
    /// Tells the keepers of what the machine's own screen shows how it is to be kept now.
    pub async fn tend_kiosk(&self) {
        for terminal in self.on_the_kiosk().await.unwrap_or_default() {
            self.tend(terminal).await;
        }
    }

    /// The same for one terminal, which may have been opened when other settings were in force.
    pub(super) async fn tend(&self, terminal: TerminalId) {
        let list = self.terminals.list().await.unwrap_or_default();
        let known = list.iter().find(|info| info.id == terminal);
        let Some(info) = known else { return };
        let settings = self.settings_for(&Principal::Kiosk {});
        let care = match info.owner {
            None => care(&settings.kiosk),
            Some(_) if self.at_kiosk.shows(terminal) => care_of_login(&settings.kiosk),
            // Somebody's own, which they let the kiosk see.
            Some(_) => return,
        };
        let request = Request::Care(care);
        if let Err(error) = self.terminals.request(terminal, request).await {
            // One of an older version stays as it is until it ends.
            tracing::info!(%terminal, %error, "it can't be told how it is to be kept");
        }
    }
}
