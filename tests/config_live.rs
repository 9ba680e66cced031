//! What a changed configuration changes in a server that runs, while a page is open, and what it says
//! of the rest.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::fs::File;

use serde_json::json;
use support::keeper::until;
use support::server::{Place, ServerProcess};
use support::web::Browser;

const BEFORE: &str = "[\"*\".server]\nauth = [\"none\", \"oidc\"]\n[\"*\".auth.none]\ni_know_that_no_proxy_is_in_front = true\n\
    [\"*\".oidc.first]\nissuer = \"https://id.example\"\nclient_id = \"x\"\n";

/// How a host name is answered.
fn host(browser: &Browser, name: &str) -> u16 {
    let request = format!("GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
    browser.raw(request.as_bytes()).unwrap().status
}

/// Whether whoever a proxy says is on this machine is let in.
fn through_a_proxy(browser: &Browser) -> bool {
    let head = browser.head("POST", "/api/login/none");
    let request = format!(
        "{head}X-Forwarded-For: 127.0.0.9\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    browser.raw(request.as_bytes()).unwrap().status == 204
}

#[test]
fn hosts_frames_proxies_and_providers_change_while_a_page_is_open() {
    let place = Place::new();
    place.configure("gatepost.toml", BEFORE);
    let server = ServerProcess::start(&place, &[]);
    let mut browser = Browser::new(server.address);
    browser.log_in(&place.ok(&["url"]));
    let id = browser.open(&json!({ "command": ["cat"] }));
    let mut viewer = browser.view(&id);
    let stranger = Browser::new(server.address);
    let framed = || {
        let answer = stranger.get("/");
        answer.header("content-security-policy").unwrap().to_owned()
    };
    assert_eq!(host(&stranger, "term.example"), 421);
    assert!(!through_a_proxy(&stranger));
    assert!(framed().ends_with("frame-ancestors 'none'"));
    let offered = || stranger.get("/api/ways").json().to_string();
    assert!(
        offered().contains("first") && !offered().contains("second"),
        "{}",
        offered()
    );
    place.configure(
        "conf.d/10.toml",
        "[\"*\".server]\nallow_hosts = [\"term.example\"]\ntrusted_proxies = [\"127.0.0.1\"]\nframe_ancestors = [\"https://portal.example\"]\n\
         [\"*\".oidc.second]\nissuer = \"https://other.example\"\nclient_id = \"x\"\n",
    );
    until("the new host counts", || {
        host(&stranger, "term.example") == 200
    });
    assert!(through_a_proxy(&stranger));
    assert!(framed().ends_with("frame-ancestors https://portal.example"));
    assert!(
        offered().contains("first") && offered().contains("second"),
        "{}",
        offered()
    );
    viewer.type_in("still here\n");
    viewer.wait_text("still here\r\nstill here");
    std::fs::remove_file(place.config().join("conf.d/10.toml")).unwrap();
    until("the host counts no more", || {
        host(&stranger, "term.example") == 421
    });
    assert!(!through_a_proxy(&stranger));
    assert!(!offered().contains("second"));
    viewer.type_in("still there\n");
    viewer.wait_text("still there\r\nstill there");
    assert!(!place.ok(&["status"]).contains("configuration:"));
}

#[test]
fn what_waits_for_a_restart_is_named_in_the_log_and_by_status_until_it_is_changed_back() {
    let place = Place::new();
    place.configure("gatepost.toml", BEFORE);
    let log = place.temp.path().join("log");
    let mut command = place.gatepost(&["serve", "--listen", "127.0.0.1:0", "--log", "text"]);
    command.stderr(File::create(&log).unwrap());
    let _server = ServerProcess::run_logged(command);
    let path = place.configure(
        "conf.d/10.toml",
        "[\"*\".server]\nurl_prefix = \"/x/\"\nallow_hosts = [\"term.example\"]\n[\"*\".auth.throttle]\nwait = 1\n",
    );
    let waits = [
        "server.url_prefix: has changed, and waits",
        "auth.throttle.wait: has changed",
    ];
    until("status names what waits", || {
        let status = place.ok(&["status"]);
        waits.iter().all(|words| status.contains(words))
    });
    assert!(!place.ok(&["status"]).contains("allow_hosts"));
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(
        said.contains("server.url_prefix, auth.throttle.wait"),
        "{said}"
    );
    // The flag still wins over files, so that nothing has changed.
    std::fs::write(&path, "[\"*\".server]\nlisten = [\"127.0.0.1:1\"]\n").unwrap();
    until("nothing waits any more", || {
        !place.ok(&["status"]).contains("waits")
    });
}
