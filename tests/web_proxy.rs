//! Behind a proxy: whose word counts for what, and a real nginx in front.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use support::keeper::until;
use support::server::{TestServer, free_port};
use support::tls::{Authority, Tunnel};

#[test]
fn behind_a_proxy_the_public_url_is_the_origin() {
    let server = TestServer::with(|settings| {
        settings.server.public_url = Some("https://term.example/gatepost/".parse().unwrap());
    });
    let token = server.token();
    let body = json!({ "token": token }).to_string();
    let request = format!(
        "POST /api/login HTTP/1.1\r\nHost: term.example\r\nOrigin: https://term.example\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = server.stranger().raw(request.as_bytes()).unwrap();
    assert_eq!(answer.status, 204, "{answer:?}");
    assert!(answer.header("set-cookie").unwrap().ends_with("; Secure"));
}

/// The address that a login made over this connection is remembered with.
fn seen_as(server: &TestServer, headers: &str) -> (u16, serde_json::Value) {
    let mut browser = server.stranger();
    let body = json!({ "token": server.token() }).to_string();
    let request = format!(
        "{}{headers}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        browser.head("POST", "/api/login"),
        body.len()
    );
    let answer = browser.raw(request.as_bytes()).unwrap();
    if answer.status != 204 {
        return (answer.status, serde_json::Value::Null);
    }
    browser.take_cookies(&answer);
    let list = browser.get("/api/logins").json();
    let logins = list["logins"].as_array().unwrap();
    let current = logins.iter().find(|login| login["current"] == json!(true));
    (204, current.unwrap()["address"].clone())
}

#[test]
fn xff_spoof_is_believed_from_named_proxies_only_and_only_their_word() {
    let plain = TestServer::start();
    assert_eq!(seen_as(&plain, "").1, json!("127.0.0.1"));
    let spoofed = seen_as(&plain, "X-Forwarded-For: 198.51.100.7\r\n").1;
    assert_ne!(spoofed, json!("198.51.100.7"));
    let trusting = TestServer::with(|settings| {
        settings.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    });
    for (name, headers, expected) in [
        ("one", "X-Forwarded-For: 198.51.100.7\r\n", "198.51.100.7"),
        (
            "left_of_it",
            "X-Forwarded-For: 127.0.0.1, 203.0.113.5, 198.51.100.7\r\n",
            "198.51.100.7",
        ),
        (
            "two_lines",
            "X-Forwarded-For: 203.0.113.5\r\nX-Forwarded-For: 198.51.100.7\r\n",
            "198.51.100.7",
        ),
        (
            "other_header",
            "Forwarded: for=203.0.113.5\r\nX-Forwarded-For: 198.51.100.7\r\n",
            "198.51.100.7",
        ),
        (
            "only_other_header",
            "Forwarded: for=203.0.113.5\r\n",
            "127.0.0.1",
        ),
        ("garbage", "X-Forwarded-For: <script>\r\n", "127.0.0.1"),
    ] {
        assert_eq!(seen_as(&trusting, headers).1, json!(expected), "{name}");
    }
    // The scheme a proxy says decides which Origin is ours.
    let (status, _) = seen_as(&trusting, "X-Forwarded-Proto: https\r\n");
    assert_eq!(status, 403, "the page came by http, the proxy says https");
    let (status, _) = seen_as(&plain, "X-Forwarded-Proto: https\r\n");
    assert_eq!(status, 204, "a stranger's word is nothing");
}

struct Nginx {
    child: Child,
    _folder: tempfile::TempDir,
}

impl Nginx {
    fn start(certificate: &Path, key: &Path, port: u16, upstream: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shown = folder.path().display();
        let config = format!(
            "daemon off; master_process off; worker_processes 1; pid {shown}/pid; error_log {shown}/error.log;\n\
             events {{ worker_connections 64; }}\nhttp {{\naccess_log off;\n\
             client_body_temp_path {shown}/a; proxy_temp_path {shown}/b; fastcgi_temp_path {shown}/c; uwsgi_temp_path {shown}/d; scgi_temp_path {shown}/e;\n\
             map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}\n\
             server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {}; ssl_certificate_key {};\n\
             location /gatepost/ {{ proxy_pass http://{upstream}; proxy_http_version 1.1; proxy_set_header Host $http_host;\n\
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;\n\
             proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_buffering off; }} }} }}\n",
            certificate.display(),
            key.display()
        );
        let file = folder.path().join("conf");
        std::fs::write(&file, config).unwrap();
        let child = Command::new("/usr/sbin/nginx")
            .arg("-c")
            .arg(&file)
            .arg("-p")
            .arg(folder.path())
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("nginx: {error}; ./dev test installs it"));
        Self {
            child,
            _folder: folder,
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn behind_an_nginx_with_tls_and_a_prefix_one_logs_in_and_types() {
    let temp = tempfile::tempdir().unwrap();
    let ca = Authority::root(&temp.path().join("ca"));
    ca.sign(
        "proxy",
        "extendedKeyUsage=serverAuth\nsubjectAltName=IP:127.0.0.1",
        None,
    );
    let server = TestServer::with(|settings| {
        settings.server.url_prefix = "/gatepost/".parse().unwrap();
        settings.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    });
    let port = free_port();
    let _nginx = Nginx::start(
        &ca.path("proxy.pem"),
        &ca.path("proxy.key"),
        port,
        server.address,
    );
    let front = SocketAddr::from(([127, 0, 0, 1], port));
    until("nginx listens", || {
        std::net::TcpStream::connect(front).is_ok()
    });
    let tunnel = Tunnel::to(front);
    let mut browser = tunnel.browser();
    assert_eq!(browser.get("/gatepost/health").status, 200);
    let answer = browser.post("/gatepost/api/login", &json!({ "token": server.token() }));
    assert_eq!(answer.status, 204, "{answer:?}");
    let cookie = answer.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("__Host-") && cookie.contains("; Secure"),
        "{cookie}"
    );
    browser.take_cookies(&answer);
    let opened = browser.post("/gatepost/api/terminals", &json!({ "command": ["cat"] }));
    let id = opened.json()["terminal"].as_str().unwrap().to_owned();
    let token = browser.post("/gatepost/api/token", &json!({})).json()["token"].clone();
    let mut viewer = browser.socket("/gatepost/ws/terminal");
    viewer.text(&json!({ "token": token, "terminal": id, "attach": { "mode": "type" } }));
    viewer.type_in("through nginx\n");
    viewer.wait_text("through nginx\r\nthrough nginx");
}
