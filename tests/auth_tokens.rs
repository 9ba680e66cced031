//! One-time tokens of another web application: in memory, and in a real Redis on loopback.

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
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use gatepost::base::Way;
use serde_json::json;
use support::keeper::until;
use support::server::{Place, ServerProcess, TestServer, free_port};
use support::web::{Answer, Browser};

/// A Redis of this test's own.
struct Redis {
    port: u16,
    process: Child,
    _temp: tempfile::TempDir,
}

impl Redis {
    fn start() -> Self {
        Self::with(&[])
    }

    /// With more options.
    fn with(options: &[&str]) -> Self {
        let temp = tempfile::tempdir().unwrap();
        // Redis takes no port 0.
        let port = free_port();
        let process = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
            ])
            .args(["--appendonly", "no", "--dir", temp.path().to_str().unwrap()])
            .args(options)
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("redis-server: {error}; ./dev test installs it"));
        let redis = Self {
            port,
            process,
            _temp: temp,
        };
        until("Redis answers", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
                && ["PONG", "NOAUTH"]
                    .iter()
                    .any(|word| redis.run(&["PING"]).contains(word))
        });
        redis
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// One command in its own protocol; what it answers.
    fn run(&self, words: &[&str]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let count = words.len();
        let words = words.iter().fold(String::new(), |out, word| {
            out + &format!("${}\r\n{word}\r\n", word.len())
        });
        write!(stream, "*{count}\r\n{words}*1\r\n$4\r\nQUIT\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// A token as the other application writes it, of this age in seconds.
    fn put(&self, digit: char, user: &str, age: i64) -> String {
        let token = format!("wstoken{}", digit.to_string().repeat(32));
        let time = Command::new("python3")
            .args(["-c", "import sys,datetime as d;print((d.datetime.now(d.timezone.utc)-d.timedelta(seconds=int(sys.argv[1]))).strftime('%d:%m:%Y:%H:%M:%S'))"])
            .arg(age.to_string())
            .output()
            .unwrap();
        let time = String::from_utf8(time.stdout).unwrap();
        let value = json!({ "user": user, "time": time.trim() }).to_string();
        assert!(self.run(&["SET", &token, &value]).contains("OK"));
        token
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn server(redis: Option<&Redis>) -> TestServer {
    TestServer::with(|settings| {
        settings.ways.open = vec![Way::Token];
        settings.ways.settings.tokens.redis = redis.map(Redis::url);
        settings.ways.settings.throttle.failure_milliseconds = 10;
        settings.ways.settings.throttle.address_failures = 1000;
    })
}

fn enter(server: &TestServer, token: &str) -> Answer {
    server
        .stranger()
        .post("/api/login/token", &json!({ "token": token }))
}

fn race(server: &TestServer, token: &str) -> usize {
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..100)
            .map(|_| scope.spawn(|| enter(server, token).status))
            .collect();
        let statuses = racers.into_iter().map(|racer| racer.join().unwrap());
        statuses.filter(|status| *status == 204).count()
    })
}

#[test]
fn a_token_from_the_command_logs_in_whom_it_was_made_for_once() {
    let server = server(None);
    let token = server.place.ok(&["token", "new", "--user", "alice"]);
    let answer = enter(&server, &token);
    assert_eq!(answer.status, 204, "{answer:?}");
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly"), "{cookie}");
    let mut alice = server.stranger();
    alice.take_cookies(&answer);
    let who = alice.get("/api/login").json();
    assert_eq!(
        (&who["user"], &who["way"]),
        (&json!("alice"), &json!("token"))
    );
    let again = enter(&server, &token);
    assert_eq!(again.status, 401, "token_reuse");
    let wrong = enter(&server, &format!("wstoken{}", "0".repeat(32)));
    let nonsense = enter(&server, "wstoken*");
    assert_eq!((wrong.status, nonsense.status), (401, 401));
    assert_eq!(again.body, wrong.body);
    assert_eq!(again.body, nonsense.body);
}

#[test]
fn token_race_100_in_memory_has_one_winner() {
    let server = server(None);
    let token = server.place.ok(&["token", "new", "--user", "alice"]);
    assert_eq!(race(&server, &token), 1);
}

