//! Starting and stopping the server: what it prints, what it refuses, and who may share what.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "what fails here fails a test, loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output};

use serde_json::json;
use support::keeper::until;
use support::server::{Place, ServerProcess, TestServer};
use support::web::Browser;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn serve(place: &Place, more: &[&str]) -> Output {
    let mut arguments = vec!["serve"];
    arguments.extend(more);
    place.run(&arguments)
}

#[test]
fn the_address_really_bound_is_printed_and_the_folders_are_private() {
    let place = Place::new();
    let server = ServerProcess::start(&place, &[]);
    assert_ne!(server.address.port(), 0);
    // Nobody has logged in: no more than a word about the machine.
    let health = Browser::new(server.address).get("/health").json();
    let word = &health["health"];
    assert!(["good", "warning", "bad"].iter().any(|known| word == known));
    assert_eq!(health, json!({ "status": "ok", "health": word }));
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&place.folders.runtime), 0o700);
    assert_eq!(mode(&place.folders.state), 0o700);
    assert_eq!(mode(&place.folders.control_socket()), 0o600);
    let status = place.ok(&["status"]);
    assert!(status.contains(&server.address.to_string()), "{status}");
    assert_eq!(server.stop(), Some(0));
    assert!(!place.folders.control_socket().exists());
    assert_eq!(place.run(&["status"]).status.code(), Some(4));
}

