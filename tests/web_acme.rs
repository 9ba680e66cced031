//! Certificates from an authority (ACME): asked of a real one, renewed while connections go on, and
//! what happens when there is none to be had.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "web_acme/pebble.rs"]
mod pebble;
#[path = "support/mod.rs"]
mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use gatepost::policy::settings::server::{ClientCertificates, TlsMode};
use gatepost::role::serve::Settings;
use pebble::{Pebble, of_directory};
use serde_json::Value;
use support::keeper::until;
use support::server::{TestServer, free_port};
use support::tls::{Authority, Tunnel, program, said};

const NAME: &str = "term.gatepost.example";

/// Certificates from the authority at this port, whose own is vouched for by this file.
fn acme(settings: &mut Settings, port: u16, ca_file: &Path) {
    let server = &mut settings.server;
    server.local_listen = "127.0.0.1:0".parse().unwrap();
    server.tls.mode = TlsMode::Acme;
    server.tls.acme.directory = format!("https://localhost:{port}/dir");
    server.tls.acme.accept_terms = true;
    server.tls.acme.names = vec![
        NAME.parse().unwrap(),
        format!("www.{NAME}").parse().unwrap(),
    ];
    server.tls.acme.contact = vec!["admin@gatepost.example".to_owned()];
    server.tls.acme.ca_file = Some(ca_file.to_owned());
    settings.web.certificates = Duration::from_millis(50);
    settings.web.authority = Duration::from_millis(50);
}

/// The same for `gatepost cert`, which reads files.
fn configure(server: &TestServer, port: u16) {
    server.place.configure(
        "gatepost.toml",
        &format!(
            "[\"*\".server.tls]\nmode = \"acme\"\n[\"*\".server.tls.acme]\ndirectory = \"https://localhost:{port}/dir\"\n\
             accept_terms = true\nnames = [\"{NAME}\", \"www.{NAME}\"]\n"
        ),
    );
}

fn shown(server: &TestServer) -> Value {
    serde_json::from_str(&server.place.ok(&["cert", "show", "--json"])).unwrap()
}

