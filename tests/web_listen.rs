//! Where the web door listens: several addresses, redirects, sockets from the service manager, a path
//! prefix; and who may show it in a frame.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use gatepost::policy::settings::server::Listen;
use serde_json::json;
use support::server::{Place, ServerProcess, TestServer, free_port};
use support::tls::{Tunnel, said, self_signed};
use support::web::{Answer, Browser, read_answer};

fn listen(addresses: &[&str]) -> Vec<Listen> {
    addresses.iter().map(|text| text.parse().unwrap()).collect()
}

fn get(address: SocketAddr, path: &str, headers: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\n{headers}\r\n");
    Browser::new(address).raw(request.as_bytes()).unwrap()
}

#[test]
fn several_addresses_of_both_families_are_one_server() {
    let server = TestServer::with(|settings| {
        settings.server.listen = listen(&["127.0.0.1:0", "[::1]:0"]);
    });
    let [v4, v6] = server.addresses[..] else {
        panic!("{:?}", server.addresses);
    };
    assert!(v6.is_ipv6());
    let browser = server.browser();
    let id = browser.open(&json!({ "command": ["cat"] }));
    let mut other = browser.clone();
    other.address = v6;
    let mut viewer = other.view(&id);
    viewer.type_in("by way of six\n");
    viewer.wait_text("by way of six\r\nby way of six");
    assert_eq!(get(v4, "/health", "Host: 127.0.0.1\r\n").status, 200);
    // An origin of one is foreign to the other.
    let cross = format!(
        "POST /api/token HTTP/1.1\r\nHost: {v6}\r\nOrigin: http://{v4}\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(other.raw(cross.as_bytes()).unwrap().status, 403);
}

#[test]
fn both_wildcards_on_one_port_don_t_get_in_each_others_way() {
    let port = free_port();
    let place = Place::new();
    let (v4, v6) = (format!("0.0.0.0:{port}"), format!("[::]:{port}"));
    let server = ServerProcess::start(
        &place,
        &[
            "--listen",
            &v4,
            "--listen",
            &v6,
            "--tls",
            "--local-listen",
            "127.0.0.1:0",
        ],
    );
    for address in [format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        let tunnel = Tunnel::to(address.parse().unwrap());
        assert_eq!(tunnel.browser().get("/health").status, 200, "{address}");
    }
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn what_can_be_read_on_the_network_is_refused_before_anything_is_touched() {
    let place = Place::new();
    for (arguments, words) in [
        (vec!["--listen", "0.0.0.0:0"], "--tls"),
        (vec!["--listen", "[::]:0"], "--allow-plain-http"),
        (
            vec!["--tls", "--listen", "http://0.0.0.0:0"],
            "nothing is encrypted",
        ),
        (vec!["--tls", "--local-listen", "0.0.0.0:0"], "loopback"),
        (vec!["--https-redirect", "127.0.0.1:0"], "TLS is off"),
        (vec!["--tls-certificate", "/x"], "--tls-key"),
        (vec!["--url-prefix", "/../"], "/../"),
        (vec!["--trusted-proxy", "10.0.0.1/8"], "10.0.0.1/8"),
        (vec!["--unix-socket-mode", "0999"], "0999"),
    ] {
        let mut all = vec!["serve"];
        all.extend(&arguments);
        let output = place.run(&all);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            said(&output)
        );
        assert!(
            said(&output).contains(words),
            "{arguments:?}: {}",
            said(&output)
        );
        assert!(!place.folders.runtime.exists(), "{arguments:?}");
    }
}

#[test]
fn the_redirect_leads_to_a_host_of_ours_and_never_to_what_was_asked() {
    let server = TestServer::with(|settings| {
        self_signed(settings);
        settings.server.https_redirect = vec!["127.0.0.1:0".parse().unwrap()];
        settings.server.allow_hosts = vec!["term.example".parse().unwrap()];
    });
    let (https, plain) = (server.addresses[0].port(), server.addresses[1]);
    for (host, shown) in [
        ("term.example", "term.example"),
        ("TERM.example:8080", "term.example"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
    ] {
        let answer = get(plain, "/a%20b?c=d", &format!("Host: {host}\r\n"));
        assert_eq!(answer.status, 308);
        let wanted = format!("https://{shown}:{https}/a%20b?c=d");
        assert_eq!(answer.header("location"), Some(wanted.as_str()), "{host}");
        assert!(answer.header("strict-transport-security").is_none());
        assert!(answer.header("content-security-policy").is_some());
    }
    for (name, host) in [
        ("redirect_host_not_reflected", "Host: evil.example\r\n"),
        (
            "xff_host",
            "Host: evil.example\r\nX-Forwarded-Host: term.example\r\n",
        ),
        ("host_user", "Host: term.example@evil.example\r\n"),
        (
            "two_host_headers",
            "Host: term.example\r\nHost: evil.example\r\n",
        ),
        ("host_missing", ""),
    ] {
        let answer = get(plain, "/", host);
        assert!(
            matches!(answer.status, 400 | 421),
            "{name}: {}",
            answer.status
        );
        assert!(answer.header("location").is_none(), "{name}");
    }
    let absolute = get(plain, "http://evil.example/", "Host: term.example\r\n");
    assert_eq!(absolute.status, 400);
    let double = get(plain, "//evil.example/", "Host: term.example\r\n");
    assert!(
        double
            .header("location")
            .unwrap()
            .starts_with("https://term.example:")
    );
    let token = server.token();
    let browser = Browser::new(plain);
    let posted = browser.post("/api/login", &json!({ "token": token }));
    assert_eq!(posted.status, 403, "nothing is done in the clear");
    let tunnel = Tunnel::to(server.address);
    assert_eq!(
        tunnel
            .browser()
            .post("/api/login", &json!({ "token": token }))
            .status,
        204
    );
}

#[test]
fn sockets_of_the_service_manager_are_taken_over_and_not_passed_on() {
    let place = Place::new();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let start = || {
        let inner = place.gatepost(&[]);
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=main; exec \"$0\" serve --listen 127.0.0.1:1"])
            .arg(inner.get_program())
            .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(OwnedFd::from(socket.try_clone().unwrap()));
        command
    };
    let run = |mut command: Command| -> Child {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        assert_eq!(line.trim(), format!("listening on http://{address}/"));
        child
    };
    let mut child = run(start());
    assert_eq!(get(address, "/health", "Host: localhost\r\n").status, 200);
    let mut browser = Browser::new(address);
    browser.log_in(&place.ok(&["url"]));
    // fd_leak_child, env_leak_child
    let id = browser.open(&json!({ "command": ["sh", "-c", "echo fds $(ls -l /proc/$$/fd | grep -c socket:) listen ${LISTEN_FDS-none} ${LISTEN_PID-none} ${LISTEN_FDNAMES-none}; cat"] }));
    browser.view(&id).wait_text("fds 0 listen none none none");
    // While nobody serves, connections wait in the socket that stays.
    child.kill().unwrap();
    child.wait().unwrap();
    let mut waiting = Browser::new(address).connect();
    waiting
        .write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut child = run(start());
    assert_eq!(
        read_answer(&mut waiting).unwrap().status,
        200,
        "no connection is lost"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn under_a_prefix_everything_is_and_nothing_beside() {
    let server = TestServer::with(|settings| {
        settings.server.url_prefix = "/a/b/".parse().unwrap();
    });
    let url = server.place.ok(&["url"]);
    assert!(
        url.starts_with(&format!("http://{}/a/b/#token=", server.address)),
        "{url}"
    );
    let browser = server.stranger();
    for (path, status) in [
        ("/a/b/", 200),
        ("/a/b/health", 200),
        ("/a/b/api/login", 401),
        ("/", 404),
        ("/health", 404),
        ("/api/login", 404),
        ("/a/b/a/b/health", 404),
        ("/a/b/../b/health", 404),
    ] {
        assert_eq!(browser.get(path).status, status, "{path}");
    }
    let bare = browser.get("/a/b");
    assert_eq!((bare.status, bare.header("location")), (308, Some("/a/b/")));
    let answer = browser.post("/a/b/api/login", &json!({ "token": server.token() }));
    assert_eq!(answer.status, 204);
    // The guard stands in front of the prefix, too.
    let foreign = format!(
        "POST /a/b/api/token HTTP/1.1\r\nHost: {}\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\n\r\n",
        server.address
    );
    assert_eq!(browser.raw(foreign.as_bytes()).unwrap().status, 403);
}

#[test]
fn frame_ancestors_are_as_configured() {
    let server = TestServer::with(|settings| {
        settings.server.frame_ancestors = vec![
            "self".parse().unwrap(),
            "https://portal.example".parse().unwrap(),
        ];
    });
    let answer = server.stranger().get("/");
    let policy = answer.header("content-security-policy").unwrap();
    assert!(
        policy.ends_with("frame-ancestors 'self' https://portal.example"),
        "{policy}"
    );
    assert!(
        answer.header("x-frame-options").is_none(),
        "it knows no list"
    );
    let refused = get(server.address, "/", "Host: evil.example\r\n");
    assert!(
        refused
            .header("content-security-policy")
            .unwrap()
            .contains("portal.example")
    );
}
