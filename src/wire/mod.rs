//! Every byte format Gatepost speaks. No I/O, no async; each file is a fuzz target.
//!
//! `docs/protocol-terminal.md` describes the same formats for people who write a client.

pub mod bundle;
pub mod buttons;
pub mod care;
pub mod control;
pub mod cookie;
pub mod display;
pub mod dns;
pub mod frame;
pub mod holder;
pub mod hook;
pub mod kiosk;
pub mod launch;
pub mod login;
pub mod logins;
pub mod message;
pub mod provision;
pub mod scan;
pub mod setup;
pub mod update;
pub mod websocket;
pub mod x2go;

/// Version of the terminal protocol, the first byte of `Attach` and `Hello`.
///
/// A newer server talks to an older keeper: within one version fields are only ever added, and
/// unknown fields and unknown `Meta` keys are ignored by whoever doesn't know them.
pub const PROTOCOL: u8 = 1;
