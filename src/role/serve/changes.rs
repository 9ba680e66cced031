//! What a changed configuration changes in a server that runs.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::auth::{Sso, SsoSettings};
use crate::control::Control;
use crate::doors::web;

/// Tells the web door what has changed, until `stop`.
pub(super) async fn follow(
    control: Control,
    door: web::Open,
    mut sso: SsoSettings,
    base: String,
    stop: CancellationToken,
) {
    let mut rules = control.rules_changes();
    loop {
        tokio::select! {
            changed = rules.changed() => if changed.is_err() {
                return;
            },
            () = stop.cancelled() => return,
        }
        let machine = rules.borrow_and_update().machine().clone();
        let wanted = SsoSettings {
            oidc: machine.oidc,
            cas: machine.cas,
            certificate: machine.certificate,
            kerberos: machine.kerberos,
            credentials: sso.credentials.clone(),
        };
        // Made anew only when they differ: who is on the way to another server and back has to begin
        // again.
        let new = if wanted == sso {
            None
        } else {
            match Sso::new(wanted.clone(), &base) {
                Ok(new) => {
                    sso = wanted;
                    Some(Arc::new(new))
                }
                Err(error) => {
                    tracing::error!(%error, "logging in by other servers stays as it was");
                    None
                }
            }
        };
        door.change(&machine.server, new);
        control.tend_kiosk().await;
        tracing::debug!("the web door goes by the changed configuration");
    }
}
