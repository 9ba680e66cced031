//! Gatepost: terminals that outlive everything around them, shown on a kiosk and reachable from anywhere.
//!
//! The file tree is the architecture. Rooms, from the bottom floor up; a room imports only from floors
//! below it, which `tests/tidy.rs` checks:
//!
//! | floor | rooms |
//! | --- | --- |
//! | words | [`base`] |
//! | vocabulary | [`action`] |
//! | given things | [`provision`] |
//! | pure logic | [`policy`], [`screen`], [`wire`] |
//! | mechanisms | [`terminals`], [`auth`], [`hardware`], [`system`] |
//! | decisions carried out | [`control`] |
//! | ways in, and processes of their own | [`doors`], [`keeper`], [`login`], [`kiosk`] |
//! | assembly | [`config`], [`role`] |

pub mod action;
pub mod auth;
pub mod base;
pub mod config;
pub mod control;
pub mod doors;
pub mod hardware;
pub mod keeper;
pub mod kiosk;
pub mod login;
pub mod policy;
pub mod provision;
pub mod role;
pub mod screen;
pub mod system;
pub mod terminals;
pub mod wire;
