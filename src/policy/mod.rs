//! Who may do what: configuration resolved for whoever asks. Pure: no clock, no I/O.
//!
//! [`tree`] is what was written, [`settings`] what can be written, [`Rules`] all of it checked;
//! [`decide`] judges one ask by the settings of whoever asks. Nothing matched means no.

mod check;
mod decide;
mod known;
mod offer;
mod problem;
mod rules;
mod scope;
pub mod settings;
pub mod tree;

pub use decide::{Denied, Facts, Granted, Whose, access, decide, is_visible, may_close};
pub use offer::{Offered, offered};
pub use problem::Problem;
pub use rules::Rules;
pub use scope::{MAX_REGEX, Scope};
