//! A real `gatepost-login` for each connection to a socket, as systemd would start it, with PAM rules of
//! its own; and real accounts, gone after the test.

use std::fs;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepost::auth::pam::{Entry, Helper, HelperLimits, PamError, Step};
use gatepost::base::{TerminalId, UserName};
use gatepost::config::Folders;
use gatepost::role::serve::Settings;
use gatepost::terminals::{Open, Starter, TerminalError, TerminalLimits, Terminals};
use gatepost::wire::frame::{Deframer, prefixed};
use gatepost::wire::login::{FromHelper, MAX_FROM_HELPER, Purpose, ToHelper};
use gatepost::wire::message::Mode;
use rustix::process::{Pid, Signal};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::keeper::{Viewer, attach, until};
use super::server::{Place, TestServer};

/// Rules that ask the password file, as on a machine without extras.
pub const UNIX: &str = "\
auth     required pam_unix.so
account  required pam_unix.so
password required pam_unix.so sha512
session  required pam_unix.so
";

/// A password that has to be nowhere but in the password file.
pub const PASSWORD: &str = "korrekt-Pferd-7";

/// Whether this can run; says so if it can't.
pub fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        // Straight to the descriptor: the harness would swallow the line of a test that passes.
        drop(writeln!(
            std::io::stderr().lock(),
            "NOT RUN: needs root (real accounts are made)"
        ));
    }
    root
}

/// Where libpam-wrapper keeps its module that asks a text file.
pub fn matrix() -> String {
    let found = output("sh", &["-c", "ls /usr/lib/*/pam_wrapper/pam_matrix.so"]);
    assert!(
        !found.is_empty(),
        "pam_matrix.so is missing; ./dev test installs libpam-wrapper"
    );
    found
}

/// A Unix account with a password, removed in the end.
pub struct Account {
    pub name: String,
    pub uid: u32,
    pub home: PathBuf,
}

impl Account {
    pub fn new() -> Self {
        Self::with(&["-m", "-s", "/bin/bash"])
    }

    /// With these arguments of useradd(8).
    pub fn with(arguments: &[&str]) -> Self {
        let mut random = [0; 10];
        getrandom::fill(&mut random).unwrap();
        let name = format!("gp{}", TerminalId::from_random(random));
        run("useradd", &[arguments, &[&name]].concat());
        let account = Self {
            uid: output("id", &["-u", &name]).parse().unwrap(),
            home: Path::new("/home").join(&name),
            name,
        };
        account.set_password(PASSWORD);
        account
    }

    pub fn set_password(&self, password: &str) {
        let mut chpasswd = Command::new("chpasswd");
        let mut child = chpasswd.stdin(Stdio::piped()).spawn().unwrap();
        let line = format!("{}:{password}\n", self.name);
        child
            .stdin
            .take()
            .unwrap()
            .write_all(line.as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success());
    }

    pub fn user(&self) -> UserName {
        self.name.parse().unwrap()
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        // userdel refuses while a process of theirs is left; a test that failed may leave some.
        drop(
            Command::new("userdel")
                .args(["-r", "-f", &self.name])
                .stderr(Stdio::null())
                .status(),
        );
    }
}

