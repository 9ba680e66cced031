//! Logging in with an OpenID Connect provider: a real one, and one that lies.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "login_oidc/away.rs"]
mod away;
#[path = "login_oidc/hostile.rs"]
mod hostile;
#[path = "login_oidc/peer.rs"]
mod peer;
#[path = "support/mod.rs"]
mod support;
#[path = "login_oidc/tokens.rs"]
mod tokens;

use away::{Away, one, refused, server, unescape, with_token};
use hostile::{Hostile, Key, base64url};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use support::server::TestServer;

#[test]
fn a_good_answer_logs_in_and_leads_to_the_page() {
    let (server, answer) = with_token(|key, claims, _| key.sign(&claims));
    assert_eq!(answer.status, 303, "{answer:?}");
    let base = format!("http://{}/", server.address);
    assert_eq!(answer.header("location"), Some(base.as_str()));
    let who = server.logged_in(&answer).unwrap();
    assert_eq!(
        who["user"], "alice@x",
        "sub and provider, not a name that could be an account's"
    );
}

#[test]
fn oidc_state_missing_wrong_from_another_browser_or_used_is_refused() {
    let (provider, key) = (Hostile::start(), Key::new("k1", 1));
    provider.keys(&[&key]);
    let server = one(&provider);
    let away = Away::begin(&server, "x");
    provider.token(&key.sign(&away.claims(&provider)));
    let state = away.sent("state");
    for query in [
        "code=c".to_owned(),
        "code=c&state=".to_owned(),
        format!("code=c&state={state}x"),
        format!("code=c&state=0.{}", "A".repeat(43)),
        format!("code=c&state={state}&state={state}"),
        format!("code=c&state={}", "A".repeat(8000)),
    ] {
        let answer = away.back_with(&query);
        assert!((400..404).contains(&answer.status), "{query}: {answer:?}");
        assert_eq!(server.logged_in(&answer), None, "{query}");
    }
    let other = Away::begin(&server, "x");
    let stolen = format!("code=c&state={state}");
    refused(&server, &other.back_with(&stolen), 400);
    let mut bare = Away::begin(&server, "x");
    bare.browser.cookie = None;
    refused(&server, &bare.back(), 400);
    assert!(provider.asked("/token").is_empty(), "nothing was redeemed");
    assert!(server.logged_in(&away.back()).is_some());
    refused(&server, &away.back(), 400);
}

#[test]
fn oidc_pkce_verifier_matches_what_was_announced_and_never_travels_in_an_address() {
    let (provider, key) = (Hostile::start(), Key::new("k1", 1));
    provider.keys(&[&key]);
    let server = one(&provider);
    let away = Away::begin(&server, "x");
    assert_eq!(away.sent("code_challenge_method"), "S256");
    assert_eq!(away.sent("response_type"), "code");
    provider.token(&key.sign(&away.claims(&provider)));
    assert!(server.logged_in(&away.back()).is_some());
    let form = provider.asked("/token").pop().unwrap();
    let field = |name: &str| {
        let found = form.split('&').find_map(|pair| pair.strip_prefix(name));
        unescape(found.unwrap())
    };
    let verifier = field("code_verifier=");
    assert_eq!(
        away.sent("code_challenge"),
        base64url(Sha256::digest(&verifier))
    );
    assert!(away.sent.values().all(|value| !value.contains(&verifier)));
    let redirect = format!("http://{}/login/oidc/x/callback", server.address);
    assert_eq!(field("redirect_uri="), redirect);
    assert_eq!(away.sent("redirect_uri"), redirect);
    let second = Away::begin(&server, "x");
    for secret in ["state", "nonce", "code_challenge"] {
        assert_ne!(second.sent(secret), away.sent(secret), "{secret}");
    }
}

#[test]
fn oidc_redirect_uri_is_never_from_the_host_header() {
    let provider = Hostile::start();
    let server = one(&provider);
    let request = format!(
        "GET /login/oidc/x HTTP/1.1\r\nHost: localhost:{}\r\nX-Forwarded-Host: evil.example\r\n\r\n",
        server.address.port()
    );
    let answer = server.stranger().raw(request.as_bytes()).unwrap();
    let location = unescape(answer.header("location").unwrap());
    let own = format!(
        "redirect_uri=http://{}/login/oidc/x/callback",
        server.address
    );
    assert!(location.contains(&own), "{location}");
}

#[test]
fn oidc_mixup_of_two_providers_is_refused() {
    let (honest, evil) = (Hostile::start(), Hostile::start());
    let key = Key::new("k1", 1);
    honest.keys(&[&key]);
    evil.keys(&[&key]);
    honest.metadata(|metadata| {
        metadata["authorization_response_iss_parameter_supported"] = json!(true);
    });
    let server = server(&json!({
        "honest": { "issuer": honest.issuer, "client_id": "us" },
        "evil": { "issuer": evil.issuer, "client_id": "us" },
    }));
    // Begun with one, finished at the callback of the other.
    let mut away = Away::begin(&server, "honest");
    evil.token(&key.sign(&away.claims(&evil)));
    away.name = "evil";
    refused(&server, &away.back(), 400);
    // The answer says another issuer (RFC 9207), or none though the provider always does.
    for issuer in [format!("&iss={}", evil.issuer), String::new()] {
        let away = Away::begin(&server, "honest");
        let query = format!("code=c&state={}{issuer}", away.sent("state"));
        refused(&server, &away.back_with(&query), 403);
    }
    assert!(honest.asked("/token").is_empty() && evil.asked("/token").is_empty());
    let away = Away::begin(&server, "honest");
    honest.token(&key.sign(&away.claims(&honest)));
    let query = format!("code=c&state={}&iss={}", away.sent("state"), honest.issuer);
    assert!(server.logged_in(&away.back_with(&query)).is_some());
}

