//! The machine's own screen, beside the X server that draws it: no blanking, which outputs show what
//! and which way up, the pointer, dark on purpose. For the process that runs in the X session; the
//! server can't reach an X server and need not.

mod blanking;
mod cover;
mod lamp;
mod layout;
mod outputs;
mod pointer;
mod touch;

use std::sync::Arc;
use std::sync::mpsc::Sender;

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::{ConnectError, ConnectionError, ReplyError};
use x11rb::protocol::Event as XEvent;
use x11rb::protocol::xproto::{Screen as XScreen, Window};
use x11rb::protocol::{dpms, randr, screensaver, xfixes, xinput};
use x11rb::rust_connection::RustConnection;

use crate::base::{DisplaySettings, Rotate};
use crate::wire::display::Output;

pub use lamp::{Lamp, Now};

/// Why the X server doesn't do what it is asked to.
#[derive(Debug, thiserror::Error)]
pub enum DisplayError {
    /// There is none.
    #[error("no X server at DISPLAY: {0}")]
    Connect(#[from] ConnectError),
    /// It has gone.
    #[error("the X server has gone: {0}")]
    Gone(#[from] ConnectionError),
    /// It refused, or has gone.
    #[error("the X server refused: {0}")]
    Refused(#[from] ReplyError),
    /// It has no resources left.
    #[error("the X server has no numbers left")]
    Numbers,
    /// It says there are no screens.
    #[error("the X server has no screen")]
    NoScreen,
}

impl From<x11rb::errors::ReplyOrIdError> for DisplayError {
    fn from(error: x11rb::errors::ReplyOrIdError) -> Self {
        use x11rb::errors::ReplyOrIdError as Either;
        match error {
            Either::ConnectionError(error) => Self::Gone(error),
            Either::X11Error(error) => Self::Refused(ReplyError::X11Error(error)),
            Either::IdsExhausted => Self::Numbers,
        }
    }
}

/// What happened on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// A key, a button or a touch, while it is covered.
    Touched,
    /// The pointer moved, while it is hidden.
    Moved,
    /// A monitor came or went, or somebody changed what outputs show.
    Outputs,
    /// A mouse, keyboard or touch screen came or went.
    Devices,
    /// A screen saver began or ended.
    Saver,
    /// The X server has gone.
    Gone,
}

/// What an X server can do of what is wanted.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each extension is there or isn't"
)]
struct Abilities {
    dpms: bool,
    saver: bool,
    randr: bool,
    xfixes: bool,
    xinput: bool,
}

/// The screen of an X server.
#[derive(Debug)]
pub struct Display {
    connection: Arc<RustConnection>,
    root: Window,
    can: Abilities,
    cover: cover::Cover,
    pointer: pointer::Pointer,
}

impl Display {
    /// Connects to the X server that `DISPLAY` names.
    ///
    /// # Errors
    /// See [`DisplayError`].
    pub fn open() -> Result<Self, DisplayError> {
        let (connection, number) = RustConnection::connect(None)?;
        let connection = Arc::new(connection);
        let screen = connection.setup().roots.get(number);
        let screen = screen.cloned().ok_or(DisplayError::NoScreen)?;
        let can = abilities(&connection)?;
        let cover = cover::Cover::make(&connection, &screen)?;
        let display = Self {
            connection,
            root: screen.root,
            can,
            cover,
            pointer: pointer::Pointer::default(),
        };
        display.listen(&screen)?;
        Ok(display)
    }

    fn listen(&self, screen: &XScreen) -> Result<(), DisplayError> {
        let connection = &*self.connection;
        if self.can.randr {
            let changes = randr::NotifyMask::SCREEN_CHANGE
                | randr::NotifyMask::OUTPUT_CHANGE
                | randr::NotifyMask::CRTC_CHANGE;
            randr::select_input(connection, screen.root, changes)?;
        }
        if self.can.saver {
            screensaver::select_input(connection, screen.root, screensaver::Event::NOTIFY_MASK)?;
        }
        if self.can.xinput {
            pointer::watch_devices(connection, screen.root, false)?;
        }
        connection.flush()?;
        Ok(())
    }

