//! A certificate from an authority that speaks ACME (RFC 8555): asked for when there is none, renewed
//! in time, and taken up by the watch over the files like any other.
//!
//! Names are proved by tls-alpn-01 (RFC 8737) on the HTTPS port itself; `docs/decisions/0031-*` says why.

mod account;
mod challenge;
mod client;
mod fault;
mod order;
mod schedule;
mod state;

use std::time::{Duration, Instant, SystemTime};

use tokio_util::sync::CancellationToken;

use super::Tls;
use super::facts::seconds;
use super::material::{Material, TlsError};

pub(super) use challenge::Challenges;
pub use state::{AcmeFolder, AcmeStatus};

use fault::Fault;

/// How long one attempt may take: authorities look from several places, and some let one wait.
const ATTEMPT: Duration = Duration::from_secs(300);

/// The certificate that was given, if it is for all names that are asked for now.
pub(super) fn material(
    folder: &AcmeFolder,
    names: &[crate::policy::settings::server::HostName],
) -> Result<Material, TlsError> {
    state::read(folder, names)
}

/// Asks for certificates until `stop`, looking this often whether it is time; `pause` is the first
/// wait after a failure.
pub(super) async fn keep(tls: Tls, every: Duration, pause: Duration, stop: CancellationToken) {
    let folder = tls.0.source.acme.clone();
    let names = tls.0.source.settings.acme.names.clone();
    let look = {
        let folder = folder.clone();
        move || material(&folder, &names)?.facts()
    };
    let known = tokio::task::spawn_blocking(look).await;
    // Wall-clock time, because certificates go by it; a wait after a failure doesn't: the clock may
    // be set meanwhile.
    let mut due = match known {
        Ok(Ok(facts)) => schedule::renew_at(&facts),
        _ => i64::MIN,
    };
    let mut failures = 0;
    let mut not_before = Instant::now();
    loop {
        let asked_for = folder.take_wish().await;
        let now = seconds(SystemTime::now());
        if asked_for || (now >= due && Instant::now() >= not_before) {
            let tried = tokio::select! {
                tried = attempt(&tls) => tried,
                () = stop.cancelled() => return,
            };
            let mut status = AcmeStatus {
                directory: tls.0.source.settings.acme.directory.clone(),
                asked: now,
                fault: None,
                next: 0,
            };
            match tried {
                Ok(next) => {
                    failures = 0;
                    due = next;
                    status.next = next;
                }
                Err(fault) => {
                    let wait = schedule::wait(pause, failures, fault.kind());
                    failures += 1;
                    not_before = Instant::now() + wait;
                    tracing::warn!(%fault, again_in_seconds = wait.as_secs(), "no certificate from the authority; the one there is stays in use");
                    status.fault = Some(fault.to_string());
                    // Not `due`: the one there is may have time left, and then this was only an early try.
                    status.next = seconds(SystemTime::now() + wait).max(due);
                }
            }
            folder.note(status).await;
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Asks once; when to ask again.
async fn attempt(tls: &Tls) -> Result<i64, Fault> {
    let source = &tls.0.source;
    let settings = &source.settings.acme;
    tracing::info!(directory = settings.directory, "asking for a certificate");
    let ordered = order::obtain(settings, &source.acme, &tls.0.challenges);
    // Boxed: a large state, which is needed for seconds in months.
    let ordered = tokio::time::timeout(ATTEMPT, Box::pin(ordered)).await;
    // What is left of a broken attempt would be answered for ever.
    tls.0.challenges.clear();
    let pem = ordered.map_err(|_elapsed| Fault::Slow(ATTEMPT))??;
    let (folder, names) = (source.acme.clone(), settings.names.clone());
    let stored = tokio::task::spawn_blocking(move || state::store(&folder, &names, &pem));
    let facts = stored.await.map_err(|_| Fault::Broken("storing it"))??;
    tracing::info!(fingerprint = %facts.fingerprint, issuer = facts.issuer, until = facts.valid_until(), "the authority gave a certificate");
    Ok(schedule::renew_at(&facts))
}
