//! Signed auth objects: made by an independent implementation in Python, judged over real HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

use gatepost::base::Way;
use serde_json::{Value, json};
use support::server::{Place, ServerProcess, TestServer};
use support::web::{Answer, Browser};

/// As another application would make them, from what docs/logins.md says.
const SIGN: &str = r#"
import hashlib, hmac, json, sys
wish = json.load(sys.stdin)
secret, members = wish["secret"].encode(), wish["members"]
hash = getattr(hashlib, members["signature_method"].removeprefix("HMAC-").lower())
if members["api_version"] == "1.1":
    signed = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
else:
    signed = members["api_key"] + members["upn"] + str(members["timestamp"])
members["signature"] = hmac.new(secret, signed.encode(), hash).hexdigest()
members.update(wish["afterwards"])
print(json.dumps(members))
"#;

fn milliseconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

/// A server with the way open, and a key made by the command.
struct Peer {
    server: TestServer,
    key: String,
    secret: String,
}

impl Peer {
    fn start() -> Self {
        Self::with(false)
    }

    fn with(sha1: bool) -> Self {
        let server = TestServer::with(|settings| {
            settings.ways.open = vec![Way::Api, Way::Token];
            settings.ways.settings.api.sha1 = sha1;
            settings.ways.settings.throttle.failure_milliseconds = 10;
            settings.ways.settings.throttle.address_failures = 1000;
        });
        let (key, secret) = new_key(&server.place);
        Self {
            server,
            key,
            secret,
        }
    }

    fn object(&self, change: &Value) -> String {
        self.signed(change, &json!({}))
    }

    /// An object signed with `change`, then spoilt with `afterwards`.
    fn signed(&self, change: &Value, afterwards: &Value) -> String {
        sign(&self.key, &self.secret, change, afterwards)
    }

    fn post(&self, object: &str) -> Answer {
        post(&self.server.stranger(), object)
    }

    fn check(&self, object: &str) -> Output {
        self.server.place.run(&["auth", "check", object])
    }
}

fn new_key(place: &Place) -> (String, String) {
    let file = place.temp.path().join("secret");
    let name = file.to_str().unwrap();
    let key = place.ok(&[
        "api-key",
        "new",
        "--name",
        "the shop",
        "--secret-file",
        name,
    ]);
    let secret = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!((key.len(), secret.len()), (24, 64));
    (key, secret)
}

fn sign(key: &str, secret: &str, change: &Value, afterwards: &Value) -> String {
    let mut members = json!({
        "api_key": key, "upn": "alice@ops.example", "timestamp": milliseconds().to_string(),
        "signature_method": "HMAC-SHA256", "api_version": "1.0",
    });
    for (name, value) in change.as_object().unwrap() {
        members[name] = value.clone();
    }
    let wish = json!({ "secret": secret, "members": members, "afterwards": afterwards });
    let mut python = Command::new("python3");
    python
        .args(["-c", SIGN])
        .stdin(std::process::Stdio::piped());
    let mut python = python.stdout(std::process::Stdio::piped()).spawn().unwrap();
    serde_json::to_writer(python.stdin.take().unwrap(), &wish).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Posts a text as it is.
fn post(browser: &Browser, object: &str) -> Answer {
    post_to(browser, "/api/login/api", object)
}

fn post_to(browser: &Browser, path: &str, object: &str) -> Answer {
    let head = browser.head("POST", path);
    let length = object.len();
    let request =
        format!("{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{object}");
    browser.raw(request.as_bytes()).unwrap()
}

#[test]
fn an_object_signed_by_somebody_else_s_code_logs_in_with_every_method() {
    let peer = Peer::with(true);
    for method in ["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA384", "HMAC-SHA512"] {
        let answer = peer.post(&peer.object(&json!({ "signature_method": method })));
        assert_eq!(answer.status, 204, "{method}: {answer:?}");
        let mut alice = peer.server.stranger();
        alice.take_cookies(&answer);
        let who = alice.get("/api/login").json();
        assert_eq!(
            (&who["user"], &who["way"]),
            (&json!("alice@ops.example"), &json!("api"))
        );
    }
    let number = peer.object(&json!({ "timestamp": milliseconds() }));
    assert_eq!(peer.post(&number).status, 204, "Gate One takes a number");
}

#[test]
fn version_1_1_signs_everything_in_any_language() {
    let peer = Peer::start();
    let more = json!({
        "api_version": "1.1", "groups": ["ops", "Bücher \"/\\\n\u{1}"], "ä": "é\u{1f600}", "level": 7,
        "on": true, "Z": "\u{7f}",
    });
    let answer = peer.post(&peer.object(&more));
    assert_eq!(answer.status, 204, "{answer:?}");
    for afterwards in [
        json!({ "groups": ["admins"] }),
        json!({ "admin": true }),
        json!({ "api_version": "1.0" }),
    ] {
        assert_eq!(
            peer.post(&peer.signed(&more, &afterwards)).status,
            401,
            "{afterwards}"
        );
    }
    let fraction = json!({ "api_version": "1.1", "x": 1.5 });
    assert_eq!(peer.post(&peer.object(&fraction)).status, 401);
}

#[test]
fn hmac_replay_same_conn_and_new_conn_are_refused() {
    let peer = Peer::start();
    let object = peer.object(&json!({}));
    assert_eq!(peer.post(&object).status, 204);
    for _ in 0..3 {
        assert_eq!(peer.post(&object).status, 401, "hmac_replay_new_conn");
    }
    // The same members in another order and with blanks: the same object.
    let members: Value = serde_json::from_str(&object).unwrap();
    assert_eq!(peer.post(&format!(" {members:#}")).status, 401);
    let racing = peer.object(&json!({ "upn": "bob" }));
    let winners = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| peer.post(&racing).status))
            .collect();
        let statuses = racers.into_iter().map(|racer| racer.join().unwrap());
        statuses.filter(|status| *status == 204).count()
    });
    assert_eq!(winners, 1);
}

