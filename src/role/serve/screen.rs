//! The socket of the machine's own screen, where there is a folder for it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Folders;
use crate::doors::local::{self, Guests, Local, kiosk};

/// Listens in the folder that says who the screen's user is; without one there is no such user.
pub(super) fn listen(
    folders: &Folders,
    local: &Arc<Local>,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) {
    let folder = folders.screen();
    if !folder.is_dir() {
        return;
    }
    match kiosk::bind(&folder.join("control.sock")) {
        Ok(listener) => {
            let (local, stop) = (local.clone(), stop.clone());
            tasks.spawn(local::serve(
                listener,
                Guests::Kiosk,
                local,
                stop,
                tasks.clone(),
            ));
        }
        // Everybody else is served all the same.
        Err(error) => {
            tracing::error!(%error, "the machine's own screen will stay without a terminal");
        }
    }
}
