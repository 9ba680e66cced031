//! How terminals end: by themselves, closed, started again, and what must not be left behind.

#![expect(
    clippy::unwrap_used,
    reason = "a step that fails should stop its test loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::time::{Duration, Instant};

use gatepost::wire::frame::FromViewer;
use gatepost::wire::message::{Exit, Mode, Request};
use rustix::process::Signal;
use support::keeper::{TestKeeper, Viewer, attach, until, within};

fn is_alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
}

/// The process ids a program wrote into files named after them.
fn written(keeper: &TestKeeper, names: &[&str]) -> Vec<String> {
    let path = |name: &&str| keeper.folder.path().join(name);
    until("process ids are written", || {
        names
            .iter()
            .all(|name| fs::read_to_string(path(name)).is_ok_and(|text| text.ends_with('\n')))
    });
    names
        .iter()
        .map(|name| fs::read_to_string(path(name)).unwrap().trim().to_owned())
        .collect()
}

/// A keeper whose program finds its folder in `$DIR`.
fn run(script: &str) -> TestKeeper {
    TestKeeper::with(&["bash", "-c", script], |launch| {
        let folder = launch.folder.to_str().unwrap().to_owned();
        launch.environment.push(("DIR".into(), folder));
    })
}

#[test]
fn kill_tree_setsid() {
    within(Duration::from_secs(8), || {
        let mut keeper = run(
            "trap '' HUP TERM
             (trap '' HUP TERM; setsid bash -c 'trap \"\" HUP TERM; echo $$ >$DIR/a; while :; do sleep 1; done') &
             (setsid bash -c '(setsid bash -c \"trap : HUP TERM; echo \\$\\$ >$DIR/b; while :; do sleep 1; done\" &) ; exit') &
             nohup sleep 1000 >/dev/null 2>&1 & echo $! >$DIR/c
             while :; do sleep 1; done",
        );
        let pids = written(&keeper, &["a", "b", "c"]);
        assert!(pids.iter().all(|pid| is_alive(pid)));
        let mut viewer = keeper.attach();
        let began = Instant::now();
        viewer.ask(Request::Close {});
        let took = began.elapsed();
        assert!(
            took >= Duration::from_secs(3),
            "it asks before it kills: {took:?}"
        );
        keeper.wait_gone();
        for pid in pids {
            assert!(!is_alive(&pid), "{pid} is left");
        }
        took
    });
}