#[test]
fn hmac_replay_after_restart_is_refused_even_after_kill_9() {
    let place = Place::new();
    let serve = || {
        let set = [
            "--auth",
            "api",
            "--set",
            "auth.throttle.failure_milliseconds=10",
        ];
        ServerProcess::start(&place, &set)
    };
    let first = serve();
    let (key, secret) = new_key(&place);
    let object = sign(&key, &secret, &json!({}), &json!({}));
    assert_eq!(post(&Browser::new(first.address), &object).status, 204);
    first.kill();
    let second = serve();
    let answer = post(&Browser::new(second.address), &object);
    assert_eq!(answer.status, 401, "{answer:?}");
    let fresh = sign(&key, &secret, &json!({ "upn": "bob" }), &json!({}));
    assert_eq!(post(&Browser::new(second.address), &fresh).status, 204);
}

#[test]
fn what_is_wrong_is_refused_in_one_sentence_and_explained_by_the_command() {
    let peer = Peer::start();
    let now = milliseconds();
    let other = new_key_elsewhere(&peer);
    let cases = [
        (
            "hmac_future",
            // Far from the edges, which unit tests hold: a busy machine may take a minute to get here.
            peer.object(&json!({ "timestamp": (now + 600_000).to_string() })),
            "ahead",
        ),
        (
            "hmac_expired",
            peer.object(&json!({ "timestamp": (now - 3_630_000).to_string() })),
            "has expired 36",
        ),
        (
            "hmac_12_digits",
            peer.object(&json!({ "timestamp": "179999999999" })),
            "13 digits",
        ),
        (
            "hmac_14_digits",
            peer.object(&json!({ "timestamp": format!("{now}0") })),
            "13 digits",
        ),
        (
            "hmac_downgrade",
            peer.object(&json!({ "signature_method": "HMAC-SHA1" })),
            "auth.api.sha1",
        ),
        (
            "hmac_alg_none",
            peer.signed(&json!({}), &json!({ "signature_method": "none" })),
            "signature_method",
        ),
        (
            "hmac_upn_traversal",
            peer.object(&json!({ "upn": "../../root" })),
            "upn",
        ),
        (
            "hmac_other_upn",
            peer.signed(&json!({}), &json!({ "upn": "root" })),
            "signature is wrong",
        ),
        (
            "hmac_boundary_shift",
            peer.signed(
                &json!({}),
                &json!({ "api_key": format!("{}a", peer.key), "upn": "lice@ops.example" }),
            ),
            "not known",
        ),
        (
            "hmac_unknown_key",
            sign("k", "s", &json!({}), &json!({})),
            "not known",
        ),
        (
            "hmac_other_keys_secret",
            sign(&peer.key, &other, &json!({}), &json!({})),
            "signature is wrong",
        ),
        (
            "hmac_upper_hex",
            peer.signed(&json!({}), &json!({ "signature": "A".repeat(64) })),
            "lower-case",
        ),
        ("hmac_empty", "{}".to_owned(), "missing"),
        (
            "hmac_no_json",
            "'; DROP TABLE".to_owned(),
            "not an auth object",
        ),
        (
            "hmac_huge",
            format!("{{\"x\":\"{}\"}}", "a".repeat(17_000)),
            "limit",
        ),
    ];
    let mut bodies = Vec::new();
    for (case, object, wanted) in &cases {
        let checked = peer.check(object);
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert_eq!(checked.status.code(), Some(2), "{case}: {said}");
        assert!(said.contains(wanted), "{case}: {said}");
        assert!(!said.contains(&peer.secret), "{case}");
        let answer = peer.post(object);
        assert_eq!(answer.status, 401, "{case}: {answer:?}");
        bodies.push(answer.body);
    }
    assert!(
        bodies.iter().all(|body| *body == bodies[0]),
        "the same words whatever is wrong"
    );
}

