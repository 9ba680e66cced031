//! The two ways in which an X server blanks its screen by itself: the screen saver and DPMS.

use x11rb::connection::Connection as _;
use x11rb::protocol::dpms::{self, DPMSMode};
use x11rb::protocol::screensaver;
use x11rb::protocol::xproto::{Blanking, ConnectionExt as _, Exposures, ScreenSaver, Window};
use x11rb::rust_connection::RustConnection;

use super::{Abilities, DisplayError};

/// Turns both off, as `xset s off s noblank dpms 0 0 0` does. DPMS itself stays: with it the signal can
/// be ended on purpose. True if anything was on, or the screen was blank while it should be lit.
pub(super) fn turn_off(
    connection: &RustConnection,
    root: Window,
    can: Abilities,
    dark: bool,
) -> Result<bool, DisplayError> {
    let saver = connection.get_screen_saver()?.reply()?;
    // It can be on without a time, when a program said so; and it always is where the signal was ended. To
    // end it there begins the signal again, which is ended again, and so on without end.
    let on = can.saver
        && !dark
        && screensaver::query_info(connection, root)?.reply()?.state
            == u8::from(screensaver::State::ON);
    let mut found = on || saver.timeout != 0;
    if found || saver.prefer_blanking != Blanking::NOT_PREFERRED {
        connection.set_screen_saver(0, 0, Blanking::NOT_PREFERRED, Exposures::NOT_ALLOWED)?;
        if !dark {
            connection.force_screen_saver(ScreenSaver::RESET)?;
        }
    }
    if can.dpms {
        let times = dpms::get_timeouts(connection)?.reply()?;
        let set = [
            times.standby_timeout,
            times.suspend_timeout,
            times.off_timeout,
        ];
        if set != [0; 3] {
            found = true;
            dpms::set_timeouts(connection, 0, 0, 0)?;
        }
        let info = dpms::info(connection)?.reply()?;
        if !info.state {
            dpms::enable(connection)?;
        }
        if !dark && info.state && info.power_level != DPMSMode::ON {
            found = true;
            dpms::force_level(connection, DPMSMode::ON)?;
        }
    }
    connection.flush()?;
    Ok(found)
}

/// Ends the signal to the monitors, or begins it again.
pub(super) fn signal(
    connection: &RustConnection,
    can: Abilities,
    on: bool,
) -> Result<(), DisplayError> {
    if can.dpms {
        let level = if on { DPMSMode::ON } else { DPMSMode::OFF };
        dpms::force_level(connection, level)?;
        connection.flush()?;
    }
    Ok(())
}
