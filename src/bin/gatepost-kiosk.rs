//! The kiosk window's executable.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatepost::role::kiosk::main()
}
