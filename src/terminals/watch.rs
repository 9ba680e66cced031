//! Notices keepers' sockets that come and go in the folder.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::inotify;
use tokio::net::unix::pipe;

use crate::base::TerminalId;

/// How often the folder is read when the kernel can't tell us about changes.
const POLL: Duration = Duration::from_secs(2);

/// The terminals that have a socket in the folder.
pub(super) fn scan(folder: &Path) -> io::Result<BTreeSet<TerminalId>> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let id = name.to_str().and_then(|name| name.strip_suffix(".sock"));
        // Whatever else is there is none of our business.
        if let Some(Ok(id)) = id.map(str::parse) {
            found.insert(id);
        }
    }
    Ok(found)
}

/// Waits for changes of a folder.
pub(super) struct FolderWatch {
    // Not a pipe, but read in the same way.
    kernel: Option<pipe::Receiver>,
}

impl FolderWatch {
    pub(super) fn new(folder: &Path) -> Self {
        let kernel = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)
            .and_then(|watch| {
                let events = inotify::WatchFlags::CREATE
                    | inotify::WatchFlags::DELETE
                    | inotify::WatchFlags::MOVED_TO
                    | inotify::WatchFlags::ONLYDIR;
                inotify::add_watch(&watch, folder, events)?;
                Ok(watch)
            })
            .map_err(io::Error::from)
            .and_then(pipe::Receiver::from_owned_fd_unchecked);
        Self {
            kernel: kernel
                .inspect_err(|error| {
                    tracing::warn!(%error, "the folder of terminals can't be watched and is read every {} s instead", POLL.as_secs());
                })
                .ok(),
        }
    }

    /// Returns when something may have changed. Dropping the future loses nothing.
    pub(super) async fn changed(&self) {
        let Some(kernel) = &self.kernel else {
            return tokio::time::sleep(POLL).await;
        };
        if kernel.readable().await.is_err() {
            return tokio::time::sleep(POLL).await;
        }
        // Which file it was doesn't matter: the folder is read anyway.
        let mut buffer = [0; 1024];
        while kernel.try_read(&mut buffer).is_ok_and(|read| read > 0) {}
    }
}
