//! The operating system's side of things: private folders, the lock on them, limits, systemd, power,
//! the screen, health.

mod display;
mod folder;
mod health;
pub mod hook;
mod limits;
mod machine;
mod maintenance;
mod notify;
mod page_files;
mod power;
mod screen;
pub mod setup;
pub mod update;
mod whole_file;

pub use display::{Display, DisplayError, Happening, Lamp, Now};
pub use folder::{FolderFault, Lock, private_folder, shared_folder};
pub use health::Doctor;
pub use limits::raise_file_limit;
pub use machine::{addresses, host_name};
pub use maintenance::{Maintenance, MaintenanceError, UNLOCKED, is_unlocked};
pub use notify::{Watchdog, ready, stopping};
pub use page_files::{content_type, page_file};
pub use power::{BoxFuture, Power, PowerError, power};
pub use screen::Screen;
pub use whole_file::{replace_file, sync_folder_of};