#[test]
fn processes_that_fork_and_exit_without_end_are_caught() {
    let mut keeper = run("cat >$DIR/comet.pl <<'.'
$SIG{HUP} = $SIG{TERM} = 'IGNORE';
use POSIX; setsid();
while (1) { my $p = fork; exit if $p; select undef, undef, undef, 0.0005; }
.
         for i in 1 2 3 4; do perl $DIR/comet.pl & done; echo go >$DIR/go; wait; sleep 1000");
    written(&keeper, &["go"]);
    let mut viewer = keeper.attach();
    viewer.ask(Request::Close {});
    keeper.wait_gone();
    let comet = keeper.folder.path().join("comet.pl");
    let left = fs::read_dir("/proc").unwrap().filter(|entry| {
        let path = entry.as_ref().unwrap().path().join("cmdline");
        fs::read_to_string(path).is_ok_and(|words| words.contains(comet.to_str().unwrap()))
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn a_polite_program_is_closed_at_once() {
    within(Duration::from_millis(900), || {
        let mut keeper = TestKeeper::shell();
        let mut viewer = keeper.attach();
        viewer.wait_text("gp>");
        let began = Instant::now();
        viewer.ask(Request::Close {});
        let took = began.elapsed();
        keeper.wait_gone();
        took
    });
}

#[test]
fn a_terminated_keeper_hangs_up_like_a_closed_one() {
    let mut keeper = run("setsid sleep 1000 & echo $! >$DIR/a; wait");
    let pids = written(&keeper, &["a"]);
    keeper.signal(Signal::TERM);
    keeper.wait_gone();
    assert!(!is_alive(&pids[0]));
    assert!(!keeper.socket().exists());
}

#[test]
fn zombies() {
    let keeper = run(
        "for i in 1 2 3 4 5 6 7 8; do (setsid bash -c 'sleep 0.05' &); done; sleep 0.3; echo done; read x",
    );
    let mut viewer = keeper.attach();
    viewer.wait_text("done");
    let children = || {
        let pid = keeper.pid();
        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap()
    };
    until("only the program is left", || {
        children().split_whitespace().count() == 1
    });
}

#[test]
fn what_was_started_with_nohup_or_setsid_survives_the_shell() {
    // Each says where it is once nothing hangs it up any more, and only then does the shell end.
    let keeper = run(
        "nohup bash -c 'echo $$ >$DIR/a; exec sleep 1000' >/dev/null 2>&1 &
         setsid bash -c 'echo $$ >$DIR/b; exec sleep 1000' &
         until [ -s $DIR/a ] && [ -s $DIR/b ]; do sleep 0.05; done; disown -a; exit 0",
    );
    let pids = written(&keeper, &["a", "b"]);
    let mut viewer = keeper.attach();
    viewer.wait("the end", |v| v.meta.exit == Some(Some(Exit::Status(0))));
    assert!(pids.iter().all(|pid| is_alive(pid)));
    viewer.ask(Request::Close {});
    until("a closed terminal takes them along", || {
        !pids.iter().any(|pid| is_alive(pid))
    });
}

#[test]
fn restart_runs_the_same_command_in_the_same_terminal_and_keeps_what_was_written() {
    let keeper = run(
        "echo run >>$DIR/runs; echo this is run $(wc -l <$DIR/runs); printf '\\033[?25l\\033[?1000h\\033[5;10r'; sleep 1.1; exit 4",
    );
    let mut viewer = keeper.attach();
    viewer.wait("the end", |v| v.meta.exit == Some(Some(Exit::Status(4))));
    let pid = viewer.meta.pid;
    viewer.type_in("dropped\n");
    viewer.send(&FromViewer::Restart);
    viewer.wait("running again", |v| v.meta.exit == Some(None));
    assert_ne!(viewer.meta.pid, pid);
    viewer.wait_text("this is run 2");
    assert!(viewer.text().contains("this is run 1"));
    assert!(!viewer.text().contains("dropped"));
    // While it runs, nothing is restarted.
    viewer.send(&FromViewer::Restart);
    viewer.wait("the end", |v| v.meta.exit == Some(Some(Exit::Status(4))));
    viewer.settle();
    assert!(!viewer.text().contains("this is run 3"));
}

#[test]
fn two_quick_ends_pause_the_next_start_and_say_why() {
    let keeper = TestKeeper::run(&["sh", "-c", "echo x; exit 7"]);
    let mut viewer = keeper.attach();
    let ended = |v: &mut Viewer| v.meta.exit == Some(Some(Exit::Status(7)));
    viewer.wait("the first end", ended);
    assert!(viewer.notices.is_empty());
    viewer.meta.exit = None;
    // The pause begins with the second end, which is later than this.
    let pause = Instant::now();
    viewer.send(&FromViewer::Restart);
    viewer.wait("the second end", ended);
    viewer.wait("why", |v| !v.notices.is_empty());
    let text = viewer.notices[0].text.clone();
    assert!(
        text.contains("exit 7") && text.contains("status 7"),
        "{text}"
    );
    viewer.meta.exit = None;
    viewer.send(&FromViewer::Restart);
    viewer.wait("the third start", |v| v.meta.exit.is_some());
    let waited = pause.elapsed();
    assert!(waited >= Duration::from_secs(5), "{waited:?}");
}

#[test]
fn an_ended_terminal_nobody_watches_goes_after_its_linger_time() {
    let mut keeper = TestKeeper::with(&["true"], |launch| launch.linger = 1);
    let began = Instant::now();
    let managing = keeper.attach_as(attach(Mode::Manage));
    let mut watching = keeper.attach_as(attach(Mode::View));
    watching.wait("the end", |v| v.meta.exit == Some(Some(Exit::Status(0))));
    while began.elapsed() < Duration::from_millis(1500) {
        watching.read(Duration::from_millis(100));
    }
    assert!(!keeper.is_gone(), "somebody watches");
    let left = Instant::now();
    drop(watching);
    keeper.wait_gone();
    assert!(left.elapsed() >= Duration::from_millis(900));
    assert!(!keeper.socket().exists());
    drop(managing);
}

#[test]
fn a_running_program_nobody_watches_goes_on() {
    let mut keeper = TestKeeper::with(&["sh", "-c", "read x; exit 3"], |launch| {
        launch.linger = 0;
    });
    let mut viewer = keeper.attach();
    viewer.settle();
    drop(viewer);
    let mut viewer = keeper.attach();
    assert_eq!(viewer.meta.exit, Some(None));
    viewer.type_in("\n");
    viewer.wait("the end", |v| v.meta.exit == Some(Some(Exit::Status(3))));
    drop(viewer);
    keeper.wait_gone();
}

#[test]
fn a_program_that_closes_its_terminal_and_opens_it_again_is_heard() {
    let keeper = TestKeeper::run(&[
        "bash",
        "-c",
        "t=$(tty); echo before; exec >/dev/null 2>&1 </dev/null; sleep 0.5; echo after >$t; sleep 0.2; exit 6",
    ]);
    let mut viewer = keeper.attach();
    viewer.wait_text("after");
    viewer.wait("the end", |v| v.meta.exit == Some(Some(Exit::Status(6))));
}

#[test]
fn the_last_output_of_a_program_is_never_lost() {
    let keeper = TestKeeper::run(&["sh", "-c", "seq 1 20000; printf the-very-end"]);
    let mut viewer = keeper.attach();
    viewer.wait("the end", |v| v.meta.exit == Some(Some(Exit::Status(0))));
    viewer.wait_text("20000\nthe-very-end");
}

#[test]
fn a_keeper_that_was_killed_takes_its_program_down_by_hangup_and_leaves_a_stale_socket() {
    let mut keeper = run("echo $$ >$DIR/a; while :; do sleep 1; done");
    let pids = written(&keeper, &["a"]);
    keeper.signal(Signal::KILL);
    keeper.wait_gone();
    until("the kernel hangs up", || !is_alive(&pids[0]));
    assert!(keeper.socket().exists());
    assert!(std::os::unix::net::UnixStream::connect(keeper.socket()).is_err());
}

#[test]
fn fork_bomb_is_ended_when_its_terminal_is_closed() {
    if !rustix::process::geteuid().is_root() {
        return; // needs a user of its own, whose processes can be limited and counted
    }
    // Of this run alone: another may be counting, too.
    let own = 61_000 + std::process::id() % 4000;
    let uid = &own.to_string();
    let mut command = std::process::Command::new("prlimit");
    command.args(["--nproc=200", "setpriv", "--reuid", uid, "--regid", uid]);
    command.args(["--clear-groups", env!("CARGO_BIN_EXE_gatepost-keeper")]);
    let mut keeper = TestKeeper::from_command(
        command,
        &[
            "bash",
            "-c",
            "trap '' HUP TERM; read x; b() { b | b & }; b 2>/dev/null; wait",
        ],
        |launch| {
            let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
            fs::set_permissions(&launch.folder, open).unwrap();
        },
    );
    let count = || {
        let processes = fs::read_dir("/proc").unwrap().filter(|entry| {
            use std::os::unix::fs::MetadataExt as _;
            let metadata = entry.as_ref().unwrap().metadata();
            metadata.is_ok_and(|metadata| metadata.uid() == own)
        });
        processes.count()
    };
    let mut viewer = keeper.attach();
    viewer.type_in("\n");
    until("the bomb has gone off", || count() > 100);
    viewer.ask(Request::Close {});
    keeper.wait_gone();
    until("nothing is left", || count() == 0);
}
