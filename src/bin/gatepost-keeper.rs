//! `gatepost-keeper`: holds one terminal. Started by `gatepost`, which tells it on standard input what to run.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatepost::keeper::main()
}
