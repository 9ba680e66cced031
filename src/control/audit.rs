//! One structured line for everything that was asked for, allowed or not: in the log, and in a file of
//! its own where one is configured. Where that file is required, what can't be written doesn't happen.

use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::sync::oneshot;

use crate::base::{Door, Principal, TerminalId, UserName, Way};
use crate::policy::settings::Log;

use super::strangers::Strangers;

/// Lines that may wait for the disk: what a slow SD card takes in a few seconds.
const WAITING: usize = 256;

/// What is written down about one ask.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// When, in UTC (RFC 3339).
    time: String,
    /// Who.
    who: String,
    /// How they had proved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    way: Option<Way>,
    /// Through which door.
    door: Door,
    /// Where from, if it came over a network.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// What.
    action: &'static str,
    /// The terminal it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal: Option<TerminalId>,
    /// The other person it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    with: Option<UserName>,
    /// What came of it: `granted` before it is done, `done`, or why not.
    outcome: &'static str,
    /// The sentence whoever asked was told, if it was no.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Line {
    /// The beginning of a line: who asked for what.
    pub fn new(
        by: &Principal,
        door: Door,
        address: Option<&str>,
        action: &'static str,
        terminal: Option<TerminalId>,
    ) -> Self {
        Self {
            time: String::new(),
            who: by.to_string(),
            way: by.user().map(|user| user.way),
            door,
            address: address.map(str::to_owned),
            action,
            terminal,
            with: None,
            outcome: "",
            reason: None,
        }
    }

    /// The beginning of a line about somebody who says who they are and was not let in.
    pub fn of_stranger(claimed: Option<&UserName>, way: Way, address: Option<String>) -> Self {
        Self {
            time: String::new(),
            who: claimed.map_or("somebody", UserName::as_str).to_owned(),
            way: Some(way),
            door: Door::Web,
            address,
            action: "log-in",
            terminal: None,
            with: None,
            outcome: "",
            reason: None,
        }
    }

    /// The line with what came of it.
    #[must_use]
    pub fn with(mut self, outcome: &'static str, reason: Option<String>) -> Self {
        self.time = utc(SystemTime::now());
        self.outcome = outcome;
        self.reason = reason;
        self
    }

    /// The same about this other person.
    #[must_use]
    pub fn with_whom(mut self, with: Option<UserName>) -> Self {
        self.with = with;
        self
    }

    /// The same about this terminal.
    #[must_use]
    pub fn about(mut self, terminal: Option<TerminalId>) -> Self {
        self.terminal = terminal.or(self.terminal);
        self
    }

    fn log(&self) {
        tracing::info!(
            target: "audit",
            who = self.who,
            way = self.way.map(Way::name),
            door = ?self.door,
            address = self.address,
            action = self.action,
            terminal = self.terminal.as_ref().map(TerminalId::as_str),
            with = self.with.as_ref().map(UserName::as_str),
            outcome = self.outcome,
            reason = self.reason,
        );
    }
}

/// It could not be written down, so it may not happen.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "what happens here has to be written down and can't be ({0}), so nothing is done; tell the administrator"
)]
pub struct AuditError(String);

struct Order {
    line: Line,
    settings: Log,
    written: Option<oneshot::Sender<Result<(), String>>>,
}

/// The way to the file: a thread of its own, because disks make one wait.
#[derive(Debug, Clone)]
pub struct Audit {
    thread: SyncSender<Order>,
    failing: Arc<AtomicBool>,
    // Held for a count, never across an await.
    strangers: Arc<Mutex<Strangers>>,
}

impl Default for Audit {
    fn default() -> Self {
        let (thread, orders) = sync_channel(WAITING);
        let failing = Arc::<AtomicBool>::default();
        let flag = failing.clone();
        let started = std::thread::Builder::new()
            .name("audit".to_owned())
            .stack_size(256 << 10)
            .spawn(move || write_all(&orders, &flag));
        if let Err(error) = started {
            // Then every write fails, which is what callers know how to handle.
            tracing::error!(%error, "no thread for the audit file");
        }
        Self {
            thread,
            failing,
            strangers: Arc::default(),
        }
    }
}

impl Audit {
    /// Whether something may be looked at that is not worth a line: not while a required file fails.
    pub fn may_look(&self, settings: &Log) -> Result<(), AuditError> {
        if settings.audit_required && self.failing.load(Ordering::Relaxed) {
            Err(AuditError("the last line couldn't be written".to_owned()))
        } else {
            Ok(())
        }
    }

