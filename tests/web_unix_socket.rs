//! The web door on a Unix socket: its mode, what it serves, and what stands where it should be.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use support::keeper::DEADLINE;
use support::server::{Place, ServerProcess, TestServer};
use support::tls::said;

fn over_unix(path: &Path, request: &str) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut out = String::new();
    stream.read_to_string(&mut out).unwrap();
    out
}

#[test]
fn a_unix_socket_has_its_mode_serves_the_same_and_goes_with_the_server() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("web.sock");
    let mut server = TestServer::with(|settings| {
        settings.server.unix_socket = Some(path.clone());
        settings.server.unix_socket_mode = "0600".parse().unwrap();
    });
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let ask = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(over_unix(&path, ask).contains("{\"status\":\"ok\""));
    let strange = ask.replace("localhost", "evil.example");
    assert!(over_unix(&path, &strange).starts_with("HTTP/1.1 421"));
    let foreign = ask.replace("Connection", "Origin: http://evil.example\r\nConnection");
    assert!(over_unix(&path, &foreign).starts_with("HTTP/1.1 403"));
    let not_logged_in = ask.replace("/health", "/api/terminals");
    assert!(over_unix(&path, &not_logged_in).starts_with("HTTP/1.1 401"));
    server.stop();
    assert!(!path.exists());
}

#[test]
fn unix_preexisting_file_and_unix_symlink_race_are_refused_and_left_alone() {
    let place = Place::new();
    let (file, link) = (
        place.temp.path().join("file"),
        place.temp.path().join("link"),
    );
    std::fs::write(&file, "precious").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for path in [&file, &link] {
        let output = place.run(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--unix-socket",
            path.to_str().unwrap(),
        ]);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains("not a socket"), "{}", said(&output));
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");
    // A server that was killed leaves its socket behind; the next one replaces it.
    let socket = place.temp.path().join("web.sock");
    let more = ["--unix-socket", socket.to_str().unwrap()];
    ServerProcess::start(&place, &more).kill();
    assert!(socket.exists());
    let server = ServerProcess::start(&place, &more);
    let other = Place::new();
    let output = other.run(&["serve", "--listen", "127.0.0.1:0", more[0], more[1]]);
    assert!(
        said(&output).contains("another program listens there"),
        "{}",
        said(&output)
    );
    assert_eq!(server.stop(), Some(0));
    assert!(!socket.exists());
}
