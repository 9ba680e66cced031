//! What the kiosk's window tests have in common: a screen, a server, the window, and its processes.
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test file uses a part of it"
)]

pub(crate) mod screen;
pub(crate) mod server;

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use screen::Screen;
use server::Server;

/// Longest wait for anything that should happen, long enough for a machine that is very busy.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// Polls until something is true; fails after [`DEADLINE`] and says what was missing.
pub(crate) fn until(what: &str, is_true: impl FnMut() -> bool) {
    until_within(DEADLINE, what, is_true);
}

/// The same for what is a lot of work.
pub(crate) fn until_within(longest: Duration, what: &str, mut is_true: impl FnMut() -> bool) {
    let end = Instant::now() + longest;
    while !is_true() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        // Another process's pixels and lines bring no event.
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// A program that is ended with the test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The window on this screen, of this server.
pub(crate) fn window(screen: &Screen, server: &Server) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost-kiosk"));
    screen.use_it(server.environment(&mut command));
    Running(command.spawn().unwrap())
}

/// The processes a process started, with the beginning of their names.
pub(crate) fn children(parent: u32) -> Vec<(i32, String)> {
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            // "pid (name) state ppid …"; the name may hold anything.
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            let (before, after) = stat.rsplit_once(") ")?;
            let of_parent = after.split(' ').nth(1)?.parse() == Ok(parent);
            of_parent.then(|| (pid, before.split_once('(').unwrap_or_default().1.to_owned()))
        })
        .collect()
}

/// A shell whose prompt is a bar of this colour.
pub(crate) fn shell_with_bar(red: u8, green: u8, blue: u8) -> String {
    format!(
        r#"PS1="$(printf '\033[48;2;{red};{green};{blue}m          \033[0m ')"; export PS1; exec /bin/sh -i"#
    )
}

pub(crate) const PROMPT: [u8; 3] = [201, 30, 90];
pub(crate) const LATER: [u8; 3] = [30, 190, 77];
/// Pixels of a bar's colour that make a bar: ten cells at the smallest font are more.
pub(crate) const BAR: usize = 500;

/// The process that paints the window's page, if there is one.
pub(crate) fn renderer_of(window: &Running) -> Option<Pid> {
    let found = children(window.0.id()).into_iter();
    let mut found = found.filter(|(_, name)| name.starts_with("WebKitWeb"));
    found.next().and_then(|(pid, _)| Pid::from_raw(pid))
}

/// Sends the process that paints the page a signal; the value says when and to whom.
pub(crate) fn hit_renderer(window: &Running, signal: Signal) -> (Instant, Pid) {
    let renderer = renderer_of(window).unwrap();
    rustix::process::kill_process(renderer, signal).unwrap();
    (Instant::now(), renderer)
}

/// A program that shows a bar of this colour and then nothing, whatever is typed.
pub(crate) fn quiet_bar([red, green, blue]: [u8; 3]) -> String {
    format!(
        "stty raw -echo; printf '\\033[48;2;{red};{green};{blue}m%400s\\033[0m' ''; exec cat >/dev/null"
    )
}

/// A window with a quiet bar on its screen.
pub(crate) fn window_with_bar(screen: &Screen, server: &Server) -> Running {
    server.open_kiosk(&quiet_bar(PROMPT));
    let window = window(screen, server);
    until("the bar on the screen", || screen.count(PROMPT) > BAR);
    assert_eq!(screen.more_windows(), 0);
    window
}

/// One window, full-screen, with the terminal in it.
pub(crate) fn is_as_before(screen: &Screen, window: &mut Running) {
    assert!(window.0.try_wait().unwrap().is_none(), "it is still there");
    assert_eq!(screen.size_of_window("Gatepost"), screen.size);
    until("the terminal on the screen", || screen.count(PROMPT) > BAR);
    assert_eq!(screen.more_windows(), 0, "no other window");
}

/// Every file below a folder.
pub(crate) fn files(folder: &std::path::Path, out: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files(&entry.path(), out);
        } else if kind.is_file() {
            out.push(entry.path().to_string_lossy().into_owned());
        }
    }
}
