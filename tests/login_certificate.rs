//! Logging in with a client certificate: who it names, and what a login by certificate is worth without it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use gatepost::base::Way;
use gatepost::policy::settings::server::ClientCertificates;
use serde_json::Value;
use support::server::TestServer;
use support::tls::self_signed;

/// Certificates made by openssl, and a server that believes their authority.
struct Place {
    folder: tempfile::TempDir,
    server: TestServer,
}

/// Runs openssl; it has to succeed.
fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("openssl: {error}; ./dev test installs it"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
}

/// A certificate of the authority, or one signed by itself.
fn make(folder: &Path, name: &str, subject: &str, extensions: &str, authority: bool) {
    let (key, request, out) = (
        format!("{name}.key"),
        format!("{name}.csr"),
        format!("{name}.pem"),
    );
    let curve = "ec_paramgen_curve:P-256";
    openssl(
        folder,
        &[
            "req", "-new", "-newkey", "ec", "-pkeyopt", curve, "-nodes", "-subj", subject,
            "-keyout", &key, "-out", &request,
        ],
    );
    let config = folder.join(format!("{name}.ext"));
    std::fs::write(&config, extensions).unwrap();
    let mut arguments = vec![
        "x509", "-req", "-in", &request, "-days", "30", "-out", &out, "-extfile",
    ];
    let config = config.to_str().unwrap();
    arguments.push(config);
    if authority {
        arguments.extend(["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]);
    } else {
        arguments.extend(["-signkey", &key]);
    }
    openssl(folder, &arguments);
}

const CLIENT: &str =
    "extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\nbasicConstraints=CA:false\n";

impl Place {
    fn new(mode: ClientCertificates, upn: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca = "basicConstraints=critical,CA:true\nkeyUsage=keyCertSign,cRLSign\n";
        make(folder.path(), "ca", "/CN=Test authority", ca, false);
        for (name, subject, names) in [
            (
                "alice",
                "/CN=root/OU=ops",
                "subjectAltName=email:alice@ops.example",
            ),
            ("bob", "/CN=bob", "subjectAltName=email:bob@ops.example"),
            ("cn_only", "/CN=alice@ops.example", ""),
            (
                "two",
                "/CN=two",
                "subjectAltName=email:a@ops.example,email:b@ops.example",
            ),
            (
                "upn",
                "/CN=carol",
                "subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:carol@corp.example",
            ),
            (
                "nul",
                "/CN=nul",
                "subjectAltName=DER:30:18:81:16:61:6c:69:63:65:40:6f:70:73:2e:65:78:61:6d:70:6c:65:00:2e:65:76:69",
            ),
        ] {
            make(
                folder.path(),
                name,
                subject,
                &format!("{CLIENT}{names}\n"),
                true,
            );
        }
        make(
            folder.path(),
            "self_signed",
            "/CN=x",
            &format!("{CLIENT}subjectAltName=email:alice@ops.example\n"),
            false,
        );
        let authority = folder.path().join("ca.pem");
        let server = TestServer::with(|settings| {
            self_signed(settings);
            settings.server.tls.client_certificates = mode;
            settings.server.tls.client_ca = Some(authority);
            settings.ways.open = vec![Way::Certificate];
            if let Some(upn) = upn {
                settings.sso.certificate.upn = upn.parse().unwrap();
            }
        });
        Self { folder, server }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// curl with a certificate and a cookie jar; status and body. Status 0: no connection.
    fn curl(
        &self,
        certificate: Option<&str>,
        jar: &str,
        more: &[&str],
        path: &str,
    ) -> (u16, String) {
        let url = format!("https://{}{path}", self.server.address);
        let mut command = Command::new("curl");
        command
            .args(["-sk", "--max-time", "20", "-w", "\n%{http_code}"])
            .args(["-b".as_ref(), self.path(jar).as_os_str()])
            .args(["-c".as_ref(), self.path(jar).as_os_str()])
            .args(more);
        if let Some(name) = certificate {
            command.arg("--cert").arg(self.path(&format!("{name}.pem")));
            command.arg("--key").arg(self.path(&format!("{name}.key")));
        }
        let output = command.arg(url).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    fn log_in(&self, certificate: Option<&str>, jar: &str) -> u16 {
        let origin = format!("Origin: https://{}", self.server.address);
        let post = ["-H", &origin, "-d", "{}"];
        self.curl(certificate, jar, &post, "/login/certificate").0
    }

    fn who(&self, certificate: Option<&str>, jar: &str) -> Option<String> {
        let (status, body) = self.curl(certificate, jar, &[], "/api/login");
        if status != 200 {
            return None;
        }
        let who: Value = serde_json::from_str(&body).unwrap();
        who["user"].as_str().map(str::to_owned)
    }
}

#[test]
fn a_certificate_logs_in_whom_its_alternative_name_says() {
    let place = Place::new(ClientCertificates::Optional, None);
    assert_eq!(place.log_in(Some("alice"), "jar"), 204);
    let who = place.who(Some("alice"), "jar");
    assert_eq!(
        who.as_deref(),
        Some("alice@ops.example"),
        "and not root, its CN"
    );
}

#[test]
fn x509_optional_absent_gives_no_login_and_x509_optional_does_not_upgrade_silently() {
    let place = Place::new(ClientCertificates::Optional, None);
    assert_eq!(place.log_in(None, "none"), 403);
    assert_eq!(
        place.who(Some("alice"), "fresh"),
        None,
        "showing it is not logging in"
    );
    let (status, _) = place.curl(Some("alice"), "evil", &["-d", "{}"], "/login/certificate");
    assert_eq!(status, 403, "without our page's Origin");
    let (status, _) = place.curl(Some("alice"), "evil", &[], "/login/certificate");
    assert_eq!(status, 405, "nor by a mere visit");
    assert_eq!(place.who(Some("alice"), "evil"), None);
}

#[test]
fn x509_another_certificate_or_none_makes_a_login_by_certificate_worthless() {
    let place = Place::new(ClientCertificates::Optional, None);
    assert_eq!(place.log_in(Some("alice"), "jar"), 204);
    assert_eq!(place.who(Some("bob"), "jar"), None);
    assert_eq!(place.who(None, "jar"), None);
    let forged = "x-gatepost-certificate: anything";
    let (status, _) = place.curl(Some("bob"), "jar", &["-H", forged], "/api/login");
    assert_eq!(status, 401);
    assert!(place.who(Some("alice"), "jar").is_some());
    assert_eq!(place.log_in(Some("bob"), "jar"), 204, "a new login");
    assert_eq!(
        place.who(Some("bob"), "jar").as_deref(),
        Some("bob@ops.example")
    );
    assert_eq!(place.who(Some("alice"), "jar"), None);
}

#[test]
fn x509_cn_is_never_a_name_by_itself_and_ambiguous_and_nul_names_are_nobody() {
    let place = Place::new(ClientCertificates::Optional, None);
    for name in ["cn_only", "two", "upn", "nul"] {
        assert!(matches!(place.log_in(Some(name), name), 403 | 0), "{name}");
        assert_eq!(place.who(Some(name), name), None, "{name}");
    }
}

#[test]
fn x509_self_signed_does_not_even_connect() {
    for mode in [ClientCertificates::Optional, ClientCertificates::Required] {
        let place = Place::new(mode, None);
        assert_eq!(place.log_in(Some("self_signed"), "jar"), 0);
    }
}

#[test]
fn names_come_from_where_the_setting_says() {
    let place = Place::new(ClientCertificates::Required, Some("{principal}"));
    assert_eq!(place.log_in(Some("upn"), "upn"), 204);
    let who = place.who(Some("upn"), "upn");
    assert_eq!(who.as_deref(), Some("carol@corp.example"));
    assert_eq!(place.log_in(Some("alice"), "alice"), 403);
    assert_eq!(place.log_in(None, "none"), 0, "required");
}