/// Runs a program that has to succeed. The account tools lock their files and wait for each other.
pub fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output();
    let output =
        output.unwrap_or_else(|error| panic!("{program}: {error}; ./dev test installs it"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

/// What a program prints.
pub fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Where a server keeps things that works with helpers in this folder.
fn folders(temp: &Path) -> Folders {
    Folders {
        runtime: temp.join("run"),
        state: temp.join("state"),
    }
}

/// A socket behind which each connection gets a helper.
pub struct LoginPlace {
    pub temp: tempfile::TempDir,
    pub socket: PathBuf,
    pub folder: PathBuf,
    pub runtime: Runtime,
    helpers: Arc<Mutex<Vec<Child>>>,
}

impl LoginPlace {
    /// With these PAM rules.
    pub fn new(rules: &str) -> Self {
        Self::with(rules, &[], |_| ())
    }

    /// With more arguments for the helper, and a changed command line.
    pub fn with(
        rules: &str,
        arguments: &[&str],
        change: impl Fn(&mut Command) + Send + 'static,
    ) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let path = |name: &str| temp.path().join(name);
        open_to_all(temp.path());
        let (pam, keeper) = (path("pam.d"), path("gatepost-keeper"));
        let folders = folders(temp.path());
        let folder = folders.terminals();
        // Helpers that aren't root have to get through.
        for (folder, mode) in [(&folders.runtime, 0o711), (&folder, 0o700)] {
            fs::create_dir(folder).unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::create_dir(&pam).unwrap();
        fs::write(pam.join("gatepost"), rules).unwrap();
        fs::write(
            pam.join("other"),
            "auth required pam_deny.so\naccount required pam_deny.so\n",
        )
        .unwrap();
        // Where the accounts they run as can reach them: the build folder may be in root's home. Not
        // with fs::copy: another test's fork would have the file open for writing ("text file busy").
        let helper = path("gatepost-login");
        for (from, to) in [
            (env!("CARGO_BIN_EXE_gatepost-keeper"), &keeper),
            (env!("CARGO_BIN_EXE_gatepost-login"), &helper),
        ] {
            run("cp", &[from, to.to_str().unwrap()]);
        }
        let socket = path("login.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        // Who may connect is decided by the helper.
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        let own = rustix::process::geteuid().as_raw().to_string();
        let log = path("log");
        let place = temp.path().to_owned();
        let command = move || {
            let mut command = Command::new(&helper);
            command
                .args([
                    "--server-user",
                    &own,
                    "--keeper-user",
                    "nobody",
                    "--failure",
                    "300",
                ])
                .arg("--keeper")
                .arg(place.join("gatepost-keeper"))
                .arg("--terminals")
                .arg(folders.terminals())
                .arg("--pam-dir")
                .arg(place.join("pam.d"))
                .arg("--identities")
                .arg(place.join("identities"))
                .arg("--utmp")
                .arg(place.join("utmp"))
                .args(&arguments);
            change(&mut command);
            let file = fs::File::options()
                .create(true)
                .append(true)
                .open(&log)
                .unwrap();
            command.stdout(Stdio::null()).stderr(file);
            command
        };
        let helpers = Arc::new(Mutex::new(Vec::new()));
        let started = helpers.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let mut command = command();
                command.stdin(Stdio::from(OwnedFd::from(stream)));
                started.lock().unwrap().push(command.spawn().unwrap());
            }
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        Self {
            temp,
            socket,
            folder,
            runtime,
            helpers,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// A server whose users' terminals these helpers open, with changed settings.
    pub fn server(&self, change: impl FnOnce(&mut Settings)) -> TestServer {
        let temp = tempfile::tempdir().unwrap();
        let folders = folders(self.temp.path());
        TestServer::at(Place { temp, folders }, |settings| {
            settings.ways.settings.pam.socket = self.socket.clone();
            change(settings);
        })
    }

    /// What helpers have logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Process ids of helpers that haven't ended.
    pub fn helpers(&self) -> Vec<u32> {
        let mut helpers = self.helpers.lock().unwrap();
        helpers.retain_mut(|child| child.try_wait().unwrap().is_none());
        helpers.iter().map(Child::id).collect()
    }

    /// Sends a helper a signal and waits for its end.
    pub fn kill(&self, pid: u32, signal: Signal) -> ExitStatus {
        let mut helpers = self.helpers.lock().unwrap();
        let child = helpers.iter_mut().find(|child| child.id() == pid);
        let child = child.unwrap();
        let pid = Pid::from_raw(pid.cast_signed()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
        child.wait().unwrap()
    }

    pub fn wait_no_helpers(&self) {
        until("every helper has ended", || self.helpers().is_empty());
    }

    pub fn client(&self) -> Helper {
        Helper::new(self.socket.clone(), HelperLimits::default())
    }

    pub fn begin(&self, user: &str) -> Result<Step, PamError> {
        let user = user.parse().unwrap();
        let client = self.client();
        self.runtime
            .block_on(client.begin(&user, "192.0.2.7", Purpose::Terminals))
    }

    /// Answers every question with the next of these.
    pub fn answer_all(&self, mut step: Step, answers: &[&str]) -> Step {
        let mut answers = answers.iter();
        while let Step::Ask(conversation) = step {
            let mut now = Vec::new();
            for _ in 0..conversation.questions() {
                let answer = answers.next();
                let answer = answer
                    .unwrap_or_else(|| panic!("no answer left for {:?}", conversation.messages()));
                now.push((*answer).to_owned().into());
            }
            step = self.runtime.block_on(conversation.answer(now)).unwrap();
        }
        step
    }

    pub fn log_in(&self, user: &str, answers: &[&str]) -> Step {
        let step = self.begin(user).unwrap();
        self.answer_all(step, answers)
    }

    /// Logs in; has to succeed.
    pub fn enter(&self, user: &str, answers: &[&str]) -> Entry {
        match self.log_in(user, answers) {
            Step::Admitted(entry) => entry,
            other => panic!("{other:?}; log:\n{}", self.log()),
        }
    }

    /// The server's side of terminals: what a restarted server has.
    pub fn terminals(&self) -> Terminals {
        let keeper = self.path("gatepost-keeper");
        let start = Terminals::start(&self.folder, keeper, TerminalLimits::default());
        self.runtime.block_on(start)
    }

    /// Holds an entry as the login of this user.
    pub fn hold(&self, terminals: &Terminals, user: &str, entry: Entry) -> CancellationToken {
        let ended = CancellationToken::new();
        let held = terminals.hold(user.parse().unwrap(), &entry.who, entry.line, ended.clone());
        self.runtime.block_on(held).unwrap();
        ended
    }

    pub fn open(
        &self,
        terminals: &Terminals,
        user: &str,
        command: &[&str],
    ) -> Result<TerminalId, TerminalError> {
        let open = Open {
            owner: Some(user.parse().unwrap()),
            command: command.iter().map(|&word| word.to_owned()).collect(),
            starter: Starter::Helper,
            ..Open::default()
        };
        self.runtime.block_on(terminals.open(open))
    }

    /// Somebody who types into a terminal.
    pub fn watch(&self, terminal: TerminalId) -> Viewer {
        let socket = self.folder.join(format!("{terminal}.sock"));
        Viewer::new(UnixStream::connect(socket).unwrap(), attach(Mode::Type))
    }

    /// What a command prints as this user, to its end.
    pub fn run_as(&self, user: &str, command: &[&str]) -> String {
        let terminals = self.terminals();
        let entry = self.enter(user, &[PASSWORD]);
        self.hold(&terminals, user, entry);
        let terminal = self.open(&terminals, user, command).unwrap();
        let mut viewer = self.watch(terminal);
        viewer.wait("the end", |viewer| viewer.meta.exit.flatten().is_some());
        viewer.settle();
        viewer.text()
    }

    /// A connection of our own, to say what no client of ours would.
    pub fn raw(&self) -> Raw {
        UnixStream::connect(&self.socket).unwrap().into()
    }
}

impl Drop for LoginPlace {
    fn drop(&mut self) {
        for pid in self.helpers() {
            let pid = Pid::from_raw(pid.cast_signed()).unwrap();
            let _gone = rustix::process::kill_process(pid, Signal::TERM);
        }
        if !std::thread::panicking() {
            self.wait_no_helpers();
        }
        // Keepers show the last screen for a day.
        for keeper in processes_from(self.temp.path()) {
            let _gone = rustix::process::kill_process(keeper, Signal::KILL);
        }
    }
}

/// The processes whose executable is in this folder.
fn processes_from(folder: &Path) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|process| {
            fs::read_link(process.path().join("exe")).is_ok_and(|exe| exe.starts_with(folder))
        })
        .filter_map(|process| Pid::from_raw(process.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// A connection on which anything can be said.
pub struct Raw {
    pub socket: UnixStream,
    deframer: Deframer,
}

impl From<UnixStream> for Raw {
    fn from(socket: UnixStream) -> Self {
        Self {
            socket,
            deframer: Deframer::new(MAX_FROM_HELPER),
        }
    }
}

impl Raw {
    /// Says nothing more.
    pub fn hang_up(&self) {
        // The helper may have gone already.
        drop(self.socket.shutdown(std::net::Shutdown::Write));
    }

    pub fn say(&mut self, frame: &ToHelper<'_>) {
        let mut bytes = Vec::new();
        prefixed(&mut bytes, |out| frame.encode(out));
        // A helper that has hung up is noticed by hearing.
        drop(self.socket.write_all(&bytes));
    }

    /// The next frame; none: hung up.
    pub fn hear(&mut self) -> Option<FromHelper> {
        use std::io::Read as _;
        self.socket
            .set_read_timeout(Some(super::keeper::DEADLINE))
            .unwrap();
        loop {
            if let Some(frame) = self.deframer.next_frame().unwrap() {
                return Some(FromHelper::decode(frame).unwrap());
            }
            let mut bytes = [0; 4096];
            match self.socket.read(&mut bytes) {
                Ok(0) => return None,
                Ok(read) => self.deframer.push(&bytes[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Rounds of failures, each of which has to take its time. What takes longer than others by nature does so in every
/// round; that a busy machine was late shows in some.
pub fn evenly_late(expected: std::ops::Range<Duration>, mut round: impl FnMut() -> Vec<Duration>) {
    let mut seen = Vec::new();
    let even = (0..5).any(|_| {
        let times = round();
        assert!(
            times.iter().all(|time| *time >= expected.start),
            "{times:?}"
        );
        let even = times.iter().all(|time| *time < expected.end);
        seen.push(times);
        even
    });
    assert!(even, "{seen:?}");
}
