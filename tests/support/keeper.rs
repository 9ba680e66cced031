//! A real `gatepost-keeper` in a folder of its own, and a viewer of it that is a small but complete
//! terminal: it acknowledges, keeps a screen model and remembers what it was told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gatepost::base::{Labels, Size, TerminalId};
use gatepost::screen::{AlacrittyModel, Model as _};
use gatepost::wire::frame::{Deframer, FromViewer, MAX_TO_VIEWER, ToViewer, prefixed};
use gatepost::wire::launch::Launch;
use gatepost::wire::message::{Attach, Hello, Meta, Mode, Notice, Request};
use rustix::process::{Pid, Signal};

/// Longest wait for anything that should happen, long enough for a machine that is very busy.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A keeper that is ended, with everything it started, when the test is over.
pub struct TestKeeper {
    pub folder: tempfile::TempDir,
    pub id: TerminalId,
    process: Child,
}

/// A launch of these words in a folder, without a login shell's start-up files.
pub fn launch(folder: &std::path::Path, command: &[&str]) -> Launch {
    let mut random = [0; TerminalId::LENGTH];
    getrandom::fill(&mut random).unwrap();
    Launch {
        id: TerminalId::from_random(random),
        folder: folder.to_owned(),
        name: None,
        owner: None,
        command: command.iter().map(|&word| word.to_owned()).collect(),
        directory: None,
        environment: Vec::new(),
        size: Size::DEFAULT,
        scrollback: 10_000,
        linger: 60,
        idle: 0,
        care: None,
        labels: Labels::default(),
        peers: Vec::new(),
    }
}

/// The keeper's executable.
pub fn executable() -> Command {
    Command::new(env!("CARGO_BIN_EXE_gatepost-keeper"))
}

/// Starts a keeper with this launch message and returns it with its first line.
pub fn start_raw(mut command: Command, message: &[u8]) -> (Child, String) {
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // A keeper that refuses early closes the pipe: that is its answer, not our failure.
    drop(process.stdin.take().unwrap().write_all(message));
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    (process, line.trim_end().to_owned())
}

impl TestKeeper {
    /// Runs a command in a terminal.
    pub fn run(command: &[&str]) -> Self {
        Self::with(command, |_| ())
    }

    /// Runs a shell that reads no start-up files and whose prompt is `gp>`.
    pub fn shell() -> Self {
        Self::with(&["/bin/sh"], |launch| {
            launch.environment.push(("PS1".into(), "gp>".into()));
        })
    }

    /// Runs a command with a changed launch message.
    pub fn with(command: &[&str], change: impl FnOnce(&mut Launch)) -> Self {
        Self::from_command(executable(), command, change)
    }

    /// The same, the keeper itself started in a special way.
    pub fn from_command(
        keeper: Command,
        command: &[&str],
        change: impl FnOnce(&mut Launch),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut launch = launch(folder.path(), command);
        change(&mut launch);
        let (process, line) = start_raw(keeper, &serde_json::to_vec(&launch).unwrap());
        assert_eq!(line, "ready");
        Self {
            folder,
            id: launch.id,
            process,
        }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(format!("{}.sock", self.id))
    }

    /// The keeper's process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.process.id().cast_signed()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Whether the keeper has ended.
    pub fn is_gone(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }

    /// Waits for the keeper's own end.
    pub fn wait_gone(&mut self) {
        until("the keeper ends", || self.is_gone());
    }

    pub fn connect(&self) -> UnixStream {
        UnixStream::connect(self.socket()).unwrap()
    }

    /// A viewer that types.
    pub fn attach(&self) -> Viewer {
        self.attach_as(attach(Mode::Type))
    }

    pub fn attach_as(&self, attach: Attach) -> Viewer {
        Viewer::new(self.connect(), attach)
    }
}

impl Drop for TestKeeper {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|status| status.is_none()) {
            let pid = Pid::from_raw(self.process.id().cast_signed()).unwrap();
            // It may be stopped by the test.
            for signal in [Signal::CONT, Signal::TERM] {
                rustix::process::kill_process(pid, signal).unwrap();
            }
            drop(self.process.wait());
        }
    }
}

