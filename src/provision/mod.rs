//! What a machine is given before it first starts, without a keyboard: one schema, [`Provision`]; what
//! others write ([`imager`]) in the same words; and the files that come of it ([`plan`]). Pure: `role`
//! reads and writes.

mod account;
mod check;
mod files;
pub mod imager;
mod network;
mod schema;
mod secrets;
mod settings;
mod wifi;
mod words;

pub use files::{Content, FOLDER, Owner, Planned, TLS_CERTIFICATE, TLS_KEY, UID, plan};
pub use schema::{Admin, Keyboard, Link, Provision, Security, Wlan};
pub use secrets::{Kept, MOVED, Secrets};
pub use settings::settings;
pub use words::{
    AccountName, Address, Country, FileName, Hidden, HostName, KeyboardWord, Locale, SshKey, Ssid,
    TimeZone,
};
