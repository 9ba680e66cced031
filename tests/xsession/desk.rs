//! A desk with a screen: the session's scripts on a terminal of their own, with an X server that has no
//! monitor, and a connection of ours to it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{Blanking, ConnectionExt as _, Exposures, ImageFormat};
use x11rb::rust_connection::RustConnection;

use crate::support::server::Place;

/// A program that is ended with the test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Runs a tool that `./dev setup` installs.
pub(crate) fn tool(name: &str) -> Command {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join(name).exists());
    assert!(found, "{name} is missing; `./dev setup` installs it");
    Command::new(name)
}

/// Writes a shell script.
pub(crate) fn script(path: &Path, text: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// An X server's screen, as somebody else's program sees it.
pub(crate) struct Eye(RustConnection, u32);

impl Eye {
    pub(crate) fn open(display: &str) -> Option<Self> {
        let (connection, number) = RustConnection::connect(Some(display)).ok()?;
        let root = connection.setup().roots.get(number)?.root;
        Some(Self(connection, root))
    }

    /// Windows that somebody could see.
    pub(crate) fn windows(&self) -> usize {
        let Ok(Ok(tree)) = self.0.query_tree(self.1).map(x11rb::cookie::Cookie::reply) else {
            return 0;
        };
        let seen = |window: &u32| {
            let asked = self.0.get_window_attributes(*window).ok();
            let found = asked.and_then(|asked| asked.reply().ok());
            found
                .is_some_and(|found| found.map_state == x11rb::protocol::xproto::MapState::VIEWABLE)
        };
        tree.children.iter().filter(|window| seen(window)).count()
    }

    /// Seconds until the screen saver, which somebody may have changed.
    pub(crate) fn saver(&self) -> u16 {
        self.0.get_screen_saver().unwrap().reply().unwrap().timeout
    }

    /// Does what `xset s on` does.
    pub(crate) fn turn_saver_on(&self) {
        let setting = self
            .0
            .set_screen_saver(600, 600, Blanking::PREFERRED, Exposures::ALLOWED);
        setting.unwrap().check().unwrap();
    }

    /// Whether every pixel is black.
    pub(crate) fn is_black(&self) -> bool {
        let size = self.0.get_geometry(self.1).unwrap().reply().unwrap();
        let (width, height) = (size.width, size.height);
        let image = self
            .0
            .get_image(ImageFormat::Z_PIXMAP, self.1, 0, 0, width, height, !0);
        let data = image.unwrap().reply().unwrap().data;
        // The fourth byte of a pixel means nothing.
        data.chunks(4).all(|pixel| pixel[..3] == [0, 0, 0])
    }
}

/// The session's scripts, running.
pub(crate) struct Desk {
    folder: PathBuf,
    terminal: Running,
}

impl Desk {
    /// Logs in at a terminal whose X server is this script; `window` is the window's program.
    pub(crate) fn start(place: &Place, server: &str, window: &str) -> Self {
        let folder = place.temp.path().join("desk");
        std::fs::create_dir_all(&folder).unwrap();
        let own = folder.display();
        let (x, shown) = (folder.join("x-server"), folder.join("window"));
        script(&x, &server.replace("@DESK@", &own.to_string()));
        script(
            &shown,
            &format!("echo $$ > {own}/window.pid\nexec {window}"),
        );
        for needed in ["xauth", "xev", "matchbox-window-manager"] {
            let _there = tool(needed);
        }
        let login = Path::new(env!("CARGO_MANIFEST_DIR")).join("xsession/login");
        let line = format!("GATEPOST_TTY=$(tty) exec {}", login.display());
        let executables = Path::new(env!("CARGO_BIN_EXE_gatepost")).parent().unwrap();
        let terminal = tool("script")
            .args(["-qefc", &line])
            .arg(folder.join("typescript"))
            .env("GATEPOST_BIN", executables)
            .env("GATEPOST_RUNTIME_DIR", &place.folders.runtime)
            .env("GATEPOST_STATE_DIR", &place.folders.state)
            .env("GATEPOST_CONFIG_DIR", place.config())
            .env("GATEPOST_X", &x)
            .env("GATEPOST_WINDOW", &shown)
            .env("GATEPOST_EVERY", "100")
            .env("XDG_RUNTIME_DIR", &folder)
            .env("HOME", &folder)
            .env("TERM", "xterm")
            .env_remove("DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .map(Running)
            .unwrap();
        Self { folder, terminal }
    }

    fn read(&self, name: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.folder.join(name)).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The X server's process and display, as its script wrote them.
    pub(crate) fn x(&self) -> Option<(i32, String)> {
        let number = self.read("gatepost-x.display")?;
        Some((self.read("x.pid")?.parse().ok()?, format!(":{number}")))
    }

    /// The window's process.
    pub(crate) fn window(&self) -> Option<i32> {
        self.read("window.pid")?.parse().ok()
    }

    /// A look at the screen, if there is one.
    pub(crate) fn eye(&self) -> Option<Eye> {
        Eye::open(&self.x()?.1)
    }

    /// All that was ever written on the terminal.
    pub(crate) fn written(&self) -> String {
        let bytes = std::fs::read(self.folder.join("typescript")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Types on the terminal.
    pub(crate) fn types(&mut self, text: &str) {
        use std::io::Write as _;
        let keys = self.terminal.0.stdin.as_mut().unwrap();
        keys.write_all(text.as_bytes()).unwrap();
        keys.flush().unwrap();
    }
}

/// Kills a process as the kernel does when memory is short.
pub(crate) fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

impl Drop for Desk {
    fn drop(&mut self) {
        drop(self.terminal.0.kill());
        drop(self.terminal.0.wait());
        // The scripts end with their terminal, and X with them; should they not, here is its number.
        if let Some((pid, _)) = self.x().filter(|(pid, _)| is_x(*pid)) {
            let _gone = kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM);
        }
    }
}

/// Whether this number is still that of an X server.
fn is_x(pid: i32) -> bool {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.starts_with('X')
}