#[test]
fn two_on_one_runtime_folder_the_second_says_so_and_leaves_the_first_alone() {
    let place = Place::new();
    let first = ServerProcess::start(&place, &[]);
    let id = place.ok(&["terminal", "open", "--", "cat"]);
    let second = serve(&place, &["--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(8));
    let words = said(&second);
    assert!(
        words.contains(&first.address.to_string()),
        "says where the first one is: {words}"
    );
    assert!(place.ok(&["terminal", "list"]).contains(&id));
}

#[test]
fn two_on_one_port_the_second_says_so_and_leaves_the_first_alone() {
    let (one, two) = (Place::new(), Place::new());
    let first = ServerProcess::start(&one, &[]);
    let address = first.address.to_string();
    let second = serve(&two, &["--listen", &address]);
    assert_eq!(second.status.code(), Some(8));
    assert!(said(&second).contains("--listen"), "{}", said(&second));
    assert_eq!(Browser::new(first.address).get("/health").status, 200);
    // Taken by another program altogether.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    assert_eq!(serve(&two, &["--listen", &address]).status.code(), Some(8));
}

#[test]
fn beyond_loopback_it_listens_only_when_told_that_nothing_is_encrypted() {
    let place = Place::new();
    let refused = serve(&place, &["--listen", "0.0.0.0:0"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("--allow-plain-http"));
    assert!(!place.folders.runtime.exists(), "nothing was touched");
}

#[test]
fn state_dir_world_writable_and_unix_wrong_owner_folders_are_refused() {
    let place = Place::new();
    std::fs::create_dir(&place.folders.runtime).unwrap();
    std::fs::set_permissions(
        &place.folders.runtime,
        std::fs::Permissions::from_mode(0o777),
    )
    .unwrap();
    let refused = serve(&place, &["--listen", "127.0.0.1:0"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("chmod 700"), "{}", said(&refused));
    let mut command = place.gatepost(&["serve"]);
    let relative = command
        .env("GATEPOST_RUNTIME_DIR", "relative")
        .output()
        .unwrap();
    assert_eq!(relative.status.code(), Some(2), "{}", said(&relative));
}

#[test]
fn unix_preexisting_file_and_stale_sockets_do_not_matter() {
    let place = Place::new();
    let mut server = ServerProcess::start(&place, &[]);
    let id = place.ok(&["terminal", "open", "--", "cat"]);
    server.kill();
    assert!(
        place.folders.control_socket().exists(),
        "killed, it could not clean up"
    );
    // A keeper that was killed leaves this.
    let stale = place.folders.terminals().join("abcdefghij.sock");
    drop(UnixListener::bind(&stale).unwrap());
    std::fs::write(place.folders.terminals().join("not a terminal.sock"), "").unwrap();
    server = ServerProcess::start(&place, &[]);
    let list = place.ok(&["terminal", "list"]);
    assert!(list.contains(&id) && !list.contains("abcdefghij"), "{list}");
    until("the stale socket is removed", || !stale.exists());
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_terminal_that_appears_in_the_folder_is_found_without_a_restart() {
    let server = TestServer::start();
    let folder = server.place.folders.terminals();
    let launch = support::keeper::launch(&folder, &["cat"]);
    let message = serde_json::to_vec(&launch).unwrap();
    let (mut keeper, line) = support::keeper::start_raw(support::keeper::executable(), &message);
    assert_eq!(line, "ready");
    let browser = server.browser();
    until("it is in the list", || {
        browser
            .terminals()
            .iter()
            .any(|terminal| terminal["id"] == json!(launch.id))
    });
    keeper.kill().unwrap();
    keeper.wait().unwrap();
    until("it is gone from the list", || {
        browser.terminals().is_empty()
    });
}

#[test]
fn no_such_program_folder_or_keeper_is_said_clearly() {
    let place = Place::new();
    let server = ServerProcess::start(&place, &[]);
    let refused = place.run(&["terminal", "open", "--", "/no/such/program"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("/no/such/program"),
        "{}",
        said(&refused)
    );
    drop(server);
    let mut command = place.gatepost(&["serve"]);
    let refused = command
        .env("GATEPOST_KEEPER", "/no/such/keeper")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("/no/such/keeper"),
        "{}",
        said(&refused)
    );
}

#[test]
fn a_runtime_folder_too_deep_for_a_socket_is_said_clearly() {
    let mut place = Place::new();
    place.folders.runtime = place.temp.path().join("d".repeat(90));
    let refused = serve(&place, &["--listen", "127.0.0.1:0"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("shorter GATEPOST_RUNTIME_DIR"),
        "{}",
        said(&refused)
    );
}

#[test]
fn one_terminal_past_the_limit_is_refused_unless_an_ended_one_can_go() {
    let server = TestServer::with(|settings| settings.terminals.max_terminals = 2);
    let browser = server.browser();
    browser.open(&json!({ "command": ["cat"] }));
    let ended = browser.open(&json!({ "command": ["true"] }));
    until("it has ended", || {
        browser
            .terminals()
            .iter()
            .any(|terminal| terminal["exit_status"] == json!(0))
    });
    let third = browser.open(&json!({ "command": ["cat"] }));
    assert_ne!(third, ended);
    assert!(
        browser
            .terminals()
            .iter()
            .all(|terminal| terminal["id"] != json!(ended))
    );
    until("the ended one is gone", || {
        server.place.sockets().len() == 2
    });
    let refused = browser.post("/api/terminals", &json!({ "command": ["cat"] }));
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json()["error"]["kind"], "limit");
}

#[test]
fn without_a_display_the_plain_command_says_what_to_open() {
    use std::io::{BufRead as _, BufReader};
    let place = Place::new();
    let mut command = place.gatepost(&["--listen", "127.0.0.1:0"]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let listening = lines.next().unwrap().unwrap();
    assert!(
        listening.starts_with("listening on http://127.0.0.1:"),
        "{listening}"
    );
    let open = lines.next().unwrap().unwrap();
    let (_, url) = open.split_once("http://").unwrap();
    let address = url.split('/').next().unwrap().parse().unwrap();
    Browser::new(address).log_in(url);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn systemd_is_told_when_it_is_ready_and_when_it_stops() {
    let place = Place::new();
    let notify = place.temp.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&notify).unwrap();
    socket
        .set_read_timeout(Some(support::keeper::DEADLINE))
        .unwrap();
    let mut command = place.gatepost(&["serve", "--listen", "127.0.0.1:0"]);
    command
        .env("NOTIFY_SOCKET", &notify)
        .env("WATCHDOG_USEC", "200000");
    let server = ServerProcess::run(command);
    let wait_for = |word: &str| {
        let mut buffer = [0; 1024];
        loop {
            let length = socket.recv(&mut buffer).unwrap();
            if String::from_utf8_lossy(&buffer[..length]).contains(word) {
                return;
            }
        }
    };
    wait_for("READY=1");
    wait_for("WATCHDOG=1");
    let id = place.ok(&[
        "terminal",
        "open",
        "--",
        "sh",
        "-c",
        "echo ${NOTIFY_SOCKET-none} ${WATCHDOG_USEC-none}; cat",
    ]);
    place.ok(&[
        "terminal",
        "wait",
        &id,
        "--for",
        "none none",
        "--timeout",
        "60",
    ]);
    assert_eq!(server.stop(), Some(0));
    wait_for("STOPPING=1");
}

#[test]
fn disk_full_costs_logins_their_future_and_nothing_else() {
    let place = Place::new();
    let log = place.temp.path().join("log");
    let mut command = place.gatepost(&["serve", "--listen", "127.0.0.1:0"]);
    command.stderr(std::fs::File::create(&log).unwrap());
    let server = ServerProcess::run_logged(command);
    // Every write to this file fails as on a full disk.
    let file = place.folders.logins().with_extension("new");
    std::os::unix::fs::symlink("/dev/full", file).unwrap();
    let mut browser = Browser::new(server.address);
    browser.log_in(&place.ok(&["url"]));
    browser.open(&json!({ "command": ["cat"] }));
    assert_eq!(server.stop(), Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("is the disk full?"), "{log}");
}

#[test]
fn what_a_broken_keeper_leaves_behind_gets_into_the_log_without_its_controls() {
    let place = Place::new();
    let log = place.temp.path().join("log");
    let serve = || {
        let mut command = place.gatepost(&["serve", "--listen", "127.0.0.1:0"]);
        let log = std::fs::File::options()
            .append(true)
            .create(true)
            .open(&log);
        command.stderr(log.unwrap());
        ServerProcess::run_logged(command)
    };
    let words = |id: &str| place.folders.terminals().join(format!("{id}.broken"));
    let breaks = |id: &str| {
        std::fs::write(words(id), format!("broke at {id}.rs:7\x1b[2J\n")).unwrap();
    };
    let server = serve();
    breaks("abcdefgh27");
    place.ok(&["terminal", "open", "--", "cat"]);
    until("it is read", || !words("abcdefgh27").exists());
    server.kill();
    // Another while no server runs.
    breaks("bcdefgh27a");
    let server = serve();
    until("the other is read", || !words("bcdefgh27a").exists());
    assert_eq!(server.stop(), Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    for place in ["abcdefgh27.rs:7[2J", "bcdefgh27a.rs:7[2J"] {
        assert!(log.contains(place), "{log}");
    }
}

#[test]
fn without_descriptors_left_it_waits_and_goes_on() {
    let place = Place::new();
    let mut command = place.gatepost(&[]);
    let program = command.get_program().to_owned();
    let variables: Vec<_> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    command = std::process::Command::new("sh");
    command
        .args(["-c", "ulimit -n 40; exec \"$0\" serve --listen 127.0.0.1:0"])
        .arg(program)
        .envs(variables);
    let server = ServerProcess::run(command);
    let browser = Browser::new(server.address);
    let crowd: Vec<_> = (0..60).map(|_| browser.connect()).collect();
    drop(crowd);
    assert_eq!(browser.get("/health").status, 200);
    let id = place.ok(&["terminal", "open", "--", "cat"]);
    assert!(place.ok(&["terminal", "list"]).contains(&id));
}

#[test]
fn peercred_wrong_uid_hears_no_word_at_the_control_socket_even_where_everything_is_open() {
    if !rustix::process::geteuid().is_root() {
        return; // only root can be somebody else
    }
    let server = TestServer::start();
    let socket = server.place.folders.control_socket();
    for (path, mode) in [
        (server.place.temp.path(), 0o755),
        (socket.parent().unwrap(), 0o755),
        (&*socket, 0o666),
    ] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let script = "import socket,sys;s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);\
        m=b'{\"call\":\"url\"}';s.sendall(len(m).to_bytes(4,'big')+m);print(s.recv(9999))";
    let ask = |uid| {
        let mut command = Command::new("python3");
        let command = command.args(["-c", script]).arg(&socket).uid(uid).gid(uid);
        let output = command.output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    assert!(ask(0).contains("#token="), "root may");
    let heard = ask(65_534);
    // It may hang up before, while or after the stranger speaks.
    let hung_up = ["ConnectionResetError", "BrokenPipeError"];
    assert!(
        heard.trim() == "b''" || hung_up.iter().any(|error| heard.contains(error)),
        "{heard}"
    );
}
