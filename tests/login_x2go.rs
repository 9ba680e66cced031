//! X2Go's line protocol: our service with the real client, our client with the real service, and what
//! the original lets through.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;
#[path = "login_x2go/way_in.rs"]
mod way_in;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gatepost::auth::x2go::{X2goFailure, X2goService};
use support::keeper::until;
use support::login::{Account, LoginPlace, PASSWORD, UNIX, evenly_late, is_root};
use way_in::{lets_people_in, log_in, server};

/// Rules with a delay as on a real machine.
fn service(arguments: &[&str]) -> LoginPlace {
    let place = LoginPlace::with(UNIX, &[&["--x2go"], arguments].concat(), |_| ());
    fs::write(place.path("pam.d/x2gobroker"), UNIX).unwrap();
    // What the original falls for.
    let rootok = "auth sufficient pam_rootok.so\naccount required pam_permit.so\n";
    fs::write(place.path("pam.d/chfn"), rootok).unwrap();
    place
}

/// Sends these pieces, each after the one before has been taken, and reads to the end.
fn talk(place: &LoginPlace, pieces: &[&[u8]]) -> String {
    let mut socket = UnixStream::connect(&place.socket).unwrap();
    for piece in pieces {
        socket.write_all(piece).unwrap();
        until("it has read what was sent", || unread(&socket) == 0);
    }
    socket.shutdown(Shutdown::Write).unwrap();
    let mut said = String::new();
    // A refused connection is reset when there is something left to read in it.
    drop(socket.read_to_string(&mut said));
    said
}

/// Bytes sent and not yet taken from the other end.
fn unread(socket: &UnixStream) -> u64 {
    outgoing(socket).try_into().unwrap()
}

#[expect(unsafe_code, reason = "no crate has SIOCOUTQ")]
fn outgoing(socket: &UnixStream) -> libc::c_int {
    use std::os::fd::AsRawFd as _;
    let mut queue: libc::c_int = 0;
    // SAFETY: TIOCOUTQ (SIOCOUTQ) writes one int through the pointer.
    unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut queue) };
    queue
}

fn line(user: &str, password: &str) -> Vec<u8> {
    format!("{user}\r{password}\rx2gobroker\n").into_bytes()
}

#[test]
fn right_and_wrong_are_told_apart_and_answered_in_order() {
    if !is_root() {
        return;
    }
    let (place, account) = (service(&[]), Account::new());
    let (good, bad) = (line(&account.name, PASSWORD), line(&account.name, "wrong"));
    assert_eq!(talk(&place, &[&good]), "ok\n");
    assert_eq!(talk(&place, &[&bad]), "fail\n");
    assert_eq!(
        talk(&place, &[&[&*good, &*bad, &*good].concat()]),
        "ok\nfail\nok\n"
    );
    assert_eq!(talk(&place, &[&line("nobody-here", PASSWORD)]), "fail\n");
    assert_eq!(talk(&place, &[b"\r\rx2gobroker\n"]), "fail\n");
    assert!(!place.log().contains(PASSWORD));
}

#[test]
fn x2go_split_write() {
    if !is_root() {
        return;
    }
    let (place, account) = (service(&[]), Account::new());
    let good = line(&account.name, PASSWORD);
    let (head, tail) = good.split_at(7);
    // The original drops the connection here.
    assert_eq!(talk(&place, &[head, tail]), "ok\n");
    let two = [&*good, head].concat();
    assert_eq!(talk(&place, &[&two, tail]), "ok\nok\n");
}

#[test]
fn x2go_injection_cr_lf() {
    if !is_root() {
        return;
    }
    let place = service(&[]);
    // What the original's client sends for the password "x\rchfn\n" of root: it gets "ok" first.
    assert_eq!(
        talk(&place, &[b"root\rx\rchfn\n\rx2gobroker\n"]),
        "fail\nbad\n"
    );
    for malformed in [
        &b"a\rb\n"[..],
        b"a\rb\rc\rd\n",
        b"\n",
        b"a\rb\rx2gobroker\r\n",
        b"a\nb\rc\n",
    ] {
        assert_eq!(talk(&place, &[malformed]), "bad\n", "{malformed:?}");
    }
}

#[test]
fn x2go_service_escape() {
    if !is_root() {
        return;
    }
    let (place, account) = (service(&[]), Account::new());
    for name in [
        "X2GOBROKER",
        "../x2gobroker",
        "./x2gobroker",
        "chfn",
        "gatepost",
        "other",
        "",
        "x2gobroker ",
    ] {
        let request = format!("{}\r{PASSWORD}\r{name}\n", account.name);
        assert_eq!(talk(&place, &[request.as_bytes()]), "fail\n", "{name:?}");
        let request = format!("root\rx\r{name}\n");
        assert_eq!(
            talk(&place, &[request.as_bytes()]),
            "fail\n",
            "root, {name:?}"
        );
    }
}

