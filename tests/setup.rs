//! Setting a machine up by hand: the real helper behind a real socket, asked by the access point's page and by the
//! kiosk's screen. It becomes somebody's once, and from then on it is theirs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gatepost::system::setup::Setup;
use serde_json::{Value, json};
use support::server::TestServer;
use support::web::{Answer, Browser};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC0t2wG4p0dZ6YpM7mV5mCq1y8d0VZ5J5u0kq5m3o1aB me@laptop";
const SCAN: &str = "BSS 02:00:00:00:01:00(on wlan0)\n\tcapability: ESS Privacy (0x0411)\n\tsignal: -40.00 dBm\n\tSSID: Office\n";

/// A machine with what waits behind its sockets of set-up.
struct Machine {
    temp: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self {
            temp: tempfile::tempdir().unwrap(),
        };
        for folder in ["fat", "sockets", "root", "system/etc"] {
            std::fs::create_dir_all(machine.at(folder)).unwrap();
        }
        let (fat, root, system) = (machine.at("fat"), machine.root(), machine.at("system"));
        // One process for each call, with the connection as its standard input, as systemd does it.
        serve(&machine.at("sockets/take.sock"), move || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
            command.args(["provision", "take", "--from"]).arg(&fat);
            command.arg("--root").arg(&root);
            command.arg("--system").arg(&system);
            command
        });
        serve(&machine.at("sockets/scan.sock"), || {
            let mut command = Command::new("printf");
            command.args(["%s", SCAN]);
            command
        });
        machine
    }

    fn at(&self, below: &str) -> PathBuf {
        self.temp.path().join(below)
    }

    fn root(&self) -> PathBuf {
        self.at("root")
    }

    fn file(&self, below: &str) -> String {
        let path = self.root().join("var/lib/gatepost-provision").join(below);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// What happens at each start.
    fn starts(&self) {
        let mut apply = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        apply
            .args(["provision", "apply", "--from"])
            .arg(self.at("fat"));
        apply.arg("--root").arg(self.root());
        apply.arg("--system").arg(self.at("system"));
        assert!(apply.status().unwrap().success());
    }

    /// The server's folder, as far as set-up goes by it.
    fn state(&self) -> PathBuf {
        self.root().join("var/lib/gatepost")
    }

    /// The access point's page, and its names.
    fn portal(&self) -> Portal {
        let page = TcpListener::bind("127.0.0.1:0").unwrap();
        let names = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (at, asked) = (page.local_addr().unwrap(), names.local_addr().unwrap());
        let script =
            "exec 3<&0 4>&1 </dev/null >/dev/null; export LISTEN_PID=$$ LISTEN_FDS=2; exec \"$@\"";
        let child = Command::new("sh")
            .args(["-c", script, "sh", env!("CARGO_BIN_EXE_gatepost")])
            .args(["portal", "--address", "127.0.0.1", "--setup"])
            .arg(self.at("sockets"))
            .arg("--state")
            .arg(self.state())
            .stdin(Stdio::from(OwnedFd::from(page)))
            .stdout(Stdio::from(OwnedFd::from(names)))
            .spawn()
            .unwrap();
        Portal { child, at, asked }
    }
}

/// Answers every connection with a process.
fn serve(at: &Path, command: impl Fn() -> Command + Send + 'static) {
    let listener = UnixListener::bind(at).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = OwnedFd::from(stream.unwrap());
            let other = stream.try_clone().unwrap();
            let running = command().stdin(stream).stdout(other).status();
            assert!(running.unwrap().success());
        }
    });
}

struct Portal {
    child: Child,
    at: SocketAddr,
    asked: SocketAddr,
}

impl Drop for Portal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Portal {
    fn page(&self) -> Browser {
        Browser::new(self.at)
    }

    fn ask(&self, method: &str, path: &str, host: &str, more: &str, body: &str) -> Answer {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n{more}\r\n{body}"
        );
        self.page().raw(request.as_bytes()).unwrap()
    }

    fn set_up(&self, form: &Value) -> Value {
        let answer = self.page().post("/api/setup", form);
        assert_eq!(answer.status, 200);
        answer.json()
    }
}

