//! A screen without a monitor: Xvfb and the kiosk's window manager; screenshots and typing.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::{Running, until};

/// What a screen shows before anything is painted.
pub(crate) const BLACK: [u8; 3] = [0, 0, 0];

/// An X server with a window manager, ended with the test.
pub(crate) struct Screen {
    display: String,
    /// Width and height.
    pub(crate) size: (u32, u32),
    /// Windows that could be seen when all was well; window managers have some of their own.
    at_first: std::cell::Cell<Option<usize>>,
    // In this order: the X server ends last.
    _manager: Running,
    _server: Running,
}

/// Runs a tool that `./dev test` installs.
fn tool(name: &str) -> Command {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join(name).exists());
    assert!(found, "{name} is missing; `./dev setup` installs it");
    Command::new(name)
}

impl Screen {
    /// Starts on a display number that is free; the X server chooses it.
    pub(crate) fn start(width: u32, height: u32) -> Self {
        let mut server = tool("Xvfb")
            .args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0"])
            .arg(format!("{width}x{height}x24"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map(Running)
            .unwrap();
        let mut number = String::new();
        BufReader::new(server.0.stdout.take().unwrap())
            .read_line(&mut number)
            .unwrap();
        let display = format!(":{}", number.trim());
        let manager = tool("matchbox-window-manager")
            // Its own shortcuts (F11 among them) would keep keys from the terminal.
            .args(["-use_titlebar", "no", "-kbdconfig", "/dev/null"])
            .env("DISPLAY", &display)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Running)
            .unwrap();
        Self {
            display,
            size: (width, height),
            at_first: std::cell::Cell::new(None),
            _manager: manager,
            _server: server,
        }
    }

    /// Lets a program open its windows here.
    pub(crate) fn use_it<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("DISPLAY", &self.display)
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
    }

    /// Pixels of exactly this colour in a screenshot.
    pub(crate) fn count(&self, colour: [u8; 3]) -> usize {
        count(&self.pixels(), |pixel| *pixel == colour)
    }

    /// Keeps a picture of the screen for whoever wants to look: GATEPOST_SHOTS names the folder.
    pub(crate) fn shot(&self, name: &str) {
        if let Some(folder) = std::env::var_os("GATEPOST_SHOTS") {
            let path = std::path::Path::new(&folder).join(format!("{name}.png"));
            let taken = tool("import")
                .args(["-window", "root"])
                .arg(path)
                .env("DISPLAY", &self.display)
                .status();
            assert!(taken.unwrap().success());
        }
    }

    /// The screen, three bytes a pixel.
    pub(crate) fn pixels(&self) -> Vec<[u8; 3]> {
        let shot = tool("import")
            .args(["-window", "root", "-depth", "8", "rgb:-"])
            .env("DISPLAY", &self.display)
            .output()
            .unwrap();
        assert!(
            shot.status.success(),
            "{}",
            String::from_utf8_lossy(&shot.stderr)
        );
        let (pixels, _) = shot.stdout.as_chunks();
        pixels.to_vec()
    }

    /// Looks at the screen until `done`, and fails if it was ever white, or a browser's own page: more
    /// than a terminal's text is light. The value is how often it looked.
    pub(crate) fn never_white_until(&self, mut done: impl FnMut(&[[u8; 3]]) -> bool) -> usize {
        let mut looks = 0;
        until(
            "the screen as it should be, without ever being white",
            || {
                let pixels = self.pixels();
                looks += 1;
                let light = count(&pixels, |pixel| pixel.iter().all(|part| *part > 160));
                assert!(
                    light * 20 < pixels.len(),
                    "{light} of {} pixels are light",
                    pixels.len()
                );
                done(&pixels)
            },
        );
        looks
    }

    /// Sends a chord, or several, as a keyboard does.
    pub(crate) fn press(&self, chords: &[&str]) {
        let mut arguments = vec!["key", "--delay", "20"];
        arguments.extend(chords);
        self.xdotool(&arguments);
    }

    /// Runs a script of xdotool's.
    pub(crate) fn script(&self, script: &str) {
        let mut child = tool("xdotool")
            .arg("-")
            .env("DISPLAY", &self.display)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut to = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut to, script.as_bytes()).unwrap();
        drop(to);
        assert!(child.wait().unwrap().success());
    }

    /// How many more windows can be seen than when this was asked first.
    pub(crate) fn more_windows(&self) -> usize {
        let found = self.xdotool(&["search", "--onlyvisible", "--name", ""]);
        let now = found.lines().count();
        let at_first = self.at_first.get().unwrap_or(now);
        self.at_first.set(Some(at_first));
        now.saturating_sub(at_first)
    }

    /// Types a line and Enter, as a keyboard does.
    pub(crate) fn type_line(&self, text: &str) {
        self.xdotool(&["type", "--delay", "20", &format!("{text}\n")]);
    }

    /// Whether a visible window has this title.
    pub(crate) fn has_window(&self, title: &str) -> bool {
        !self.windows(title).is_empty()
    }

    /// Width and height of the window with this title.
    pub(crate) fn size_of_window(&self, title: &str) -> (u32, u32) {
        let mut size = (0, 0);
        until("a window's size", || {
            let windows = self.windows(title);
            let Some(id) = windows.lines().next() else {
                return false;
            };
            let told = self.xdotool(&["getwindowgeometry", "--shell", id]);
            let number = |name| {
                let line = told.lines().find_map(|line| line.strip_prefix(name));
                line.and_then(|side| side.parse().ok()).unwrap_or(0)
            };
            size = (number("WIDTH="), number("HEIGHT="));
            size.0 > 0
        });
        size
    }

    fn windows(&self, title: &str) -> String {
        let title = format!("^{title}$");
        self.xdotool(&["search", "--onlyvisible", "--name", &title])
    }

    fn xdotool(&self, arguments: &[&str]) -> String {
        let told = tool("xdotool")
            .args(arguments)
            .env("DISPLAY", &self.display)
            .output()
            .unwrap();
        String::from_utf8_lossy(&told.stdout).into_owned()
    }
}

/// Pixels that are as wanted.
pub(crate) fn count(pixels: &[[u8; 3]], wanted: impl Fn(&[u8; 3]) -> bool) -> usize {
    pixels.iter().filter(|pixel| wanted(pixel)).count()
}
