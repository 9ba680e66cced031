//! A desk with a screen: the session's scripts on a terminal of their own, with an X server that has no
//! monitor, and a connection of ours to it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use x11rb::connection::Connection as _;
use x11rb::protocol::randr;
use x11rb::protocol::screensaver;
use x11rb::protocol::xproto::{Blanking, ConnectionExt as _, Exposures, ImageFormat, ScreenSaver};
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

    /// Blanks the screen now, as an X server does whose time has come.
    pub(crate) fn blank(&self) {
        let blanking = self.0.force_screen_saver(ScreenSaver::ACTIVE);
        blanking.unwrap().check().unwrap();
    }

    /// Whether the X server has blanked the screen.
    pub(crate) fn is_blank(&self) -> bool {
        let asked = screensaver::query_info(&self.0, self.1).unwrap();
        asked.reply().unwrap().state == u8::from(screensaver::State::ON)
    }

    /// Has an output send nothing, as when its monitor has gone.
    pub(crate) fn turn_output_off(&self) {
        let resources = randr::get_screen_resources_current(&self.0, self.1);
        let resources = resources.unwrap().reply().unwrap();
        let stamp = resources.config_timestamp;
        for crtc in resources.crtcs {
            let off = randr::set_crtc_config(
                &self.0,
                crtc,
                x11rb::CURRENT_TIME,
                stamp,
                0,
                0,
                x11rb::NONE,
                randr::Rotation::ROTATE0,
                &[],
            );
            off.unwrap().reply().unwrap();
        }
    }

    /// Outputs that send a picture.
    pub(crate) fn outputs(&self) -> usize {
        let resources = randr::get_screen_resources_current(&self.0, self.1);
        let resources = resources.unwrap().reply().unwrap();
        let shows = |crtc: &&u32| {
            let asked = randr::get_crtc_info(&self.0, **crtc, resources.config_timestamp);
            asked.unwrap().reply().unwrap().mode != x11rb::NONE
        };
        resources.crtcs.iter().filter(shows).count()
    }

    /// The screen's width and height.
    pub(crate) fn size(&self) -> (u16, u16) {
        let size = self.0.get_geometry(self.1).unwrap().reply().unwrap();
        (size.width, size.height)
    }

    /// How many pixels are of this colour, red first.
    pub(crate) fn count(&self, [red, green, blue]: [u8; 3]) -> usize {
        let (width, height) = self.size();
        let image = self
            .0
            .get_image(ImageFormat::Z_PIXMAP, self.1, 0, 0, width, height, !0);
        // An X server that goes meanwhile has none.
        let data = image.ok().and_then(|image| image.reply().ok());
        let data = data.map(|image| image.data).unwrap_or_default();
        // The fourth byte of a pixel means nothing.
        let wanted = |pixel: &&[u8]| pixel[..3] == [blue, green, red];
        data.chunks(4).filter(wanted).count()
    }

    /// Whether every pixel is black.
    pub(crate) fn is_black(&self) -> bool {
        let (width, height) = self.size();
        self.count([0; 3]) == usize::from(width) * usize::from(height)
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
        Self::patient_for(place, server, window, "300")
    }

    /// The same, with this many seconds of text before X is tried again.
    pub(crate) fn patient_for(place: &Place, server: &str, window: &str, text: &str) -> Self {
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
            .env("GATEPOST_TEXT", text)
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

/// The process another one started whose name begins so.
#[allow(dead_code, reason = "only the real window has one")]
pub(crate) fn child_of(parent: i32, name: &str) -> Option<i32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.find(|pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // "pid (name) state ppid …"; the name may hold anything.
        stat.rsplit_once(") ").is_some_and(|(before, after)| {
            let of_parent =
                after.split(' ').nth(1).and_then(|pid| pid.parse().ok()) == Some(parent);
            of_parent
                && before
                    .split_once('(')
                    .unwrap_or_default()
                    .1
                    .starts_with(name)
        })
    })
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
