//! Making an auth object, as another application does.

use serde_json::json;

use crate::base::UserName;

use super::ObjectError;
use super::method::Method;

/// An object of version 1.0 that vouches for a user at this time (milliseconds since 1970), signed with
/// HMAC-SHA256. [`super::AuthObject`] reads it.
pub fn sign(key: &str, secret: &str, upn: &UserName, now: u64) -> Result<String, ObjectError> {
    let signed = format!("{key}{upn}{now}");
    let signature = Method::Sha256
        .sign(secret.as_bytes(), signed.as_bytes())
        .ok_or(ObjectError::Signature)?;
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    let signature: String = signature
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect();
    let object = json!({
        "api_key": key,
        "upn": upn,
        "timestamp": now.to_string(),
        "signature_method": "HMAC-SHA256",
        "api_version": "1.0",
        "signature": signature,
    });
    Ok(object.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::AuthObject;
    use super::*;

    #[test]
    fn what_is_signed_here_is_believed_with_the_same_secret_only() {
        let upn: UserName = "alice@ops.example".parse().unwrap();
        let now = 1_800_000_000_000;
        let object = sign(&"k".repeat(24), "secret", &upn, now).unwrap();
        let object = AuthObject::parse(&object).unwrap();
        assert_eq!(object.verify("secret", false, now).unwrap().upn, upn);
        let wrong = object.verify("another", false, now);
        assert_eq!(wrong, Err(ObjectError::Signature));
    }
}
