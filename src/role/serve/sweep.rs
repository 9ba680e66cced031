//! What is past its time is cleared away, and what was used is written down, now and then.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::auth::Auth;

/// How often what is past its time is cleared away.
const SWEEP: Duration = Duration::from_secs(60);
/// How often it is written down when logins were last used.
const SAVE: Duration = Duration::from_secs(6 * 3600);

/// Goes on until `stop`.
pub(super) async fn sweep(auth: Arc<Auth>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(SWEEP);
    let mut saved = tokio::time::Instant::now();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        // So that a crash doesn't make logins look unused for longer than they were.
        let save = saved.elapsed() >= SAVE;
        if save {
            saved = tokio::time::Instant::now();
        }
        let auth = auth.clone();
        let _swept = tokio::task::spawn_blocking(move || {
            auth.sweep();
            if save {
                auth.save();
            }
        })
        .await;
    }
}
