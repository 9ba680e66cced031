//! `gatepost-login`: lets people in and starts their shells. Started by systemd for each connection.

use std::process::ExitCode;

#[path = "../login/libpam.rs"]
mod libpam;

fn main() -> ExitCode {
    gatepost::login::main(&libpam::Libpam)
}
