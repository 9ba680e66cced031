//! A black window over everything while the screen is to be dark. It also keeps keys and touches from
//! what is below: whoever wakes a screen doesn't know yet what they would be typing into.

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, EventMask, GrabMode, GrabStatus,
    Screen, StackMode, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::{COPY_DEPTH_FROM_PARENT, CURRENT_TIME, NONE};

use super::DisplayError;

/// Larger than any root window can be; turned or not, it covers all of it.
const SIDE: u16 = 32_767;

/// The window.
#[derive(Debug)]
pub(super) struct Cover {
    window: Window,
    shown: bool,
    /// Whether keys come to us.
    grabbed: bool,
}

impl Cover {
    pub(super) fn make(connection: &RustConnection, screen: &Screen) -> Result<Self, DisplayError> {
        let window = connection.generate_id()?;
        let look = CreateWindowAux::new()
            .background_pixel(screen.black_pixel)
            // No window manager has a say in it.
            .override_redirect(1);
        connection.create_window(
            COPY_DEPTH_FROM_PARENT,
            window,
            screen.root,
            0,
            0,
            SIDE,
            SIDE,
            0,
            WindowClass::INPUT_OUTPUT,
            screen.root_visual,
            &look,
        )?;
        Ok(Self {
            window,
            shown: false,
            grabbed: false,
        })
    }

    pub(super) fn set(
        &mut self,
        connection: &RustConnection,
        root: Window,
        dark: bool,
    ) -> Result<(), DisplayError> {
        if dark {
            if !self.shown {
                connection.map_window(self.window)?;
            }
            // Also later: something may have opened above it.
            let above = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
            connection.configure_window(self.window, &above)?;
            if !self.grabbed {
                self.grabbed = grab(connection, root)?;
            }
        } else {
            if self.shown {
                connection.unmap_window(self.window)?;
            }
            if std::mem::take(&mut self.grabbed) {
                connection.ungrab_keyboard(CURRENT_TIME)?;
                connection.ungrab_pointer(CURRENT_TIME)?;
            }
        }
        self.shown = dark;
        connection.flush()?;
        Ok(())
    }
}

/// Has keys and touches come to us. False if another program has them just now: tried again later.
fn grab(connection: &RustConnection, root: Window) -> Result<bool, DisplayError> {
    let keys = connection
        .grab_keyboard(false, root, CURRENT_TIME, GrabMode::ASYNC, GrabMode::ASYNC)?
        .reply()?;
    let touches = connection
        .grab_pointer(
            false,
            root,
            EventMask::BUTTON_PRESS,
            GrabMode::ASYNC,
            GrabMode::ASYNC,
            NONE,
            NONE,
            CURRENT_TIME,
        )?
        .reply()?;
    Ok(keys.status == GrabStatus::SUCCESS && touches.status == GrabStatus::SUCCESS)
}
