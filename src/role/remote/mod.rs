//! `gatepost --host`: the same commands for a Gatepost on another machine, over HTTPS.
//!
//! What the commands say is what they would say to the control socket: here it becomes HTTP, and the
//! answers come back the same way, so that nothing else has to know.

mod bridge;
mod http;
mod key;
mod login;
mod place;
mod trust;

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::OnceLock;

use clap::Args;

use crate::wire::control::{Answer, Call};

use super::exit::{Code, Failure};

pub(super) use login::{LoginArguments, log_in, log_out};
pub(super) use place::Place;

/// Which machine, and how to know that it is the right one.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct RemoteArguments {
    /// Speak to the Gatepost at this address instead of the one on this machine.
    #[arg(long, global = true, value_name = "https://HOST[:PORT]")]
    host: Option<Place>,
    /// Trust the server with this SHA-256 certificate fingerprint, and no other. `gatepost login` remembers it.
    #[arg(long, global = true, value_name = "SHA256", value_parser = trust::parse_fingerprint, conflicts_with = "ca")]
    fingerprint: Option<trust::Fingerprint>,
    /// Trust the authorities in this PEM file instead of the system's.
    #[arg(long, global = true, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Log in for this one command with the one-time token (or address from `gatepost url`) in this
    /// file; - is standard input.
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl RemoteArguments {
    /// Whether any of it was said.
    pub(super) const fn is_given(&self) -> bool {
        self.host.is_some()
            || self.fingerprint.is_some()
            || self.ca.is_some()
            || self.token_file.is_some()
    }
}

/// Names of these arguments, which go with every subcommand.
pub(super) const ARGUMENTS: [&str; 4] = ["host", "fingerprint", "ca", "token_file"];

/// A Gatepost on another machine.
#[derive(Debug)]
pub(super) struct Remote {
    place: Place,
    trust: trust::Trust,
    arguments: RemoteArguments,
}

// One command line speaks to one server; it is set once, before anything is said.
static REMOTE: OnceLock<Remote> = OnceLock::new();

/// Remembers for this process which server the command line means.
pub(super) fn choose(arguments: &RemoteArguments) -> Result<(), Failure> {
    let Some(place) = arguments.host.clone() else {
        if arguments.is_given() {
            return Err(Failure::new(
                Code::Usage,
                "--fingerprint, --ca and --token-file go with --host",
            ));
        }
        return Ok(());
    };
    let remembered = login::remembered(&place)?;
    let fingerprint = arguments.fingerprint.or_else(|| {
        // What was pinned when logging in holds until something else is said.
        let pinned = remembered
            .as_ref()
            .and_then(|login| login.fingerprint.as_deref());
        let pinned = pinned.and_then(|text| trust::parse_fingerprint(text).ok());
        pinned.filter(|_| arguments.ca.is_none())
    });
    let remote = Remote {
        trust: trust::Trust::new(fingerprint, arguments.ca.clone()),
        place,
        arguments: arguments.clone(),
    };
    let _only_once = REMOTE.set(remote);
    Ok(())
}

/// The server on another machine, if that is the one meant.
pub(super) fn chosen() -> Option<&'static Remote> {
    REMOTE.get()
}

impl Remote {
    /// Its address.
    pub(super) fn address(&self) -> &Place {
        &self.place
    }

    /// As `client::call` does it on this machine.
    pub(super) fn call(&'static self, call: &Call) -> Result<(Answer, UnixStream), Failure> {
        if let Call::Url { .. } = call {
            return Err(Failure::new(
                Code::Usage,
                "addresses to log in are made on the machine itself: gatepost url",
            ));
        }
        let cookie = match &self.arguments.token_file {
            Some(file) => login::with_token_file(self, file)?,
            None => login::remembered(&self.place)?
                .map(|login| login.cookie)
                .ok_or_else(|| login::not_logged_in(&self.place))?,
        };
        bridge::call(self, cookie, call.clone())
    }
}
