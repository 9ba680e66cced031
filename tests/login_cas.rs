//! Logging in with CAS: a real server, and one that lies.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "login_oidc/hostile.rs"]
mod hostile;

#[path = "support/mod.rs"]
mod support;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use gatepost::base::Way;
use gatepost::policy::settings::cas::CasServer;
use hostile::Hostile;
use serde_json::{Value, json};
use support::server::TestServer;
use support::web::{Answer, Browser};

fn server(settings: &Value) -> TestServer {
    let cas: CasServer = serde_json::from_value(settings.clone()).unwrap();
    TestServer::with(|settings| {
        settings.ways.open = vec![Way::Cas];
        settings.sso.cas = cas;
    })
}

/// A browser that was sent to the server, and the state it was sent with.
fn begin(server: &TestServer) -> (Browser, String) {
    let mut browser = server.stranger();
    let answer = browser.get("/login/cas");
    assert_eq!(answer.status, 303, "{answer:?}");
    let name = format!("gatepost_sso_{}", server.address.port());
    browser.cookie = answer
        .cookie(&name)
        .map(|secret| format!("{name}={secret}"));
    let location = answer.header("location").unwrap();
    let service = location.split_once("service=").unwrap().1;
    let own = format!(
        "http%3A%2F%2F127.0.0.1%3A{}%2Flogin%2Fcas%2F",
        server.address.port()
    );
    let state = service
        .strip_prefix(&own)
        .unwrap_or_else(|| panic!("{location}"));
    (browser, state.to_owned())
}

fn back(browser: &Browser, state: &str, ticket: &str) -> Answer {
    browser.get(&format!("/login/cas/{state}?ticket={ticket}"))
}

fn success(inside: &str) -> String {
    format!(
        "<cas:serviceResponse xmlns:cas='http://www.yale.edu/tp/cas'><cas:authenticationSuccess>{inside}</cas:authenticationSuccess></cas:serviceResponse>"
    )
}

const ALICE: &str = "<cas:user>alice</cas:user><cas:attributes><cas:groups>ops</cas:groups><cas:email>a@b.example</cas:email></cas:attributes>";

const VALIDATE: &str = "/cas/p3/serviceValidate";

/// A lying server and ours.
fn pair() -> (Hostile, TestServer) {
    let provider = Hostile::start();
    let url = format!("{}/cas", provider.issuer);
    let server = server(&json!({ "url": url }));
    (provider, server)
}

fn refused_with(body: &str) {
    let (provider, server) = pair();
    provider.set(VALIDATE, 200, "", body);
    let (browser, state) = begin(&server);
    let answer = back(&browser, &state, "ST-1");
    assert_eq!(answer.status, 403, "{body}: {answer:?}");
    assert_eq!(server.logged_in(&answer), None, "{body}");
}

#[test]
fn a_good_ticket_logs_in_and_leads_to_the_page() {
    let (provider, server) = pair();
    provider.set(VALIDATE, 200, "", &success(ALICE));
    let (browser, state) = begin(&server);
    let answer = back(&browser, &state, "ST-1");
    assert_eq!(answer.status, 303, "{answer:?}");
    let base = format!("http://{}/", server.address);
    assert_eq!(answer.header("location"), Some(base.as_str()));
    assert_eq!(server.logged_in(&answer).unwrap()["user"], "alice@cas");
}

#[test]
fn cas_ticket_of_another_browser_or_without_state_is_refused_unasked() {
    let (provider, server) = pair();
    provider.set(VALIDATE, 200, "", &success(ALICE));
    let ((_, state), (other, _)) = (begin(&server), begin(&server));
    for answer in [
        back(&other, &state, "ST-1"),
        back(&server.stranger(), &state, "ST-1"),
        other.get("/login/cas/x?ticket=ST-1"),
    ] {
        assert_eq!(answer.status, 400, "login_csrf: {answer:?}");
        assert_eq!(server.logged_in(&answer), None);
    }
    assert!(provider.asked(VALIDATE).is_empty());
}

#[test]
fn cas_ticket_replay_is_refused_by_us_too() {
    let (provider, server) = pair();
    provider.set(VALIDATE, 200, "", &success(ALICE));
    let (browser, state) = begin(&server);
    assert!(server.logged_in(&back(&browser, &state, "ST-1")).is_some());
    let again = back(&browser, &state, "ST-1");
    assert_eq!((again.status, server.logged_in(&again)), (400, None));
    assert_eq!(provider.asked(VALIDATE).len(), 1);
}

#[test]
fn cas_xml_entity_two_success_and_wrong_ns_are_refused() {
    for body in [
        format!("<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>{}", success("<cas:user>&e;</cas:user>")),
        success(ALICE).replace("</cas:serviceResponse>", "<cas:authenticationSuccess><cas:user>root</cas:user></cas:authenticationSuccess></cas:serviceResponse>"),
        success(ALICE).replace("tp/cas", "tp/sac"),
        success("<cas:user>root<!-- -->@x</cas:user>"),
        success("<cas:user>../../root</cas:user>"),
        "yes\nalice\n".to_owned(),
        String::new(),
    ] {
        refused_with(&body);
    }
}