#[test]
fn checking_an_object_uses_nothing_up_and_never_says_what_would_be_right() {
    let peer = Peer::start();
    let good = peer.object(&json!({}));
    let expected: Value = serde_json::from_str(&good).unwrap();
    let spoilt = peer.signed(&json!({}), &json!({ "signature": "0".repeat(64) }));
    let said = peer.check(&spoilt);
    let said = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    assert!(!said.contains(expected["signature"].as_str().unwrap()));
    for _ in 0..2 {
        assert_eq!(
            peer.check(&good).status.code(),
            Some(0),
            "checking uses nothing up"
        );
    }
    assert_eq!(peer.post(&good).status, 204);
    assert_eq!(peer.check(&good).status.code(), Some(2));
}

fn new_key_elsewhere(peer: &Peer) -> String {
    let file = peer.server.place.temp.path().join("other");
    let name = file.to_str().unwrap();
    peer.server
        .place
        .ok(&["api-key", "new", "--name", "other", "--secret-file", name]);
    std::fs::read_to_string(file).unwrap().trim().to_owned()
}

#[test]
fn a_revoked_key_signs_nothing_and_secrets_are_printed_nowhere() {
    let peer = Peer::start();
    let list = peer.server.place.ok(&["api-key", "list"]);
    assert!(
        list.contains(&peer.key) && list.contains("the shop"),
        "{list}"
    );
    assert!(!list.contains(&peer.secret));
    let json = peer.server.place.ok(&["api-key", "list", "--json"]);
    assert!(!json.contains(&peer.secret) && json.contains(&peer.key));
    let object = peer.object(&json!({}));
    peer.server.place.ok(&["api-key", "revoke", &peer.key]);
    assert_eq!(peer.post(&object).status, 401);
    let again = peer.server.place.run(&["api-key", "revoke", &peer.key]);
    assert_eq!(again.status.code(), Some(3));
    let taken = peer.server.place.temp.path().join("secret");
    let args = [
        "api-key",
        "new",
        "--name",
        "x",
        "--secret-file",
        taken.to_str().unwrap(),
    ];
    assert_eq!(
        peer.server.place.run(&args).status.code(),
        Some(1),
        "never over a file"
    );
}

#[test]
fn hmac_extra_attr_policy_unsigned_attributes_give_no_rights() {
    let place = Place::new();
    let folder = place.temp.path().join("etc");
    std::fs::create_dir_all(&folder).unwrap();
    let config = folder.join("gatepost.toml");
    std::fs::write(
        &config,
        "[\"*\".server]\nauth = [\"api\"]\n[\"user.groups=ops\".allow]\nuse = true\nopen = true\n",
    )
    .unwrap();
    let server = ServerProcess::start(&place, &["--config-dir", folder.to_str().unwrap()]);
    let (key, secret) = new_key(&place);
    let log_in = |change: &Value| {
        let mut browser = Browser::new(server.address);
        let answer = post(&browser, &sign(&key, &secret, change, &json!({})));
        assert_eq!(answer.status, 204, "{answer:?}");
        browser.take_cookies(&answer);
        browser.get("/api/terminals").status
    };
    assert_eq!(
        log_in(&json!({ "groups": ["ops"] })),
        403,
        "1.0: not signed"
    );
    assert_eq!(
        log_in(&json!({ "groups": ["ops"], "api_version": "1.1" })),
        200,
        "1.1: signed"
    );
    assert_eq!(
        log_in(&json!({ "groups": ["other"], "api_version": "1.1" })),
        403
    );
}