#[test]
fn tokens_in_redis_are_good_for_20_seconds_and_burnt_by_one_look() {
    let redis = Redis::start();
    let server = server(Some(&redis));
    assert_eq!(enter(&server, &redis.put('a', "alice", 0)).status, 204);
    // The edge itself is held by a unit test, with a clock of its own.
    assert_eq!(enter(&server, &redis.put('b', "alice", 8)).status, 204);
    let late = redis.put('c', "alice", 22);
    assert_eq!(enter(&server, &late).status, 401, "token_expired_21s");
    assert!(
        redis.run(&["EXISTS", &late]).starts_with(":0"),
        "a late one is burnt, too"
    );
    let early = redis.put('d', "alice", -30);
    assert_eq!(enter(&server, &early).status, 401, "token_future");
    assert!(redis.run(&["EXISTS", &early]).starts_with(":0"));
    assert_eq!(enter(&server, &redis.put('e', "../etc", 0)).status, 401);
    let used = redis.put('f', "alice", 0);
    assert_eq!(race(&server, &used), 1, "token_race_100");
}

#[test]
fn token_key_injection_reaches_no_other_key() {
    let redis = Redis::start();
    let server = server(Some(&redis));
    redis.run(&[
        "SET",
        "secret",
        r#"{"user":"root","time":"01:01:2027:00:00:00"}"#,
    ]);
    for bad in [
        "secret",
        "wstokensecret",
        "wstoken0\r\nFLUSHALL",
        "wstoken*",
        &format!("WSTOKEN{}", "a".repeat(32)),
        &format!("wstoken{}", "A".repeat(32)),
        &format!("wstoken{}\n", "a".repeat(32)),
    ] {
        assert_eq!(enter(&server, bad).status, 401, "{bad:?}");
    }
    assert!(redis.run(&["EXISTS", "secret"]).starts_with(":1"));
}

#[test]
fn our_own_tokens_in_redis_end_by_themselves() {
    let redis = Redis::start();
    let server = server(Some(&redis));
    let token = server.place.ok(&["token", "new", "--user", "alice"]);
    let left = redis.run(&["TTL", &token]);
    let left: u32 = left[1..].lines().next().unwrap().parse().unwrap();
    assert!((20..=30).contains(&left), "{left}");
    assert_eq!(enter(&server, &token).status, 204);
}

#[test]
fn without_its_redis_nobody_is_let_in_and_it_is_not_their_fault() {
    let redis = Redis::start();
    let server = server(Some(&redis));
    let token = redis.put('a', "alice", 0);
    drop(redis);
    assert_eq!(enter(&server, &token).status, 503);
}

#[test]
fn a_redis_password_is_read_from_a_file_not_everybody_may_read_and_stands_in_no_configuration() {
    let redis = Redis::with(&["--requirepass", "hunter2 %&?"]);
    let place = Place::new();
    let file = place.temp.path().join("password");
    std::fs::write(&file, "hunter2 %&?\n").unwrap();
    let mode = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let configure = |url: &str| {
        place.configure(
            "gatepost.toml",
            &format!(
                "[\"*\".server]\nauth = [\"token\"]\n[\"*\".auth.tokens]\nredis = \"{url}\"\nredis_password = {{ file = {file:?} }}\n"
            ),
        );
    };
    configure(&format!("redis://:hunter2@127.0.0.1:{}/", redis.port));
    let refused = place.run(&["config", "check"]);
    let said = [refused.stdout, refused.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("gatepost.toml:4:"), "{said}");
    assert!(
        said.contains("redis_password") && !said.contains("hunter2"),
        "{said}"
    );
    configure(&redis.url());
    mode(0o644);
    let mut starting = place.gatepost(&["serve", "--listen", "127.0.0.1:0"]);
    let mut starting = starting.stderr(Stdio::piped()).spawn().unwrap();
    until("it gives up", || starting.try_wait().unwrap().is_some());
    let refused = starting.wait_with_output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    assert!(
        said.contains("redis_password") && said.contains("chmod"),
        "{said}"
    );
    mode(0o640);
    let server = ServerProcess::start(&place, &[]);
    let token = place.ok(&["token", "new", "--user", "alice"]);
    let stranger = Browser::new(server.address);
    let enter = || stranger.post("/api/login/token", &json!({ "token": token }));
    assert_eq!(enter().status, 204);
    assert_eq!(enter().status, 401, "burnt");
}
