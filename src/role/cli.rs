//! The command line of `gatepost`. `docs/commands.md` is its contract.

mod terminal;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::action::{Action, DisplayState, ImageState, KioskDoes, PowerState};
use crate::base::{HookArgument, Label};
use crate::wire::control::{Answer, Call};

use super::act::{self, MessageArguments};
use super::buttons::Buttons;
use super::cert::CertCommand;
use super::client::{call, unexpected};
use super::exit::Failure;
use super::logins::{self, Admin, ApiKey, AuthTool, Logins, Token};
use super::remote::{self, LoginArguments, RemoteArguments};
use super::serve::ServeArguments;
use super::{
    buttons, cert, config, health, hook, output, portal, provision, screen, serve, update,
};

/// Terminals that outlive everything around them, in a browser and on a kiosk.
///
/// Without a subcommand: `serve`, and the kiosk window if there is a display.
#[derive(Debug, Parser)]
#[command(name = "gatepost", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArguments,
    #[command(flatten)]
    remote: RemoteArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve terminals over HTTP until told to stop. Terminals go on when it stops.
    Serve(Box<ServeArguments>),
    /// Print a fresh address to open in a browser; good once, for 20 seconds.
    Url {
        /// For the kiosk window instead of a person.
        #[arg(long)]
        kiosk: bool,
    },
    /// Say whether a server answers, what it has and how the machine is.
    Status {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Look at the configuration, without a server.
    #[command(subcommand)]
    Config(config::Config),
    /// Take this machine's settings from files, without a keyboard.
    #[command(subcommand)]
    Provision(provision::Command),
    /// Do one thing, said as a line: gatepost do 'terminal send work "make\n"'. docs/actions.md lists them.
    Do {
        /// The line.
        line: String,
        /// Print what came of it as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Show a message on the machine's own screen, or to those who watch.
    Message(MessageArguments),
    /// The machine's own screen, and what is on it.
    #[command(subcommand)]
    Kiosk(Kiosk),
    /// Light the machine's own screen, make it dark, or let its schedule decide.
    #[command(subcommand)]
    Display(DisplayCommand),
    /// Restart the machine or switch it off.
    #[command(subcommand)]
    Power(Power),
    /// The machine's buttons and lamps.
    #[command(subcommand)]
    Buttons(Buttons),
    /// Run one of the machine's hooks to its end.
    #[command(subcommand)]
    Hook(Hook),
    /// The other side of gatepost-hook.socket.
    #[command(hide = true)]
    RunHook {
        /// The folder hooks are in.
        folder: std::path::PathBuf,
    },
    /// The system's two slots, on a machine that runs Gatepost's image.
    #[command(subcommand)]
    Update(update::Update),
    /// Gatepost's own image, whose system can't be written to.
    #[command(subcommand)]
    Image(Image),
    /// The set-up access point's page.
    #[command(hide = true)]
    Portal(portal::PortalArguments),
    /// The other side of gatepost-update.socket.
    #[command(hide = true)]
    RunUpdate(update::RunArguments),
    /// Who is logged in, and who watches what.
    Who {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Look at the certificate browsers are shown, or make a new one.
    #[command(subcommand)]
    Cert(CertCommand),
    /// Log in at another machine (with --host), and stay so as a browser does.
    Login(LoginArguments),
    /// End the login at another machine (with --host).
    Logout,
    /// Open, list, use and close terminals.
    #[command(subcommand)]
    Terminal(terminal::Terminal),
    /// See and end browser logins, and see who is locked out.
    #[command(subcommand)]
    Logins(Logins),
    /// The administrator of a kiosk without other users.
    #[command(subcommand)]
    Admin(Admin),
    /// Keys with which other applications vouch for their users.
    #[command(subcommand)]
    ApiKey(ApiKey),
    /// Help for people who make auth objects.
    #[command(subcommand)]
    Auth(AuthTool),
    /// One-time tokens for another web application's users.
    #[command(subcommand)]
    Token(Token),
}

#[derive(Debug, Subcommand)]
enum Kiosk {
    /// Load the page on it anew.
    Reload,
    /// Show on it who this machine is: name, address, QR code and fingerprint.
    Identity,
    /// Move on or choose, as somebody does who uses it by two switches.
    Switch {
        /// What the switch does.
        does: SwitchCommand,
    },
    /// Keep the window open and the screen from blanking; for X sessions.
    Run(screen::RunArguments),
    /// Show the kiosk's terminal on this console, for ever; where there can't be a window.
    Text,
    /// Turn the text console as configured and keep it from going dark; for root, at boot.
    Console,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SwitchCommand {
    /// The highlight moves on.
    Next,
    /// What is highlighted is pressed.
    Choose,
}

#[derive(Debug, Subcommand)]
enum DisplayCommand {
    /// Light it.
    On,
    /// Make it dark. A key or a touch wakes it for a while.
    Off,
    /// As its schedule says.
    Schedule,
}

#[derive(Debug, Subcommand)]
enum Hook {
    /// Run it, and say whether it succeeded.
    Run {
        /// Its name: that of an executable in the folder hooks.
        name: Label,
        /// Words for it.
        #[arg(last = true)]
        arguments: Vec<HookArgument>,
    },
}

#[derive(Debug, Subcommand)]
enum Image {
    /// Make the system writable for maintenance, in memory, until it is locked or the machine restarts. The
    /// machine's own screen says so meanwhile.
    Unlock,
    /// Make it as it was. What was changed is gone.
    Lock,
}

#[derive(Debug, Subcommand)]
enum Power {
    /// Restart the machine.
    Reboot,
    /// Switch the machine off.
    Off,
}

/// Understands a command line. The server's own arguments go with no subcommand, those that name
/// another machine only with a subcommand that can speak to one.
fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Arguments, clap::Error> {
    let mut command = Arguments::command();
    let matches = command.try_get_matches_from_mut(words)?;
    let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let of_ours: Vec<_> = command.get_arguments().map(clap::Arg::get_id).collect();
    let own = of_ours
        .into_iter()
        .find(|id| given(id.as_str()) && !remote::ARGUMENTS.contains(&id.as_str()));
    if let (Some(own), Some((subcommand, _))) = (own, matches.subcommand()) {
        let why = format!("--{own} has to come after {subcommand}, where it belongs to it\n")
            .replace('_', "-");
        return Err(command.error(ErrorKind::ArgumentConflict, why));
    }
    let arguments = Arguments::from_arg_matches(&matches)?;
    let serves = matches!(arguments.command, None | Some(Command::Serve(_)));
    if serves && arguments.remote.is_given() {
        let why = "--host goes with a subcommand that can be said to another machine\n";
        return Err(command.error(ErrorKind::ArgumentConflict, why));
    }
    Ok(arguments)
}

/// Runs the command line.
pub(super) fn main() -> ExitCode {
    let arguments = match parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    if let Err(Failure { code, message }) = remote::choose(&arguments.remote) {
        output::say(&message);
        return code.into();
    }
    let result = match arguments.command {
        None => serve::with_window(&arguments.serve),
        Some(Command::Serve(arguments)) => serve::alone(&arguments),
        Some(Command::Url { kiosk }) => url(kiosk),
        Some(Command::Status { json }) => health::status(json),
        Some(Command::Config(command)) => config::run(command),
        Some(Command::Cert(command)) => cert::run(command),
        Some(Command::Provision(command)) => provision::run(&command),
        Some(Command::Login(arguments)) => remote::log_in(&arguments),
        Some(Command::Logout) => remote::log_out(),
        Some(Command::Terminal(command)) => terminal::run(command),
        Some(Command::Logins(command)) => logins::logins(command),
        Some(Command::Admin(command)) => logins::admin(&command),
        Some(Command::ApiKey(command)) => logins::api_key(command),
        Some(Command::Auth(command)) => logins::auth(command),
        Some(Command::Token(command)) => logins::token(command),
        Some(Command::Do { line, json }) => act::line(&line, json),
        Some(Command::Message(arguments)) => act::message(arguments),
        Some(Command::Kiosk(kiosk)) => match kiosk {
            Kiosk::Reload => act::run(Action::ReloadKiosk {}, false),
            Kiosk::Identity => order(KioskDoes::Identity),
            Kiosk::Switch { does } => order(match does {
                SwitchCommand::Next => KioskDoes::SwitchNext,
                SwitchCommand::Choose => KioskDoes::SwitchChoose,
            }),
            Kiosk::Run(arguments) => screen::run(arguments),
            Kiosk::Text => screen::text(),
            Kiosk::Console => {
                screen::console(Path::new("/"));
                Ok(())
            }
        },
        Some(Command::Display(display)) => {
            let state = match display {
                DisplayCommand::On => DisplayState::On,
                DisplayCommand::Off => DisplayState::Off,
                DisplayCommand::Schedule => DisplayState::Schedule,
            };
            act::run(Action::Display { state }, false)
        }
        Some(Command::Power(power)) => {
            let state = match power {
                Power::Reboot => PowerState::Reboot,
                Power::Off => PowerState::Off,
            };
            act::run(Action::Power { state }, false)
        }
        Some(Command::Buttons(command)) => buttons::run(command),
        Some(Command::Hook(Hook::Run { name, arguments })) => {
            let action = Action::RunHook {
                hook: name,
                arguments,
            };
            act::run(action, false)
        }
        Some(Command::RunHook { folder }) => hook::run(&folder),
        Some(Command::Update(command)) => update::act(command),
        Some(Command::Portal(arguments)) => portal::run(arguments),
        Some(Command::Image(image)) => {
            let state = match image {
                Image::Unlock => ImageState::Unlocked,
                Image::Lock => ImageState::Locked,
            };
            act::run(Action::Image { state }, false)
        }
        Some(Command::RunUpdate(arguments)) => update::run(&arguments),
        Some(Command::Who { json }) => act::run(Action::Who {}, json),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, message }) => {
            output::say(&message);
            code.into()
        }
    }
}

fn order(does: KioskDoes) -> Result<(), Failure> {
    act::run(Action::Kiosk { does }, false)
}

fn url(kiosk: bool) -> Result<(), Failure> {
    match call(&Call::Url { kiosk, lost: 0 })? {
        (Answer::Url { url, .. }, _) => {
            let _seen = output::line(&url)?;
            Ok(())
        }
        _ => Err(unexpected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }

    #[test]
    fn arguments_go_where_they_belong() {
        let line = |text: &str| parse(text.split(' ').map(OsString::from));
        assert!(line("gatepost --listen 127.0.0.1:1").is_ok());
        assert!(line("gatepost serve --listen 127.0.0.1:1").is_ok());
        assert!(line("gatepost --listen 127.0.0.1:1 status").is_err());
        assert!(line("gatepost --host https://kiosk status").is_ok());
        assert!(line("gatepost terminal list --host https://kiosk").is_ok());
        assert!(
            line("gatepost --host http://kiosk status").is_err(),
            "in the clear"
        );
        assert!(line("gatepost --host https://kiosk serve").is_err());
        assert!(line("gatepost --host https://kiosk").is_err());
    }
}
