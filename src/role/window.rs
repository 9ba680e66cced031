//! The kiosk window as the server's companion: started beside it when there is a display, never
//! needed by it.

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use tokio::process::{Child, Command};

use super::exit::Failure;
use super::output;
use super::serve::Server;

/// Exit code of a window that found another one open.
const OPEN_ALREADY: i32 = 8;

/// Exit code of a window that couldn't keep its page alive and wants to be started again.
const START_AGAIN: i32 = 10;

/// Whether the window ended to be opened again.
pub(super) fn wants_another(ended: Option<ExitStatus>) -> bool {
    ended.and_then(|status| status.code()) == Some(START_AGAIN)
}

/// Starts the window if there is a display; otherwise says what to open.
pub(super) fn open(server: &Server, runtime_folder: &Path) -> Result<Option<Child>, Failure> {
    let display = ["WAYLAND_DISPLAY", "DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    let executable = std::env::current_exe()
        .map(|own| own.with_file_name("gatepost-kiosk"))
        .ok()
        .filter(|path| path.is_file());
    if let (true, Some(executable)) = (display, executable) {
        let started = Command::new(&executable)
            .arg("--closable")
            .env("GATEPOST_RUNTIME_DIR", runtime_folder)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        match started {
            Ok(window) => return Ok(Some(window)),
            Err(error) => {
                output::say(&format!("{} doesn't start: {error}", executable.display()));
            }
        }
    }
    say_address(server)?;
    Ok(None)
}

/// Waits for the window's end; for ever if there is none.
pub(super) async fn ended(window: &mut Option<Child>) -> Option<ExitStatus> {
    match window {
        Some(window) => window.wait().await.ok(),
        None => std::future::pending().await,
    }
}

/// Says why there is no window any more, and what to do instead.
pub(super) fn explain(ended: Option<ExitStatus>, server: &Server) -> Result<(), Failure> {
    tracing::info!(status = ?ended, "the window has ended; the server goes on");
    match ended.and_then(|status| status.code()) {
        Some(OPEN_ALREADY) => output::say("the window that is open already goes on"),
        Some(0) => {
            output::say(
                "the window has closed; the server goes on until ^C, and `gatepost url` prints an address for a browser",
            );
        }
        _ => {
            output::say("there is no window");
            say_address(server)?;
        }
    }
    Ok(())
}

/// Prints what to open in a browser.
fn say_address(server: &Server) -> Result<(), Failure> {
    if let Some(url) = server.login_url() {
        let _seen = output::line(&format!(
            "open within 20 seconds: {url}\nfor another address: gatepost url"
        ))?;
    }
    Ok(())
}