    /// Writes down, without waiting for it, that somebody was not let in; so many a minute, and how many
    /// more there were.
    pub fn tell_of_stranger(&self, line: Line, reason: Option<String>, settings: &Log) {
        let address = line.address.clone().unwrap_or_default();
        let mut strangers = self
            .strangers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(untold) = strangers.may_tell(&address, Instant::now()) else {
            return;
        };
        drop(strangers);
        let more = (untold > 0).then(|| format!("{untold} more before were not written down"));
        let reason: Vec<String> = reason.into_iter().chain(more).collect();
        let reason = (!reason.is_empty()).then(|| reason.join("; "));
        let line = line.with("denied", reason);
        line.log();
        if settings.audit_file.is_some() {
            self.pass_on(line, settings.clone());
        }
    }

    fn pass_on(&self, line: Line, settings: Log) {
        let order = Order {
            line,
            settings,
            written: None,
        };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.thread.try_send(order)
        {
            tracing::error!("the audit file can't keep up: a line is only in this log");
        }
    }

    /// Writes a line down as `settings` say. When the file is required, returns once the line is on
    /// the disk, or why it isn't.
    pub async fn write(&self, line: Line, settings: &Log) -> Result<(), AuditError> {
        line.log();
        if settings.audit_file.is_none() {
            return Ok(());
        }
        let settings = settings.clone();
        if !settings.audit_required {
            self.pass_on(line, settings);
            return Ok(());
        }
        let (written, result) = oneshot::channel();
        let order = Order {
            line,
            settings,
            written: Some(written),
        };
        let sent = self.thread.try_send(order);
        sent.map_err(|_| AuditError("the disk is too slow".to_owned()))?;
        match result.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(reason)) => Err(AuditError(reason)),
            Err(_) => Err(AuditError("nothing writes".to_owned())),
        }
    }
}

fn write_all(orders: &Receiver<Order>, failing: &AtomicBool) {
    let mut open: Option<AuditFile> = None;
    while let Ok(order) = orders.recv() {
        let result = write(&mut open, &order);
        if let Err(error) = &result
            && !failing.load(Ordering::Relaxed)
        {
            let file = order.settings.audit_file.as_deref().map(Path::display);
            tracing::error!(file = file.map(tracing::field::display), %error, "the audit file can't be written");
        }
        failing.store(result.is_err(), Ordering::Relaxed);
        if result.is_err() {
            // Opened anew the next time: the disk may be another one by then.
            open = None;
        }
        if let Some(written) = order.written {
            // Whoever asked may have gone.
            drop(written.send(result.map_err(|error| error.to_string())));
        }
    }
}

#[derive(Debug)]
struct AuditFile {
    path: PathBuf,
    file: File,
}

fn write(open: &mut Option<AuditFile>, order: &Order) -> io::Result<()> {
    let Some(path) = &order.settings.audit_file else {
        return Ok(());
    };
    let mut text = serde_json::to_vec(&order.line)?;
    text.push(b'\n');
    let mut current = match open.take() {
        Some(current) if current.path == *path && is_same(&current)? => current,
        _ => AuditFile {
            path: path.clone(),
            file: open_file(path)?,
        },
    };
    let metadata = current.file.metadata()?;
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    if metadata.is_file() && metadata.len() + length > order.settings.audit_max_bytes {
        std::fs::rename(path, rotated(path))?;
        current.file = open_file(path)?;
    }
    current.file.write_all(&text)?;
    if metadata.is_file() {
        current.file.sync_data()?;
    }
    *open = Some(current);
    Ok(())
}

/// Whether the path still leads to the open file: somebody may have moved it away.
fn is_same(current: &AuditFile) -> io::Result<bool> {
    let opened = current.file.metadata()?;
    match std::fs::symlink_metadata(&current.path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    // No link leads elsewhere, and nothing waits for whoever should read a pipe.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = File::options()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    // Whoever could write there could unsay what was done; others have no business reading it.
    if metadata.is_file() && metadata.mode() & 0o077 != 0 {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Where the file goes when it is full.
fn rotated(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

/// A time as `2026-11-25T18:04:05.678Z` (RFC 3339), by Howard Hinnant's `civil_from_days`.
fn utc(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    let second = second % 60;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339_says() {
        let at = |seconds, millis| {
            utc(UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_millis(millis))
        };
        assert_eq!(at(0, 0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_782_399, 7), "2000-02-28T23:59:59.007Z");
        assert_eq!(at(951_782_400, 0), "2000-02-29T00:00:00.000Z");
        assert_eq!(at(1_764_093_845, 0), "2025-11-25T18:04:05.000Z");
        assert_eq!(at(4_107_542_399, 0), "2100-02-28T23:59:59.000Z");
    }
}