/// An attachment with the defaults.
pub fn attach(mode: Mode) -> Attach {
    Attach {
        mode,
        size: Some(Size::DEFAULT),
        history: 1000,
        window: 64 << 10,
        label: String::new(),
        kiosk: false,
        counts_down: false,
        hides_command: false,
    }
}

/// Polls until something is true; fails after [`DEADLINE`].
pub fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_true() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        // There is no event to wait for outside the keeper's socket.
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Tries until something takes less than `limit`: a busy machine may delay any one try, what is really slow is slow
/// each time.
pub fn within(limit: Duration, mut try_it: impl FnMut() -> Duration) {
    let mut tried = Vec::new();
    while tried.len() < 4 {
        let took = try_it();
        if took < limit {
            return;
        }
        tried.push(took);
    }
    panic!("never within {limit:?}: {tried:?}");
}

/// A viewer.
pub struct Viewer {
    pub socket: UnixStream,
    deframer: Deframer,
    pub hello: Option<Hello>,
    /// What is on its screen.
    pub model: AlacrittyModel,
    /// Everything it was told, later news over earlier ones.
    pub meta: Meta,
    pub notices: Vec<Notice>,
    pub pongs: Vec<u64>,
    pub replies: Vec<(u32, bool, Vec<u8>)>,
    /// Payload bytes received, and how many frames of each kind.
    pub seq: u64,
    pub output_bytes: u64,
    pub repaint_bytes: u64,
    pub wire_bytes: u64,
    pub full_repaints: u32,
    pub catch_ups: u32,
    /// Whether it acknowledges by itself.
    pub acks: bool,
    pub closed: bool,
    next_request: u32,
}

impl Viewer {
    pub fn new(socket: UnixStream, attach: Attach) -> Self {
        let mut viewer = Self {
            socket,
            deframer: Deframer::new(MAX_TO_VIEWER),
            hello: None,
            model: AlacrittyModel::new(Size::DEFAULT, 100_000),
            meta: Meta::default(),
            notices: Vec::new(),
            pongs: Vec::new(),
            replies: Vec::new(),
            seq: 0,
            output_bytes: 0,
            repaint_bytes: 0,
            wire_bytes: 0,
            full_repaints: 0,
            catch_ups: 0,
            acks: true,
            closed: false,
            next_request: 0,
        };
        viewer.send(&FromViewer::Attach(attach));
        viewer.wait("the answer to Attach", |viewer| {
            viewer.hello.is_some() || viewer.closed
        });
        viewer
    }

    pub fn send(&mut self, frame: &FromViewer<'_>) {
        let mut bytes = Vec::new();
        prefixed(&mut bytes, |out| frame.encode(out));
        // A keeper that closes meanwhile is noticed by reading.
        drop(self.socket.write_all(&bytes));
    }

    pub fn type_in(&mut self, text: &str) {
        for part in text.as_bytes().chunks(60_000) {
            self.send(&FromViewer::Input(part));
        }
    }

    pub fn number(&self) -> u32 {
        self.hello.as_ref().unwrap().viewer
    }

    /// Reads what comes within `at_most`; `false` if nothing came.
    pub fn read(&mut self, at_most: Duration) -> bool {
        let mut bytes = [0; 64 << 10];
        self.socket
            .set_read_timeout(Some(at_most.max(Duration::from_millis(1))))
            .unwrap();
        let read = match self.socket.read(&mut bytes) {
            Ok(0) => {
                self.closed = true;
                return false;
            }
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return false,
            Err(_) => {
                self.closed = true;
                return false;
            }
        };
        self.wire_bytes += read as u64;
        self.deframer.push(&bytes[..read]);
        let mut deframer = std::mem::replace(&mut self.deframer, Deframer::new(MAX_TO_VIEWER));
        let before = self.seq;
        while let Some(frame) = deframer.next_frame().unwrap() {
            self.take(ToViewer::decode(frame).unwrap());
        }
        self.deframer = deframer;
        if self.acks && self.seq > before {
            self.send(&FromViewer::Ack(self.seq));
        }
        true
    }

