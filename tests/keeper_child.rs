//! What a program in a terminal gets from the keeper, and what it must not get.

#![expect(
    clippy::unwrap_used,
    reason = "a step that fails should stop its test loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use gatepost::wire::frame::FromViewer;
use gatepost::wire::message::{Exit, Level, Mode};
use support::keeper::{TestKeeper, attach, executable, launch, start_raw, until};

/// The keeper's executable, started by a shell that has done something first.
fn after(preparation: &str) -> Command {
    let mut command = Command::new("sh");
    let keeper = executable();
    command.args(["-c", &format!("{preparation}; exec \"$0\"")]);
    command.arg(keeper.get_program());
    command
}

/// What a program prints, once it has ended.
fn output(keeper: &TestKeeper) -> String {
    let mut viewer = keeper.attach();
    viewer.wait("the end", |viewer| viewer.meta.exit.flatten().is_some());
    viewer.settle();
    viewer.screen()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn fd_leak_child() {
    let keeper = TestKeeper::from_command(
        after("exec 7</etc/passwd 9>/dev/null"),
        &["sh", "-c", "ls /proc/$$/fd; true"],
        |_| (),
    );
    let screen = output(&keeper);
    let descriptors: Vec<_> = screen.split_whitespace().collect();
    assert_eq!(descriptors, ["0", "1", "2"]);
    let own = format!("/proc/{}/fd", keeper.pid());
    for entry in fs::read_dir(&own).unwrap() {
        // One that was open for the listing only may be gone by now.
        let Ok(target) = fs::read_link(entry.unwrap().path()) else {
            continue;
        };
        assert_ne!(target.to_str(), Some("/etc/passwd"));
    }
    for standard in 0..3 {
        let target = fs::read_link(format!("{own}/{standard}")).unwrap();
        assert_eq!(target.to_str(), Some("/dev/null"));
    }
}

#[test]
fn env_leak_child() {
    let mut command = executable();
    for name in [
        "NOTIFY_SOCKET",
        "LISTEN_FDS",
        "LISTEN_PID",
        "CREDENTIALS_DIRECTORY",
        "LD_LIBRARY_PATH",
        "GATEPOST_TOKEN",
        "GATEPOST_RUNTIME_DIR",
        "SOMETHING_ELSE",
        "DISPLAY",
    ] {
        command.env(name, "/leaked");
    }
    command
        .env("LC_TIME", "C.UTF-8")
        .env("PATH", "/leaked:/usr/bin:/bin");
    let keeper = TestKeeper::from_command(command, &["env"], |launch| {
        launch.environment.push(("EDITOR".into(), "vi".into()));
    });
    let screen = output(&keeper);
    assert!(!screen.contains("leaked"), "{screen}");
    for wanted in [
        "EDITOR=vi",
        "LC_TIME=C.UTF-8",
        "TERM=xterm-256color",
        "COLORTERM=truecolor",
        "TERM_PROGRAM=gatepost",
        &format!("GATEPOST_TERMINAL={}", keeper.id),
        "HOME=/",
        "SHELL=/",
        "USER=",
        "LOGNAME=",
    ] {
        assert!(screen.contains(wanted), "{wanted} in\n{screen}");
    }
}

#[test]
fn a_token_in_the_launch_is_refused_and_never_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let mut launch = launch(folder.path(), &["true"]);
    launch.environment = vec![("API_TOKEN".into(), "s3cret".into())];
    let message = serde_json::to_vec(&launch).unwrap();
    let (mut process, line) = start_raw(executable(), &message);
    process.wait().unwrap();
    assert!(
        line.starts_with("failed ") && line.contains("API_TOKEN"),
        "{line}"
    );
    assert!(!line.contains("s3cret"));
    // Nor when the message is broken.
    let (mut process, line) = start_raw(executable(), br#"{"id":"s3cret","x":"s3cret"}"#);
    process.wait().unwrap();
    assert!(
        line.starts_with("failed ") && !line.contains("s3cret"),
        "{line}"
    );
}

#[test]
fn signals_ignored_by_the_parent_are_not_ignored_by_the_program() {
    let keeper = TestKeeper::from_command(
        after("trap '' INT QUIT TERM HUP PIPE CHLD TSTP TTIN TTOU USR1 USR2 ALRM WINCH RTMIN"),
        &["grep", "-E", "Sig(Ign|Blk)", "/proc/self/status"],
        |_| (),
    );
    let screen = output(&keeper);
    for field in ["SigBlk:\t", "SigIgn:\t"] {
        let line = screen
            .lines()
            .find(|line| line.split_whitespace().next() == field.split_whitespace().next());
        assert!(
            line.is_some_and(|line| line.ends_with("0000000000000000")),
            "{screen}"
        );
    }
}

#[test]
fn an_interrupt_works_although_the_parent_ignored_it() {
    let keeper = TestKeeper::from_command(after("trap '' INT"), &["/bin/sh"], |launch| {
        launch.environment.push(("PS1".into(), "gp>".into()));
    });
    let mut viewer = keeper.attach();
    viewer.wait_text("gp>");
    viewer.type_in("sh -c 'echo begin; exec sleep 1000'\n");
    viewer.wait_text("\nbegin");
    viewer.type_in("\x03");
    viewer.wait("a new prompt", |v| v.screen().matches("gp>").count() == 2);
}

#[test]
fn umask_cwd_and_core_dump_off() {
    let keeper = TestKeeper::from_command(
        after("umask 077; ulimit -c unlimited"),
        &["sh", "-c", "umask; pwd; ulimit -c"],
        |launch| launch.directory = Some("/usr".into()),
    );
    let screen = output(&keeper);
    let lines: Vec<_> = screen.split_whitespace().collect();
    assert_eq!(lines, ["0022", "/usr", "0"]);
}

#[test]
fn a_folder_that_is_gone_is_told_to_the_first_who_types() {
    let keeper = TestKeeper::with(&["sh", "-c", "pwd; read x"], |launch| {
        launch.directory = Some("/nonexistent/folder".into());
    });
    let watching = keeper.attach_as(attach(Mode::View));
    assert!(watching.notices.is_empty());
    let mut typing = keeper.attach();
    typing.wait("a notice", |viewer| !viewer.notices.is_empty());
    assert_eq!(typing.notices[0].level, Level::Warning);
    assert!(typing.notices[0].text.contains("/nonexistent/folder"));
}

#[test]
fn home_missing() {
    if !is_root() {
        return; // only root can become somebody without a home
    }
    // A copy where everybody may go: the build folder may be in a home that is closed to others.
    // Made by another process: were it written to from this one, a test starting a process at the
    // same time would keep it busy.
    let open = tempfile::tempdir().unwrap();
    fs::set_permissions(open.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = open.path().join("gatepost-keeper");
    let copied = std::process::Command::new("cp")
        .arg(executable().get_program())
        .arg(&copy)
        .status();
    assert!(copied.unwrap().success());
    let mut command = std::process::Command::new(copy);
    command.uid(65534).gid(65534);
    let keeper = TestKeeper::from_command(command, &["pwd"], |launch| {
        let open = fs::Permissions::from_mode(0o777);
        fs::set_permissions(&launch.folder, open).unwrap();
    });
    assert_eq!(output(&keeper).trim(), "/");
}

#[test]
fn the_login_shell_is_a_login_shell() {
    let keeper = TestKeeper::with(&[], |launch| {
        // Without start-up files, which may do anything.
        let home = launch.folder.to_str().unwrap().to_owned();
        launch.environment.push(("HOME".into(), home));
    });
    let mut viewer = keeper.attach();
    viewer.type_in("echo \"<$0>\"\n");
    viewer.wait("a name with a dash in front", |viewer| {
        viewer.screen().contains("\n<-")
    });
}

#[test]
fn the_program_leads_a_session_on_its_own_terminal() {
    let keeper = TestKeeper::run(&["sh", "-c", "cat /proc/$$/stat; stty -a"]);
    let screen = output(&keeper).replace('\n', " ");
    let fields: Vec<_> = screen.split_once(") ").unwrap().1.split(' ').collect();
    let pid = screen.split(' ').next().unwrap();
    assert_eq!(fields[2], pid, "process group");
    assert_eq!(fields[3], pid, "session");
    assert_ne!(fields[4], "0", "controlling terminal");
    assert!(
        screen.contains(" iutf8") && screen.contains("-ixany"),
        "{screen}"
    );
}

#[test]
fn argv_has_no_secret() {
    let keeper = TestKeeper::run(&["sh", "-c", "read x; : private"]);
    let words = fs::read_to_string(format!("/proc/{}/cmdline", keeper.pid())).unwrap();
    let words: Vec<_> = words.split_terminator('\0').collect();
    assert_eq!(words.len(), 1, "{words:?}");
}

#[test]
fn a_program_that_can_not_be_run_is_named_and_leaves_no_socket() {
    let script = tempfile::NamedTempFile::new().unwrap();
    fs::write(script.path(), "#!/nonexistent/interpreter\n").unwrap();
    fs::set_permissions(script.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let script = script.into_temp_path();
    let script = script.to_str().unwrap();
    for (program, words) in [
        ("no-such-program", "there is no program"),
        (script, "interpreter"),
        ("/etc/passwd", "no permission"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let launch = launch(folder.path(), &[program]);
        let message = serde_json::to_vec(&launch).unwrap();
        let (mut process, line) = start_raw(executable(), &message);
        process.wait().unwrap();
        assert!(
            line.starts_with("failed ") && line.contains(program) && line.contains(words),
            "{line}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn pty_exhaustion() {
    if !is_root() {
        return; // needs a /dev/pts of its own
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c"]);
    command.arg(
        "mount -t devpts -o newinstance,ptmxmode=666,max=1 devpts /dev/pts && \
         mount --bind /dev/pts/ptmx /dev/ptmx && exec 8<>/dev/ptmx && \"$0\"; exit 0",
    );
    command.arg(executable().get_program());
    let folder = tempfile::tempdir().unwrap();
    let message = serde_json::to_vec(&launch(folder.path(), &["true"])).unwrap();
    let (mut process, line) = start_raw(command, &message);
    process.wait().unwrap();
    assert!(
        line.starts_with("failed no pseudo-terminal could be opened"),
        "{line}"
    );
}

#[test]
fn unix_preexisting_file() {
    let folder = tempfile::tempdir().unwrap();
    let launch = launch(folder.path(), &["true"]);
    let path = folder.path().join(format!("{}.sock", launch.id));
    let message = serde_json::to_vec(&launch).unwrap();

    fs::write(&path, "precious").unwrap();
    let (mut process, line) = start_raw(executable(), &message);
    process.wait().unwrap();
    assert!(line.contains("is not a socket"), "{line}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    fs::remove_file(&path).unwrap();

    let target = folder.path().join("target");
    fs::write(&target, "precious").unwrap();
    symlink(&target, &path).unwrap();
    let (mut process, line) = start_raw(executable(), &message);
    process.wait().unwrap();
    assert!(line.contains("is not a socket"), "{line}");
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    fs::remove_file(&path).unwrap();

    let living = UnixListener::bind(&path).unwrap();
    let (mut process, line) = start_raw(executable(), &message);
    process.wait().unwrap();
    assert!(line.contains("another keeper"), "{line}");
    drop(living);
    // Now it is stale.
    let (mut process, line) = start_raw(executable(), &message);
    assert_eq!(line, "ready");
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn the_socket_is_for_its_owner_only() {
    let keeper = TestKeeper::shell();
    let mode = fs::metadata(keeper.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Connects as somebody else and returns what came until the end of the connection.
fn connect_as(uid: u32, keeper: &TestKeeper) -> Vec<u8> {
    let mut attach_frame = Vec::new();
    gatepost::wire::frame::prefixed(&mut attach_frame, |out| {
        FromViewer::Attach(attach(Mode::Manage)).encode(out);
    });
    let script = r#"
        use Socket;
        socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die;
        connect($s, sockaddr_un($ARGV[0])) or die "connect: $!";
        $SIG{PIPE} = 'IGNORE';
        syswrite($s, pack('H*', $ARGV[1]));
        sysread($s, my $got, 5);
        print $got;
    "#;
    let hex: Vec<_> = attach_frame.iter().map(|b| format!("{b:02x}")).collect();
    let mut child = Command::new("perl")
        .args(["-e", script])
        .arg(keeper.socket())
        .arg(hex.concat())
        .uid(uid)
        .gid(uid)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut got = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut got).unwrap();
    child.wait().unwrap();
    got
}

#[test]
fn peercred_wrong_uid() {
    if !is_root() {
        return; // only root can be somebody else
    }
    let keeper = TestKeeper::with(&["sh", "-c", "read x"], |launch| {
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&launch.folder, open).unwrap();
        launch.peers = vec![65533];
    });
    assert_eq!(connect_as(65534, &keeper), b"", "closed without a word");
    assert_eq!(connect_as(65533, &keeper).get(4), Some(&0x01), "Hello");
}

#[test]
fn a_keeper_survives_the_death_of_its_parent() {
    let folder = tempfile::tempdir().unwrap();
    let launch = launch(folder.path(), &["sh", "-c", "echo alive; read x"]);
    let message = folder.path().join("launch");
    fs::write(&message, serde_json::to_vec(&launch).unwrap()).unwrap();
    let answer = folder.path().join("answer");
    let mut parent = Command::new("sh")
        .args(["-c", "\"$0\" <\"$1\" >\"$2\" & wait"])
        .arg(executable().get_program())
        .args([&message, &answer])
        .process_group(0)
        .spawn()
        .unwrap();
    until("the keeper is ready", || {
        fs::read_to_string(&answer).is_ok_and(|text| text == "ready\n")
    });
    let group = rustix::process::Pid::from_raw(parent.id().cast_signed()).unwrap();
    rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
    parent.wait().unwrap();
    let path = folder.path().join(format!("{}.sock", launch.id));
    let connection = std::os::unix::net::UnixStream::connect(&path).unwrap();
    let mut viewer = support::keeper::Viewer::new(connection, attach(Mode::Type));
    viewer.wait_text("alive");
    viewer.ask(gatepost::wire::message::Request::Close {});
    until("the socket is gone", || !path.exists());
}

#[test]
fn a_launch_message_over_the_limit_is_refused() {
    let mut message = br#"{"id":"aaaaaaaaaa","folder":"/nonexistent""#.to_vec();
    message.resize(gatepost::wire::launch::MAX_LAUNCH - 1, b' ');
    message.push(b'}');
    let (mut process, line) = start_raw(executable(), &message);
    process.wait().unwrap();
    assert!(
        line.contains("/nonexistent"),
        "the limit itself is fine: {line}"
    );
    message.push(b' ');
    let (mut process, line) = start_raw(executable(), &message);
    process.wait().unwrap();
    assert!(line.contains("262144 bytes"), "{line}");
}

#[test]
fn a_program_that_is_only_stopped_has_not_ended() {
    let keeper = TestKeeper::run(&["sh", "-c", "kill -STOP $$; echo resumed; exit 5"]);
    let mut viewer = keeper.attach();
    viewer.settle();
    assert_eq!(viewer.meta.exit, Some(None));
    let pid = viewer.meta.pid.unwrap().cast_signed();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    viewer.wait_text("resumed");
    viewer.wait("the end", |v| v.meta.exit == Some(Some(Exit::Status(5))));
}
