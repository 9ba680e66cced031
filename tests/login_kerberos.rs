//! Logging in with Kerberos: a real MIT realm on loopback, and curl as the browser. Built with the feature
//! `kerberos` only.

#![cfg(feature = "kerberos")]
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
use std::process::{Child, Command, Stdio};

use support::keeper::until;
use support::server::{Place, ServerProcess, free_port};

const REALM: &str = "TEST.EXAMPLE";

/// A realm with `alice`, whose tickets can be for us (`HTTP/localhost`) or for another service of this
/// machine, whose key is in the same keytab.
struct Realm {
    folder: tempfile::TempDir,
    kdc: Child,
}

fn program(name: &str) -> PathBuf {
    let found = ["/usr/sbin", "/usr/bin"]
        .map(|folder| Path::new(folder).join(name))
        .into_iter()
        .find(|path| path.exists());
    found.unwrap_or_else(|| {
        panic!(
            "there is no {name}; ./dev test installs it (krb5-kdc, krb5-admin-server, krb5-user)"
        )
    })
}

impl Realm {
    /// With clocks that may be so many seconds apart.
    fn start(clock_skew: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (shown, port) = (folder.path().display(), free_port());
        std::fs::write(
            folder.path().join("krb5.conf"),
            format!(
                "[libdefaults]\ndefault_realm={REALM}\ndns_lookup_kdc=false\ndns_lookup_realm=false\ndns_canonicalize_hostname=false\n\
                 rdns=false\nclockskew={clock_skew}\nticket_lifetime=1h\nudp_preference_limit=1\n\
                 [realms]\n{REALM}={{\nkdc=127.0.0.1:{port}\n}}\n[domain_realm]\nlocalhost={REALM}\n"
            ),
        )
        .unwrap();
        std::fs::write(
            folder.path().join("kdc.conf"),
            format!(
                "[kdcdefaults]\nkdc_listen=127.0.0.1:{port}\nkdc_tcp_listen=127.0.0.1:{port}\n[realms]\n{REALM}={{\n\
                 database_name={shown}/principal\nkey_stash_file={shown}/stash\nacl_file={shown}/acl\nmax_life=1h\n}}\n\
                 [logging]\nkdc=FILE:{shown}/kdc.log\n"
            ),
        )
        .unwrap();
        let mut realm = Self {
            // Replaced at once; there is no realm without one.
            kdc: Command::new("true").spawn().unwrap(),
            folder,
        };
        drop(realm.kdc.wait());
        Self::good(
            realm
                .command("kdb5_util")
                .args(["create", "-s", "-r", REALM, "-P", "master"]),
        );
        for query in [
            "addprinc -pw wonderland alice".to_owned(),
            "addprinc -pw wonderland alice/admin".to_owned(),
            "addprinc -randkey HTTP/localhost".to_owned(),
            "addprinc -randkey host/localhost".to_owned(),
            format!(
                "ktadd -k {}/keytab HTTP/localhost",
                realm.folder.path().display()
            ),
            format!(
                "ktadd -k {}/keytab host/localhost",
                realm.folder.path().display()
            ),
        ] {
            Self::good(
                realm
                    .command("kadmin.local")
                    .args(["-r", REALM, "-q", &query]),
            );
        }
        realm.kdc = realm
            .command("krb5kdc")
            .args(["-n", "-r", REALM])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until("the KDC listens", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        realm
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program of this realm.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command
            .env("KRB5_CONFIG", self.path("krb5.conf"))
            .env("KRB5_KDC_PROFILE", self.path("kdc.conf"))
            .env("KRB5CCNAME", self.path("tickets"))
            .env("KRB5RCACHEDIR", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn good(command: &mut Command) {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}: {output:?}");
    }

    fn kinit(&self, who: &str) {
        use std::io::Write as _;
        let mut child = self
            .command("kinit")
            .arg(who)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(b"wonderland\n")
            .unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// A server of ours in this realm.
    fn server(&self, place: &Place, service: &str) -> ServerProcess {
        let service = format!("kerberos.service={service}");
        let realms = format!("kerberos.realms={REALM}");
        let mut command = place.gatepost(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--set",
            "server.auth=kerberos",
            "--set",
            &service,
            "--set",
            &realms,
        ]);
        command
            .env("KRB5_CONFIG", self.path("krb5.conf"))
            .env("KRB5_KTNAME", self.path("keytab"))
            .env("KRB5RCACHEDIR", self.folder.path())
            .env(
                "KRB5RCACHENAME",
                format!("dfl:{}", self.folder.path().display()),
            );
        let log = std::fs::File::options()
            .append(true)
            .create(true)
            .open(place.temp.path().join("log"));
        command.stderr(log.unwrap());
        ServerProcess::run_logged(command)
    }

    /// curl with tickets; status and everything it said of headers.
    fn curl(&self, server: &ServerProcess, more: &[&str], path: &str) -> (u16, String) {
        let base = format!("http://localhost:{}", server.address.port());
        let mut command = self.command("curl");
        command
            .args([
                "-sv",
                "--max-time",
                "30",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
            ])
            .args(["-H", &format!("Origin: {base}")])
            .arg("-b")
            .arg(self.path("jar"))
            .arg("-c")
            .arg(self.path("jar"))
            .args(more);
        let output = command.arg(format!("{base}{path}")).output().unwrap();
        let status = String::from_utf8(output.stdout).unwrap();
        (
            status.parse().unwrap(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    fn negotiate(&self, server: &ServerProcess) -> (u16, String) {
        self.curl(
            server,
            &["--negotiate", "-u", ":", "-d", "{}"],
            "/login/kerberos",
        )
    }

    fn with_token(&self, server: &ServerProcess, token: &str) -> u16 {
        let header = format!("Authorization: Negotiate {token}");
        self.curl(server, &["-H", &header, "-d", "{}"], "/login/kerberos")
            .0
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        drop(self.kdc.kill());
        drop(self.kdc.wait());
    }
}

/// The token curl sent.
fn sent(said: &str) -> String {
    let mut line = said
        .lines()
        .filter_map(|line| line.strip_prefix("> Authorization: Negotiate "));
    line.next_back()
        .unwrap_or_else(|| panic!("{said}"))
        .trim()
        .to_owned()
}

/// Waits until the server has given this reason for a refusal.
fn refused_because(place: &Place, reason: &str) {
    until(reason, || {
        let log = std::fs::read_to_string(place.temp.path().join("log")).unwrap();
        log.lines()
            .any(|line| line.contains("denied") && line.contains(reason))
    });
}

#[test]
fn a_ticket_logs_in_and_spnego_replay_of_its_token_does_not() {
    let (realm, place) = (Realm::start(300), Place::new());
    let server = realm.server(&place, "HTTP@localhost");
    let (status, said) = realm.negotiate(&server);
    assert_eq!(status, 401, "without a ticket: {said}");
    assert!(
        said.contains("WWW-Authenticate: Negotiate")
            || said.contains("www-authenticate: Negotiate"),
        "{said}"
    );
    realm.kinit("alice");
    let (status, said) = realm.negotiate(&server);
    assert_eq!(status, 204, "{said}");
    let user = place.users().pop().unwrap();
    assert_eq!(user["upn"], "alice@TEST.EXAMPLE");
    assert_eq!(user["way"], "kerberos");
    let token = sent(&said);
    assert_eq!(realm.with_token(&server, &token), 403);
    refused_because(&place, "replay");
    drop(server);
    let again = realm.server(&place, "HTTP@localhost");
    assert_eq!(realm.with_token(&again, &token), 403, "nor after a restart");
    assert_eq!(place.users().len(), 1);
}

#[test]
fn spnego_wrong_spn_is_refused_though_its_key_is_in_the_keytab() {
    let (realm, place) = (Realm::start(300), Place::new());
    realm.kinit("alice");
    // Tickets curl gets are for HTTP/localhost; this server wants them for another host.
    let other = Place::new();
    let picky = realm.server(&other, "HTTP@kiosk.example");
    let (status, _) = realm.negotiate(&picky);
    assert!((400..600).contains(&status), "{status}");
    assert!(other.users().is_empty());
    // And one for host/localhost, to the server that has that key, too.
    let server = realm.server(&place, "HTTP@localhost");
    let base = format!("localhost:{}", server.address.port());
    let (status, said) = realm.curl(
        &server,
        &[
            "--negotiate",
            "-u",
            ":",
            "-d",
            "{}",
            "--service-name",
            "host",
        ],
        "/login/kerberos",
    );
    assert_eq!(status, 403, "{base}: {said}");
    refused_because(&place, "principal");
    assert!(place.users().is_empty());
}

#[test]
fn spnego_ntlm_huge_and_broken_tokens_are_refused() {
    let (realm, place) = (Realm::start(300), Place::new());
    let server = realm.server(&place, "HTTP@localhost");
    for token in [
        "TlRMTVNTUAABAAAAl4II4gAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==",
        "",
        "!!!!",
        "YIIB",
        "YA==",
        "AAAA",
    ] {
        assert_eq!(realm.with_token(&server, token), 403, "{token}");
    }
    refused_because(&place, "NTLM");
    // Past a request's head it doesn't even get to Kerberos.
    assert_eq!(realm.with_token(&server, &"A".repeat(8000)), 403);
    let huge = realm.with_token(&server, &"A".repeat(20_000));
    assert!(matches!(huge, 0 | 431), "{huge}");
    assert!(place.users().is_empty());
}

#[test]
fn spnego_expired_tickets_and_those_of_no_person_are_refused() {
    let (realm, place) = (Realm::start(5), Place::new());
    let server = realm.server(&place, "HTTP@localhost");
    realm.kinit("alice/admin");
    assert_eq!(realm.negotiate(&server).0, 403, "alice/admin is not alice");
    realm.kinit("alice");
    // A token made now, shown when it is older than clocks may be apart: nothing but time does that.
    let elsewhere = Place::new();
    let other = realm.server(&elsewhere, "HTTP@kiosk.example");
    let (_, said) = realm.negotiate(&other);
    let token = sent(&said);
    let made = std::time::Instant::now();
    until("the token is out of date", || made.elapsed().as_secs() >= 7);
    assert_eq!(realm.with_token(&server, &token), 403);
    refused_because(&place, "Clock skew");
    assert_eq!(realm.negotiate(&server).0, 204, "a new one is good");
    assert_eq!(place.users().len(), 1);
}

#[test]
fn without_our_pages_origin_no_ticket_is_asked_for() {
    let (realm, place) = (Realm::start(300), Place::new());
    let server = realm.server(&place, "HTTP@localhost");
    realm.kinit("alice");
    let url = format!("http://localhost:{}/login/kerberos", server.address.port());
    let mut command = realm.command("curl");
    command.args([
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "--negotiate",
        "-u",
        ":",
        "-d",
        "{}",
    ]);
    let output = command
        .args(["-H", "Origin: http://evil.example", &url])
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"403", "login_csrf");
    assert!(place.users().is_empty());
}