#[test]
fn x2go_1024_1025_and_4097() {
    if !is_root() {
        return;
    }
    let place = service(&[]);
    let of_length = |length: usize| {
        let mut line = b"a\r".to_vec();
        line.resize(length - 12, b'x');
        line.extend(b"\rx2gobroker\n");
        assert_eq!(line.len(), length);
        line
    };
    for length in [1024, 1025, 4096] {
        assert_eq!(talk(&place, &[&of_length(length)]), "fail\n", "{length}");
    }
    assert_eq!(talk(&place, &[&of_length(4097)]), "bad\n");
}

#[test]
fn x2go_nul_and_latin1() {
    if !is_root() {
        return;
    }
    let place = service(&[]);
    assert_eq!(talk(&place, &[b"a\rb\0c\rx2gobroker\n"]), "bad\n");
    assert_eq!(talk(&place, &[b"a\rp\xe4ss\rx2gobroker\n"]), "bad\n");
}

#[test]
fn root_is_refused_with_its_password() {
    if !is_root() {
        return;
    }
    let place = service(&[]);
    // Whatever root's password is, PAM says yes to it here.
    fs::write(
        place.path("pam.d/x2gobroker"),
        "auth required pam_rootok.so\naccount required pam_permit.so\n",
    )
    .unwrap();
    assert_eq!(talk(&place, &[&line("root", "x")]), "fail\n");
}

