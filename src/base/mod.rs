//! Words everybody may speak: ids, names, sizes, secrets, who asks. No I/O, no async, no clock.

mod bundle_source;
mod chord;
mod display;
mod found;
mod hours;
mod id;
mod label;
mod labels;
mod name;
mod network;
mod notice;
mod period;
mod secret;
mod size;
pub mod slots;
mod user;
mod who;
pub mod window;

pub use bundle_source::{BundleSource, BundleSourceError};
pub use chord::{Chord, ChordError};
pub use display::{Cursor, Dark, DisplaySettings, Rotate, Several};
pub use found::Match;
pub use hours::{Hours, HoursError, Moment};
pub use id::{ParseIdError, TerminalId};
pub use label::{HookArgument, HookArgumentError, Label, LabelError};
pub use labels::{Labels, LabelsError, OneLabel};
pub(crate) use name::is_deceptive;
pub use name::{NameError, TerminalName};
pub use network::{Network, NetworkError, PublicUrl, PublicUrlError};
pub use notice::{Level, MessageText, MessageTextError};
pub use period::{Period, PeriodError};
pub use secret::Secret;
pub use size::Size;
pub use slots::SlotState;
pub use user::{User, UserName, UserNameError, Way};
pub use who::{Access, Door, Gesture, Principal};
