//! The ways in. A door translates between its protocol and the control plane; it decides nothing,
//! and no door knows another.

pub mod buttons;
pub mod local;
pub mod portal;
pub mod web;