#[test]
fn peercred_wrong_uid() {
    if !is_root() {
        return;
    }
    let (place, account) = (service(&[]), Account::new());
    let ask = |place: &LoginPlace| {
        let script = "import socket,sys;s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);\
            s.sendall(sys.argv[2].encode());print(s.recv(100).decode(),end='')";
        let request = String::from_utf8(line(&account.name, PASSWORD)).unwrap();
        let output = Command::new("setpriv")
            .args([
                "--reuid",
                &account.uid.to_string(),
                "--clear-groups",
                "/usr/bin/python3",
                "-c",
            ])
            .args([script, place.socket.to_str().unwrap(), &request])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(ask(&place), "");
    let allowed = service(&["--x2go-user", &account.name]);
    assert_eq!(ask(&allowed), "ok\n");
}

#[test]
fn a_request_that_hangs_is_ended_and_holds_up_nobody_else() {
    if !is_root() {
        return;
    }
    let (place, account) = (
        service(&[
            "--x2go-service",
            "x2gobroker",
            "--x2go-service",
            "hangs",
            "--total",
            "1",
        ]),
        Account::new(),
    );
    fs::write(
        place.path("pam.d/hangs"),
        "auth required pam_exec.so quiet /usr/bin/sleep 100\naccount required pam_permit.so\n",
    )
    .unwrap();
    let began = Instant::now();
    std::thread::scope(|scope| {
        let hanging = scope.spawn(|| talk(&place, &[b"a\rb\rhangs\n"]));
        assert_eq!(talk(&place, &[&line(&account.name, PASSWORD)]), "ok\n");
        assert_eq!(hanging.join().unwrap(), "fail\n");
    });
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn every_failure_takes_the_same_time() {
    if !is_root() {
        return;
    }
    // Longer than pam_unix's own delay.
    let (place, account) = (service(&["--failure", "4000"]), Account::new());
    let round = || -> Vec<Duration> {
        std::thread::scope(|scope| {
            let asked = [
                line(&account.name, "wrong"),
                line("nobody-here", "wrong"),
                b"a\rb\rchfn\n".to_vec(),
                line("-x", "y"),
            ]
            .map(|request| {
                let place = &place;
                scope.spawn(move || {
                    let began = Instant::now();
                    assert_eq!(talk(place, &[&request]), "fail\n");
                    began.elapsed()
                })
            });
            asked.map(|asked| asked.join().unwrap()).into()
        })
    };
    evenly_late(Duration::from_secs(4)..Duration::from_secs(6), round);
}

#[test]
fn our_client_takes_no_answer_but_exactly_ok() {
    let temp = tempfile::tempdir().unwrap();
    let socket = temp.path().join("s");
    let listener = UnixListener::bind(&socket).unwrap();
    let answers = [
        "ok\n",
        "fail\n",
        "bad\n",
        "ok",
        "okay\n",
        "ok\nfail\n",
        "OK\n",
        "",
        "ok\r\n",
    ];
    let client = X2goService {
        socket: socket.clone(),
        ..X2goService::default()
    };
    let server = std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 100];
            let read = stream.read(&mut request).unwrap();
            assert_eq!(&request[..read], b"ada\rsecret\rx2gobroker\n", "one write");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for answer in answers {
        let said = runtime.block_on(client.check(&"ada".parse().unwrap(), "secret"));
        assert_eq!(said.unwrap(), answer == "ok\n", "{answer:?}");
    }
    server.join().unwrap();
    let sent = runtime.block_on(client.check(&"root".parse().unwrap(), "x\rchfn\n"));
    assert!(matches!(sent, Err(X2goFailure::Unsendable(_))), "{sent:?}");
    fs::remove_file(&socket).unwrap();
    let nobody = runtime.block_on(client.check(&"ada".parse().unwrap(), "x"));
    assert!(matches!(nobody, Err(X2goFailure::Unavailable { .. })));
}

#[test]
fn x2go_as_a_way_in_lets_people_into_the_page_and_gives_them_no_shell() {
    if !is_root() {
        return;
    }
    let (place, account) = (service(&[]), Account::new());
    lets_people_in(&server(&place.socket), &account);
    let away = server(&place.socket.with_extension("nobody"));
    assert_eq!(log_in(&away, &account.name, PASSWORD).1.status, 503);
    // Root is let in by nobody's word.
    fs::write(
        place.path("pam.d/x2gobroker"),
        "auth required pam_permit.so\naccount required pam_permit.so\n",
    )
    .unwrap();
    assert_eq!(log_in(&server(&place.socket), "root", "x").1.status, 401);
}

/// The original's Python packages; none where they can't run: they need asyncore, which Python 3.12
/// no longer has.
fn original() -> Option<PathBuf> {
    let asyncore = Command::new("/usr/bin/python3")
        .args(["-W", "ignore", "-c", "import asyncore"])
        .stderr(Stdio::null())
        .status();
    if !asyncore.is_ok_and(|status| status.success()) {
        drop(writeln!(
            std::io::stderr().lock(),
            "NOT RUN: x2gobroker needs Python 3.11, as Debian 12 has it"
        ));
        return None;
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache");
    let packages = cache.unwrap_or_else(home);
    let packages = packages.join("gatepost/x2go/root/usr/lib/python3/dist-packages");
    assert!(
        packages.join("x2gobroker/authservice.py").exists(),
        "x2gobroker is not in {}; ./dev test fetches it",
        packages.display()
    );
    Some(packages)
}

fn python(packages: &Path, home: &Path, script: &str) -> Command {
    let mut command = Command::new("/usr/bin/python3");
    command
        .args(["-W", "ignore", "-c", script])
        .env("PYTHONPATH", packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HOME", home);
    command
}

#[test]
fn x2go_interop_client() {
    let Some(packages) = original().filter(|_| is_root()) else {
        return;
    };
    let (place, account) = (service(&[]), Account::new());
    let ask = |user: &str, password: &str| {
        let script = "import sys; from x2gobroker.authservice import authenticate; \
            print(authenticate(sys.argv[1], sys.argv[2]))";
        let output = python(&packages, place.temp.path(), script)
            .args([user, password])
            .env("X2GOBROKER_AUTHSERVICE_SOCKET", &place.socket)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (
            String::from_utf8(output.stdout).unwrap().trim().to_owned(),
            said,
        )
    };
    assert_eq!(ask(&account.name, PASSWORD).0, "True");
    assert_eq!(ask(&account.name, "wrong").0, "False");
    assert_eq!(ask("nobody-here", PASSWORD).0, "False");
    // With the original as service, this lets anybody in as anybody.
    assert_eq!(ask("root", "x\rchfn\n").0, "False");
    assert_eq!(ask(&account.name, "x\rchfn\n").0, "False");
}

/// The original service, ended with the test.
struct Original(Child);

impl Drop for Original {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn x2go_interop_server() {
    let Some(packages) = original().filter(|_| is_root()) else {
        return;
    };
    let (temp, account) = (tempfile::tempdir().unwrap(), Account::new());
    let rules = temp.path().join("pam.d");
    fs::create_dir(&rules).unwrap();
    fs::write(rules.join("x2gobroker"), UNIX).unwrap();
    fs::write(
        rules.join("other"),
        "auth required pam_deny.so\naccount required pam_unix.so\n",
    )
    .unwrap();
    let socket = temp.path().join("s");
    let script = "import asyncore, logging, sys; from x2gobroker.authservice import AuthService; \
        AuthService(sys.argv[1], logger=logging.getLogger('x')); asyncore.loop()";
    let python = python(&packages, temp.path(), script);
    // In a place of its own where /etc/pam.d is ours.
    let mut command = Command::new("unshare");
    command
        .args([
            "-m",
            "sh",
            "-c",
            "mount --bind \"$0\" /etc/pam.d && exec \"$@\"",
        ])
        .arg(&rules)
        .arg(python.get_program())
        .args(python.get_args())
        .arg(&socket)
        .envs(
            python
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stderr(Stdio::null());
    let _original = Original(command.spawn().unwrap());
    until("the original listens", || {
        UnixStream::connect(&socket).is_ok()
    });
    lets_people_in(&server(&socket), &account);
    let client = X2goService {
        socket,
        ..X2goService::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ask = |password: &str| runtime.block_on(client.check(&account.user(), password));
    assert!(ask(PASSWORD).unwrap());
    assert!(!ask("wrong").unwrap());
    assert!(matches!(ask("x\rchfn\n"), Err(X2goFailure::Unsendable(_))));
    assert!(
        !runtime
            .block_on(client.check(&"nobody-here".parse().unwrap(), "x"))
            .unwrap()
    );
}
