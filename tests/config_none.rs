//! The way `none` and proxies: what is refused before anybody can come in, and who is let in.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use gatepost::base::Way;
use support::server::{Place, ServerProcess, TestServer};

#[test]
fn none_behind_a_proxy_is_refused_at_start_and_by_config_check_with_file_and_line() {
    let place = Place::new();
    let file = place.configure(
        "gatepost.toml",
        "[\"*\".server]\nlisten = [\"127.0.0.1:0\"]\nauth = [\"none\"]\npublic_url = \"https://term.example/\"\n",
    );
    for arguments in [&["config", "check"][..], &["serve"]] {
        let refused = place.run(arguments);
        assert!(!refused.status.success(), "{arguments:?}");
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&refused.stdout),
            String::from_utf8_lossy(&refused.stderr)
        );
        assert!(said.contains(&format!("{}:3:", file.display())), "{said}");
        assert!(
            said.contains("public_url says that people come from elsewhere"),
            "{said}"
        );
        assert!(said.contains("i_know_that_no_proxy_is_in_front"), "{said}");
    }
    // Also when one half comes from a flag, and not when one knows.
    place.configure("gatepost.toml", "[\"*\".server]\nauth = [\"none\"]\n");
    let proxy = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--trusted-proxy",
        "127.0.0.1",
    ];
    assert_eq!(place.run(&proxy).status.code(), Some(2));
    place.configure(
        "conf.d/10.toml",
        "[\"*\".auth.none]\ni_know_that_no_proxy_is_in_front = true\n",
    );
    let server = ServerProcess::start(&place, &["--trusted-proxy", "127.0.0.1"]);
    assert_eq!(server.stop(), Some(0));
}

/// Asks `none` through a proxy that adds this.
fn asks(server: &TestServer, header: &str) -> u16 {
    let browser = server.stranger();
    let head = browser.head("POST", "/api/login/none");
    let request =
        format!("{head}{header}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}");
    browser.raw(request.as_bytes()).unwrap().status
}

#[test]
fn who_comes_through_a_proxy_that_says_so_is_not_on_this_machine() {
    let server = TestServer::with(|settings| settings.ways.open = vec![Way::None]);
    assert_eq!(asks(&server, ""), 204);
    for header in [
        "X-Forwarded-For: 192.0.2.1\r\n",
        "X-Forwarded-For: 127.0.0.1\r\n",
        "Forwarded: for=192.0.2.1\r\n",
        "Via: 1.1 proxy\r\n",
    ] {
        assert_ne!(asks(&server, header), 204, "{header}");
    }
    // Of a proxy we know, the word counts.
    let server = TestServer::with(|settings| {
        settings.ways.open = vec![Way::None];
        settings.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    });
    assert_eq!(asks(&server, "X-Forwarded-For: 127.0.0.9\r\n"), 204);
    assert_ne!(asks(&server, "X-Forwarded-For: 192.0.2.1\r\n"), 204);
}
