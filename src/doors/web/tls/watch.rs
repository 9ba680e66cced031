//! Takes up new certificates while running. What is broken changes nothing: the old ones stay in use.

use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::policy::settings::server::TlsMode;

use super::{Tls, TlsSource, load};

/// What changes when a file does: inode, length, and when it was written.
type Mark = Option<(u64, u64, i64, i64)>;

/// What was found when last looked.
#[derive(Debug, Clone, Default)]
struct Seen {
    marks: Vec<Mark>,
    // Said once, not every few seconds.
    fault: Option<String>,
}

/// Looks this often until `stop`.
pub(super) async fn watch(tls: Tls, every: Duration, stop: CancellationToken) {
    let mut seen = Seen {
        marks: marks(&tls.0.source),
        fault: None,
    };
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = stop.cancelled() => return,
        }
        let look = tls.clone();
        let before = seen.clone();
        let Ok(now) = tokio::task::spawn_blocking(move || look_again(&look, &before)).await else {
            continue;
        };
        seen = now;
    }
}

/// Reads everything again if something changed.
fn look_again(tls: &Tls, before: &Seen) -> Seen {
    let source = &tls.0.source;
    // Taken before reading: what is written meanwhile is seen next time.
    let mut now = Seen {
        marks: marks(source),
        fault: None,
    };
    let facts = tls.facts();
    // Until an authority has given one, ours is shown.
    let own = source.settings.mode != TlsMode::Files && facts.self_signed;
    if now.marks == before.marks && (!own || source.identity.fits(&facts)) {
        return before.clone();
    }
    match load(source) {
        Ok(new) => {
            if new.facts.fingerprint == facts.fingerprint {
                tracing::info!("TLS files were read again");
            } else {
                tracing::info!(fingerprint = %new.facts.fingerprint, names = ?new.facts.names, "new certificate");
            }
            new.facts.warn();
            tls.take_up(new);
            // Making one has changed the file; what others have written meanwhile is seen next time.
            if own && let (Some(mark), Some(made)) = (now.marks.first_mut(), marks(source).first())
            {
                *mark = *made;
            }
        }
        Err(error) => {
            let fault = error.to_string();
            if before.fault.as_ref() != Some(&fault) {
                tracing::warn!(%error, "the changed TLS files can't be used; the old ones stay in use");
            }
            now.fault = Some(fault);
        }
    }
    now
}

fn marks(source: &TlsSource) -> Vec<Mark> {
    let settings = &source.settings;
    let own = (settings.mode != TlsMode::Files).then_some(&source.own_file);
    let given = (settings.mode == TlsMode::Acme).then(|| source.acme.certificate());
    [
        own,
        given.as_ref(),
        settings.certificate.as_ref(),
        settings.key.as_ref(),
        settings.client_ca.as_ref(),
        settings.client_crl.as_ref(),
    ]
    .into_iter()
    .flatten()
    .map(|path| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
    })
    .collect()
}
