//! Assembly: each process is put together here from its arguments and environment.

mod act;
mod attach;
mod buttons;
mod cert;
mod cli;
mod client;
mod config;
mod configuration;
mod exit;
mod health;
mod hook;
#[cfg(feature = "kiosk")]
pub mod kiosk;
mod log;
mod logins;
mod output;
mod portal;
mod provision;
mod reload;
mod remote;
mod screen;
pub mod serve;
mod terminal;
mod update;
mod wait;
mod window;

use std::process::ExitCode;

/// The process of `gatepost`, whatever its arguments.
pub fn gatepost() -> ExitCode {
    cli::main()
}
