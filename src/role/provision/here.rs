//! What this machine makes of what it is given: hashes of passwords, and what it doesn't have.

use std::path::Path;

use sha_crypt::{CustomizedPasswordHasher as _, Params, PasswordVerifier as _, ShaCrypt};

use crate::policy::Problem;
use crate::policy::tree::{Origin, Value};
use crate::provision::{Provision, Secrets};

/// Rounds of a password's hash: about half a second on a Raspberry Pi 3.
const ROUNDS: u32 = 100_000;

/// A hash as /etc/shadow has it; the one there was, if it is of this password.
pub(super) fn hash(password: &str, before: Option<&str>) -> Result<String, String> {
    let failed = |error: &dyn std::fmt::Display| format!("the password can't be hashed: {error}");
    let params = Params::new(ROUNDS).map_err(|error| failed(&error))?;
    let method = ShaCrypt::from(params);
    if let Some(before) = before
        && method.verify_password(password.as_bytes(), before).is_ok()
    {
        return Ok(before.to_owned());
    }
    let mut salt = [0; 12];
    getrandom::fill(&mut salt).map_err(|error| failed(&error))?;
    let hash = method.hash_password_customized(password.as_bytes(), &salt, Some("6"), None, params);
    Ok(hash.map_err(|error| failed(&error))?.to_string())
}

/// What this machine doesn't have.
pub(super) fn here(
    provision: &Provision,
    tree: &Value,
    system: &Path,
    notes: &mut Vec<Problem>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let at = |keys: &[&str]| {
        tree.at(keys)
            .map_or_else(Origin::default, |value| value.origin.clone())
    };
    let zones = system.join("usr/share/zoneinfo");
    if let Some(zone) = &provision.timezone
        && zones.is_dir()
        && !zones.join(zone.as_str()).is_file()
    {
        let message = format!("this machine knows no time zone {zone}");
        problems.push(Problem::error(&at(&["timezone"]), "timezone", message));
    }
    if let Some(locale) = &provision.locale {
        let name = locale.as_str().replace("UTF-8", "utf8");
        let all = system.join("usr/lib/locale");
        let there = ["C", "C.UTF-8"].contains(&locale.as_str())
            || all.join("locale-archive").exists()
            || all.join(name).is_dir();
        if !there {
            let message = "this machine has no data for it: programs fall back to English";
            notes.push(Problem::warning(&at(&["locale"]), "locale", message));
        }
    }
    if let Some(admin) = &provision.admin {
        let accounts = std::fs::read_to_string(system.join("etc/passwd")).unwrap_or_default();
        let name = admin.name.as_str();
        if accounts
            .lines()
            .any(|line| line.split(':').next() == Some(name))
        {
            let message = "the system has an account of this name already; choose another";
            problems.push(Problem::error(
                &at(&["admin", "name"]),
                "admin.name",
                message,
            ));
        }
    }
    problems
}

/// A certificate that is not its key's would keep the server from starting.
pub(super) fn pair(provision: &Provision, secrets: &Secrets, tree: &Value) -> Option<Problem> {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let tls = provision.tls.as_ref()?;
    let text = |file| secrets.files.get(file).map_or(&[][..], String::as_bytes);
    let try_it = || -> Result<(), String> {
        let chain = CertificateDer::pem_slice_iter(text(&tls.certificate))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.to_string())?;
        let key =
            PrivateKeyDer::from_pem_slice(text(&tls.key)).map_err(|error| error.to_string())?;
        let provider = rustls::crypto::ring::default_provider();
        rustls::sign::CertifiedKey::from_der(chain, key, &provider)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let error = try_it().err()?;
    let at = tree
        .at(&["tls", "key"])
        .map_or_else(Origin::default, |value| value.origin.clone());
    let message = format!("certificate and key can't be used together: {error}");
    Some(Problem::error(&at, "tls.key", message))
}
