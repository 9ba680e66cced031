//! The kiosk's window: the same page as in a browser, full-screen, with nothing around it and no way out.
//!
//! It knows nothing of terminals. It asks the server on the same machine for an address that is good
//! once, shows it, and asks again whenever the page is lost. A process of its own, because whatever
//! links WebKitGTK pays for it in memory and start-up time, and because the toolkit ends the process
//! when the X server goes.
//!
//! What it decides is pure and always built: [`recovery`], [`silence`] and [`navigation`]. What it does needs GTK.

pub mod navigation;
pub mod recovery;
pub mod silence;

#[cfg(feature = "kiosk")]
mod admin;
#[cfg(feature = "kiosk")]
mod clipboard;
#[cfg(feature = "kiosk")]
mod cover;
#[cfg(feature = "kiosk")]
mod input;
#[cfg(feature = "kiosk")]
mod link;
#[cfg(feature = "kiosk")]
mod lockdown;
#[cfg(feature = "kiosk")]
mod page;
#[cfg(feature = "kiosk")]
mod pressure;
#[cfg(feature = "kiosk")]
mod start;
#[cfg(feature = "kiosk")]
mod window;

#[cfg(feature = "kiosk")]
pub use link::LinkError;
#[cfg(feature = "kiosk")]
pub use start::{KioskError, Options, run};