#[test]
fn cas_proxy_ticket_is_refused_by_its_form_and_by_the_answer() {
    refused_with(&success(
        "<cas:user>alice</cas:user><cas:proxies><cas:proxy>https://p.example/</cas:proxy></cas:proxies>",
    ));
    let (provider, server) = pair();
    provider.set(VALIDATE, 200, "", &success(ALICE));
    for ticket in ["PT-1", "PGT-1", "ST-%26renew%3D", "ST-", "ST-%0d%0a"] {
        let (browser, state) = begin(&server);
        let answer = back(&browser, &state, ticket);
        assert_eq!(
            (answer.status, server.logged_in(&answer)),
            (403, None),
            "{ticket}"
        );
    }
    assert!(provider.asked(VALIDATE).is_empty());
}

/// django-mama-cas, in a process of its own.
struct Peer {
    port: u16,
    child: Child,
}

impl Peer {
    fn start() -> Self {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache
            .unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
        let python = cache.join("gatepost/python/cas/bin/python");
        let mut child = Command::new(&python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/cas/server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{}: {error}; ./dev test makes it from tests/peers/cas/requirements.txt",
                    python.display()
                )
            });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.trim().parse().unwrap();
        Self { port, child }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// curl with a cookie jar.
fn curl(jar: &Path, arguments: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["-sS", "--max-time", "30", "-b"])
        .arg(jar)
        .arg("-c")
        .arg(jar)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn hidden(page: &str, name: &str) -> String {
    let input = page
        .split("<input")
        .find(|input| input.contains(&format!("name=\"{name}\"")));
    let value = input.and_then(|input| input.split_once("value=\""));
    let (_, rest) = value.unwrap_or_else(|| panic!("no {name}: {page}"));
    format!("{name}={}", rest.split('"').next().unwrap())
}

#[test]
fn a_real_server_logs_alice_in_by_every_protocol_and_gives_a_ticket_to_its_service_only() {
    let peer = Peer::start();
    for protocol in ["1", "2", "3"] {
        let url = format!("http://127.0.0.1:{}", peer.port);
        let server = server(&json!({ "url": url, "protocol": protocol }));
        let folder = tempfile::tempdir().unwrap();
        let jar = folder.path().join("jar");
        let start = format!("http://{}/login/cas", server.address);
        let page = curl(&jar, &["-L", &start]);
        let location = curl(&jar, &["-o", "/dev/null", "-w", "%{redirect_url}", &start]);
        let login = |more: &[&str]| {
            let (csrf, again) = (
                hidden(&page, "csrfmiddlewaretoken"),
                format!("Referer: {location}"),
            );
            let mut arguments = vec![
                "-d",
                "username=alice",
                "-d",
                "password=wonderland",
                "-d",
                &csrf,
                "-H",
                &again,
            ];
            arguments.extend(more);
            curl(&jar, &arguments)
        };
        // The ticket, without using it.
        let ticketed = login(&["-o", "/dev/null", "-w", "%{redirect_url}", &location]);
        assert!(ticketed.contains("ticket=ST-"), "{ticketed}");
        let ticket = ticketed.split_once("ticket=").unwrap().1.to_owned();
        // cas_other_service: shown by a browser that was sent away for itself.
        let (other, state) = begin(&server);
        let stolen = back(&other, &state, &ticket);
        assert_eq!(
            (stolen.status, server.logged_in(&stolen)),
            (403, None),
            "{protocol}"
        );
        // And for whom it is; asking for another service has used the first ticket up.
        let fresh = curl(
            &jar,
            &["-o", "/dev/null", "-w", "%{redirect_url}", &location],
        );
        curl(&jar, &["-o", "/dev/null", &fresh]);
        let who = curl(&jar, &[&format!("http://{}/api/login", server.address)]);
        let who: Value = serde_json::from_str(&who).unwrap();
        assert_eq!(who["user"], "alice@cas", "{protocol}");
        // cas_ticket_replay at the real server, with a state that is good.
        let replayed = fresh.split_once("ticket=").unwrap().1;
        let (third, state) = begin(&server);
        let answer = back(&third, &state, replayed);
        assert_eq!((answer.status, server.logged_in(&answer)), (403, None));
        if protocol == "3" {
            let file = server.place.folders.state.join("logins.json");
            let table: Value =
                serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
            let user = &table["logins"][0]["principal"]["user"]["user"];
            assert_eq!(
                user["attributes"]["groups"],
                json!(["ops", "staff"]),
                "{user}"
            );
        }
    }
}
