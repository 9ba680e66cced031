//! `gatepost provision …`: a machine takes its name, its networks and its administrator from the files
//! on its card's first partition. Run as root at boot, before anything that needs what it writes.

mod apply;
mod here;
mod input;
mod place;
mod scrub;
mod take;

use std::path::{Path, PathBuf};

use crate::policy::Problem;
use crate::provision::Provision;

use super::configuration::say_all;
use super::exit::{Code, Failure};
use super::output;
use input::Input;

/// Take this machine's settings from files, without a keyboard.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Say everything that is wrong with a file, each with its line: a gatepost.toml for the card's first
    /// partition, a custom.toml, a user-data or a network-config. Exit code 1 if anything is.
    Check {
        /// The file. What it names is looked for beside it.
        file: PathBuf,
    },
    /// Take over what the files in a folder say, and take the secrets out of them; for root, at boot.
    /// Files with a mistake change nothing.
    Apply(Arguments),
    /// The other side of gatepost-setup.socket: take over what somebody typed in.
    #[command(hide = true)]
    Take(Arguments),
}

/// What `apply` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder with gatepost.toml, custom.toml, or user-data and network-config.
    #[arg(long, value_name = "FOLDER", default_value = "/boot/firmware")]
    from: PathBuf,
    /// Where what comes of it is written.
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    root: PathBuf,
    /// The running system, which says what time zones and accounts there are.
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    system: PathBuf,
    /// Give the running machine its new name at once.
    #[arg(long)]
    live: bool,
}

/// Runs it.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check { file } => check(file),
        Command::Apply(arguments) => apply::run(arguments),
        Command::Take(arguments) => take::run(arguments),
    }
}

fn check(file: &Path) -> Result<(), Failure> {
    let input = Input::file(file);
    let (mut wrong, mut notes) = (input.problems.clone(), input.notes.clone());
    if wrong.is_empty() {
        match Provision::read(&input.tree) {
            Ok(mut provision) => {
                notes.extend(provision.notes(&input.tree));
                // Secrets that were moved may well be where they were moved to.
                let here =
                    provision.settle(&input.tree, None, &input.beside, |_, _| Ok(String::new()));
                wrong.extend(here.err().unwrap_or_default());
                wrong.extend(
                    apply::settings(&provision, &input.tree, None)
                        .err()
                        .unwrap_or_default(),
                );
            }
            Err(found) => wrong.extend(found),
        }
    }
    let (bad, all): (usize, Vec<Problem>) = (wrong.len(), wrong.into_iter().chain(notes).collect());
    if all.is_empty() {
        let _seen = output::line("nothing wrong")?;
        return Ok(());
    }
    let _seen = output::line(&say_all(&all))?;
    if bad == 0 {
        return Ok(());
    }
    Err(Failure::new(
        Code::Failed,
        format!("{bad} problems in {}", file.display()),
    ))
}