    /// Passes on what happens until the X server goes or nobody listens. Blocks: for a thread of its own.
    pub fn watcher<T: Send + 'static>(
        &self,
        to: Sender<T>,
        wrap: impl Fn(Happening) -> T + Send + 'static,
    ) -> impl FnOnce() + Send + 'static {
        let connection = self.connection.clone();
        move || {
            while let Ok(event) = connection.wait_for_event() {
                if let Some(happening) = translate(&event)
                    && to.send(wrap(happening)).is_err()
                {
                    return;
                }
            }
            // Whoever listened may have gone, too.
            let _nobody = to.send(wrap(Happening::Gone));
        }
    }

    /// Makes sure that nothing blanks the screen by itself, and that it is lit unless it is to be `dark`.
    /// True if something would have.
    pub fn keep_awake(&self, dark: bool) -> Result<bool, DisplayError> {
        blanking::turn_off(&self.connection, self.root, self.can, dark)
    }

    /// Whether the signal can be ended at all.
    pub const fn has_dpms(&self) -> bool {
        self.can.dpms
    }

    /// How long nobody has touched anything, in milliseconds; none if the X server doesn't tell.
    pub fn idle_ms(&self) -> Option<u64> {
        let asked = self.can.saver.then(|| {
            screensaver::query_info(&*self.connection, self.root)
                .ok()?
                .reply()
                .ok()
        });
        asked.flatten().map(|info| info.ms_since_user_input.into())
    }

    /// Has the outputs show what is configured. What can't be is said.
    pub fn arrange(&self, settings: &DisplaySettings) -> Result<Vec<String>, DisplayError> {
        if !self.can.randr {
            let turned = settings.rotate != Rotate::Not;
            let says = "this X server can't turn its picture: it has no RandR".to_owned();
            return Ok(turned.then_some(says).into_iter().collect());
        }
        let trouble = outputs::arrange(&self.connection, self.root, settings)?;
        if self.can.xinput {
            touch::turn(&self.connection, settings.rotate)?;
        }
        Ok(trouble)
    }

    /// The outputs there are.
    pub fn outputs(&self) -> Result<Vec<Output>, DisplayError> {
        if !self.can.randr {
            return Ok(Vec::new());
        }
        outputs::list(&self.connection, self.root)
    }

    /// Covers the screen with black and keeps keys from whatever is below, or uncovers it.
    pub fn cover(&mut self, dark: bool) -> Result<(), DisplayError> {
        self.cover.set(&self.connection, self.root, dark)
    }

    /// Ends the signal, or begins it again.
    pub fn signal(&self, on: bool) -> Result<(), DisplayError> {
        blanking::signal(&self.connection, self.can, on)
    }

    /// Brightness in percent, by gamma. False if this X server can't.
    pub fn dim(&self, percent: u8) -> Result<bool, DisplayError> {
        if self.can.randr {
            outputs::dim(&self.connection, self.root, percent)
        } else {
            Ok(false)
        }
    }

    /// The pointer: how it is to be, and whether it has just moved. True if it has to be looked at again
    /// in a second.
    pub fn point(&mut self, how: crate::base::Cursor, moved: bool) -> Result<bool, DisplayError> {
        if !(self.can.xfixes && self.can.xinput) {
            return Ok(false);
        }
        self.pointer.update(&self.connection, self.root, how, moved)
    }
}

fn abilities(connection: &RustConnection) -> Result<Abilities, DisplayError> {
    let has = |name| {
        connection
            .extension_information(name)
            .map(|found| found.is_some())
    };
    let can = Abilities {
        dpms: has(dpms::X11_EXTENSION_NAME)?,
        saver: has(screensaver::X11_EXTENSION_NAME)?,
        randr: has(randr::X11_EXTENSION_NAME)?,
        xfixes: has(xfixes::X11_EXTENSION_NAME)?,
        xinput: has(xinput::X11_EXTENSION_NAME)?,
    };
    // Each wants to be told which version is meant, before anything else.
    if can.randr {
        randr::query_version(connection, 1, 3)?.reply()?;
    }
    if can.xfixes {
        xfixes::query_version(connection, 5, 0)?.reply()?;
    }
    if can.xinput {
        xinput::xi_query_version(connection, 2, 2)?.reply()?;
    }
    let capable = can.dpms && dpms::capable(connection)?.reply()?.capable;
    Ok(Abilities {
        dpms: capable,
        ..can
    })
}

fn translate(event: &XEvent) -> Option<Happening> {
    Some(match event {
        XEvent::KeyPress(_) | XEvent::ButtonPress(_) => Happening::Touched,
        XEvent::XinputRawMotion(_) => Happening::Moved,
        XEvent::XinputHierarchy(_) => Happening::Devices,
        XEvent::RandrScreenChangeNotify(_) | XEvent::RandrNotify(_) => Happening::Outputs,
        XEvent::ScreensaverNotify(_) => Happening::Saver,
        _ => return None,
    })
}
