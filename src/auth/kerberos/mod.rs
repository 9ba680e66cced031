//! Logging in with a Kerberos ticket (SPNEGO, RFC 4559): one token each way. What judges the ticket is MIT
//! Kerberos, behind the Cargo feature `kerberos`; the rules around it are here.

#[cfg(feature = "kerberos")]
mod gss;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::{User, Way};
use crate::policy::settings::kerberos::KerberosService;

use super::sso::SsoError;

/// Largest token, in bytes: tickets with many groups are 48 KiB. In a request's head, less fits.
const MAX_TOKEN: usize = 64 << 10;
/// How an NTLM token begins, which some browsers send when they have no ticket.
const NTLM: &[u8] = b"NTLMSSP\0";

/// What MIT Kerberos found in a token.
#[derive(Debug)]
struct Accepted {
    /// `name@REALM`.
    principal: String,
    /// For the browser, which wants to know us, too.
    reply: Vec<u8>,
}

/// The service.
#[derive(Debug)]
pub(super) struct Kerberos {
    settings: KerberosService,
    service: String,
}

impl Kerberos {
    /// None without a service.
    pub(super) fn new(settings: KerberosService) -> Option<Self> {
        let service = settings.service.clone()?;
        Some(Self { settings, service })
    }

    /// Whether this executable can.
    pub(super) const fn is_built_in() -> bool {
        cfg!(feature = "kerberos")
    }

    pub(super) fn title(&self) -> &str {
        &self.settings.title
    }

    /// Who sent this `Authorization: Negotiate …`, and what to answer in `WWW-Authenticate`.
    pub(super) async fn accept(&self, header: &str) -> Result<(User, String), SsoError> {
        let token = token(header)?;
        let service = self.service.clone();
        // It reads the keytab and the replay cache: on a thread that may block.
        let accepted = tokio::task::spawn_blocking(move || judge(&service, &token))
            .await
            .map_err(|_| SsoError::Setup("judging the ticket failed".to_owned()))??;
        let user = self.user(&accepted.principal)?;
        Ok((
            user,
            format!("Negotiate {}", STANDARD.encode(accepted.reply)),
        ))
    }

    fn user(&self, principal: &str) -> Result<User, SsoError> {
        let invalid =
            |what: &str| SsoError::Invalid(format!("the ticket of {principal:?}: {what}"));
        let (name, realm) = principal
            .rsplit_once('@')
            .ok_or_else(|| invalid("names no realm"))?;
        if !self.settings.realms.iter().any(|known| known == realm) {
            return Err(invalid("its realm is not in `realms`"));
        }
        // Services and administrators' second selves (alice/admin) are no users.
        if name.contains(['/', '@', '\\']) {
            return Err(invalid("is not a person's"));
        }
        let known = |wanted: &str| match wanted {
            "principal" => Some(principal),
            "user" => Some(name),
            "realm" => Some(realm),
            _ => None,
        };
        let upn = self
            .settings
            .upn
            .fill(known)
            .map_err(|error| invalid(&error.to_string()))?;
        let mut user = User::new(upn, Way::Kerberos);
        let attributes = [("principal", principal), ("realm", realm)];
        user.attributes = attributes
            .map(|(name, value)| (name.to_owned(), vec![value.to_owned()]))
            .into();
        Ok(user)
    }
}

/// The token in the header.
fn token(header: &str) -> Result<Vec<u8>, SsoError> {
    let invalid = |what: &str| SsoError::Invalid(what.to_owned());
    let (scheme, text) = header.split_once(' ').unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("negotiate") {
        return Err(invalid("the browser offers something other than Negotiate"));
    }
    let text = text.trim();
    if text.len() > MAX_TOKEN.div_ceil(3) * 4 {
        return Err(invalid("the token is too large"));
    }
    let token = STANDARD
        .decode(text)
        .map_err(|_| invalid("the token is not base64"))?;
    if token.is_empty() || token.len() > MAX_TOKEN {
        return Err(invalid("the token is empty or too large"));
    }
    if token.windows(NTLM.len()).any(|part| part == NTLM) {
        return Err(invalid("the browser has no ticket and offers NTLM"));
    }
    Ok(token)
}

#[cfg(feature = "kerberos")]
fn judge(service: &str, token: &[u8]) -> Result<Accepted, SsoError> {
    gss::accept(service, token)
}

#[cfg(not(feature = "kerberos"))]
fn judge(_service: &str, _token: &[u8]) -> Result<Accepted, SsoError> {
    Err(SsoError::NotOffered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kerberos() -> Kerberos {
        Kerberos::new(KerberosService {
            service: Some("HTTP@kiosk.example".to_owned()),
            realms: vec!["OPS.EXAMPLE".to_owned()],
            ..KerberosService::default()
        })
        .unwrap()
    }

    #[test]
    fn principals_are_people_of_listed_realms() {
        let name = |principal: &str| kerberos().user(principal).map(|user| user.upn.to_string());
        assert_eq!(name("alice@OPS.EXAMPLE").unwrap(), "alice@OPS.EXAMPLE");
        for bad in [
            "alice@EVIL.EXAMPLE",
            "alice@ops.example",
            "alice@OPS.EXAMPLE@EVIL.EXAMPLE",
            "alice@EVIL@OPS.EXAMPLE",
            "alice/admin@OPS.EXAMPLE",
            "host/kiosk@OPS.EXAMPLE",
            "alice",
            "@OPS.EXAMPLE ",
        ] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn spnego_ntlm_and_spnego_huge_are_refused_before_anything_reads_them() {
        let with = |bytes: &[u8]| token(&format!("Negotiate {}", STANDARD.encode(bytes))).is_ok();
        assert!(with(b"\x60\x01x"));
        assert!(!with(b"NTLMSSP\0\x01\0\0\0"));
        assert!(!with(b"\x60\x20wrapped NTLMSSP\0\x01\0\0\0"));
        assert!(with(&vec![b'x'; MAX_TOKEN]));
        assert!(!with(&vec![b'x'; MAX_TOKEN + 1]));
        for bad in [
            "",
            "Negotiate",
            "Negotiate ",
            "Negotiate !!!",
            "Basic YTpi",
            "NTLM TlRM",
        ] {
            assert!(token(bad).is_err(), "{bad}");
        }
    }
}
