//! Somebody without a password of this machine, over HTTP: the account and the one command root's file of
//! identities names for them, exactly that, and nothing for anybody else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[allow(dead_code, reason = "the tests of OpenID Connect need more of it")]
#[path = "login_oidc/away.rs"]
mod away;
#[path = "login_oidc/hostile.rs"]
mod hostile;
#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use away::Away;
use gatepost::auth::sign;
use gatepost::base::Way;
use gatepost::config::{Syntax, parse};
use gatepost::policy::Rules;
use gatepost::policy::settings::server::ClientCertificates;
use gatepost::role::serve::Settings;
use hostile::{Hostile, Key};
use serde_json::{Value, json};
use support::keeper::until;
use support::login::{Account, LoginPlace, UNIX, is_root};
use support::server::TestServer;
use support::tls::{Authority, self_signed};
use support::web::{Answer, Browser};

/// Whoever logs in may open what there is, with variables that must not reach an identity's command.
const RULES: &str = r#"
["*".allow]
use = true
open = true
any_command = true
["*".terminal.environment]
BASH_ENV = "/leaked"
["*".terminal.commands.other]
command = ["/bin/sh", "-c", "echo other"]
"#;

/// Prints who runs it, its words and its environment, and stays.
const COMMAND: &str = "/bin/sh -c id;echo\"<$0|$1>\";env;exec${IFS}cat one two";

/// Somebody who was let in by `way`, in a listed account.
struct Machine {
    place: LoginPlace,
    account: Account,
    server: TestServer,
}

impl Machine {
    fn new(lines: &[&str], change: impl FnOnce(&mut Settings)) -> Option<Self> {
        if !is_root() {
            return None;
        }
        let place = LoginPlace::new(UNIX);
        // A service account nobody can log in to.
        let account = Account::with(&["-m", "-s", "/usr/sbin/nologin"]);
        assert!(account.uid >= 1000);
        let lines = lines
            .iter()
            .map(|line| format!("{line} {} {COMMAND}\n", account.name));
        fs::write(place.path("identities"), lines.collect::<String>()).unwrap();
        let layer = parse(Syntax::Toml, RULES, Path::new("x.toml")).unwrap();
        let rules = Arc::new(Rules::compile(&[layer]).unwrap());
        let server = place.server(|settings| {
            settings.rules = tokio::sync::watch::channel(rules).1;
            change(settings);
        });
        Some(Self {
            place,
            account,
            server,
        })
    }

    /// What the one terminal shows is what the listed account's one command writes.
    fn is_exactly_that(&self, shown: &str, owner: &str) {
        let (name, uid) = (&self.account.name, self.account.uid);
        assert!(shown.contains(&format!("uid={uid}({name})")), "{shown}");
        assert!(shown.contains("<one|two>"), "{shown}");
        let home = format!("HOME={}", self.account.home.display());
        assert!(shown.contains(&home), "{shown}");
        assert!(!shown.contains("leaked"), "{shown}");
        let list = self.server.browser().terminals();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0]["owner"], owner);
    }
}

fn object(key: &str, secret: &str, upn: &str) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = u64::try_from(now.as_millis()).unwrap();
    let object = sign(key, secret, &upn.parse().unwrap(), now).unwrap();
    serde_json::from_str(&object).unwrap()
}

#[test]
fn an_api_identity_gets_its_listed_account_and_command_and_nothing_else() {
    let open = |settings: &mut Settings| settings.ways.open = vec![Way::Api];
    let Some(machine) = Machine::new(&["api *@ops.example"], open) else {
        return;
    };
    let (server, file) = (&machine.server, machine.place.path("key"));
    let file = file.to_str().unwrap();
    server
        .place
        .ok(&["api-key", "new", "--name", "x", "--key-file", file]);
    let text = fs::read_to_string(file).unwrap();
    let (key, secret) = text.trim().split_once('\n').unwrap();
    let log_in = |upn: &str| -> (Browser, Answer) {
        let mut browser = server.stranger();
        let answer = browser.post("/api/login/api", &object(key, secret, upn));
        browser.take_cookies(&answer);
        (browser, answer)
    };
    let (alice, answer) = log_in("alice@ops.example");
    assert_eq!(answer.status, 204, "{answer:?}");
    // Whatever the configuration offers or allows, it is not for who has one command.
    for wish in [
        json!({ "command": ["/bin/sh"] }),
        json!({ "command": ["/bin/sh", "-c", "id"] }),
        json!({ "program": "other" }),
    ] {
        let refused = alice.post("/api/terminals", &wish);
        assert!(refused.status >= 400, "{wish}: {refused:?}");
        let words = refused.json().to_string();
        assert!(words.contains("only the one command"), "{words}");
    }
    assert!(alice.terminals().is_empty());
    let terminal = alice.open(&json!({}));
    let mut viewer = alice.view(&terminal);
    viewer.wait_text("SHELL=");
    viewer.type_in("typed\r");
    viewer.wait_text("typed\r\ntyped");
    let text = alice.get(&format!("/api/terminals/{terminal}/text")).body;
    let shown = String::from_utf8(text).unwrap();
    machine.is_exactly_that(&shown, "api:alice@ops.example");

    // Who isn't listed is logged in, and has no terminal.
    let (eve, answer) = log_in("alice@ops.example.evil");
    assert_eq!(answer.status, 204);
    let refused = eve.post("/api/terminals", &json!({}));
    assert_eq!(refused.status, 403);
    assert!(refused.json().to_string().contains("no account"));
    assert!(eve.terminals().is_empty());
    assert_eq!(eve.view(&terminal).close_code(), Some(4403));
    // The account's own name, vouched for by somebody else, is not the account.
    let (namesake, _) = log_in(&machine.account.name);
    assert_eq!(namesake.post("/api/terminals", &json!({})).status, 403);
    drop(viewer);
    let closed = alice.send("DELETE", &format!("/api/terminals/{terminal}"), &json!({}));
    assert_eq!(closed.status, 204);
}

