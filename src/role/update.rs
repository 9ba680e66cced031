//! `gatepost update`, and `gatepost run-update`: the writer behind gatepost-update.socket, one process for
//! each call.

use std::fmt::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;

use crate::action::{Action, UpdateStep};
use crate::base::BundleSource;
use crate::base::slots::{Slots, Trust};
use crate::system::update::{Places, answer, perform};
use crate::wire::update::UpdateCall;

use super::act as one_action;
use super::exit::{Code, Failure};
use super::log;

/// How long nothing may come on the connection: the server gives up a little earlier.
const SILENCE: Duration = Duration::from_secs(90);

/// `gatepost update`
#[derive(Debug, Subcommand)]
pub(super) enum Update {
    /// Say what runs and what starts next; with a bundle, whether it would be installed.
    Check {
        /// A whole path, an https:// address, or usb.
        from: Option<BundleSource>,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Put a signed bundle into the other slot. It starts at the next restart, and stays once its screen was
    /// seen.
    Install {
        /// A whole path, an https:// address, or usb.
        from: BundleSource,
        /// Even if it is older than what runs.
        #[arg(long)]
        downgrade: bool,
        /// Restart the machine then, 30 s after everybody was told.
        #[arg(long)]
        restart: bool,
    },
    /// Start the system in the other slot next.
    Rollback {
        /// Restart the machine then, 30 s after everybody was told.
        #[arg(long)]
        restart: bool,
    },
    /// Keep what runs, although its screen was not seen.
    Confirm,
}

/// Arguments of `gatepost run-update`.
#[derive(Debug, clap::Args)]
pub(super) struct RunArguments {
    /// Below which folder everything is found that describes this machine.
    #[arg(long, default_value = "/")]
    root: PathBuf,
    /// No call: fail if the system that runs has not been confirmed, for the unit that restarts the machine
    /// then.
    #[arg(long)]
    expect_confirmed: bool,
}

/// Has it done.
pub(super) fn act(command: Update) -> Result<(), Failure> {
    let (step, json) = match command {
        Update::Check { from, json } => (UpdateStep::Check { from }, json),
        Update::Install {
            from,
            downgrade,
            restart,
        } => {
            let step = UpdateStep::Install {
                from,
                downgrade,
                restart,
            };
            (step, false)
        }
        Update::Rollback { restart } => (UpdateStep::Rollback { restart }, false),
        Update::Confirm => (UpdateStep::Confirm {}, false),
    };
    one_action::run(Action::Update { step }, json)
}

/// Answers the one connection that systemd made our standard input.
pub(super) fn run(arguments: &RunArguments) -> Result<(), Failure> {
    let places = Places::below(&arguments.root);
    if arguments.expect_confirmed {
        let slots = perform(&UpdateCall::State {}, &mut std::io::empty(), &places);
        let slots = slots.map_err(Failure::failed)?;
        let trying = slots.state.slot == slots.running && slots.state.trust != Trust::Confirmed;
        return if trying {
            let message = "the screen of this new system was not seen in time";
            Err(Failure::new(Code::Failed, message.to_owned()))
        } else {
            Ok(())
        };
    }
    log::start(log::Format::Auto);
    let not_socket = |_| {
        let message = "standard input is no socket: systemd starts this for gatepost-update.socket";
        Failure::new(Code::Usage, message.to_owned())
    };
    let input = std::io::stdin().as_fd().try_clone_to_owned();
    let input = input.map_err(Failure::failed)?;
    rustix::net::sockopt::socket_type(&input).map_err(not_socket)?;
    let stream = UnixStream::from(input);
    stream
        .set_read_timeout(Some(SILENCE))
        .map_err(Failure::failed)?;
    answer(&stream, &stream, &places).map_err(Failure::failed)
}

/// For people.
pub(super) fn shown(slots: &Slots) -> String {
    let state = &slots.state;
    let next = match (state.slot == slots.running, state.trust) {
        (true, Trust::Confirmed) => "the same, confirmed".to_owned(),
        (true, Trust::Tries(left)) => {
            format!("the same, {left} more times unless its screen is seen")
        }
        (false, Trust::Confirmed) => format!("slot {}", state.slot),
        (false, Trust::Tries(left)) => {
            format!(
                "slot {}, which has {left} tries to show its screen",
                state.slot
            )
        }
    };
    let other = if state.other_good {
        "a system that has worked"
    } else {
        "nothing to go back to"
    };
    let mut out = format!(
        "runs       slot {}, version {}\nstarts     {next}\nbesides    {other}\n",
        slots.running, slots.version
    );
    if state.rolled_back {
        out.push_str("came back  the system in the other slot did not work\n");
    }
    if let Some(bundle) = &slots.bundle {
        // Writing to a String can't fail.
        let _infallible = writeln!(out, "bundle     version {bundle}, good");
    }
    out
}
