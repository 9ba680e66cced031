//! Let's Encrypt's own small authority for tests (pebble), with a name server in which every name is
//! this machine.

#![allow(
    unreachable_pub,
    clippy::allow_attributes,
    reason = "helpers of tests are no interface of a library"
)]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::support::keeper::until;
use super::support::server::free_port;
use super::support::tls::{Authority, program, said};

/// An authority that runs.
pub struct Pebble {
    children: Vec<Child>,
    management: u16,
    folder: PathBuf,
}

/// The authority whose certificate the directory itself has, made in this folder.
pub fn of_directory(folder: &Path) -> Authority {
    let ca = Authority::root(folder);
    ca.sign(
        "localhost",
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth",
        None,
    );
    ca
}

fn start(command: &mut Command, log: &Path) -> Child {
    let log = File::create(log).unwrap();
    let child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn();
    child.unwrap_or_else(|error| panic!("pebble: {error}; ./dev test installs what is missing"))
}

impl Pebble {
    /// Starts one on this port, which looks for names on `tls_port` of this machine. Every twentieth
    /// nonce is refused, as is its habit.
    pub fn start(ca: &Authority, port: u16, tls_port: u16, reuse: &str) -> Self {
        let folder = ca.path("pebble");
        std::fs::create_dir_all(&folder).unwrap();
        let (names, management) = (free_port(), free_port());
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": ca.path("localhost.pem"),
            "privateKey": ca.path("localhost.key"),
            "httpPort": 1,
            "tlsPort": tls_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        } });
        std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
        let mut lookups = Command::new("pebble-challtestsrv");
        lookups.args([
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
            "-management",
            "",
        ]);
        lookups.args(["-defaultIPv6", "", "-dns01", &format!("127.0.0.1:{names}")]);
        let mut pebble = Command::new("pebble");
        pebble
            .args([
                "-strict",
                "-dnsserver",
                &format!("127.0.0.1:{names}"),
                "-config",
            ])
            .arg(folder.join("config.json"))
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_AUTHZREUSE", reuse);
        let lookups = start(&mut lookups, &folder.join("names.log"));
        let pebble = start(&mut pebble, &folder.join("pebble.log"));
        let found = Self {
            children: vec![lookups, pebble],
            management,
            folder,
        };
        until("pebble answers", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
                && std::net::TcpStream::connect(("127.0.0.1", management)).is_ok()
        });
        found
    }

    /// The certificate of the authority that signs what it gives.
    pub fn root(&self, ca: &Authority) -> PathBuf {
        let url = format!("https://localhost:{}/roots/0", self.management);
        let trusted = ca.path("ca.pem");
        let output = program(
            "curl",
            &["-sS", "--cacert", trusted.to_str().unwrap(), &url],
            "",
        );
        assert!(output.status.success(), "{}", said(&output));
        let path = self.folder.join("root.pem");
        std::fs::write(&path, output.stdout).unwrap();
        path
    }

    /// What it wrote down.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("pebble.log")).unwrap()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for child in &mut self.children {
            drop(child.kill());
            drop(child.wait());
        }
    }
}
