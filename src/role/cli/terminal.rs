//! The command line's words about terminals.

use clap::Subcommand;

use crate::action::parse_size;
use crate::base::{OneLabel, Size, TerminalName};
use crate::role::attach::{self, AttachArguments};
use crate::role::exit::Failure;
use crate::role::terminal;
use crate::role::wait::{self, WaitArguments};

/// A terminal is named by its id, a unique beginning of it, or its name.
#[derive(Debug, Subcommand)]
pub(super) enum Terminal {
    /// Open a terminal in the current folder and print its id.
    Open {
        /// A name for it.
        #[arg(long)]
        name: Option<TerminalName>,
        /// One of the commands that are offered, by its name.
        #[arg(long, value_name = "OFFERED", conflicts_with = "command")]
        program: Option<String>,
        /// Its first size, as in 120x40.
        #[arg(long, value_name = "COLSxROWS", value_parser = parse_size)]
        size: Option<Size>,
        /// What it is for, in words of your own; may be given up to 16 times.
        #[arg(long = "label", value_name = "KEY=VALUE")]
        labels: Vec<OneLabel>,
        /// Program and arguments; your login shell if absent.
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// List the terminals, oldest first.
    List {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Print what a terminal shows.
    Show {
        /// Which terminal.
        id: String,
        /// With everything that scrolled off.
        #[arg(long)]
        scrollback: bool,
        /// With colours and attributes as escape sequences.
        #[arg(long)]
        ansi: bool,
    },
    /// Type text into a terminal.
    Send {
        /// Which terminal.
        id: String,
        /// The text, or - for standard input.
        #[arg(allow_hyphen_values = true)]
        text: String,
        /// Press Enter after it.
        #[arg(long)]
        enter: bool,
        /// Understand \n \r \t \e \\ \xHH in the text.
        #[arg(long, short)]
        escapes: bool,
    },
    /// Give a terminal a name; without one, take its name away.
    Rename {
        /// Which terminal.
        id: String,
        /// The name.
        name: Option<TerminalName>,
    },
    /// Bring a terminal left in a bad state back to a usable one.
    Reset {
        /// Which terminal.
        id: String,
    },
    /// Let another user of the server watch a terminal of yours, until it ends, the server is started again or
    /// you take it back.
    Share {
        /// Which terminal.
        id: String,
        /// Whom, as `terminal list` names owners: alice, or oidc:alice for who logs in elsewhere.
        user: String,
        /// Take it back.
        #[arg(long)]
        revoke: bool,
    },
    /// End a terminal and every process it started.
    Close {
        /// Which terminal.
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        /// All of them.
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
    /// Watch and use a terminal from this one; Ctrl-\ leaves it.
    Attach(AttachArguments),
    /// Print the lines of screen and scrollback that contain a text, oldest first.
    Search {
        /// Which terminal.
        id: String,
        /// What to look for. Without capitals, case doesn't matter.
        text: String,
        /// The text is a regular expression.
        #[arg(long, short)]
        regex: bool,
        /// Most lines to print, the newest ones.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Wait until something happens in a terminal.
    Wait(WaitArguments),
}
/// Does what one of them says.
pub(super) fn run(command: Terminal) -> Result<(), Failure> {
    match command {
        Terminal::Open {
            name,
            program,
            size,
            labels,
            command,
        } => terminal::open(name, program, size, labels, command),
        Terminal::List { json } => terminal::show_list(json),
        Terminal::Show {
            id,
            scrollback,
            ansi,
        } => terminal::show(&id, scrollback, ansi),
        Terminal::Send {
            id,
            text,
            enter,
            escapes,
        } => terminal::send(&id, &text, escapes, enter),
        Terminal::Rename { id, name } => terminal::rename(&id, name),
        Terminal::Reset { id } => terminal::reset(&id),
        Terminal::Share { id, user, revoke } => terminal::share(&id, user, revoke),
        Terminal::Close { id, .. } => terminal::close(id.as_deref()),
        Terminal::Attach(arguments) => attach::run(&arguments),
        Terminal::Search {
            id,
            text,
            regex,
            limit,
        } => terminal::search(&id, text, regex, limit),
        Terminal::Wait(arguments) => wait::run(arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_taken_within_limits_and_refused_past_them() {
        assert_eq!(parse_size("500x250"), Ok(Size::clamped(500, 250)));
        assert_eq!(parse_size("2x2"), Ok(Size::clamped(2, 2)));
        for bad in [
            "501x250", "500x251", "1x2", "0x0", "80", "80x", "axb", "-1x5", "65536x2",
        ] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
