//! What the window is started with, and what has to be true before it opens.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::kiosk::window;

/// What the window is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server's control socket. It need not be there yet.
    pub control_socket: PathBuf,
    /// Width and height in pixels for a window that does not fill the screen; for developers.
    pub size: Option<(u32, u32)>,
    /// Whether the window manager may close it; for developers. A kiosk's stays.
    pub closable: bool,
}

/// Why there is no window (any more).
#[derive(Debug, thiserror::Error)]
pub enum KioskError {
    /// A second window would take the first one's keyboard.
    #[error("a kiosk window is already open for {path}; close it first", path = path.display())]
    AlreadyOpen {
        /// The lock both want.
        path: PathBuf,
    },
    /// The lock file can't be made.
    #[error("cannot write {path}: {error}", path = path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A variable that would open the window to others.
    #[error("{0} is set, which opens the window to debuggers; unset it")]
    OpenedUp(&'static str),
    /// There is no X server or Wayland compositor to talk to.
    #[error("there is no display to open a window on (DISPLAY and WAYLAND_DISPLAY say where): {0}")]
    NoDisplay(String),
    /// GTK or WebKitGTK refused.
    #[error("the window cannot be made: {0}")]
    Window(String),
}

/// Variables of WebKit and GTK that let others look into the window, or people in front of it.
const OPENING_UP: &[&str] = &[
    "WEBKIT_INSPECTOR_SERVER",
    "WEBKIT_INSPECTOR_HTTP_SERVER",
    "GTK_DEBUG",
    "GTK_MODULES",
];

/// Opens the window and stays until it is closed; the value is the process's exit code.
///
/// Must be called on the main thread, as GTK demands.
///
/// # Errors
/// See [`KioskError`]. That the server isn't there is none: the window is black and waits for it.
pub fn run(options: Options) -> Result<u8, KioskError> {
    if let Some(name) = OPENING_UP
        .iter()
        .find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
    {
        return Err(KioskError::OpenedUp(name));
    }
    // Held until the end; the kernel lets go of it however the process ends.
    let _lock = only_one(&options.control_socket)?;
    window::run(options)
}

/// Takes the lock that keeps a second window away, beside the control socket.
fn only_one(control_socket: &Path) -> Result<Option<File>, KioskError> {
    let path = control_socket.with_file_name("kiosk.lock");
    let file = match File::options().create(true).append(true).open(&path) {
        Ok(file) => file,
        // The server makes the folder; before it has, there can be no other window to look after,
        // and on a kiosk's image the folder isn't the window's to write to.
        Err(error) if may_go_without_lock(&error) => return Ok(None),
        Err(error) => return Err(KioskError::Lock { path, error }),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(KioskError::AlreadyOpen { path }),
        Err(TryLockError::Error(error)) => Err(KioskError::Lock { path, error }),
    }
}

fn may_go_without_lock(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | PermissionDenied)
}

/// Makes the file named by `GATEPOST_SHOWN`, if there is one: whoever starts the machine has what can wait
/// begin when there is something to see.
pub(super) fn picture_is_there() {
    let Some(path) = std::env::var_os("GATEPOST_SHOWN") else {
        return;
    };
    if let Err(error) = std::fs::File::create(&path) {
        tracing::warn!(%error, path = %path.to_string_lossy(), "GATEPOST_SHOWN can't be made");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_window_on_the_same_server_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("control.sock");
        let first = only_one(&socket).unwrap();
        assert!(first.is_some());
        assert!(matches!(
            only_one(&socket),
            Err(KioskError::AlreadyOpen { .. })
        ));
        drop(first);
        assert!(only_one(&socket).unwrap().is_some());
    }

    #[test]
    fn a_missing_folder_is_no_reason_to_stay_closed() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("nowhere/control.sock");
        assert!(only_one(&socket).unwrap().is_none());
    }
}
