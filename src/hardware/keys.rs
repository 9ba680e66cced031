//! Buttons that are keys to the kernel (evdev): the gpio-keys overlay, USB pedals and remotes. Devices
//! come and go; whichever has a wanted key is used while it is there.

use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use evdev::{Device, EventSummary, KeyCode};
use rustix::fs::inotify;
use tokio::io::unix::AsyncFd;
use tokio::time::{Interval, MissedTickBehavior};

use super::lines::{Edge, LineError, now, readable};

/// Where input devices are.
const FOLDER: &str = "/dev/input";
/// How often the folder is looked for where the kernel doesn't tell of new devices.
const LOOK: Duration = Duration::from_secs(5);
/// An event older than this, or of the future, was stamped by a clock that was set since.
const OLDEST: Duration = Duration::from_secs(5);
/// Most devices looked at: more than any machine has.
const MAX_DEVICES: usize = 256;

/// A key that is a button.
#[derive(Debug, Clone)]
pub struct Key {
    /// The button's place.
    pub button: usize,
    /// The kernel's name of the key.
    pub name: String,
    /// The name of the device, if it matters.
    pub device: Option<String>,
    /// Whether nobody else gets the device's keys; if absent, unless it is a keyboard.
    pub exclusive: Option<bool>,
}

#[derive(Debug)]
struct Wanted {
    key: Key,
    code: KeyCode,
}

#[derive(Debug)]
struct Open {
    path: PathBuf,
    name: String,
    device: AsyncFd<Device>,
    /// Key, button, and whether it is pressed.
    buttons: Vec<(KeyCode, usize, bool)>,
}

/// All input devices that have a wanted key.
#[derive(Debug)]
pub struct Keyboards {
    wanted: Vec<Wanted>,
    open: Vec<Open>,
    news: Option<AsyncFd<OwnedFd>>,
    look: Interval,
    stale: bool,
}

/// A key by the kernel's name for it (linux/input-event-codes.h).
fn code(name: &str) -> Option<KeyCode> {
    name.parse().ok()
}

impl Keyboards {
    /// Looks for these keys. Has to be called within tokio.
    pub fn new(keys: Vec<Key>) -> (Self, Vec<(usize, LineError)>) {
        let (mut wanted, mut unknown) = (Vec::new(), Vec::new());
        for key in keys {
            match code(&key.name) {
                Some(code) => wanted.push(Wanted { key, code }),
                None => unknown.push((
                    key.button,
                    LineError::Missing {
                        line: key.name,
                        there: "keys are called as in \"KEY_F13\"; evtest shows them".to_owned(),
                    },
                )),
            }
        }
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let new = Self {
            wanted,
            open: Vec::new(),
            news: None,
            look,
            stale: true,
        };
        (new, unknown)
    }

