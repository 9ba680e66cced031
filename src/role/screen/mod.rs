//! `gatepost kiosk run`: what runs in the X session of the machine's own screen. Keeps the window and
//! its window manager running, keeps the screen from blanking, and does with it what the server says.

mod children;
mod clock;
mod console;
mod link;
mod state;
mod television;
mod text;

use std::ffi::OsString;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::system::{Display, Happening};
use crate::wire::display::Order;

use super::exit::{Code, Failure};
use super::log::{self, Format};
use children::{Child, Part};
use state::State;

pub(super) use console::console;
pub(super) use text::text;

/// Ends of the window in a row, each soon after its start, after which another X server is tried.
const GIVE_UP: u32 = 5;

/// What `gatepost kiosk run` takes.
#[derive(Debug, clap::Args)]
pub(super) struct RunArguments {
    /// The window [default: gatepost-kiosk, beside this program].
    #[arg(long, value_name = "PROGRAM")]
    window: Option<OsString>,
    /// The window manager, with its arguments. Matchbox's own shortcuts start terminals.
    #[arg(
        long,
        value_name = "COMMAND",
        default_value = "matchbox-window-manager -use_titlebar no -use_cursor no -kbdconfig /dev/null"
    )]
    manager: String,
    /// How often it is made sure that nothing blanks the screen, in milliseconds.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(50..=3_600_000))]
    every: u64,
    /// How often the X server was started again before this time, for the report.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    x_restarts: u32,
}

/// What happened.
#[derive(Debug)]
enum News {
    /// On the screen.
    Screen(Happening),
    /// The server says how it should be.
    Order(Box<Order>),
    /// A program has ended, for the so-manieth time in a row soon after its start.
    Ended { part: Part, short: u32 },
}

/// Runs until the X server goes, or the window can't be kept open.
pub(super) fn run(arguments: RunArguments) -> Result<(), Failure> {
    log::start(Format::Auto);
    let display = Display::open().map_err(Failure::failed)?;
    let (tell, news) = mpsc::channel();
    std::thread::spawn(display.watcher(tell.clone(), News::Screen));
    let mut state = State::new(display, arguments.x_restarts);
    // First the screen, so that nothing is seen the wrong way up.
    state.settle().map_err(Failure::failed)?;
    let manager = arguments.manager.split_whitespace().map(OsString::from);
    let _manager = Child::keep(Part::Manager, manager.collect(), tell.clone());
    let window = arguments.window.unwrap_or_else(own_window);
    let _window = Child::keep(Part::Window, vec![window], tell.clone());
    let link = link::Link::open(tell);
    let every = Duration::from_millis(arguments.every);
    loop {
        let wait = state.next_look(every);
        match news.recv_timeout(wait) {
            Ok(News::Screen(Happening::Gone)) | Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::failed("the X server has gone"));
            }
            Ok(News::Ended {
                part: Part::Window,
                short: GIVE_UP..,
            }) => {
                let message = format!("the window ended {GIVE_UP} times in a row");
                return Err(Failure::new(Code::Failed, message));
            }
            Ok(news) => state.hear(&news),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if state.look(every).map_err(Failure::failed)? {
            link.report(state.report());
        }
    }
}

/// The window's executable stands beside ours.
fn own_window() -> OsString {
    let name = "gatepost-kiosk";
    let own = std::env::current_exe().map(|own| own.with_file_name(name));
    let own = own.ok().filter(|path| path.is_file());
    own.map_or_else(|| name.into(), Into::into)
}
