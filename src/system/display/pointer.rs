//! The pointer: hidden until it moves, and again when it has rested.

use x11rb::connection::Connection as _;
use x11rb::protocol::xfixes;
use x11rb::protocol::xinput::{self, EventMask, XIEventMask};
use x11rb::protocol::xproto::{ConnectionExt as _, Window};
use x11rb::rust_connection::RustConnection;

use super::DisplayError;
use crate::base::Cursor;

/// Looks, a second apart, at which it has to be in the same place to be hidden.
const RESTS: u8 = 3;
/// XInput 2's words for every device, and every master device.
const ALL_DEVICES: u16 = 0;

/// What is known of it.
#[derive(Debug, Default)]
pub(super) struct Pointer {
    hidden: bool,
    /// Whether its movements are reported; only while it is hidden, so that they cost nothing otherwise.
    watched: bool,
    place: (i16, i16),
    rested: u8,
}

impl Pointer {
    pub(super) fn update(
        &mut self,
        connection: &RustConnection,
        root: Window,
        how: Cursor,
        moved: bool,
    ) -> Result<bool, DisplayError> {
        if how == Cursor::Idle {
            let found = connection.query_pointer(root)?.reply()?;
            let place = (found.root_x, found.root_y);
            self.rest(place, moved);
        }
        let hide = match how {
            Cursor::Never => true,
            Cursor::Always => false,
            Cursor::Idle => self.rested >= RESTS,
        };
        if hide != self.hidden {
            if hide {
                xfixes::hide_cursor(connection, root)?;
            } else {
                xfixes::show_cursor(connection, root)?;
            }
            self.hidden = hide;
        }
        let watch = hide && how == Cursor::Idle;
        if watch != self.watched {
            watch_devices(connection, root, watch)?;
            self.watched = watch;
        }
        connection.flush()?;
        Ok(how == Cursor::Idle && !hide)
    }

    fn rest(&mut self, place: (i16, i16), moved: bool) {
        let first = self.place == (0, 0) && self.rested == 0 && !self.hidden && !moved;
        if moved {
            self.rested = 0;
        } else if first {
            // Nobody has moved it since the X server started.
            self.rested = RESTS;
        } else if place == self.place {
            self.rested = self.rested.saturating_add(1).min(RESTS);
        } else {
            self.rested = 0;
        }
        self.place = place;
    }
}

/// Has devices that come and go reported, and movements if asked to.
pub(super) fn watch_devices(
    connection: &RustConnection,
    root: Window,
    movements: bool,
) -> Result<(), DisplayError> {
    let mask = if movements {
        XIEventMask::HIERARCHY | XIEventMask::RAW_MOTION
    } else {
        XIEventMask::HIERARCHY
    };
    let mask = EventMask {
        deviceid: ALL_DEVICES,
        mask: vec![mask],
    };
    xinput::xi_select_events(connection, root, &[mask])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_hidden_from_the_start_seen_when_it_moves_and_hidden_when_it_rests() {
        let mut pointer = Pointer::default();
        pointer.rest((400, 300), false);
        assert_eq!(pointer.rested, RESTS, "from the start");
        pointer.rest((410, 300), true);
        assert_eq!(pointer.rested, 0);
        pointer.rest((420, 300), false);
        assert_eq!(pointer.rested, 0, "still moving");
        for expected in 1..=RESTS {
            pointer.rest((420, 300), false);
            assert_eq!(pointer.rested, expected);
        }
        pointer.rest((420, 300), false);
        assert_eq!(pointer.rested, RESTS);
    }
}