    fn take(&mut self, frame: ToViewer<'_>) {
        match frame {
            ToViewer::Hello(hello) => {
                self.update(hello.meta.clone());
                self.hello = Some(hello);
            }
            ToViewer::Output { seq, bytes } => {
                self.count(seq, bytes.len());
                self.output_bytes += bytes.len() as u64;
                self.model.feed(bytes);
            }
            ToViewer::Repaint {
                seq,
                size,
                keep,
                bytes,
            } => {
                self.count(seq, bytes.len());
                self.repaint_bytes += bytes.len() as u64;
                if keep {
                    self.catch_ups += 1;
                    self.model.resize(size);
                } else {
                    self.full_repaints += 1;
                    self.model = AlacrittyModel::new(size, 100_000);
                }
                self.model.feed(bytes);
            }
            ToViewer::Meta(meta) => self.update(meta),
            ToViewer::Notice(notice) => self.notices.push(notice),
            ToViewer::Pong(value) => self.pongs.push(value),
            ToViewer::Taken | ToViewer::End { .. } => panic!("nothing was handed over: {frame:?}"),
            ToViewer::Reply {
                request,
                last,
                body,
            } => self.replies.push((request, last, body.to_vec())),
        }
    }

    fn count(&mut self, seq: u64, bytes: usize) {
        self.seq += bytes as u64;
        assert_eq!(seq, self.seq, "seq counts payload bytes");
    }

    fn update(&mut self, news: Meta) {
        let meta = &mut self.meta;
        macro_rules! update {
            ($($field:ident)*) => { $(if news.$field.is_some() { meta.$field = news.$field; })* };
        }
        update!(used restarts reset_in_ms name title size size_owner viewers exit stopped bells command pid opened opened_ms
            last_output scrollback behind);
    }

    /// Reads until something is true; fails after [`DEADLINE`].
    pub fn wait(&mut self, what: &str, is_true: impl FnMut(&mut Self) -> bool) {
        self.wait_at_most(what, DEADLINE, is_true);
    }

    pub fn wait_at_most(
        &mut self,
        what: &str,
        at_most: Duration,
        mut is_true: impl FnMut(&mut Self) -> bool,
    ) {
        let end = Instant::now() + at_most;
        while !is_true(self) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "waited in vain: {what}\n--- screen\n{}\n--- meta {:?}\n--- notices {:?}",
                self.screen(),
                self.meta,
                self.notices
            );
            if !self.read(left.min(Duration::from_millis(50))) && self.closed {
                assert!(
                    is_true(self),
                    "closed while waiting: {what} {:?}",
                    self.notices
                );
            }
        }
    }

    /// Waits for a text on the screen.
    pub fn wait_text(&mut self, text: &str) {
        self.wait(&format!("{text:?} on the screen"), |viewer| {
            viewer.screen().contains(text)
        });
    }

    /// Reads until nothing comes for a while.
    pub fn settle(&mut self) {
        while self.read(Duration::from_millis(150)) {}
    }

    /// The screen's text.
    pub fn screen(&self) -> String {
        let first = self.model.first_line() + self.model.scrollback();
        self.model.text(first, false, 1 << 20).0
    }

    /// Scrollback and screen.
    pub fn text(&self) -> String {
        let mut all = String::new();
        let mut next = Some(self.model.first_line());
        while let Some(from) = next {
            let (text, more) = self.model.text(from, false, 1 << 20);
            all.push_str(&text);
            next = more;
        }
        all
    }

    /// Sends a question without waiting.
    pub fn begin(&mut self, request: Request) -> u32 {
        self.next_request += 1;
        let id = self.next_request;
        self.send(&FromViewer::Request { id, request });
        id
    }

    /// The whole answer to a question, once its last part is there.
    pub fn answer(&mut self, id: u32) -> Vec<u8> {
        self.wait("the last part of an answer", |viewer| {
            viewer
                .replies
                .iter()
                .any(|(of, last, _)| *of == id && *last)
        });
        let parts = self.replies.iter().filter(|(of, _, _)| *of == id);
        parts.flat_map(|(_, _, body)| body.clone()).collect()
    }

    /// Asks and waits for an answer in JSON.
    pub fn ask(&mut self, request: Request) -> serde_json::Value {
        let id = self.begin(request);
        serde_json::from_slice(&self.answer(id)).unwrap()
    }
}