#[test]
fn a_machine_becomes_somebodys_by_its_access_point_and_is_theirs_from_then_on() {
    let machine = Machine::new();
    let portal = machine.portal();
    let first = portal.page().get("/api/setup").json();
    assert_eq!(first["for"], json!({ "who": "anyone" }));
    assert_eq!(
        first["networks"],
        json!([{ "ssid": "Office", "signal": -40, "protected": true }])
    );

    // A mistake is said with its key, and changes nothing.
    let bad = json!({ "hostname": "a b", "ssid": "Office", "passphrase": "short", "name": "ada", "password": "long enough" });
    let end = portal.set_up(&bad);
    assert_eq!(end["end"], "wrong");
    let problems = end["problems"].as_array().unwrap();
    let mut keys: Vec<_> = problems
        .iter()
        .map(|problem| problem["key"].as_str().unwrap())
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, ["hostname", "wifi.networks.Office.password"]);
    assert!(!machine.root().join("var").exists());

    let good = json!({
        "hostname": "kiosk-7", "ssid": "Office", "passphrase": "correct horse", "country": "DE",
        "name": "ada", "password": "long enough", "ssh_key": KEY, "keyboard": "de",
    });
    assert_eq!(portal.set_up(&good), json!({ "end": "done" }));
    assert_eq!(machine.file("etc/hostname"), "kiosk-7\n");
    let wifi = machine.file("etc/wpa_supplicant/wpa_supplicant-wlan0.conf");
    assert!(wifi.contains("country=DE") && wifi.contains("ssid=4f6666696365"));
    assert!(
        machine
            .file("etc/userdb/ada.user-privileged")
            .contains("$6$")
    );
    assert_eq!(
        machine.file("etc/ssh/authorized_keys/ada"),
        format!("{KEY}\n")
    );
    let said = machine.file("setup.toml");
    assert!(
        !said.contains("horse") && !said.contains("enough"),
        "{said}"
    );
    assert!(said.contains("(moved to the machine)"));

    // Whoever has the access point's passphrase is not the administrator.
    let now = portal.page().get("/api/setup").json();
    assert_eq!(now["for"], json!({ "who": "admin", "name": "ada" }));
    let other = json!({ "ssid": "Home", "passphrase": "battery staple", "name": "eve", "password": "eve's own" });
    assert_eq!(portal.set_up(&other), json!({ "end": "password" }));
    let mut other =
        json!({ "ssid": "Home", "passphrase": "battery staple", "admin_password": "wrong" });
    assert_eq!(portal.set_up(&other), json!({ "end": "password" }));
    assert_eq!(machine.file("setup.toml"), said);

    // Networks that are known stay, and so does whatever isn't said.
    other["admin_password"] = json!("long enough");
    assert_eq!(portal.set_up(&other), json!({ "end": "done" }));
    let wifi = machine.file("etc/wpa_supplicant/wpa_supplicant-wlan0.conf");
    assert!(wifi.contains("ssid=4f6666696365") && wifi.contains("ssid=486f6d65"));
    assert_eq!(machine.file("etc/hostname"), "kiosk-7\n");
    assert!(machine.root().join("home/ada").is_dir());
    machine.starts();
    let again = machine.file("etc/wpa_supplicant/wpa_supplicant-wlan0.conf");
    assert_eq!(again, wifi);
    let status: Value = serde_json::from_str(&machine.file("status.json")).unwrap();
    assert_eq!(status["card"], false);
    assert_eq!(status["admin"], "ada");
}

#[test]
fn where_files_on_the_card_decide_nobody_sets_up_by_hand() {
    let machine = Machine::new();
    let file = machine.at("fat/gatepost.toml");
    std::fs::write(&file, "hostname = \"x\"\n").unwrap();
    let portal = machine.portal();
    let closed = || {
        let end = portal.set_up(&json!({ "name": "eve", "password": "eve's own" }));
        assert_eq!(end["end"], "closed");
        assert!(end["why"].as_str().unwrap().contains("card"), "{end}");
    };
    closed();
    assert!(!machine.root().join("var").exists());
    // Nor once they are gone: what they gave is still in use.
    machine.starts();
    std::fs::remove_file(&file).unwrap();
    machine.starts();
    closed();
    let state = portal.page().get("/api/setup").json();
    assert_eq!(state["for"], json!({ "who": "nobody" }));
    assert_eq!(machine.file("etc/hostname"), "x\n");
}