#[test]
fn an_oidc_identity_gets_its_listed_account_and_command() {
    let (provider, key) = (Hostile::start(), Key::new("k1", 1));
    provider.keys(&[&key]);
    let Some(machine) = Machine::new(&["oidc alice@x"], |settings| {
        let providers = json!({ "x": { "issuer": provider.issuer, "client_id": "us" } });
        settings.sso.oidc = serde_json::from_value(providers).unwrap();
        settings.ways.open = vec![Way::Oidc];
    }) else {
        return;
    };
    let log_in = |subject: &str| {
        let mut away = Away::begin(&machine.server, "x");
        let mut claims = away.claims(&provider);
        claims["sub"] = json!(subject);
        provider.token(&key.sign(&claims));
        let answer = away.back();
        assert_eq!(answer.status, 303, "{answer:?}");
        away.browser.take_cookies(&answer);
        away.browser
    };
    let (alice, eve) = (log_in("alice"), log_in("eve"));
    assert_eq!(eve.post("/api/terminals", &json!({})).status, 403);
    let terminal = alice.open(&json!({}));
    let mut viewer = alice.view(&terminal);
    viewer.wait_text("SHELL=");
    let path = format!("/api/terminals/{terminal}");
    let mut shown = String::new();
    until("its environment is shown", || {
        shown = String::from_utf8(alice.get(&format!("{path}/text")).body).unwrap();
        shown.contains("SHELL=") && shown.contains("HOME=")
    });
    machine.is_exactly_that(&shown, "oidc:alice@x");
    assert_eq!(alice.send("DELETE", &path, &json!({})).status, 204);
}

/// curl, which shows a certificate.
struct Curl<'a> {
    server: SocketAddr,
    ca: &'a Authority,
    jar: PathBuf,
}

impl Curl<'_> {
    fn send(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let origin = format!("https://{}", self.server);
        let output = Command::new("curl")
            .args(["-sk", "--max-time", "20", "-w", "\n%{http_code}"])
            .args(["-X", method, "-H", &format!("Origin: {origin}")])
            .args(["-H", "Content-Type: application/json", "-d", body])
            .args(["-b".as_ref(), self.jar.as_os_str()])
            .args(["-c".as_ref(), self.jar.as_os_str()])
            .args(["--cert".as_ref(), self.ca.path("alice.pem").as_os_str()])
            .args(["--key".as_ref(), self.ca.path("alice.key").as_os_str()])
            .arg(format!("{origin}{path}"))
            .output()
            .unwrap_or_else(|error| panic!("curl: {error}; ./dev test installs it"));
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }
}

#[test]
fn a_certificate_identity_gets_its_listed_account_and_command() {
    let temp = tempfile::tempdir().unwrap();
    let ca = Authority::root(&temp.path().join("ca"));
    let extensions = "extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\nbasicConstraints=CA:false\nsubjectAltName=email:alice@ops.example";
    ca.sign("alice", extensions, None);
    let authority = ca.path("ca.pem");
    let Some(machine) = Machine::new(&["certificate alice@ops.example"], |settings| {
        self_signed(settings);
        settings.server.tls.client_certificates = ClientCertificates::Optional;
        settings.server.tls.client_ca = Some(authority);
        settings.ways.open = vec![Way::Certificate];
    }) else {
        return;
    };
    let alice = Curl {
        server: machine.server.address,
        ca: &ca,
        jar: temp.path().join("jar"),
    };
    assert_eq!(alice.send("POST", "/login/certificate", "{}").0, 204);
    let (status, body) = alice.send("POST", "/api/terminals", "{}");
    assert_eq!(status, 201, "{body}");
    let opened: Value = serde_json::from_str(&body).unwrap();
    let path = format!("/api/terminals/{}", opened["terminal"].as_str().unwrap());
    let mut shown = String::new();
    until("its environment is shown", || {
        shown = alice.send("GET", &format!("{path}/text"), "").1;
        shown.contains("SHELL=") && shown.contains("HOME=")
    });
    let (_, body) = alice.send("GET", "/api/terminals", "");
    let list: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        list["terminals"][0]["owner"],
        "certificate:alice@ops.example"
    );
    assert!(
        shown.contains(&format!("({})", machine.account.name)),
        "{shown}"
    );
    assert!(
        shown.contains("<one|two>") && !shown.contains("leaked"),
        "{shown}"
    );
    assert_eq!(alice.send("DELETE", &path, "").0, 204);
}