#[test]
fn metadata_of_another_issuer_and_addresses_in_the_clear_are_refused() {
    for (name, value) in [
        ("issuer", "https://accounts.google.com"),
        ("authorization_endpoint", "http://evil.example/auth"),
        ("authorization_endpoint", "javascript:alert(1)"),
    ] {
        let provider = Hostile::start();
        provider.metadata(|metadata| metadata[name] = json!(value));
        let server = one(&provider);
        let answer = server.stranger().get("/login/oidc/x");
        refused(&server, &answer, 502);
    }
}

#[test]
fn redirects_are_not_followed_and_answers_have_a_limit() {
    let (provider, key) = (Hostile::start(), Key::new("k1", 1));
    provider.keys(&[&key]);
    let server = one(&provider);
    let away = Away::begin(&server, "x");
    let location = format!("Location: {}/elsewhere\r\n", provider.issuer);
    provider.set("/token", 307, &location, "");
    refused(&server, &away.back(), 403);
    assert!(provider.asked("/elsewhere").is_empty());
    let away = Away::begin(&server, "x");
    provider.set("/token", 200, "", &"x".repeat((1 << 20) + 1));
    refused(&server, &away.back(), 502);
}

#[test]
fn a_provider_that_says_no_or_sends_rubbish_logs_nobody_in_and_shows_nothing_of_it() {
    let provider = Hostile::start();
    provider.keys(&[]);
    let server = one(&provider);
    let away = Away::begin(&server, "x");
    let state = away.sent("state");
    let query = format!(
        "error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state={state}"
    );
    let answer = away.back_with(&query);
    refused(&server, &answer, 403);
    let page = String::from_utf8(answer.body).unwrap();
    assert!(
        page.contains("Back to the page") && !page.contains("script"),
        "{page}"
    );
    for body in ["", "[]", "{}", "{\"id_token\":1}", "<html>"] {
        let away = Away::begin(&server, "x");
        provider.set("/token", 200, "", body);
        refused(&server, &away.back(), 403);
    }
    let unknown = server.stranger().get("/login/oidc/nobody");
    refused(&server, &unknown, 404);
}

#[test]
fn a_login_begun_by_another_sites_page_leads_to_our_page_instead() {
    let provider = Hostile::start();
    let server = one(&provider);
    let head = server.stranger().head("GET", "/login/oidc/x");
    let request = format!("{head}Sec-Fetch-Site: cross-site\r\n\r\n");
    let answer = server.stranger().raw(request.as_bytes()).unwrap();
    let base = format!("http://{}/", server.address);
    assert_eq!(answer.header("location"), Some(base.as_str()), "login_csrf");
}

#[test]
fn session_fixation_is_impossible_and_the_login_before_ends() {
    let (provider, key) = (Hostile::start(), Key::new("k1", 1));
    provider.keys(&[&key]);
    let server = one(&provider);
    let owner = server.browser();
    let mut away = Away::begin(&server, "x");
    provider.token(&key.sign(&away.claims(&provider)));
    let before = owner.cookie.clone().unwrap();
    away.browser.cookie = away
        .browser
        .cookie
        .map(|cookie| format!("{cookie}; {before}"));
    let answer = away.back();
    assert!(server.logged_in(&answer).is_some());
    let (name, old) = before.split_once('=').unwrap();
    assert_ne!(answer.cookie(name).unwrap(), old);
    assert_eq!(owner.get("/api/login").status, 401, "rotated at login");
}

#[test]
fn the_page_is_told_which_ways_there_are() {
    let server = server(&json!({ "google": { "preset": "google", "client_id": "x" } }));
    let ways = server.stranger().get("/api/ways").json();
    assert_eq!(
        ways,
        json!({ "ways": [{ "way": "oidc", "label": "Log in with Google", "link": "login/oidc/google", "post": false }] })
    );
}

#[test]
fn a_way_that_is_set_up_but_not_open_is_closed() {
    let provider = Hostile::start();
    let providers = json!({ "x": { "issuer": provider.issuer, "client_id": "us" } });
    let providers = serde_json::from_value(providers).unwrap();
    let server = TestServer::with(|settings| settings.sso.oidc = providers);
    refused(&server, &server.stranger().get("/login/oidc/x"), 404);
    let back = server
        .stranger()
        .get("/login/oidc/x/callback?code=c&state=s");
    refused(&server, &back, 404);
    assert_eq!(
        server.stranger().get("/api/ways").json(),
        json!({ "ways": [] })
    );
}
