//! Everything that can be set: one plain struct for each section, defaults included, and beside it
//! the list of its options. `docs/config.md` is made from the same lists.

mod allow;
pub mod auth;
mod auth_options;
mod buttons;
mod buttons_options;
pub mod cas;
pub mod certificate;
mod display;
mod hooks;
pub mod kerberos;
mod kiosk;
mod limits;
pub mod line;
mod log;
pub mod naming;
mod nobody_asks;
pub mod oidc;
mod option;
mod secret;
pub mod server;
mod server_options;
mod span;
mod sso_options;
mod terminal;
mod waiting;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::Label;

pub use crate::base::{DisplaySettings, Period, PeriodError};
pub use allow::{Allow, Capability};
pub use auth::AuthSettings;
pub use buttons::{
    Backend, Button, Hardware as HardwareSettings, Hold, Lamp, Level, Pull, Said, Shows, ShowsError,
};
pub use hooks::Hooks;
pub use kiosk::{Attract, Forgets, IdleDoes, Kiosk, Restart, Strip};
pub use limits::Limits;
pub use log::Log;
pub use option::{Match, Opt, Reach, Section};
pub use secret::SecretSource;
pub use server::Server;
pub use span::{Span, SpanError};
pub use terminal::{Program, Terminal};
pub use waiting::{waiting, waits_for_restart};

/// The result for one principal. No field is without a default: what has to be there is said by
/// [`Settings::check`], once all layers are merged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the server listens.
    pub server: Server,
    /// Ways to log in.
    pub auth: AuthSettings,
    /// Providers of OpenID Connect.
    pub oidc: oidc::OidcProviders,
    /// A CAS server.
    pub cas: cas::CasServer,
    /// Client certificates as logins.
    pub certificate: certificate::CertificateNaming,
    /// Kerberos tickets.
    pub kerberos: kerberos::KerberosService,
    /// What may be done.
    pub allow: Allow,
    /// How much of it.
    pub limits: Limits,
    /// What runs in terminals.
    pub terminal: Terminal,
    /// How the lines of buttons and lamps are reached.
    pub hardware: HardwareSettings,
    /// Buttons, by name.
    pub buttons: BTreeMap<Label, Button>,
    /// Lamps, by name.
    pub lamps: BTreeMap<Label, Lamp>,
    /// Programs that buttons and people may run.
    pub hooks: Hooks,
    /// The window on the machine's own screen.
    pub kiosk: Kiosk,
    /// What is written down.
    pub log: Log,
    /// The machine's own screen.
    pub display: DisplaySettings,
}

/// The sections, in the order they are documented.
pub const SECTIONS: &[Section] = &[
    server_options::SECTION,
    auth_options::SECTION,
    sso_options::OIDC,
    sso_options::CAS,
    sso_options::CERTIFICATE,
    sso_options::KERBEROS,
    allow::SECTION,
    limits::SECTION,
    terminal::SECTION,
    buttons_options::HARDWARE,
    buttons_options::BUTTONS,
    buttons_options::LAMPS,
    hooks::SECTION,
    kiosk::SECTION,
    log::SECTION,
    display::SECTION,
];

/// What is wrong with values each of which is fine by itself: the key (with its section) and a sentence.
pub type Objection = (String, String);

impl Settings {
    /// What doesn't fit together.
    pub fn check(&self) -> Vec<Objection> {
        let mut out = Vec::new();
        self.server.check(&mut out);
        self.auth.check(&mut out);
        self.check_sso(&mut out);
        self.check_none(&mut out);
        self.limits.check(&mut out);
        self.terminal.check(&mut out);
        self.check_hardware(&mut out);
        self.hooks.check(&mut out);
        self.kiosk.check(&mut out);
        self.log.check(&mut out);
        display::check(&self.display, &mut out);
        out
    }
}

/// The section of this name.
pub fn section(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.name == name)
}
