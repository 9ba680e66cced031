//! Where bundles come from: a file, a web server (by curl, which knows proxies and certificates), or a
//! USB stick behind a socket of root's, which sends the newest bundle it finds there.

use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use crate::base::BundleSource;

use super::UpdateError;

/// Who finds a bundle on a stick.
const USB: &str = "/run/gatepost-usb.sock";
/// Who fetches one.
const CURL: &str = "/usr/bin/curl";
/// Most that is fetched, in bytes: a slot and some head.
const MOST: u64 = (512 << 20) + (1 << 20);
/// Most of what curl says that is passed on, in bytes.
const MAX_WORDS: u64 = 300;

/// A bundle on its way.
pub(super) struct Source {
    bytes: Pin<Box<dyn AsyncRead + Send>>,
    child: Option<Child>,
}

impl AsyncRead for Source {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.get_mut().bytes.as_mut().poll_read(context, buffer)
    }
}

impl Source {
    /// Why it ended, if that was too early.
    pub(super) async fn end(&mut self) -> Result<(), String> {
        let Some(child) = &mut self.child else {
            return Ok(());
        };
        let mut words = Vec::new();
        if let Some(said) = child.stderr.take() {
            let _said = said.take(MAX_WORDS).read_to_end(&mut words).await;
        }
        match child.wait().await {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                let words = String::from_utf8_lossy(&words);
                let words = words.trim().replace(char::is_control, " ");
                Err(if words.is_empty() {
                    status.to_string()
                } else {
                    words
                })
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Begins to read a bundle.
pub(super) async fn open(from: &BundleSource) -> Result<Source, UpdateError> {
    let fault = |reason: String| UpdateError::Source {
        from: from.clone(),
        reason,
    };
    let bytes: Pin<Box<dyn AsyncRead + Send>> = match from {
        BundleSource::File(path) => {
            let file = tokio::fs::File::open(path).await;
            let file = file.map_err(|error| {
                fault(format!(
                    "{error} (the server reads it, as its own user: /var/lib/gatepost-updates is a good place)"
                ))
            })?;
            let about = file.metadata().await;
            if !about.is_ok_and(|about| about.is_file()) {
                return Err(fault("it is no file".to_owned()));
            }
            Box::pin(file)
        }
        BundleSource::Usb => {
            let stick = UnixStream::connect(USB).await;
            Box::pin(stick.map_err(|error| fault(error.to_string()))?)
        }
        BundleSource::Url(url) => {
            let mut child = Command::new(CURL)
                .args([
                    "--silent",
                    "--show-error",
                    "--fail",
                    "--location",
                    "--globoff",
                ])
                .args(["--proto", "=http,https", "--proto-redir", "=https"])
                .args(["--connect-timeout", "20", "--max-time", "3600"])
                .args(["--max-filesize", &MOST.to_string()])
                .arg("--")
                .arg(url)
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("LC_ALL", "C.UTF-8")
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .map_err(|error| fault(format!("{CURL}: {error}")))?;
            let output = child.stdout.take();
            let output = output.ok_or_else(|| fault("curl says nothing".to_owned()))?;
            return Ok(Source {
                bytes: Box::pin(output),
                child: Some(child),
            });
        }
    };
    Ok(Source { bytes, child: None })
}
