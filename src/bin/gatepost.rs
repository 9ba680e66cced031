//! `gatepost`: the server and the commands that talk to it.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatepost::role::gatepost()
}
