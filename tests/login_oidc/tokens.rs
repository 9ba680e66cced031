//! Tokens that are not quite right, and keys that change.

use serde_json::{Value, json};

use super::away::{Away, one, refused, with_token};
use super::hostile::{Hostile, Key, base64url};

#[track_caller]
fn token_is_refused(make: impl FnOnce(&Key, Value, &Hostile) -> String) {
    let (server, answer) = with_token(make);
    refused(&server, &answer, 403);
}

#[test]
fn oidc_nonce_of_another_login_or_none_is_refused() {
    for nonce in [json!("other"), json!(""), Value::Null, json!(["x"])] {
        token_is_refused(|key, mut claims, _| {
            claims["nonce"] = nonce;
            key.sign(&claims)
        });
    }
}

#[test]
fn oidc_aud_and_azp_of_somebody_else_are_refused() {
    for (name, value) in [
        ("aud", json!("them")),
        ("aud", json!(["us", "them"])),
        ("aud", json!([])),
        ("azp", json!("them")),
    ] {
        token_is_refused(|key, mut claims, _| {
            claims[name] = value;
            key.sign(&claims)
        });
    }
}

#[test]
fn oidc_iss_of_somebody_else_is_refused() {
    for issuer in ["https://accounts.google.com", ""] {
        token_is_refused(|key, mut claims, _| {
            claims["iss"] = json!(issuer);
            key.sign(&claims)
        });
    }
    token_is_refused(|key, mut claims, provider| {
        claims["iss"] = json!(format!("{}/", provider.issuer));
        key.sign(&claims)
    });
}

#[test]
fn oidc_alg_none_and_hmac_with_the_public_key_are_refused() {
    for alg in ["none", "None", "nOnE", "HS256", "RS1", "ES256K", ""] {
        token_is_refused(|key, claims, _| {
            let token = key.token(&json!({ "alg": alg, "kid": "k1" }), &claims);
            let (signed, _) = token.rsplit_once('.').unwrap();
            match alg {
                "HS256" => {
                    let public = key.public()["x"].as_str().unwrap().to_owned();
                    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, public.as_bytes());
                    let mac = ring::hmac::sign(&secret, signed.as_bytes());
                    format!("{signed}.{}", base64url(mac))
                }
                _ => format!("{signed}."),
            }
        });
    }
    // The signature is a good one, only of another kind than the header says.
    token_is_refused(|key, claims, _| key.token(&json!({ "alg": "RS256", "kid": "k1" }), &claims));
}

#[test]
fn oidc_signature_by_another_key_or_of_other_claims_is_refused() {
    token_is_refused(|_, claims, _| Key::new("k1", 2).sign(&claims));
    token_is_refused(|key, claims, _| {
        let token = key.sign(&claims);
        let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
        let mut other = claims;
        other["sub"] = json!("root");
        parts[1] = base64url(other.to_string());
        parts.join(".")
    });
    token_is_refused(|key, claims, _| format!("{}x", key.sign(&claims)));
    token_is_refused(|key, claims, _| format!("{}.x", key.sign(&claims)));
    token_is_refused(|_, _, _| String::new());
}

#[test]
fn oidc_kid_that_nobody_published_and_keys_inside_the_token_are_refused() {
    token_is_refused(|_, claims, _| Key::new("k2", 2).sign(&claims));
    token_is_refused(|_, claims, _| {
        let own = Key::new("k2", 2);
        let jwk = own.public();
        own.token(&json!({ "alg": "EdDSA", "kid": "k2", "jwk": jwk }), &claims)
    });
    token_is_refused(|_, claims, provider| {
        let jku = format!("{}/evil-keys", provider.issuer);
        provider.set(
            "/evil-keys",
            200,
            "",
            &json!({ "keys": [Key::new("k2", 2).public()] }).to_string(),
        );
        Key::new("k2", 2).token(&json!({ "alg": "EdDSA", "kid": "k2", "jku": jku }), &claims)
    });
    token_is_refused(|key, claims, _| {
        let crit = json!({ "alg": "EdDSA", "kid": "k1", "crit": ["b64"], "b64": false });
        key.token(&crit, &claims)
    });
}

#[test]
fn oidc_expired_and_future_tokens_are_refused() {
    for (name, shift) in [
        ("exp", -400_i64),
        ("iat", 3600),
        ("nbf", 3600),
        ("iat", -3600),
    ] {
        token_is_refused(|key, mut claims, _| {
            let from = claims["exp"].as_i64().unwrap();
            claims[name] = json!(from + shift);
            key.sign(&claims)
        });
    }
}

#[test]
fn oidc_jwks_rotation_is_noticed_at_once_and_asked_for_once() {
    let (provider, old, new) = (Hostile::start(), Key::new("k1", 1), Key::new("k2", 2));
    provider.keys(&[&old]);
    let server = one(&provider);
    let first = Away::begin(&server, "x");
    provider.token(&old.sign(&first.claims(&provider)));
    assert!(server.logged_in(&first.back()).is_some());
    provider.keys(&[&new]);
    let second = Away::begin(&server, "x");
    provider.token(&new.sign(&second.claims(&provider)));
    assert!(server.logged_in(&second.back()).is_some());
    assert_eq!(provider.asked("/keys").len(), 2);
    for seed in 3..8 {
        let forged = Away::begin(&server, "x");
        provider.token(&Key::new("k9", seed).sign(&forged.claims(&provider)));
        refused(&server, &forged.back(), 403);
    }
    assert_eq!(
        provider.asked("/keys").len(),
        2,
        "forgers can't make us hammer"
    );
    let old_one = Away::begin(&server, "x");
    provider.token(&old.sign(&old_one.claims(&provider)));
    refused(&server, &old_one.back(), 403);
}