#[test]
fn phones_that_look_for_the_internet_find_the_page_and_no_other_page_writes() {
    let machine = Machine::new();
    let portal = machine.portal();
    let here = portal.at.to_string();
    // Android, Apple, Windows, Firefox; and by address alone.
    for (host, path) in [
        ("connectivitycheck.gstatic.com", "/generate_204"),
        ("captive.apple.com", "/hotspot-detect.html"),
        ("www.msftconnecttest.com", "/connecttest.txt"),
        ("detectportal.firefox.com", "/canonical.html"),
        (here.as_str(), "/generate_204"),
        ("evil.example", "/"),
    ] {
        let answer = portal.ask("GET", path, host, "", "");
        assert_eq!(answer.status, 302, "{host}{path}");
        assert_eq!(
            answer.header("location"),
            Some(format!("http://{here}/").as_str())
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let page = portal.ask("GET", "/", &here, "", "");
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("default-src 'none'")
    );
    assert!(
        [200, 404].contains(&page.status),
        "the page, if it was built in"
    );

    let form = r#"{"name":"eve","password":"eve's own"}"#;
    let json = "Content-Type: application/json\r\n";
    let own = format!("Origin: http://{here}\r\n");
    for (host, more, status) in [
        ("evil.example", format!("{own}{json}"), 421),
        (here.as_str(), json.to_owned(), 403),
        (here.as_str(), format!("Origin: null\r\n{json}"), 403),
        (
            here.as_str(),
            format!("Origin: http://evil.example\r\n{json}"),
            403,
        ),
        (
            here.as_str(),
            format!("{own}Content-Type: text/plain\r\n"),
            415,
        ),
    ] {
        let answer = portal.ask("POST", "/api/setup", host, &more, form);
        assert_eq!(answer.status, status, "{host} {more}");
    }
    let good = format!("{own}{json}");
    let unknown = portal.ask("POST", "/api/setup", &here, &good, r#"{"kiosk":"x"}"#);
    assert_eq!(unknown.status, 400);
    let at_the_limit = format!("{{\"name\":\"{}\"}}", "x".repeat((16 << 10) - 11));
    let answer = portal.ask("POST", "/api/setup", &here, &good, &at_the_limit);
    assert_eq!(
        (answer.status, answer.json()["end"].clone()),
        (200, json!("wrong"))
    );
    let past_it = at_the_limit.replace("{\"name", "{ \"name");
    let answer = portal.ask("POST", "/api/setup", &here, &good, &past_it);
    assert_eq!(answer.status, 413);
    assert!(
        !machine.root().join("var").exists(),
        "nothing of all this was taken over"
    );
    let twice = format!("GET / HTTP/1.1\r\nHost: {here}\r\nHost: evil.example\r\n\r\n");
    assert_eq!(portal.page().raw(twice.as_bytes()).unwrap().status, 302);

    // Whatever name a phone asks for is this machine.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let question = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x01\0\x01";
    socket.send_to(b"no question", portal.asked).unwrap();
    socket.send_to(question, portal.asked).unwrap();
    let mut reply = [0; 600];
    let length = socket.recv(&mut reply).unwrap();
    assert!(
        reply[..length].starts_with(b"\x12\x34\x85") && reply[..length].ends_with(&[127, 0, 0, 1])
    );
}

#[test]
fn the_machines_own_screen_sets_it_up_and_no_other_browser_does() {
    let machine = Machine::new();
    let server = TestServer::with(|settings| {
        settings.setup = Setup::Folder(machine.at("sockets"));
        settings.folders.state = machine.state();
    });
    std::fs::create_dir_all(machine.state()).unwrap();
    let user = gatepost::base::User::new("eve".parse().unwrap(), gatepost::base::Way::Oidc);
    for stranger in [server.browser(), server.browser_of(user)] {
        assert_eq!(stranger.get("/api/setup").status, 404);
        assert_eq!(stranger.post("/api/setup", &json!({})).status, 404);
    }
    assert_eq!(server.stranger().get("/api/setup").status, 401);
    let kiosk = server.kiosk();
    let state = kiosk.get("/api/setup").json();
    assert_eq!(state["for"], json!({ "who": "anyone" }));
    let form = json!({ "name": "ada", "password": "long enough", "timezone": "../etc" });
    let end = kiosk.post("/api/setup", &form).json();
    assert_eq!(end["problems"][0]["key"], "timezone");
    let form = json!({ "name": "ada", "password": "long enough", "locale": "de_DE.UTF-8" });
    assert_eq!(
        kiosk.post("/api/setup", &form).json(),
        json!({ "end": "done" })
    );
    assert_eq!(machine.file("etc/locale.conf"), "LANG=de_DE.UTF-8\n");
    let state = kiosk.get("/api/setup").json();
    assert_eq!(state["for"]["who"], "admin");
    assert_eq!(
        kiosk.post("/api/setup", &json!({ "hostname": "x" })).json()["end"],
        "password"
    );
}

#[test]
fn a_call_that_says_more_than_a_form_does_is_refused() {
    let machine = Machine::new();
    for (toml, why) in [
        ("kiosk.command = [\"/bin/sh\"]", "kiosk"),
        ("[gatepost.\"*\".allow]\nadmin = true", "gatepost"),
        (
            "admin.name = \"a\"\nadmin.password_hash = \"x\"",
            "admin.password_hash",
        ),
        (
            "wifi.networks.a.ca_certificate = \"x\"",
            "wifi.networks.ca_certificate",
        ),
        ("network.wired.dhcp = true", "network"),
    ] {
        let mut stream =
            std::os::unix::net::UnixStream::connect(machine.at("sockets/take.sock")).unwrap();
        stream.write_all(format!("\n{toml}\n").as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let end: Value = serde_json::from_reader(stream).unwrap();
        assert_eq!(end["why"], format!("{why} can't be set up here"), "{toml}");
    }
    assert!(!machine.root().join("var").exists());
}