fn fault(server: &TestServer) -> String {
    let mut fault = String::new();
    until("an attempt fails", || {
        fault = shown(server)["acme"]["fault"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        !fault.is_empty()
    });
    fault
}

/// The certificate a browser is shown, in openssl's words.
fn seen(server: &TestServer) -> String {
    let address = server.address.to_string();
    let output = program("openssl", &["s_client", "-connect", &address], "Q\n");
    let text = said(&output);
    let begin = text
        .find("-----BEGIN CERTIFICATE")
        .unwrap_or_else(|| panic!("{text}"));
    let wanted = [
        "x509",
        "-noout",
        "-issuer",
        "-fingerprint",
        "-sha256",
        "-ext",
        "subjectAltName",
    ];
    said(&program("openssl", &wanted, &text[begin..]))
}

/// Asks with a client that believes this authority only.
fn trusted(server: &TestServer, root: &Path) -> bool {
    let port = server.address.port();
    let resolve = format!("{NAME}:{port}:127.0.0.1");
    let url = format!("https://{NAME}:{port}/");
    let root = root.to_str().unwrap();
    let output = program(
        "curl",
        &["-sSf", "--cacert", root, "--resolve", &resolve, &url],
        "",
    );
    output.status.success()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_certificate_comes_from_a_real_authority_and_a_renewed_one_drops_no_connection() {
    let temp = tempfile::tempdir().unwrap();
    let ca = of_directory(&temp.path().join("ca"));
    let port = free_port();
    let server = TestServer::with(|settings| acme(settings, port, &ca.path("ca.pem")));
    configure(&server, port);
    // Nobody is there yet: ours is shown, and it is said why.
    assert!(
        fault(&server).contains("Connection refused"),
        "{}",
        fault(&server)
    );
    assert!(seen(&server).contains("Gatepost (self-signed)"));
    let text = server.place.ok(&["cert", "show"]);
    assert!(text.contains("signed by  itself"), "{text}");
    assert!(
        text.contains(&format!("authority  https://localhost:{port}/dir")),
        "{text}"
    );
    let tunnel = Tunnel::to(server.address);
    let mut browser = tunnel.browser();
    let login = browser.post(
        "/api/login",
        &serde_json::json!({ "token": server.token() }),
    );
    browser.take_cookies(&login);
    let id = browser.open(&serde_json::json!({ "command": ["cat"] }));
    let mut viewer = browser.view(&id);

    let authority = Pebble::start(&ca, port, server.address.port(), "0");
    until("the authority's certificate is shown", || {
        seen(&server).contains("Pebble")
    });
    let first = seen(&server);
    for name in [NAME, &format!("www.{NAME}")] {
        assert!(first.contains(&format!("DNS:{name}")), "{first}");
    }
    assert!(trusted(&server, &authority.root(&ca)));
    viewer.type_in("before\n");
    viewer.wait_text("before\r\nbefore");
    let folder = server.place.folders.acme();
    assert_eq!(mode(&folder), 0o700);
    for file in ["certificate.pem", "account.json", "status.json"] {
        assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
    }
    let account = std::fs::read(folder.join("account.json")).unwrap();
    until("it is noted", || shown(&server)["acme"]["fault"].is_null());
    let told = shown(&server);
    assert!(
        first.contains(told["fingerprint"].as_str().unwrap()),
        "{told}"
    );
    let life = told["not_after"].as_i64().unwrap() - told["not_before"].as_i64().unwrap();
    let next = told["acme"]["next"].as_i64().unwrap() - told["not_before"].as_i64().unwrap();
    assert!(
        (life * 63 / 100..=life * 67 / 100).contains(&next),
        "{told}"
    );

    // Again, by hand, with the same account.
    server.place.ok(&["cert", "renew"]);
    until("a second certificate is shown", || seen(&server) != first);
    assert!(trusted(&server, &authority.root(&ca)));
    assert_eq!(std::fs::read(folder.join("account.json")).unwrap(), account);
    viewer.type_in("after\n");
    viewer.wait_text("after\r\nafter");

    // An authority that has forgotten us, and proves names once only.
    drop(authority);
    let authority = Pebble::start(&ca, port, server.address.port(), "100");
    let before = seen(&server);
    server.place.ok(&["cert", "renew"]);
    until("a third certificate is shown", || seen(&server) != before);
    assert!(trusted(&server, &authority.root(&ca)));
    let made = std::fs::read(folder.join("account.json")).unwrap();
    assert_ne!(made, account);
    let before = seen(&server);
    server.place.ok(&["cert", "renew"]);
    until("a fourth certificate is shown", || seen(&server) != before);
    assert_eq!(std::fs::read(folder.join("account.json")).unwrap(), made);
    viewer.type_in("still\n");
    viewer.wait_text("still\r\nstill");
}

#[test]
fn one_that_is_two_thirds_over_is_shown_until_there_is_another_also_where_browsers_need_theirs() {
    let temp = tempfile::tempdir().unwrap();
    let ca = of_directory(&temp.path().join("ca"));
    let old = Authority::root(&temp.path().join("old"));
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let date = |days: i64| {
        let at = now.as_secs().cast_signed() + days * 86_400;
        let text = program(
            "date",
            &["-u", "-d", &format!("@{at}"), "+%Y%m%d%H%M%SZ"],
            "",
        );
        said(&text).trim().to_owned()
    };
    let names = format!("subjectAltName=DNS:{NAME},DNS:www.{NAME}");
    old.sign("old", &names, Some((&date(-80), &date(10))));
    let port = free_port();
    let server = TestServer::with(|settings| {
        acme(settings, port, &ca.path("ca.pem"));
        settings.server.tls.client_certificates = ClientCertificates::Required;
        settings.server.tls.client_ca = Some(old.path("ca.pem"));
        let folder = settings.folders.acme();
        std::fs::create_dir_all(&folder).unwrap();
        let both =
            [old.path("old.pem"), old.path("old.key")].map(|path| std::fs::read(path).unwrap());
        std::fs::write(folder.join("certificate.pem"), both.concat()).unwrap();
    });
    configure(&server, port);
    assert!(
        seen(&server).contains("Test authority"),
        "{}",
        seen(&server)
    );
    assert!(fault(&server).contains("Connection refused"));
    let authority = Pebble::start(&ca, port, server.address.port(), "0");
    until("a new one is shown", || seen(&server).contains("Pebble"));
    // Without a certificate of its own only an authority that looks gets through.
    assert!(!trusted(&server, &authority.root(&ca)));
}

#[test]
fn a_name_that_leads_elsewhere_is_refused_and_everything_goes_on() {
    let temp = tempfile::tempdir().unwrap();
    let ca = of_directory(&temp.path().join("ca"));
    let port = free_port();
    let _authority = Pebble::start(&ca, port, free_port(), "0");
    let server = TestServer::with(|settings| acme(settings, port, &ca.path("ca.pem")));
    configure(&server, port);
    let fault = fault(&server);
    assert!(fault.starts_with("the authority says no: "), "{fault}");
    assert!(
        fault.contains(NAME) && fault.contains("port 443"),
        "{fault}"
    );
    assert!(seen(&server).contains("Gatepost (self-signed)"));
    assert!(!server.place.folders.acme().join("certificate.pem").exists());
    let text = server.place.ok(&["cert", "show"]);
    assert!(text.contains("the authority says no"), "{text}");
}

#[test]
fn a_directory_that_nobody_vouches_for_is_told_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let ca = of_directory(&temp.path().join("ca"));
    let other = Authority::root(&temp.path().join("other"));
    let port = free_port();
    let authority = Pebble::start(&ca, port, free_port(), "0");
    let server = TestServer::with(|settings| acme(settings, port, &other.path("ca.pem")));
    configure(&server, port);
    let fault = fault(&server);
    assert!(
        fault.contains("invalid peer certificate") && fault.contains("ca_file"),
        "{fault}"
    );
    assert!(seen(&server).contains("Gatepost (self-signed)"));
    assert!(!authority.log().contains("new-acct"), "{}", authority.log());
}

#[test]
fn what_is_no_directory_is_said_to_be_none() {
    let temp = tempfile::tempdir().unwrap();
    let ca = of_directory(&temp.path().join("ca"));
    let port = free_port();
    let server = TestServer::with(|settings| {
        acme(settings, port, &ca.path("ca.pem"));
        settings.server.tls.acme.directory.push_str("ectory");
    });
    let _authority = Pebble::start(&ca, port, server.address.port(), "0");
    configure(&server, port);
    until("the directory isn't one", || {
        fault(&server).contains("is tls.acme.directory the URL")
    });
    assert!(seen(&server).contains("Gatepost (self-signed)"));
}

#[test]
fn nobody_is_shown_a_proof_when_none_is_due() {
    let temp = tempfile::tempdir().unwrap();
    let server =
        TestServer::with(|settings| acme(settings, free_port(), &temp.path().join("none")));
    configure(&server, 1);
    assert!(!fault(&server).is_empty());
    let address = server.address.to_string();
    let arguments = [
        "s_client",
        "-connect",
        &address,
        "-servername",
        NAME,
        "-alpn",
        "acme-tls/1",
    ];
    let output = program("openssl", &arguments, "Q\n");
    assert!(!output.status.success());
    assert!(
        said(&output).contains("no application protocol"),
        "{}",
        said(&output)
    );
}
