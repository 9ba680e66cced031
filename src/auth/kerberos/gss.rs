//! The only file that knows MIT Kerberos.

use libgssapi::context::{CtxFlags, SecurityContext as _, ServerCtx};
use libgssapi::credential::{Cred, CredUsage};
use libgssapi::error::Error;
use libgssapi::name::Name;
use libgssapi::oid::{GSS_MECH_KRB5, GSS_MECH_SPNEGO, GSS_NT_HOSTBASED_SERVICE, OidSet};

use crate::auth::sso::SsoError;

use super::Accepted;

/// Judges a token: for this very service, not seen before (MIT's replay cache is on), in one step.
/// Blocks on files.
pub(super) fn accept(service: &str, token: &[u8]) -> Result<Accepted, SsoError> {
    // Named, or a ticket for any other service whose key is in the keytab would do.
    let credential = credential(service)
        .map_err(|error| SsoError::Setup(format!("the key of {service} in the keytab: {error}")))?;
    let invalid = |error: Error| SsoError::Invalid(format!("the ticket: {error}"));
    let mut context = ServerCtx::new(Some(credential));
    let reply = context.step(token, None).map_err(invalid)?;
    let info = context.info().map_err(|_| {
        // Browsers with a ticket need one step; whoever wants more hasn't one.
        SsoError::Invalid("the token alone proves nothing".to_owned())
    })?;
    if !info.open
        || info.mechanism != GSS_MECH_KRB5
        || info.flags.contains(CtxFlags::GSS_C_ANON_FLAG)
    {
        return Err(SsoError::Invalid(
            "the ticket is not somebody's Kerberos ticket".to_owned(),
        ));
    }
    let name = info.source_name.display_name().map_err(invalid)?;
    let principal = std::str::from_utf8(&name)
        .map_err(|_| SsoError::Invalid("the ticket's name is no text".to_owned()))?;
    Ok(Accepted {
        principal: principal.to_owned(),
        reply: reply.map(|reply| reply.to_vec()).unwrap_or_default(),
    })
}

fn credential(service: &str) -> Result<Cred, Error> {
    let name = Name::new(service.as_bytes(), Some(GSS_NT_HOSTBASED_SERVICE))?;
    let mut mechanisms = OidSet::new();
    mechanisms.add(GSS_MECH_SPNEGO)?;
    mechanisms.add(GSS_MECH_KRB5)?;
    Cred::acquire(Some(&name), None, CredUsage::Accept, Some(&mechanisms))
}