    /// Whether any key is wanted.
    pub fn is_idle(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Whether there is no key of this name.
    pub fn is_unknown(&self, name: &str) -> bool {
        code(name).is_none()
    }

    /// The device a button's key is on.
    pub fn device(&self, button: usize) -> Result<&str, LineError> {
        let mine = |open: &&Open| open.buttons.iter().any(|(_, at, _)| *at == button);
        if let Some(open) = self.open.iter().find(mine) {
            return Ok(&open.name);
        }
        let wanted = self.wanted.iter().find(|one| one.key.button == button);
        Err(LineError::NoKey(wanted.map_or_else(
            || "this key".to_owned(),
            |one| one.key.name.clone(),
        )))
    }

    fn subscribe(&mut self) {
        if self.news.is_some() {
            return;
        }
        let flags = inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC;
        let Ok(fd) = inotify::init(flags) else { return };
        // udev opens a device to its group after it was made.
        let events = inotify::WatchFlags::CREATE | inotify::WatchFlags::ATTRIB;
        if inotify::add_watch(&fd, FOLDER, events).is_ok() {
            self.news = readable(fd).ok();
        }
    }

    fn scan(&mut self) {
        self.stale = false;
        let Ok(entries) = std::fs::read_dir(FOLDER) else {
            return;
        };
        for entry in entries.flatten().take(MAX_DEVICES) {
            let path = entry.path();
            let is_event = entry.file_name().to_string_lossy().starts_with("event");
            if !is_event || self.open.iter().any(|open| open.path == path) {
                continue;
            }
            // Most are none of ours, or not for us.
            if let Ok(device) = Device::open(&path) {
                self.take(&path, device);
            }
        }
    }

    fn take(&mut self, path: &Path, mut device: Device) {
        let name = device.name().unwrap_or_default().to_owned();
        let Some(keys) = device.supported_keys() else {
            return;
        };
        let mine = |wanted: &&Wanted| {
            keys.contains(wanted.code)
                && wanted
                    .key
                    .device
                    .as_ref()
                    .is_none_or(|wanted| *wanted == name)
        };
        let mine: Vec<&Wanted> = self.wanted.iter().filter(mine).collect();
        let is_keyboard = [KeyCode::KEY_A, KeyCode::KEY_Z, KeyCode::KEY_ENTER]
            .iter()
            .all(|key| keys.contains(*key));
        let exclusive = mine
            .iter()
            .any(|wanted| wanted.key.exclusive.unwrap_or(!is_keyboard));
        let buttons: Vec<_> = mine
            .iter()
            .map(|wanted| (wanted.code, wanted.key.button, false))
            .collect();
        if buttons.is_empty() || device.set_nonblocking(true).is_err() {
            return;
        }
        if exclusive && let Err(error) = device.grab() {
            tracing::warn!(device = name, %error, "others get this device's keys, too");
        }
        let Ok(device) = readable(device) else {
            return;
        };
        tracing::info!(device = name, path = %path.display(), "buttons on an input device");
        self.open.push(Open {
            path: path.to_owned(),
            name,
            device,
            buttons,
        });
    }

    /// Appends what was seen since the last time: the button and the edge. Whether devices came or went.
    pub fn drain(&mut self, out: &mut Vec<(usize, Edge)>) -> bool {
        let before = self.open.len();
        let mut changed = false;
        if let Some(news) = &self.news {
            let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
            let mut reader = inotify::Reader::new(news.get_ref(), &mut buffer);
            while reader.next().is_ok() {
                self.stale = true;
            }
        }
        if self.stale && !self.wanted.is_empty() {
            self.subscribe();
            self.scan();
            changed = self.open.len() != before;
        }
        self.open.retain_mut(|open| {
            let stays = read(open, out);
            if !stays {
                tracing::info!(device = open.name, "an input device with buttons is gone");
                let released = open.buttons.iter().filter(|(_, _, pressed)| *pressed);
                out.extend(released.map(|(_, button, _)| {
                    let edge = Edge {
                        at: now(),
                        pressed: false,
                    };
                    (*button, edge)
                }));
                changed = true;
            }
            stays
        });
        changed
    }

    /// Returns when there is something to [`Self::drain`].
    pub fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.wanted.is_empty() {
            return Poll::Pending;
        }
        if self.stale {
            return Poll::Ready(());
        }
        for open in &mut self.open {
            if let Poll::Ready(ready) = open.device.poll_read_ready(context) {
                if let Ok(mut guard) = ready {
                    guard.clear_ready();
                }
                return Poll::Ready(());
            }
        }
        match &mut self.news {
            Some(news) => {
                if let Poll::Ready(ready) = news.poll_read_ready(context) {
                    if let Ok(mut guard) = ready {
                        guard.clear_ready();
                    }
                    return Poll::Ready(());
                }
            }
            None => {
                if self.look.poll_tick(context).is_ready() {
                    self.stale = true;
                    return Poll::Ready(());
                }
            }
        }
        Poll::Pending
    }
}

/// Reads what a device has; whether it is still there.
fn read(open: &mut Open, out: &mut Vec<(usize, Edge)>) -> bool {
    loop {
        let events = match open.device.get_mut().fetch_events() {
            Ok(events) => events,
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        };
        for event in events {
            // 2 is the keyboard's own repetition.
            let EventSummary::Key(_, code, value @ 0..=1) = event.destructure() else {
                continue;
            };
            let at = monotonic(event.timestamp());
            for (_, button, pressed) in open.buttons.iter_mut().filter(|(key, ..)| *key == code) {
                *pressed = value == 1;
                let edge = Edge {
                    at,
                    pressed: *pressed,
                };
                out.push((*button, edge));
            }
        }
    }
}

/// A time of day as one of the monotonic clock.
fn monotonic(time: SystemTime) -> Duration {
    let age = SystemTime::now().duration_since(time).unwrap_or_default();
    if age > OLDEST {
        now()
    } else {
        now().saturating_sub(age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_kernels_names() {
        assert_eq!(code("KEY_F13"), Some(KeyCode::KEY_F13));
        assert_eq!(code("KEY_NOSUCH"), None);
    }

    #[test]
    fn an_event_stamped_before_the_clock_was_set_counts_as_of_now() {
        let before = now();
        assert!(monotonic(SystemTime::UNIX_EPOCH) >= before);
        let second = Duration::from_secs(1);
        assert!(monotonic(SystemTime::now() - second) < before);
    }
}
